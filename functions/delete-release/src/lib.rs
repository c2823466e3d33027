//! `DELETE /projects/:id/releases/:tag_name`: deletes a release and, with it, its links. The Git tag
//! is not touched.

use http::StatusCode;
use shared::api::release_body::Frame;
use shared::api::{ApiError, ApiRequest, ApiResponse, release_body};
use shared::app::App;
use shared::authorize::access::AccessError;
use shared::domain::time::Timestamp;
use shared::store::query::ReleaseWithLinks;

/// Answers with the release as it was.
pub async fn handle(app: &App, request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let query = request.tag().map(ReleaseWithLinks);
    let (access, found) = request.authorize_releases(app, &query).await?;
    // A missing release is forbidden to everyone.
    let (mut release, mut links) = found.ok_or(AccessError::Forbidden)?;
    access.may_write(&release.key.tag)?;
    loop {
        access.is_mutable(&release, Timestamp::now())?;
        if app.store.delete_release(&release, request.deadline).await? {
            break;
        }
        // Another writer came first. Delete the release as it is now.
        let found = app.store.ask(release.key.project, &query, request.deadline).await?;
        (release, links) = found.ok_or(AccessError::Forbidden)?;
    }
    let frame = Frame::new(&request, &access);
    let (room, due) = (frame.room(1), release_body::deadline(&request));
    let links = app.store.links_in_time(&release, links, &room, due).await;
    release_body::answer(StatusCode::OK, &frame, &release, &links)
}
