//! The Lambda function `download-asset`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), shared::app::Error> {
    shared::app::run(download_asset::handle).await
}
