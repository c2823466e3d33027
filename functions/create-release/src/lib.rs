//! `POST /projects/:id/releases`: makes a release, with its links.

use http::StatusCode;
use shared::api::release_body::Frame;
use shared::api::release_params::ValidatedRelease;
use shared::api::{ApiError, ApiRequest, ApiResponse, release_body, release_params};
use shared::app::App;
use shared::domain::release::Author;
use shared::domain::release_key::ReleaseKey;
use shared::domain::tag_name::TagName;
use shared::domain::time::Timestamp;
use shared::store::fitting::SomeLinks;
use shared::store::query::ReleaseOf;
use shared::store::releases::{NewRelease, ReleaseCreated};

/// Answers with the new release.
pub async fn handle(app: &App, request: ApiRequest) -> Result<ApiResponse, ApiError> {
    // The tag is looked up before it is known to be the only thing right about the request: that
    // saves the good ones a round trip.
    let name = request.text("tag_name");
    let tag = name.and_then(|text| TagName::parse(text).ok());
    let (access, existing) = request.authorize_releases(app, &tag.clone().map(ReleaseOf)).await?;
    let creation = release_params::create(&request)?;
    access.may_make_releases()?;
    if tag.as_ref().is_some_and(|tag| !access.may_create_tag(tag)) {
        return Err(ApiError::TagProtected);
    }
    if existing.is_some() {
        return Err(ApiError::ReleaseExists);
    }
    creation.milestones.find()?;
    let tag = name.and_then(|text| TagName::parse_new(text).ok());
    let tag = tag.ok_or(ApiError::TagNameInvalid)?;
    let author = access.token().map(|token| Author::from(&token.user));
    let author = author.ok_or(shared::authorize::access::AccessError::Forbidden)?;
    let now = Timestamp::now();
    let released_at = creation.released_at.unwrap_or(now);
    let commit = creation.commit.clone();
    let ValidatedRelease { name, description, links } = creation.validate()?;

    let key = ReleaseKey { project: access.project().id, tag };
    let new = NewRelease { key, name, description, author, commit, released_at, links };
    // A thousand links are four thousand items.
    let due = if new.links.is_empty() {
        request.deadline
    } else {
        release_body::creation_deadline(&request)
    };
    match app.store.create_release(new, now, due).await? {
        ReleaseCreated::Release(release, links) => {
            let frame = Frame::new(&request, &access);
            release_body::answer(StatusCode::CREATED, &frame, &release, &SomeLinks::all(links))
        }
        ReleaseCreated::Exists => Err(ApiError::ReleaseExists),
    }
}
