//! `PUT /projects/:id/releases/:tag_name/assets/links/:link_id`: changes a link of a release.

use http::StatusCode;
use shared::api::admit::admit;
use shared::api::{ApiError, ApiRequest, ApiResponse, link_params};
use shared::app::App;
use shared::domain::time::Timestamp;
use shared::store::links::Updated;
use shared::store::read::LinkSelection;

/// Answers with the link as it is after the change.
pub async fn handle(app: &App, request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let (id, changes) = link_params::update(&request)?;
    let mut admitted = admit(app, &request, LinkSelection::One(id)).await?;
    loop {
        let current = admitted.link()?;
        admitted.may_write()?;
        let release = &admitted.release;
        let draft = changes.apply(&current.fields);
        let updated = match draft.fields() {
            Some(fields) => {
                let now = Timestamp::now();
                app.store.update_link(release, current, fields, now, request.deadline).await?
            }
            None => {
                Updated::Taken(app.store.taken(release, &draft, Some(id), request.deadline).await?)
            }
        };
        match updated {
            Updated::Link(link) => {
                return ApiResponse::json(StatusCode::OK, &admitted.render(&request, &link));
            }
            Updated::Taken(taken) => return Err(ApiError::Model(draft.violations(taken))),
            // The change applies to the link as it is now, or to none.
            Updated::Changed => admitted.reread(app, &request, LinkSelection::One(id)).await?,
        }
    }
}
