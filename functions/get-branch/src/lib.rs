//! `GET /projects/:id/repository/branches/:branch`: the default branch, the only one that is known.

use http::{HeaderMap, Method, StatusCode};
use shared::app::App;
use shared::http::admit::enter_project;
use shared::http::branch_body::BranchBody;
use shared::http::{Answer, ApiError, Call};
use shared::store::read::Selection;

/// Answers with the branch.
pub async fn handle(app: &App, call: Call) -> Result<Answer, ApiError> {
    let entered = enter_project(app, &call, Selection::Project).await?;
    entered.admission.may_read_code()?;
    if call.path.branch != entered.admission.project().default_branch.as_str() {
        return Err(ApiError::BranchNotFound);
    }
    if call.method == Method::HEAD {
        // GitLab has an endpoint of its own for it, which only says that the branch is there.
        let (status, body) = (StatusCode::NO_CONTENT, String::new());
        return Ok(Answer { status, headers: HeaderMap::new(), body });
    }
    Answer::json(StatusCode::OK, &BranchBody::new(&call.base, &entered.admission))
}
