//! `GET /projects/:id/releases/:tag_name`: a release with its links.

use http::StatusCode;
use shared::app::App;
use shared::http::admit::enter_releases;
use shared::http::release_body::Frame;
use shared::http::{Answer, ApiError, Call, release_body, release_params};
use shared::store::fitting::Choice;
use shared::store::read::{LinkSelection, Selection};

/// Answers with the release.
pub async fn handle(app: &App, call: Call) -> Result<Answer, ApiError> {
    let tag = call.tag();
    let selection = Selection::release(tag.as_ref(), LinkSelection::First);
    let entered = enter_releases(app, &call, selection).await?;
    let includes_html = release_params::show(&call)?;
    entered.admission.may_read_code()?;
    let release = entered.release.ok_or(ApiError::ReleaseNotFound)?;
    let frame = Frame::new(&call, &entered.admission).with_html(includes_html);
    let (room, due) = (frame.room(1), release_body::deadline(&call));
    let found = app.store.links_of(release, entered.links, Choice::Newest, &room, due).await?;
    let (release, links) = found.ok_or(ApiError::ReleaseNotFound)?;
    release_body::answer(StatusCode::OK, &frame, &release, &links)
}
