//! The Lambda function `update-release`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), shared::app::Error> {
    shared::app::run(update_release::handle).await
}
