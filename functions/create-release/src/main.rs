//! The Lambda function `create-release`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), shared::app::Error> {
    shared::app::run(create_release::handle).await
}
