//! The Lambda function `delete-release`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), shared::app::Error> {
    shared::app::run(delete_release::handle).await
}
