//! The Lambda function `delete-link`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), shared::app::Error> {
    shared::app::run(delete_link::handle).await
}
