//! `GET /projects/:id/releases/:tag_name/assets/links`: the links of a release, newest first.

use http::StatusCode;
use shared::app::App;
use shared::http::admit::{Admitted, admit};
use shared::http::pagination::{Page, Repeated};
use shared::http::render::LinkBody;
use shared::http::{Answer, ApiError, Call, release_body};
use shared::store::fitting::{Choice, Room};
use shared::store::read::LinkSelection;

/// Answers with a page of the release's links.
pub async fn handle(app: &App, call: Call) -> Result<Answer, ApiError> {
    let page = Page::read(&call)?;
    let Admitted { admission, release, links } = admit(app, &call, LinkSelection::First).await?;
    let (room, due) = (Room::for_rows(), release_body::deadline(&call));
    let rows = |count| page.range(count);
    let found = app.store.links_of(release, links, Choice::Rows(&rows), &room, due).await?;
    let (release, some) = found.ok_or(ApiError::RecordNotFound)?;
    let rows: Vec<_> = some
        .links
        .iter()
        .map(|link| LinkBody::new(&call.base, admission.project(), &release.key.tag, link))
        .collect();
    let mut answer = Answer::json(StatusCode::OK, &rows)?;
    answer.headers.extend(page.headers(&call, some.count, &Repeated::NOTHING));
    Ok(answer)
}
