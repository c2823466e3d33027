//! `GET /job`: the CI job a token belongs to. Clients that are given a job's token ask it who they
//! are.

use http::StatusCode;
use serde::Serialize;
use shared::api::user_body::UserBody;
use shared::api::{ApiError, ApiRequest, ApiResponse};
use shared::app::App;
use shared::authorize::access::{AccessError, Caller};

/// Answers with the job.
pub async fn handle(app: &App, request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let token = match request.caller(app, &request.credentials).await? {
        Caller::Anonymous => return Err(AccessError::UnknownToken.into()),
        Caller::Authenticated(token) => token,
        // Its job is one of another CI system.
        Caller::Job(_) => return Err(ApiError::JobNotFound),
    };
    let job = token.job.as_ref().ok_or(ApiError::JobNotFound)?;
    let created_at = token.created_at.to_string();
    ApiResponse::json(
        StatusCode::OK,
        &JobBody {
            id: job.id,
            // A job's token opens something only while the job runs.
            status: "running",
            name: &token.name,
            created_at: &created_at,
            started_at: &created_at,
            finished_at: None,
            user: UserBody::new(&request.base, token.user.id, &token.user.username),
            web_url: format!("{}/{}/-/jobs/{}", request.base, job.project.as_str(), job.id),
        },
    )
}

#[derive(Serialize)]
struct JobBody<'a> {
    id: u64,
    status: &'static str,
    name: &'a str,
    created_at: &'a str,
    started_at: &'a str,
    finished_at: Option<&'a str>,
    user: UserBody<'a>,
    web_url: String,
}
