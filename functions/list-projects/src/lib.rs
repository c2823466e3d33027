//! `GET /projects`: the projects that the caller may see.

mod listing;

use http::StatusCode;
use shared::api::project_body::ProjectBody;
use shared::api::{ApiError, ApiRequest, ApiResponse};
use shared::app::App;
use shared::authorize::access::ProjectAccess;

use listing::Listing;

/// Answers with a page of the projects.
pub async fn handle(app: &App, request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let caller = request.caller(app, &request.credentials.without_job_tokens()).await?;
    let listing = Listing::read(&request)?;
    let listed = app.store.listed_projects(request.deadline).await?;
    let ids = listing.arrange(listed, &caller);
    let page = listing.page.rows(&ids);
    let projects = app.store.read_projects(page, request.deadline).await?;
    // A project may have become private since the list was read.
    let admit = |project| ProjectAccess::to_project(caller.clone(), Some(project), &[]).ok();
    let admissions: Vec<ProjectAccess> = projects.into_iter().filter_map(admit).collect();
    let body = if listing.is_simple { ProjectBody::simple } else { ProjectBody::new };
    let bodies: Vec<_> = admissions.iter().map(|access| body(&request, access)).collect();
    let mut answer = ApiResponse::json(StatusCode::OK, &bodies)?;
    answer.headers.extend(listing.page.headers(&request, ids.len(), &listing::REPEATED));
    Ok(answer)
}
