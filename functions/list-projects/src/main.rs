//! The Lambda function `list-projects`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), shared::app::Error> {
    shared::app::run(list_projects::handle).await
}
