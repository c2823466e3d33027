//! The Lambda function `list-merge-requests`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), shared::lambda::Error> {
    shared::lambda::run(list_merge_requests::handle).await
}
