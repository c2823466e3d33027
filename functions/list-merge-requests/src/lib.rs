//! `GET /projects/:id/repository/commits/:sha/merge_requests`: none, since there is no repository
//! here. Release tools ask after publishing, and end in an error where nothing answers.

use lambda_http::http::StatusCode;
use lambda_http::{Body, Request, Response};
use shared::app::App;
use shared::http::admit::enter_project;
use shared::http::pagination::{Page, Repeated};
use shared::http::respond::respond;
use shared::http::{Answer, ApiError, Call};
use shared::store::read::Selection;

/// Answers with an empty page.
pub async fn handle(app: &App, request: Request) -> Response<Body> {
    respond(app, request, list).await
}

/// GitLab's `state` is one of them; of none there is no state.
const REPEATED: Repeated = Repeated { known: &["state"], defaults: &[] };

async fn list(app: &App, call: Call) -> Result<Answer, ApiError> {
    let entered = enter_project(app, &call, Selection::Project).await?;
    entered.admission.may_read_code()?;
    let page = Page::read(&call)?;
    let none: [(); 0] = [];
    let mut answer = Answer::json(StatusCode::OK, &none)?;
    answer.headers.extend(page.headers(&call, none.len(), &REPEATED));
    Ok(answer)
}
