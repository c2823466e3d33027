//! `PUT /projects/:id/releases/:tag_name`: changes a release. Its links have endpoints of their own.

use http::StatusCode;
use shared::access::Refusal;
use shared::api::admit::enter_releases;
use shared::api::release_body::Frame;
use shared::api::{ApiError, ApiRequest, ApiResponse, release_body, release_params};
use shared::app::App;
use shared::domain::time::Timestamp;
use shared::store::read::{LinkSelection, Selection};

/// Answers with the release as it is after the change.
pub async fn handle(app: &App, request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let tag = request.tag();
    let selection = Selection::release(tag.as_ref(), LinkSelection::First);
    let mut entered = enter_releases(app, &request, selection).await?;
    let update = release_params::update(&request)?;
    // Nobody may change what is not there.
    let mut release = entered.release.take().ok_or(Refusal::Forbidden)?;
    entered.admission.may_write(&release.key.tag)?;
    if update.is_empty {
        return Err(ApiError::NothingToChange);
    }
    update.milestones.find()?;
    let changes = update.changes()?;
    loop {
        let now = Timestamp::now();
        let updated = app.store.update_release(&release, &changes, now, request.deadline).await?;
        if let Some(release) = updated {
            let frame = Frame::new(&request, &entered.admission);
            let (room, due) = (frame.room(1), release_body::deadline(&request));
            let links = app.store.links_in_time(&release, entered.links, &room, due).await;
            return release_body::answer(StatusCode::OK, &frame, &release, &links);
        }
        // Another writer came first: the change applies to the release as it is now.
        let seen = app.store.reread(&release.key, LinkSelection::First, request.deadline).await?;
        release = seen.release.ok_or(Refusal::Forbidden)?;
        entered.links = seen.links;
    }
}
