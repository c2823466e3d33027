//! `POST /projects/:id/releases/:tag_name/assets/links`: makes a link in a release.

use http::StatusCode;
use shared::api::render::LinkBody;
use shared::api::{ApiError, ApiRequest, ApiResponse, link_params};
use shared::app::App;
use shared::domain::time::Timestamp;
use shared::store::links::CreateLinkResult;
use shared::store::query::ReleaseOf;

/// Answers with the new link.
pub async fn handle(app: &App, request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let unchecked = link_params::create(&request)?;
    // The first creation of a process needs a number too: fetched beside the rest, it costs no
    // round trip. Should that fail, the creation itself asks again.
    let query = request.tag().map(ReleaseOf);
    let (authorized, _) = tokio::join!(
        request.authorize_releases(app, &query),
        app.store.prepare_link_id(request.deadline)
    );
    let (access, release) = authorized?;
    let release = &release.ok_or(ApiError::RecordNotFound)?;
    access.may_write(&release.key.tag)?;
    let created = match unchecked.fields() {
        Some(fields) => {
            app.store.create_link(release, fields, Timestamp::now(), request.deadline).await?
        }
        None => CreateLinkResult::Conflicts(
            app.store.conflicts(release, &unchecked, None, request.deadline).await?,
        ),
    };
    match created {
        CreateLinkResult::Link(link) => {
            let tag = &release.key.tag;
            let body = LinkBody::new(&request.base, access.project(), tag, &link);
            ApiResponse::json(StatusCode::CREATED, &body)
        }
        CreateLinkResult::Conflicts(taken) => {
            Err(ApiError::Model(unchecked.validation_errors(taken)))
        }
    }
}
