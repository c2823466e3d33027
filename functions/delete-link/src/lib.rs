//! `DELETE /projects/:id/releases/:tag_name/assets/links/:link_id`: deletes a link of a release.

use lambda_http::http::StatusCode;
use lambda_http::{Body, Request, Response};
use shared::app::App;
use shared::http::admit::admit;
use shared::http::respond::respond;
use shared::http::{Answer, ApiError, Call, link_params};
use shared::store::links::Deleted;
use shared::store::read::LinkSelection;

/// Answers with the link as it was.
pub async fn handle(app: &App, request: Request) -> Response<Body> {
    respond(app, request, delete).await
}

async fn delete(app: &App, call: Call) -> Result<Answer, ApiError> {
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
