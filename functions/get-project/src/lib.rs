//! `GET /projects/:id`: a project, as far as release tools ask for it.

use http::StatusCode;
use shared::app::App;
use shared::http::admit::enter_project;
use shared::http::project_body::ProjectBody;
use shared::http::{Answer, ApiError, Call};
use shared::store::read::Selection;

/// Answers with the project.
pub async fn handle(app: &App, call: Call) -> Result<Answer, ApiError> {
    let entered = enter_project(app, &call, Selection::Project).await?;
    Answer::json(StatusCode::OK, &ProjectBody::new(&call, &entered.admission))
}
