//! The Lambda function `delete-release`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    shared::app::run(delete_release::handle).await
}
