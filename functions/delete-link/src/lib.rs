//! `DELETE /projects/:id/releases/:tag_name/assets/links/:link_id`: deletes a link of a release.

use http::StatusCode;
use shared::app::App;
use shared::http::admit::admit;
use shared::http::{Answer, ApiError, Call, link_params};
use shared::store::links::Deleted;
use shared::store::read::LinkSelection;

/// Answers with the link as it was.
pub async fn handle(app: &App, call: Call) -> Result<Answer, ApiError> {
    let id = link_params::item(&call)?;
    let mut admitted = admit(app, &call, LinkSelection::One(id)).await?;
    loop {
        let link = admitted.link()?;
        admitted.may_write()?;
        match app.store.delete_link(&admitted.release, link, call.deadline).await? {
            Deleted::Done => return Answer::json(StatusCode::OK, &admitted.render(&call, link)),
            // Another writer changed the link, which is to go all the same, or deleted it.
            Deleted::Changed => admitted.reread(app, &call, LinkSelection::One(id)).await?,
        }
    }
}
