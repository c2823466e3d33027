//! The Lambda function `get-member`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), shared::app::Error> {
    shared::app::run(get_member::handle).await
}
