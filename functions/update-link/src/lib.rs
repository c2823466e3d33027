//! `PUT /projects/:id/releases/:tag_name/assets/links/:link_id`: changes a link of a release.

use http::StatusCode;
use shared::api::link_body::LinkBody;
use shared::api::{ApiError, ApiRequest, ApiResponse, link_params};
use shared::app::App;
use shared::domain::time::Timestamp;
use shared::store::links::UpdateLinkResult;
use shared::store::query::ReleaseWithLink;

/// Answers with the link as it is after the change.
pub async fn handle(app: &App, request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let (id, changes) = link_params::update(&request)?;
    let query = request.tag().map(|tag| ReleaseWithLink { tag, id });
    let (access, mut found) = request.authorize_releases(app, &query).await?;
    let project = access.project();
    loop {
        let (release, current) = found.as_ref().ok_or(ApiError::RecordNotFound)?;
        let current = current.as_ref().ok_or(ApiError::RecordNotFound)?;
        access.may_write(&release.key.tag)?;
        access.is_mutable(release, Timestamp::now())?;
        let unchecked = changes.apply(&current.fields);
        let updated = match unchecked.fields() {
            Some(fields) => {
                let stamp = access.stamp(Timestamp::now());
                app.store.update_link(release, current, fields, stamp, request.deadline).await?
            }
            None => UpdateLinkResult::Conflicts(
                app.store.conflicts(release, &unchecked, Some(id), request.deadline).await?,
            ),
        };
        match updated {
            UpdateLinkResult::Link(link) => {
                let body = LinkBody::new(&request.base, project, &release.key.tag, &link);
                return ApiResponse::json(StatusCode::OK, &body);
            }
            UpdateLinkResult::Conflicts(taken) => {
                return Err(ApiError::Model(unchecked.validation_errors(taken)));
            }
            // The change applies to the link as it is now, or to none.
            UpdateLinkResult::Changed => {
                found = app.store.ask(project.id, &query, request.deadline).await?;
            }
        }
    }
}
