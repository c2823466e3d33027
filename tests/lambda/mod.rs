//! The functions as cargo-lambda runs them: each a process of its own, handed events.

mod configuration;
mod emulator;
mod http;
mod invocations;
pub(crate) mod processes;

use crate::clients::python;
use crate::harness::World;
use crate::harness::binaries;
use crate::harness::world::{grant, project, token};
use emulator::Emulator;
use serde_json::Value;
use shared::domain::token::{AccessLevel, Secret};
use shared::store::tokens::NewToken;

/// The release that requests and events name, with its project by path.
const LINKS: &str = "/projects/mynamespace%2Fhello/releases/release%2F1.0/assets/links";

/// One test, since each start of the emulator builds and starts all functions anew.
#[tokio::test]
async fn the_functions_serve_http_and_invocations_under_cargo_lambda() {
    let Some(programs) = python::programs() else { return };
    let (world, token) = world_of_events().await;
    let emulator = Emulator::start(programs, &world.server.dynamodb_url).await;
    // First, since the events name the first link of an installation.
    invocations::run(async |function: &str, event: &str| {
        emulator.invoke(function, &self::event(event, &token)).await
    })
    .await;
    http::run(&emulator, token.reveal()).await;
    world.assert_sound().await;
}

/// A server whose database has what the events name, and the token to put into them.
pub(crate) async fn world_of_events() -> (World, Secret) {
    let world = World::empty();
    world.project(project(20, "mynamespace/hello")).await;
    world.release(20, "release/1.0").await;
    let developer = NewToken { grants: vec![grant(20, AccessLevel::Developer)], ..token() };
    let token = world.token(developer).await;
    (world, token)
}

/// The event in a file of tests/events, with this token in it.
pub(crate) fn event(file: &str, token: &Secret) -> Value {
    let path = binaries::workspace().join("tests/events").join(file);
    let text = std::fs::read_to_string(path).unwrap().replace("{{token}}", token.reveal());
    serde_json::from_str(&text).unwrap()
}
