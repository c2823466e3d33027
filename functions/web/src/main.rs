//! The Lambda function `web`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), shared::app::Error> {
    shared::app::run_unframed(web::handle).await
}
