//! `GET /projects/:id/releases/:tag_name/downloads/*direct_asset_path`: leads to the file behind a
//! path of a release.

use shared::app::App;
use shared::domain::link::DirectAssetPath;
use shared::http::admit::enter_releases;
use shared::http::redirect::Location;
use shared::http::{Answer, ApiError, Call, release_params};
use shared::store::read::Selection;

/// Answers with a redirect to the link's url.
pub async fn handle(app: &App, call: Call) -> Result<Answer, ApiError> {
    let tag = call.tag();
    // A path that no link can have is one that nobody finds.
    let path = DirectAssetPath::parse(&format!("/{}", call.path.direct_asset_path)).ok();
    let selection = Selection::download(tag.as_ref(), path.as_ref());
    let entered = enter_releases(app, &call, selection).await?;
    release_params::file_path("direct_asset_path", &call.path.direct_asset_path)?;
    entered.admission.may_read_code()?;
    entered.release.ok_or(ApiError::ReleaseNotFound)?;
    let url = app.store.url_of(entered.target, call.deadline).await?;
    let url = url.ok_or(ApiError::RecordNotFound)?;
    Answer::redirect(&call, &Location::of_link(&url), &entered.admission)
}
