//! The Lambda function `download-asset`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    shared::app::run(download_asset::handle).await
}
