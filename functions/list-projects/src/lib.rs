//! `GET /projects`: the projects that the caller may see.

mod listing;

use http::StatusCode;
use shared::access::Admission;
use shared::app::App;
use shared::http::admit;
use shared::http::project_body::ProjectBody;
use shared::http::{Answer, ApiError, Call};

use listing::Listing;

/// Answers with a page of the projects.
pub async fn handle(app: &App, call: Call) -> Result<Answer, ApiError> {
    let caller = admit::caller(app, &call, &call.credentials.without_job_tokens()).await?;
    let listing = Listing::read(&call)?;
    let listed = app.store.listed_projects(call.deadline).await?;
    let ids = listing.arrange(listed, &caller);
    let page = listing.page.rows(&ids);
    let projects = app.store.read_projects(page, call.deadline).await?;
    // A project may have become private since the list was read.
    let admit = |project| Admission::to_project(caller.clone(), Some(project)).ok();
    let admissions: Vec<Admission> = projects.into_iter().filter_map(admit).collect();
    let body = if listing.is_simple { ProjectBody::simple } else { ProjectBody::new };
    let bodies: Vec<_> = admissions.iter().map(|admission| body(&call, admission)).collect();
    let mut answer = Answer::json(StatusCode::OK, &bodies)?;
    answer.headers.extend(listing.page.headers(&call, ids.len(), &listing::REPEATED));
    Ok(answer)
}
