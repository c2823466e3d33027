//! The functions as cargo-lambda runs them: each a process of its own, handed events.

mod configuration;
mod emulator;
mod http;
mod invocations;

use crate::clients::python;
use crate::harness::World;
use crate::harness::world::{grant, project, token};
use emulator::Emulator;
use shared::domain::token::AccessLevel;
use shared::store::tokens::NewToken;

/// The release that requests and events name, with its project by path.
const LINKS: &str = "/projects/mynamespace%2Fhello/releases/release%2F1.0/assets/links";

/// One test, since each start of the emulator builds and starts all functions anew.
#[tokio::test]
async fn the_functions_serve_http_and_invocations_under_cargo_lambda() {
    let Some(programs) = python::programs() else { return };
    let world = World::empty();
    world.project(project(20, "mynamespace/hello")).await;
    world.release(20, "release/1.0").await;
    let developer = NewToken { grants: vec![grant(20, AccessLevel::Developer)], ..token() };
    let token = world.token(developer).await;

    let emulator = Emulator::start(programs, &world.server.dynamodb_url).await;
    // First, since the events name the first link of an installation.
    invocations::run(&emulator, token.reveal()).await;
    http::run(&emulator, token.reveal()).await;
    world.assert_sound().await;
}
