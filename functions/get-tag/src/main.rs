//! The Lambda function `get-tag`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), shared::lambda::Error> {
    shared::lambda::run(get_tag::handle).await
}
