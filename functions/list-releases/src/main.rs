//! The Lambda function `list-releases`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    shared::app::run(list_releases::handle).await
}
