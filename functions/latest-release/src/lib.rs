//! `GET /projects/:id/releases/permalink/latest(/*suffix_path)`: leads to the latest release, or to
//! what lies below it.

use shared::api::redirect::Location;
use shared::api::{ApiError, ApiRequest, ApiResponse, release_params};
use shared::app::App;
use shared::store::query::LatestRelease;

/// Answers with a redirect to the same place below the release's own path.
pub async fn handle(app: &App, request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let (access, latest) = request.authorize_releases(app, &LatestRelease).await?;
    release_params::file_path("suffix_path", &request.path.suffix_path)?;
    access.may_read_code()?;
    let latest = latest.ok_or(ApiError::ReleaseNotFound)?;
    let location = Location::for_release(&request, &access, &latest.tag);
    ApiResponse::redirect(&request, &location, &access)
}
