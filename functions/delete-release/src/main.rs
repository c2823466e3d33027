//! The Lambda function `delete-release`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), shared::lambda::Error> {
    shared::lambda::run(delete_release::handle).await
}
