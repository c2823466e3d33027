//! `GET /projects/:id/repository/branches/:branch`: the default branch, the only one that is known.

use http::{HeaderMap, Method, StatusCode};
use shared::api::branch_body::BranchBody;
use shared::api::{ApiError, ApiRequest, ApiResponse};
use shared::app::App;

/// Answers with the branch.
pub async fn handle(app: &App, request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let (access, ()) = request.authorize_project(app, &()).await?;
    access.may_read_code()?;
    if request.path.branch != access.project().default_branch.as_str() {
        return Err(ApiError::BranchNotFound);
    }
    if request.method == Method::HEAD {
        // GitLab has an endpoint of its own for it, which only says that the branch is there.
        let (status, body) = (StatusCode::NO_CONTENT, String::new());
        return Ok(ApiResponse { status, headers: HeaderMap::new(), body });
    }
    ApiResponse::json(StatusCode::OK, &BranchBody::new(&request.base, &access))
}
