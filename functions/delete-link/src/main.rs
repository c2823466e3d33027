//! The Lambda function `delete-link`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), shared::lambda::Error> {
    shared::lambda::run(delete_link::handle).await
}
