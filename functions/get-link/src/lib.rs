//! `GET /projects/:id/releases/:tag_name/assets/links/:link_id`: one link of a release.

use http::StatusCode;
use shared::app::App;
use shared::http::admit::admit;
use shared::http::{Answer, ApiError, Call, link_params};
use shared::store::read::LinkSelection;

/// Answers with the link.
pub async fn handle(app: &App, call: Call) -> Result<Answer, ApiError> {
    let id = link_params::item(&call)?;
    let admitted = admit(app, &call, LinkSelection::One(id)).await?;
    Answer::json(StatusCode::OK, &admitted.render(&call, admitted.link()?))
}
