//! `GET /projects/:id/members/all/:user_id`: the caller as a member of a project. Each
//! token has its own roles: the roles of other users are unknown.

use http::StatusCode;
use serde::Serialize;
use shared::api::param_validator::ParamValidator;
use shared::api::user_body::UserBody;
use shared::api::{ApiError, ApiRequest, ApiResponse};
use shared::app::App;

/// Answers with the member.
pub async fn handle(app: &App, request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let mut fields = ParamValidator::new(&request.params);
    let user_id = fields.path_integer("user_id", &request.path.user_id);
    fields.finish()?;
    let (access, ()) = request.authorize_project(app, &()).await?;
    let member = access.user().zip(access.membership().level());
    let (user, level) = member.ok_or(ApiError::RecordNotFound)?;
    if user_id != i64::try_from(user.id).ok() {
        return Err(ApiError::RecordNotFound);
    }
    ApiResponse::json(
        StatusCode::OK,
        &MemberBody {
            user: UserBody::new(&request.base, user.id, &user.username),
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
