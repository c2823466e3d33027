//! `GET /projects/:id/releases/:tag_name/assets/links/:link_id`: one link of a release.

use http::StatusCode;
use shared::api::link_body::LinkBody;
use shared::api::{ApiError, ApiRequest, ApiResponse, link_params};
use shared::app::App;
use shared::store::query::ReleaseWithLink;

/// Answers with the link.
pub async fn handle(app: &App, request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let id = link_params::item(&request)?;
    let query = request.tag().map(|tag| ReleaseWithLink { tag, id });
    let (access, found) = request.authorize_releases(app, &query).await?;
    let (release, link) = found.ok_or(ApiError::RecordNotFound)?;
    let link = link.ok_or(ApiError::RecordNotFound)?;
    ApiResponse::json(
        StatusCode::OK,
        &LinkBody::new(&request.base, access.project(), &release.key.tag, &link),
    )
}
