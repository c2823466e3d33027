//! `GET /projects/:id/releases/:tag_name`: a release with its links.

use http::StatusCode;
use shared::api::admit::enter_releases;
use shared::api::release_body::Frame;
use shared::api::{ApiError, ApiRequest, ApiResponse, release_body, release_params};
use shared::app::App;
use shared::store::fitting::Choice;
use shared::store::read::{LinkSelection, Selection};

/// Answers with the release.
pub async fn handle(app: &App, request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let tag = request.tag();
    let selection = Selection::release(tag.as_ref(), LinkSelection::First);
    let entered = enter_releases(app, &request, selection).await?;
    let includes_html = release_params::show(&request)?;
    entered.admission.may_read_code()?;
    let release = entered.release.ok_or(ApiError::ReleaseNotFound)?;
    let frame = Frame::new(&request, &entered.admission).with_html(includes_html);
    let (room, due) = (frame.room(1), release_body::deadline(&request));
    let found = app.store.links_of(release, entered.links, Choice::Newest, &room, due).await?;
    let (release, links) = found.ok_or(ApiError::ReleaseNotFound)?;
    release_body::answer(StatusCode::OK, &frame, &release, &links)
}
