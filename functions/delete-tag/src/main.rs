//! The Lambda function `delete-tag`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), shared::app::Error> {
    shared::app::run(delete_tag::handle).await
}
