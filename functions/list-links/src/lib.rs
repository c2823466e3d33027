//! `GET /projects/:id/releases/:tag_name/assets/links`: the links of a release, newest first.

use http::StatusCode;
use shared::api::link_body::LinkBody;
use shared::api::pagination::{Page, Repeated};
use shared::api::{ApiError, ApiRequest, ApiResponse, release_body};
use shared::app::App;
use shared::store::fitting::{Choice, Room};
use shared::store::query::ReleaseWithLinks;

/// Answers with a page of the release's links.
pub async fn handle(app: &App, request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let page = Page::read(&request)?;
    let query = request.tag().map(ReleaseWithLinks);
    let (access, found) = request.authorize_releases(app, &query).await?;
    let (release, links) = found.ok_or(ApiError::RecordNotFound)?;
    let (room, due) = (Room::for_rows(), release_body::deadline(&request));
    let rows = |count| page.range(count);
    let found = app.store.links_of(release, links, Choice::Rows(&rows), &room, due).await?;
    let (release, some) = found.ok_or(ApiError::RecordNotFound)?;
    let rows: Vec<_> = some
        .links
        .iter()
        .map(|link| LinkBody::new(&request.base, access.project(), &release.key.tag, link))
        .collect();
    let mut answer = ApiResponse::json(StatusCode::OK, &rows)?;
    answer.headers.extend(page.headers(&request, some.count, &Repeated::NOTHING));
    Ok(answer)
}
