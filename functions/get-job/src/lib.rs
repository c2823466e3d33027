//! `GET /job`: the CI job a token belongs to. Clients that are given a job's token ask it who they
//! are.

use http::StatusCode;
use serde::Serialize;
use shared::app::App;
use shared::http::admit::sign_in;
use shared::http::render::UserBody;
use shared::http::{Answer, ApiError, Call};

/// Answers with the job.
pub async fn handle(app: &App, call: Call) -> Result<Answer, ApiError> {
    let token = sign_in(app, &call, &call.credentials).await?;
    let job = token.job.as_ref().ok_or(ApiError::JobNotFound)?;
    let created_at = token.created_at.to_string();
    Answer::json(
        StatusCode::OK,
        &JobBody {
            id: job.id,
            // A job's token opens something only while the job runs.
            status: "running",
            name: &token.name,
            created_at: &created_at,
            started_at: &created_at,
            finished_at: None,
            user: UserBody::new(&call.base, token.user.id, &token.user.username),
            web_url: format!("{}/{}/-/jobs/{}", call.base, job.project.as_str(), job.id),
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
