//! `GET /projects/:id/repository/tags/:tag_name`: the tag of a release. There is no repository
//! here: a tag without a release is unknown.

use shared::api::{ApiError, ApiRequest, ApiResponse, tag_body};
use shared::app::App;
use shared::store::query::ReleaseOf;

/// Answers with the tag.
pub async fn handle(app: &App, request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let (access, release) = request.authorize_project(app, &request.tag().map(ReleaseOf)).await?;
    access.may_read_code()?;
    let is_known = access.may_read_releases().is_ok();
    let release = release.filter(|_| is_known).ok_or(ApiError::TagNotFound)?;
    tag_body::answer(&request, &access, &release)
}
