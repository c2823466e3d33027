//! The Lambda function `create-link`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), shared::app::Error> {
    shared::app::run(create_link::handle).await
}
