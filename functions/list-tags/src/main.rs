//! The Lambda function `list-tags`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), shared::lambda::Error> {
    shared::lambda::run(list_tags::handle).await
}
