//! The Lambda function `list-releases`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), shared::app::Error> {
    shared::app::run(list_releases::handle).await
}
