//! The Lambda function `get-tag`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), shared::app::Error> {
    shared::app::run(get_tag::handle).await
}
