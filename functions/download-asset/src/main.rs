//! The Lambda function `download-asset`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), shared::lambda::Error> {
    shared::lambda::run(download_asset::handle).await
}
