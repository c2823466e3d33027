//! `POST /projects/:id/releases`: makes a release, with its links.

use http::StatusCode;
use shared::api::admit::enter_releases;
use shared::api::release_body::Frame;
use shared::api::release_params::Model;
use shared::api::{ApiError, ApiRequest, ApiResponse, release_body, release_params};
use shared::app::App;
use shared::domain::release::{Author, ReleaseKey, TagName};
use shared::domain::time::Timestamp;
use shared::store::fitting::SomeLinks;
use shared::store::read::{LinkSelection, Selection};
use shared::store::releases::{NewRelease, ReleaseCreated};

/// Answers with the new release.
pub async fn handle(app: &App, request: ApiRequest) -> Result<ApiResponse, ApiError> {
    // The tag is looked up before it is known to be the only thing right about the request: that
    // saves the good ones a round trip.
    let name = request.text("tag_name");
    let tag = name.and_then(|text| TagName::parse(text).ok());
    let selection = Selection::release(tag.as_ref(), LinkSelection::None);
    let entered = enter_releases(app, &request, selection).await?;
    let creation = release_params::create(&request)?;
    let admission = &entered.admission;
    admission.may_make_releases()?;
    if tag.as_ref().is_some_and(|tag| !admission.may_create_tag(tag)) {
        return Err(ApiError::TagProtected);
    }
    if entered.release.is_some() {
        return Err(ApiError::ReleaseExists);
    }
    creation.milestones.find()?;
    let tag = name.and_then(|text| TagName::parse_new(text).ok());
    let tag = tag.ok_or(ApiError::TagNameInvalid)?;
    let author = admission.token().map(|token| Author::from(&token.user));
    let author = author.ok_or(shared::access::Refusal::Forbidden)?;
    let now = Timestamp::now();
    let released_at = creation.released_at.unwrap_or(now);
    let commit = creation.commit.clone();
    let Model { name, description, links } = creation.model()?;

    let key = ReleaseKey { project: admission.project().id, tag };
    let new = NewRelease { key, name, description, author, commit, released_at, links };
    // A thousand links are four thousand items.
    let due = if new.links.is_empty() {
        request.deadline
    } else {
        release_body::creation_deadline(&request)
    };
    match app.store.create_release(new, now, due).await? {
        ReleaseCreated::Release(release, links) => {
            let frame = Frame::new(&request, admission);
            release_body::answer(StatusCode::CREATED, &frame, &release, &SomeLinks::all(links))
        }
        ReleaseCreated::Exists => Err(ApiError::ReleaseExists),
    }
}
