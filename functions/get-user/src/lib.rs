//! `GET /user`: whom a token acts for. Most clients ask before anything else.

use http::StatusCode;
use serde::Serialize;
use shared::app::App;
use shared::http::admit::sign_in;
use shared::http::render::UserBody;
use shared::http::{Answer, ApiError, Call};

/// Answers with the user.
pub async fn handle(app: &App, call: Call) -> Result<Answer, ApiError> {
    let token = sign_in(app, &call, &call.credentials.without_job_tokens()).await?;
    Answer::json(
        StatusCode::OK,
        &CurrentUser {
            user: UserBody::new(&call.base, token.user.id, &token.user.username),
            external: token.user.external,
        },
    )
}

#[derive(Serialize)]
struct CurrentUser<'a> {
    #[serde(flatten)]
    user: UserBody<'a>,
    external: bool,
}
