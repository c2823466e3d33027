//! `GET /projects/:id/repository/tags/:tag_name`: the tag of a release. There is no repository here,
//! so that a tag without a release is not known.

use shared::app::App;
use shared::http::admit::enter_project;
use shared::http::{Answer, ApiError, Call, tag_body};
use shared::store::read::{LinkSelection, Selection};

/// Answers with the tag.
pub async fn handle(app: &App, call: Call) -> Result<Answer, ApiError> {
    let tag = call.tag();
    let selection = Selection::release(tag.as_ref(), LinkSelection::None);
    let entered = enter_project(app, &call, selection).await?;
    entered.admission.may_read_code()?;
    let is_known = entered.admission.may_read_releases().is_ok();
    let release = entered.release.filter(|_| is_known).ok_or(ApiError::TagNotFound)?;
    tag_body::answer(&call, &entered.admission, &release)
}
