//! `GET /projects/:id/releases/:tag_name/assets/links`: the links of a release, newest first.

use lambda_http::http::StatusCode;
use lambda_http::{Body, Request, Response};
use shared::app::App;
use shared::domain::link::sort_newest_first;
use shared::http::admit::admit;
use shared::http::pagination::{Page, Repeated};
use shared::http::respond::respond;
use shared::http::{Answer, ApiError, Call};
use shared::store::read::LinkSelection;

/// Answers with a page of the release's links.
pub async fn handle(app: &App, request: Request) -> Response<Body> {
    respond(app, request, list).await
}

async fn list(app: &App, call: Call) -> Result<Answer, ApiError> {
    let page = Page::read(&call)?;
    let mut admitted = admit(app, &call, LinkSelection::All).await?;
    sort_newest_first(&mut admitted.links);
    let rows: Vec<_> =
        page.rows(&admitted.links).iter().map(|link| admitted.render(&call, link)).collect();
    let mut answer = Answer::json(StatusCode::OK, &rows)?;
    answer.headers.extend(page.headers(&call, admitted.links.len(), &Repeated::NOTHING));
    Ok(answer)
}
