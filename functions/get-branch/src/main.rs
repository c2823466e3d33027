//! The Lambda function `get-branch`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), shared::app::Error> {
    shared::app::run(get_branch::handle).await
}
