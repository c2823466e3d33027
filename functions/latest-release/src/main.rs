//! The Lambda function `latest-release`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), shared::lambda::Error> {
    shared::lambda::run(latest_release::handle).await
}
