//! The Lambda function `create-release`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    shared::app::run(create_release::handle).await
}
