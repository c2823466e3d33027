//! `GET /projects/:id/releases/:tag_name/downloads/*direct_asset_path`: leads to the file behind a
//! path of a release.

use shared::api::{ApiError, ApiRequest, ApiResponse, release_params};
use shared::app::App;
use shared::domain::link::DirectAssetPath;
use shared::store::query::Download;

/// Answers with a redirect to the link's url.
pub async fn handle(app: &App, request: ApiRequest) -> Result<ApiResponse, ApiError> {
    // A path that no link can have leads nowhere.
    let path = DirectAssetPath::parse(&format!("/{}", request.path.direct_asset_path)).ok();
    let query = request.tag().map(|tag| Download { tag, path });
    let (access, target) = request.authorize_releases(app, &query).await?;
    release_params::file_path("direct_asset_path", &request.path.direct_asset_path)?;
    access.may_read_code()?;
    let target = target.ok_or(ApiError::ReleaseNotFound)?;
    let file = app.store.file_of(target, request.deadline).await?;
    let file = file.ok_or(ApiError::RecordNotFound)?;
    ApiResponse::to_file(&request, &file, &access)
}
