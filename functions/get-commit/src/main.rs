//! The Lambda function `get-commit`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    shared::app::run(get_commit::handle).await
}
