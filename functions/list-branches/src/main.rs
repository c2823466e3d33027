//! The Lambda function `list-branches`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    shared::app::run(list_branches::handle).await
}
