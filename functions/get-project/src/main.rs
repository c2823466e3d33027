//! The Lambda function `get-project`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    shared::app::run(get_project::handle).await
}
