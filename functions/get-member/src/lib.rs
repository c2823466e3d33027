//! `GET /projects/:id/members/all/:user_id`: the caller as a member of a project. Roles stand on
//! tokens, so that of others nothing is known.

use http::StatusCode;
use serde::Serialize;
use shared::app::App;
use shared::http::admit::enter_project;
use shared::http::fields::Fields;
use shared::http::render::UserBody;
use shared::http::{Answer, ApiError, Call};
use shared::store::read::Selection;

/// Answers with the member.
pub async fn handle(app: &App, call: Call) -> Result<Answer, ApiError> {
    let mut fields = Fields::new(&call.params);
    let user_id = fields.path_integer("user_id", &call.path.user_id);
    fields.finish()?;
    let entered = enter_project(app, &call, Selection::Project).await?;
    let member = entered.admission.token().zip(entered.admission.membership().level());
    let (token, level) = member.ok_or(ApiError::RecordNotFound)?;
    if user_id != i64::try_from(token.user.id).ok() {
        return Err(ApiError::RecordNotFound);
    }
    Answer::json(
        StatusCode::OK,
        &MemberBody {
            user: UserBody::new(&call.base, token.user.id, &token.user.username),
            access_level: level.number(),
            expires_at: None,
        },
    )
}

#[derive(Serialize)]
struct MemberBody<'a> {
    #[serde(flatten)]
    user: UserBody<'a>,
    access_level: u8,
    expires_at: Option<&'a str>,
}
