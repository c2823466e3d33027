//! The Lambda function `refresh-issuers`.

use lambda_http::{LambdaEvent, lambda_runtime, service_fn};
use serde::de::IgnoredAny;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    let app = shared::lambda::start()?;
    let refresh = |event: LambdaEvent<IgnoredAny>| refresh_issuers::handle(app, event.context);
    lambda_runtime::run(service_fn(refresh)).await
}
