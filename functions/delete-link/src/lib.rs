//! `DELETE /projects/:id/releases/:tag_name/assets/links/:link_id`: deletes a link of a release.

use http::StatusCode;
use shared::api::link_body::LinkBody;
use shared::api::{ApiError, ApiRequest, ApiResponse, link_params};
use shared::app::App;
use shared::domain::time::Timestamp;
use shared::store::links::DeleteLinkResult;
use shared::store::query::ReleaseWithLink;

/// Answers with the link as it was.
pub async fn handle(app: &App, request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let id = link_params::item(&request)?;
    let query = request.tag().map(|tag| ReleaseWithLink { tag, id });
    let (access, mut found) = request.authorize_releases(app, &query).await?;
    let project = access.project();
    loop {
        let (release, link) = found.as_ref().ok_or(ApiError::RecordNotFound)?;
        let link = link.as_ref().ok_or(ApiError::RecordNotFound)?;
        access.may_write(&release.key.tag)?;
        access.is_mutable(release, Timestamp::now())?;
        match app.store.delete_link(release, link, request.deadline).await? {
            DeleteLinkResult::Done => {
                let body = LinkBody::new(&request.base, project, &release.key.tag, link);
                return ApiResponse::json(StatusCode::OK, &body);
            }
            // Another writer changed or deleted the link. Delete it as it is now.
            DeleteLinkResult::Changed => {
                found = app.store.ask(project.id, &query, request.deadline).await?;
            }
        }
    }
}
