//! The functions as cargo-lambda runs them: each a process of its own, handed events.

mod configuration;
mod deployments;
mod emulator;
mod events;
mod http;
mod invocations;
mod pages;
pub(crate) mod processes;

use crate::clients::python;
use emulator::Emulator;
use harness::TestApp;
use harness::binaries;
use harness::test_app::{grant, project, token};
use serde_json::Value;
use shared::domain::access_level::AccessLevel;
use shared::domain::project::ProjectPath;
use shared::domain::secret::Secret;
use shared::domain::token_kind::TokenKind;
use shared::routes::Function;
use shared::store::tokens::NewToken;

/// The release that requests and events name, with its project by path.
const LINKS: &str = "/projects/demo%2Fhello/releases/v1.0.0/assets/links";

/// The function that no route leads to: the stream of the releases table invokes it.
pub(crate) const SWEEP: &str = "sweep";

/// The function that CodeDeploy invokes before it shifts traffic to a new version of another.
pub(crate) const CHECK_DEPLOYMENT: &str = "check-deployment";

/// The function that a schedule invokes.
pub(crate) const REFRESH_ISSUERS: &str = "refresh-issuers";

/// Every function that a deployment checks, by its name.
pub(crate) fn functions() -> impl Iterator<Item = &'static str> {
    Function::ALL.iter().map(|function| function.name()).chain([SWEEP])
}

pub(crate) struct Tokens {
    pub(crate) developer: Secret,
    pub(crate) job: Secret,
}

/// One test, since each start of the emulator builds and starts all functions anew.
#[cfg_attr(not(clients), ignore = "needs RELEASE_LINKS_TEST_CLIENTS=1")]
#[tokio::test]
async fn the_functions_serve_http_and_invocations_under_cargo_lambda() {
    let programs = python::programs();
    let (app, tokens) = app_with_events().await;
    let emulator = Emulator::start(programs, &app.server).await;
    // First, since the events name the first link of an installation.
    invocations::run(async |function: &str, event: &str| {
        emulator.invoke(function, &self::event(event, &tokens)).await
    })
    .await;
    http::run(&emulator, &tokens).await;
    app.assert_sound().await;
}

/// A server whose database has what the events name, and the tokens to put into them.
pub(crate) async fn app_with_events() -> (TestApp, Tokens) {
    let app = TestApp::empty();
    app.project(project(20, "demo/hello")).await;
    app.release(20, "v1.0.0").await;
    let developer = NewToken { grants: vec![grant(20, AccessLevel::Developer)], ..token() };
    let job = NewToken {
        kind: TokenKind::Job,
        name: "publish".to_owned(),
        job_project: Some(ProjectPath::parse("demo/hello").unwrap()),
        ..developer.clone()
    };
    let tokens = Tokens { developer: app.token(developer).await, job: app.token(job).await };
    (app, tokens)
}

/// The event in a file of tests/events, with these tokens in it.
pub(crate) fn event(file: &str, tokens: &Tokens) -> Value {
    let path = binaries::workspace().join("tests/events").join(file);
    let text = std::fs::read_to_string(path)
        .unwrap()
        .replace("{{token}}", tokens.developer.reveal())
        .replace("{{job_token}}", tokens.job.reveal());
    serde_json::from_str(&text).unwrap()
}
