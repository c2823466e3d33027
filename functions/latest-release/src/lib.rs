//! `GET /projects/:id/releases/permalink/latest(/*suffix_path)`: leads to the latest release, or to
//! what lies below it.

use shared::api::admit::enter_releases;
use shared::api::redirect::Location;
use shared::api::{ApiError, ApiRequest, ApiResponse, release_params};
use shared::app::App;
use shared::store::read::Selection;

/// Answers with a redirect to the same place below the release's own path.
pub async fn handle(app: &App, request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let entered = enter_releases(app, &request, Selection::Latest).await?;
    release_params::file_path("suffix_path", &request.path.suffix_path)?;
    entered.admission.may_read_code()?;
    let latest = entered.listed.latest().ok_or(ApiError::ReleaseNotFound)?;
    let location = Location::of_release(&request, &entered.admission, &latest.tag);
    ApiResponse::redirect(&request, &location, &entered.admission)
}
