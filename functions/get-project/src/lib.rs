//! `GET /projects/:id`: a project, as far as release tools ask for it.

use http::StatusCode;
use shared::api::admit::enter_project;
use shared::api::project_body::ProjectBody;
use shared::api::{ApiError, ApiRequest, ApiResponse};
use shared::app::App;
use shared::store::read::Selection;

/// Answers with the project.
pub async fn handle(app: &App, request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let entered = enter_project(app, &request, Selection::Project).await?;
    ApiResponse::json(StatusCode::OK, &ProjectBody::new(&request, &entered.admission))
}
