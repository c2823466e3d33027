//! `GET /projects/:id/repository/commits/:sha/merge_requests`: none, since there is no repository
//! here. Release tools ask after publishing, and end in an error where nothing answers.

use http::StatusCode;
use shared::api::pagination::{Page, Repeated};
use shared::api::{ApiError, ApiRequest, ApiResponse};
use shared::app::App;

/// GitLab's `state` is one of them; of none there is no state.
const REPEATED: Repeated = Repeated { known: &["state"], defaults: &[] };

/// Answers with an empty page.
pub async fn handle(app: &App, request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let (access, ()) = request.authorize_project(app, &()).await?;
    access.may_read_code()?;
    let page = Page::read(&request)?;
    let none: [(); 0] = [];
    let mut answer = ApiResponse::json(StatusCode::OK, &none)?;
    answer.headers.extend(page.headers(&request, none.len(), &REPEATED));
    Ok(answer)
}
