//! `POST /projects/:id/releases/:tag_name/assets/links`: makes a link in a release.

use http::StatusCode;
use shared::api::link_body::LinkBody;
use shared::api::{ApiError, ApiRequest, ApiResponse, link_params};
use shared::app::App;
use shared::domain::policies::{OnDuplicate, Outcome};
use shared::domain::time::Timestamp;
use shared::store::publish::LinkPublished;
use shared::store::query::ReleaseOf;

/// Answers with the new link, or with the existing one that the policy for duplicates accepts or replaces.
pub async fn handle(app: &App, request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let (unchecked, on_duplicate) = link_params::create(&request)?;
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
    let on_duplicate = access.on_duplicate(on_duplicate);
    let (store, now) = (&app.store, Timestamp::now());
    let published = match (unchecked.fields(), access.is_mutable(release, now)) {
        (Some(fields), Ok(())) => {
            let stamp = access.stamp(now);
            store.publish_link(release, fields, on_duplicate, stamp, request.deadline).await?
        }
        (Some(fields), Err(error)) => {
            // Accepting an existing link writes nothing, so an immutable release allows it.
            let equal = match on_duplicate {
                OnDuplicate::Reject => None,
                OnDuplicate::Accept | OnDuplicate::Replace => {
                    store.equal_link(release, &fields, request.deadline).await?
                }
            };
            LinkPublished::Link(Outcome::Unchanged, equal.ok_or(error)?)
        }
        (None, mutable) => {
            mutable?;
            LinkPublished::Conflicts(
                store.conflicts(release, &unchecked, None, request.deadline).await?,
            )
        }
    };
    match published {
        LinkPublished::Link(outcome, link) => {
            let tag = &release.key.tag;
            let body = LinkBody::new(&request.base, access.project(), tag, &link);
            Ok(ApiResponse::json(StatusCode::CREATED, &body)?.with_outcome(outcome))
        }
        LinkPublished::Conflicts(taken) => Err(ApiError::Model(unchecked.validation_errors(taken))),
    }
}
