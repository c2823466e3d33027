//! `GET /projects/:id`: a project, as far as release tools ask for it.

use lambda_http::http::StatusCode;
use lambda_http::{Body, Request, Response};
use shared::app::App;
use shared::http::admit::enter_project;
use shared::http::project_body::ProjectBody;
use shared::http::respond::respond;
use shared::http::{Answer, ApiError, Call};
use shared::store::read::Selection;

/// Answers with the project.
pub async fn handle(app: &App, request: Request) -> Response<Body> {
    respond(app, request, get).await
}

async fn get(app: &App, call: Call) -> Result<Answer, ApiError> {
    let entered = enter_project(app, &call, Selection::Project).await?;
    Answer::json(StatusCode::OK, &ProjectBody::new(&call, &entered.admission))
}
