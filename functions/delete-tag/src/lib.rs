//! `DELETE /projects/:id/repository/tags/:tag_name`: deletes a tag's release and, with it, its links.
//!
//! Every tag is assumed to exist, and deleting one without a release succeeds too: release tools
//! delete the release first and then its tag.

use http::{HeaderMap, StatusCode};
use shared::api::{ApiError, ApiRequest, ApiResponse};
use shared::app::App;
use shared::domain::tag_name::TagName;
use shared::domain::time::Timestamp;
use shared::store::query::ReleaseOf;

/// Answers without a body.
pub async fn handle(app: &App, request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let tag = request.tag();
    let (access, mut there) = request.authorize_project(app, &tag.clone().map(ReleaseOf)).await?;
    access.may_read_code()?;
    // A project that hides its releases has no tags to delete.
    let tag = tag.filter(|_| access.may_read_releases().is_ok()).ok_or(ApiError::TagNotFound)?;
    access.may_delete_tag(&tag)?;
    match &there {
        Some(release) if request.unmodified_since.is_some_and(|at| release.created_at > at) => {
            return Err(ApiError::PreconditionFailed);
        }
        // No tag of this name can exist any more.
        None if TagName::parse_new(tag.as_str()).is_err() => return Err(ApiError::TagNotFound),
        Some(_) | None => {}
    }
    while let Some(release) = there {
        access.is_mutable(&release, Timestamp::now())?;
        if app.store.delete_release(&release, request.deadline).await? {
            break;
        }
        // Another writer came first. Delete the release as it is now.
        there = app.store.get_release(&release.key, request.deadline).await?;
    }
    Ok(ApiResponse {
        status: StatusCode::NO_CONTENT,
        headers: HeaderMap::new(),
        body: String::new(),
    })
}
