//! The Lambda function `list-branches`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), shared::lambda::Error> {
    shared::lambda::run(list_branches::handle).await
}
