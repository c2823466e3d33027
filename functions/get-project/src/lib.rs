//! `GET /projects/:id`: a project, as far as release tools ask for it.

use http::StatusCode;
use shared::api::project_body::ProjectBody;
use shared::api::{ApiError, ApiRequest, ApiResponse};
use shared::app::App;

/// Answers with the project.
pub async fn handle(app: &App, request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let (access, ()) = request.authorize_project(app, &()).await?;
    ApiResponse::json(StatusCode::OK, &ProjectBody::new(&request, &access))
}
