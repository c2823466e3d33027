//! The Lambda function `list-branches`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), shared::app::Error> {
    shared::app::run(list_branches::handle).await
}
