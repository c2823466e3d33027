//! `GET /projects/:id/releases/:tag_name/downloads/*direct_asset_path`: leads to the file behind a
//! path of a release.

use shared::api::admit::enter_releases;
use shared::api::redirect::Location;
use shared::api::{ApiError, ApiRequest, ApiResponse, release_params};
use shared::app::App;
use shared::domain::link::DirectAssetPath;
use shared::store::read::Selection;

/// Answers with a redirect to the link's url.
pub async fn handle(app: &App, request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let tag = request.tag();
    // A path that no link can have is one that nobody finds.
    let path = DirectAssetPath::parse(&format!("/{}", request.path.direct_asset_path)).ok();
    let selection = Selection::download(tag.as_ref(), path.as_ref());
    let entered = enter_releases(app, &request, selection).await?;
    release_params::file_path("direct_asset_path", &request.path.direct_asset_path)?;
    entered.admission.may_read_code()?;
    entered.release.ok_or(ApiError::ReleaseNotFound)?;
    let url = app.store.url_of(entered.target, request.deadline).await?;
    let url = url.ok_or(ApiError::RecordNotFound)?;
    ApiResponse::redirect(&request, &Location::of_link(&url), &entered.admission)
}
