//! `GET /projects/:id/releases/permalink/latest(/*suffix_path)`: leads to the latest release, or to
//! what lies below it.

use shared::app::App;
use shared::http::admit::enter_releases;
use shared::http::redirect::Location;
use shared::http::{Answer, ApiError, Call, release_params};
use shared::store::read::Selection;

/// Answers with a redirect to the same place below the release's own path.
pub async fn handle(app: &App, call: Call) -> Result<Answer, ApiError> {
    let entered = enter_releases(app, &call, Selection::Latest).await?;
    release_params::file_path("suffix_path", &call.path.suffix_path)?;
    entered.admission.may_read_code()?;
    let latest = entered.listed.latest().ok_or(ApiError::ReleaseNotFound)?;
    let location = Location::of_release(&call, &entered.admission, &latest.tag);
    Answer::redirect(&call, &location, &entered.admission)
}
