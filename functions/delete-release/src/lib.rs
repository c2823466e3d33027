//! `DELETE /projects/:id/releases/:tag_name`: deletes a release and, with it, its links. The Git tag
//! is not touched.

use http::StatusCode;
use shared::access::Refusal;
use shared::api::admit::enter_releases;
use shared::api::release_body::Frame;
use shared::api::{ApiError, ApiRequest, ApiResponse, release_body};
use shared::app::App;
use shared::store::read::{LinkSelection, Selection};

/// Answers with the release as it was.
pub async fn handle(app: &App, request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let tag = request.tag();
    let selection = Selection::release(tag.as_ref(), LinkSelection::First);
    let mut entered = enter_releases(app, &request, selection).await?;
    // Nobody may delete what is not there.
    let mut release = entered.release.take().ok_or(Refusal::Forbidden)?;
    entered.admission.may_write(&release.key.tag)?;
    while !app.store.delete_release(&release, request.deadline).await? {
        // Another writer came first: what is there now is to go all the same.
        let seen = app.store.reread(&release.key, LinkSelection::First, request.deadline).await?;
        release = seen.release.ok_or(Refusal::Forbidden)?;
        entered.links = seen.links;
    }
    let frame = Frame::new(&request, &entered.admission);
    let (room, due) = (frame.room(1), release_body::deadline(&request));
    let links = app.store.links_in_time(&release, entered.links, &room, due).await;
    release_body::answer(StatusCode::OK, &frame, &release, &links)
}
