//! The Lambda function `get-branch`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), shared::lambda::Error> {
    shared::lambda::run(get_branch::handle).await
}
