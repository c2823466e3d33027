//! `GET /projects/:id/repository/tags/:tag_name`: the tag of a release. There is no repository here,
//! so that a tag without a release is not known.

use shared::api::admit::enter_project;
use shared::api::{ApiError, ApiRequest, ApiResponse, tag_body};
use shared::app::App;
use shared::store::read::{LinkSelection, Selection};

/// Answers with the tag.
pub async fn handle(app: &App, request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let tag = request.tag();
    let selection = Selection::release(tag.as_ref(), LinkSelection::None);
    let entered = enter_project(app, &request, selection).await?;
    entered.admission.may_read_code()?;
    let is_known = entered.admission.may_read_releases().is_ok();
    let release = entered.release.filter(|_| is_known).ok_or(ApiError::TagNotFound)?;
    tag_body::answer(&request, &entered.admission, &release)
}
