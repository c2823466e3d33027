//! `GET /projects/:id/repository/branches/:branch`: the default branch, the only one that is known.

use http::{HeaderMap, Method, StatusCode};
use shared::api::admit::enter_project;
use shared::api::branch_body::BranchBody;
use shared::api::{ApiError, ApiRequest, ApiResponse};
use shared::app::App;
use shared::store::read::Selection;

/// Answers with the branch.
pub async fn handle(app: &App, request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let entered = enter_project(app, &request, Selection::Project).await?;
    entered.admission.may_read_code()?;
    if request.path.branch != entered.admission.project().default_branch.as_str() {
        return Err(ApiError::BranchNotFound);
    }
    if request.method == Method::HEAD {
        // GitLab has an endpoint of its own for it, which only says that the branch is there.
        let (status, body) = (StatusCode::NO_CONTENT, String::new());
        return Ok(ApiResponse { status, headers: HeaderMap::new(), body });
    }
    ApiResponse::json(StatusCode::OK, &BranchBody::new(&request.base, &entered.admission))
}
