//! The Lambda function `list-tags`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), shared::app::Error> {
    shared::app::run(list_tags::handle).await
}
