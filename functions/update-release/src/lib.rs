//! `PUT /projects/:id/releases/:tag_name`: changes a release. Its links have endpoints of their own.

use http::StatusCode;
use shared::api::release_body::Frame;
use shared::api::{ApiError, ApiRequest, ApiResponse, release_body, release_params};
use shared::app::App;
use shared::authorize::access::AccessError;
use shared::domain::time::Timestamp;
use shared::store::query::ReleaseWithLinks;

/// Answers with the release as it is after the change.
pub async fn handle(app: &App, request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let query = request.tag().map(ReleaseWithLinks);
    let (access, found) = request.authorize_releases(app, &query).await?;
    let update = release_params::update(&request)?;
    // A missing release is forbidden to everyone.
    let (mut release, mut links) = found.ok_or(AccessError::Forbidden)?;
    access.may_write(&release.key.tag)?;
    if update.is_empty {
        return Err(ApiError::NothingToChange);
    }
    update.milestones.find()?;
    let changes = update.changes()?;
    loop {
        let now = Timestamp::now();
        let updated = app.store.update_release(&release, &changes, now, request.deadline).await?;
        if let Some(release) = updated {
            let frame = Frame::new(&request, &access);
            let (room, due) = (frame.room(1), release_body::deadline(&request));
            let links = app.store.links_in_time(&release, links, &room, due).await;
            return release_body::answer(StatusCode::OK, &frame, &release, &links);
        }
        // Another writer came first: the change applies to the release as it is now.
        let found = app.store.ask(release.key.project, &query, request.deadline).await?;
        (release, links) = found.ok_or(AccessError::Forbidden)?;
    }
}
