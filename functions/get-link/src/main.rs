//! The Lambda function `get-link`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), shared::app::Error> {
    shared::app::run(get_link::handle).await
}
