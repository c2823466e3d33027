//! The Lambda function `list-projects`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), shared::lambda::Error> {
    shared::lambda::run(list_projects::handle).await
}
