//! `GET /user`: whom a token acts for. Most clients ask before anything else.

use http::StatusCode;
use serde::Serialize;
use shared::api::user_body::UserBody;
use shared::api::{ApiError, ApiRequest, ApiResponse};
use shared::app::App;

/// Answers with the user.
pub async fn handle(app: &App, request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let user = request.user(app, &request.credentials.without_job_tokens()).await?;
    ApiResponse::json(
        StatusCode::OK,
        &CurrentUser {
            user: UserBody::new(&request.base, user.id, &user.username),
            external: user.external,
        },
    )
}

#[derive(Serialize)]
struct CurrentUser<'a> {
    #[serde(flatten)]
    user: UserBody<'a>,
    external: bool,
}
