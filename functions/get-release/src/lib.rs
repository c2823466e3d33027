//! `GET /projects/:id/releases/:tag_name`: a release with its links.

use http::StatusCode;
use shared::api::release_body::Frame;
use shared::api::{ApiError, ApiRequest, ApiResponse, release_body, release_params};
use shared::app::App;
use shared::store::fitting::Choice;
use shared::store::query::ReleaseWithLinks;

/// Answers with the release.
pub async fn handle(app: &App, request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let query = request.tag().map(ReleaseWithLinks);
    let (access, found) = request.authorize_releases(app, &query).await?;
    let includes_html = release_params::show(&request)?;
    access.may_read_code()?;
    let (release, links) = found.ok_or(ApiError::ReleaseNotFound)?;
    let frame = Frame::new(&request, &access).with_html(includes_html);
    let (room, due) = (frame.room(1), release_body::deadline(&request));
    let found = app.store.links_of(release, links, Choice::Newest, &room, due).await?;
    let (release, links) = found.ok_or(ApiError::ReleaseNotFound)?;
    release_body::answer(StatusCode::OK, &frame, &release, &links)
}
