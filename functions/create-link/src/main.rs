//! The Lambda function `create-link`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    shared::app::run(create_link::handle).await
}
