//! `GET /projects/:id/releases/:tag_name/assets/links/:link_id`: one link of a release.

use http::StatusCode;
use shared::api::admit::admit;
use shared::api::{ApiError, ApiRequest, ApiResponse, link_params};
use shared::app::App;
use shared::store::read::LinkSelection;

/// Answers with the link.
pub async fn handle(app: &App, request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let id = link_params::item(&request)?;
    let admitted = admit(app, &request, LinkSelection::One(id)).await?;
    ApiResponse::json(StatusCode::OK, &admitted.render(&request, admitted.link()?))
}
