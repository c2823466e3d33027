//! The Lambda function `get-commit`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), shared::app::Error> {
    shared::app::run(get_commit::handle).await
}
