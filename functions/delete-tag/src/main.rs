//! The Lambda function `delete-tag`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), shared::lambda::Error> {
    shared::lambda::run(delete_tag::handle).await
}
