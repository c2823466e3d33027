//! The Lambda function `list-links`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), shared::app::Error> {
    shared::app::run(list_links::handle).await
}
