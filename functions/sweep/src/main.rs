//! The Lambda function `sweep`.

use lambda_http::{lambda_runtime, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    let app = shared::lambda::start()?;
    lambda_runtime::run(service_fn(|event| sweep::handle(app, event))).await
}
