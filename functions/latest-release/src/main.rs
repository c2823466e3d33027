//! The Lambda function `latest-release`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), shared::app::Error> {
    shared::app::run(latest_release::handle).await
}
