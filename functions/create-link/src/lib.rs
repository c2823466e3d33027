//! `POST /projects/:id/releases/:tag_name/assets/links`: makes a link in a release.

use http::StatusCode;
use shared::app::App;
use shared::domain::time::Timestamp;
use shared::http::admit::admit;
use shared::http::{Answer, ApiError, Call, link_params};
use shared::store::links::Created;
use shared::store::read::LinkSelection;

/// Answers with the new link.
pub async fn handle(app: &App, call: Call) -> Result<Answer, ApiError> {
    let draft = link_params::create(&call)?;
    // The first creation of a process needs a number too: fetched beside the rest, it costs no
    // round trip. Should that fail, the creation itself asks again.
    let (admitted, _) = tokio::join!(
        admit(app, &call, LinkSelection::None),
        app.store.prepare_link_id(call.deadline)
    );
    let admitted = admitted?;
    admitted.may_write()?;
    let release = &admitted.release;
    let created = match draft.fields() {
        Some(fields) => {
            app.store.create_link(release, fields, Timestamp::now(), call.deadline).await?
        }
        None => Created::Taken(app.store.taken(release, &draft, None, call.deadline).await?),
    };
    match created {
        Created::Link(link) => Answer::json(StatusCode::CREATED, &admitted.render(&call, &link)),
        Created::Taken(taken) => Err(ApiError::Model(draft.violations(taken))),
    }
}
