//! The Lambda function `latest-release`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    shared::app::run(latest_release::handle).await
}
