//! The Lambda function `check-deployment`.

use check_deployment::Hook;
use lambda_http::{lambda_runtime, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    let hook: &'static Hook = Box::leak(Box::new(Hook::from_env()?));
    lambda_runtime::run(service_fn(|event| check_deployment::handle(hook, event))).await
}
