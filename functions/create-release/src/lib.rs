//! `POST /projects/:id/releases`: makes a release, with its links.

use http::StatusCode;
use shared::api::release_body::Frame;
use shared::api::release_params::ValidatedRelease;
use shared::api::{ApiError, ApiRequest, ApiResponse, release_body, release_params};
use shared::app::App;
use shared::authorize::access::AccessError;
use shared::domain::link::UncheckedLink;
use shared::domain::policies::{OnDuplicate, Outcome};
use shared::domain::release::{Author, ReleaseValidationError};
use shared::domain::release_key::ReleaseKey;
use shared::domain::tag_name::TagName;
use shared::domain::time::Timestamp;
use shared::store::fitting::{Choice, SomeLinks};
use shared::store::publish::ReleasePublished;
use shared::store::query::ReleaseOf;
use shared::store::releases::NewRelease;

/// Answers with the new release, or with the existing one that the policy for duplicates accepts or
/// replaces.
pub async fn handle(app: &App, request: ApiRequest) -> Result<ApiResponse, ApiError> {
    // The tag is looked up before it is known to be the only thing right about the request: that
    // saves the good ones a round trip.
    let name = request.text("tag_name");
    let tag = name.and_then(|text| TagName::parse(text).ok());
    let (access, mut existing) =
        request.authorize_releases(app, &tag.clone().map(ReleaseOf)).await?;
    let creation = release_params::create(&request)?;
    access.may_make_releases()?;
    if let Some(tag) = &tag {
        access.may_write_as_job(tag)?;
    }
    if tag.as_ref().is_some_and(|tag| !access.may_create_tag(tag)) {
        return Err(ApiError::TagProtected);
    }
    let on_duplicate = access.on_duplicate(creation.on_duplicate);
    if existing.is_some() && on_duplicate == OnDuplicate::Reject {
        return Err(ApiError::ReleaseExists);
    }
    creation.milestones.find()?;
    let tag = match &existing {
        Some(release) => release.key.tag.clone(),
        None => {
            name.and_then(|text| TagName::parse_new(text).ok()).ok_or(ApiError::TagNameInvalid)?
        }
    };
    let author = access.user().map(Author::from).ok_or(AccessError::Forbidden)?;
    let now = Timestamp::now();
    let given_time = creation.released_at;
    let released_at = given_time.unwrap_or(now);
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
    let rules = (on_duplicate, access.project().policies);
    let stamp = access.stamp(now);
    let frame = Frame::new(&request, &access);
    let (outcome, release, links) = loop {
        let (new, stamp) = (new.clone(), stamp.clone());
        let published =
            app.store.publish_release(new, existing.take(), given_time, rules, stamp, due).await?;
        match published {
            ReleasePublished::Created(release, links) => {
                break (Outcome::Created, release, SomeLinks::all(links));
            }
            ReleasePublished::Existing(outcome, release) => {
                let (key, room) = (&release.key, frame.room(1));
                let found = app.store.release_with_links(key, Choice::Newest, &room, due).await?;
                if let Some((release, links)) = found {
                    break (outcome, release, links);
                }
                // It was deleted in the meantime, so it can be created.
            }
            ReleasePublished::Exists => return Err(ApiError::ReleaseExists),
            ReleasePublished::Immutable => return Err(AccessError::Immutable.into()),
            ReleasePublished::Conflicts(fields, taken) => {
                let errors = UncheckedLink::from(&fields).validation_errors(taken);
                let errors = errors.into_iter().map(ReleaseValidationError::Link).collect();
                return Err(ApiError::ReleaseModel(errors));
            }
        }
    };
    let answer = release_body::answer(StatusCode::CREATED, &frame, &release, &links)?;
    Ok(answer.with_outcome(outcome))
}
