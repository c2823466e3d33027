//! The Lambda function `delete-tag`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    shared::app::run(delete_tag::handle).await
}
