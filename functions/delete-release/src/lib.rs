//! `DELETE /projects/:id/releases/:tag_name`: deletes a release and, with it, its links. The Git tag
//! is not touched.

use http::StatusCode;
use shared::access::Refusal;
use shared::app::App;
use shared::http::admit::enter_releases;
use shared::http::release_body::Frame;
use shared::http::{Answer, ApiError, Call, release_body};
use shared::store::read::{LinkSelection, Selection};

/// Answers with the release as it was.
pub async fn handle(app: &App, call: Call) -> Result<Answer, ApiError> {
    let tag = call.tag();
    let selection = Selection::release(tag.as_ref(), LinkSelection::First);
    let mut entered = enter_releases(app, &call, selection).await?;
    // Nobody may delete what is not there.
    let mut release = entered.release.take().ok_or(Refusal::Forbidden)?;
    entered.admission.may_write(&release.key.tag)?;
    while !app.store.delete_release(&release, call.deadline).await? {
        // Another writer came first: what is there now is to go all the same.
        let seen = app.store.reread(&release.key, LinkSelection::First, call.deadline).await?;
        release = seen.release.ok_or(Refusal::Forbidden)?;
        entered.links = seen.links;
    }
    let frame = Frame::new(&call, &entered.admission);
    let (room, due) = (frame.room(1), release_body::deadline(&call));
    let links = app.store.links_in_time(&release, entered.links, &room, due).await;
    release_body::answer(StatusCode::OK, &frame, &release, &links)
}
