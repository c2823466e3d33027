//! `GET /projects/:id/repository/commits/:sha/merge_requests`: none, since there is no repository
//! here. Release tools ask after publishing, and end in an error where nothing answers.

use http::StatusCode;
use shared::app::App;
use shared::http::admit::enter_project;
use shared::http::pagination::{Page, Repeated};
use shared::http::{Answer, ApiError, Call};
use shared::store::read::Selection;

/// GitLab's `state` is one of them; of none there is no state.
const REPEATED: Repeated = Repeated { known: &["state"], defaults: &[] };

/// Answers with an empty page.
pub async fn handle(app: &App, call: Call) -> Result<Answer, ApiError> {
    let entered = enter_project(app, &call, Selection::Project).await?;
    entered.admission.may_read_code()?;
    let page = Page::read(&call)?;
    let none: [(); 0] = [];
    let mut answer = Answer::json(StatusCode::OK, &none)?;
    answer.headers.extend(page.headers(&call, none.len(), &REPEATED));
    Ok(answer)
}
