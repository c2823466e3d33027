//! The Lambda function `update-link`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), shared::app::Error> {
    shared::app::run(update_link::handle).await
}
