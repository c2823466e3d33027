//! The Lambda function `list-links`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    shared::app::run(list_links::handle).await
}
