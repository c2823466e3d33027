//! The runner of functions: from Lambda's runtime to an endpoint and back.

use std::convert::Infallible;

pub use lambda_http::Error;
use lambda_http::{Body, LambdaEvent, Request, Response, lambda_runtime, service_fn};
use serde_json::value::RawValue;

use crate::api::respond::respond;
use crate::api::{ApiError, ApiRequest, ApiResponse, event};
use crate::app::App;
use crate::config::ConfigError;
use crate::logging::log_to;

/// Starts a function's process: its log, and the app, which lives as long as it does.
pub fn start() -> Result<&'static App, ConfigError> {
    log_to(std::io::stdout);
    Ok(Box::leak(Box::new(App::from_env()?)))
}

/// Runs the function of an endpoint: everything its `main` has to do. Returns only when the process
/// cannot start or has lost its runtime.
pub async fn run<Endpoint, Answering>(endpoint: Endpoint) -> Result<(), Error>
where
    Endpoint: Fn(&'static App, ApiRequest) -> Answering + Copy + Send + Sync + 'static,
    Answering: Future<Output = Result<ApiResponse, ApiError>> + Send + 'static,
{
    run_unframed(move |app, request| respond(app, request, endpoint)).await
}

/// The same for a function that takes requests of any form.
pub async fn run_unframed<Handle, Handling>(handle: Handle) -> Result<(), Error>
where
    Handle: Fn(&'static App, Request) -> Handling + Copy + Send + Sync + 'static,
    Handling: Future<Output = Response<Body>> + Send + 'static,
{
    let app = start()?;
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Box<RawValue>>| {
        let reply = event::reply(event, move |request| handle(app, request));
        async move { Ok::<_, Infallible>(reply.await) }
    }))
    .await
}
