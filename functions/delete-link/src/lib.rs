//! `DELETE /projects/:id/releases/:tag_name/assets/links/:link_id`: deletes a link of a release.

use http::StatusCode;
use shared::api::admit::admit;
use shared::api::{ApiError, ApiRequest, ApiResponse, link_params};
use shared::app::App;
use shared::store::links::Deleted;
use shared::store::read::LinkSelection;

/// Answers with the link as it was.
pub async fn handle(app: &App, request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let id = link_params::item(&request)?;
    let mut admitted = admit(app, &request, LinkSelection::One(id)).await?;
    loop {
        let link = admitted.link()?;
        admitted.may_write()?;
        match app.store.delete_link(&admitted.release, link, request.deadline).await? {
            Deleted::Done => {
                return ApiResponse::json(StatusCode::OK, &admitted.render(&request, link));
            }
            // Another writer changed the link, which is to go all the same, or deleted it.
            Deleted::Changed => admitted.reread(app, &request, LinkSelection::One(id)).await?,
        }
    }
}
