//! What every endpoint of a project does first: read all that decides, in one round trip, and let
//! the caller in or not, in GitLab's order of checks.

use lambda_http::http::Method;

use super::call::Call;
use super::error::ApiError;
use super::render::LinkBody;
use crate::access::{Admission, Caller, Intent};
use crate::app::App;
use crate::domain::link::{Link, LinkUrl};
use crate::domain::project::ProjectRef;
use crate::domain::release::Release;
use crate::domain::time::Timestamp;
use crate::domain::token::Token;
use crate::http::credentials::Credentials;
use crate::store::read::{LinkSelection, Listed, Seen, Selection, Wanted};

/// A project the caller may see, with what was asked for of it.
#[derive(Clone, Debug)]
pub struct Entered {
    /// The project, and what the caller may do there.
    pub admission: Admission,
    /// The release, if it is there.
    pub release: Option<Release>,
    /// Its links.
    pub links: Vec<Link>,
    /// Where the path leads.
    pub target: Option<LinkUrl>,
    /// The project's releases, the latest first.
    pub listed: Vec<Listed>,
}

/// Admits the caller of a request to the releases of the project its path names.
pub async fn enter_releases(
    app: &App,
    call: &Call,
    selection: Selection<'_>,
) -> Result<Entered, ApiError> {
    enter_releases_of(app, call, &call.project(), selection).await
}

/// Admits the caller of a request to the project its path names. These endpoints take no job
/// tokens.
pub async fn enter_project(
    app: &App,
    call: &Call,
    selection: Selection<'_>,
) -> Result<Entered, ApiError> {
    let credentials = call.credentials.without_job_tokens();
    enter(app, call, &credentials, &call.project(), selection).await
}

/// Admits the caller of a request to the releases of `project`, which its path names in another way
/// than the API's do.
pub async fn enter_releases_of(
    app: &App,
    call: &Call,
    project: &ProjectRef,
    selection: Selection<'_>,
) -> Result<Entered, ApiError> {
    let entered = enter(app, call, &call.credentials, project, selection).await?;
    entered.admission.may_read_releases()?;
    Ok(entered)
}

async fn enter(
    app: &App,
    call: &Call,
    credentials: &Credentials,
    project: &ProjectRef,
    selection: Selection<'_>,
) -> Result<Entered, ApiError> {
    let wanted = Wanted { tokens: &credentials.hashes(), project, selection };
    let seen = app.store.read(&wanted, call.deadline).await?;
    let caller = Caller::identify(credentials, &seen.tokens, Timestamp::now())?;
    let intent = match call.method {
        Method::GET | Method::HEAD => Intent::Read,
        _ => Intent::Write,
    };
    let Seen { tokens: _, project, release, links, target, listed } = seen;
    let admission = Admission::to_project(caller, project, intent)?;
    Ok(Entered { admission, release, links, target, listed })
}

/// The token of a caller who has to have one, on an endpoint that names no project.
pub async fn sign_in(app: &App, call: &Call, credentials: &Credentials) -> Result<Token, ApiError> {
    let project = ProjectRef::Nothing;
    let selection = Selection::Project;
    let wanted = Wanted { tokens: &credentials.hashes(), project: &project, selection };
    let seen = app.store.read(&wanted, call.deadline).await?;
    let caller = Caller::identify(credentials, &seen.tokens, Timestamp::now())?;
    Ok(caller.signed_in()?)
}

/// A release the caller may read, with the links that were asked for.
#[derive(Clone, Debug)]
pub struct Admitted {
    /// The project, and what the caller may do there.
    pub admission: Admission,
    /// The release.
    pub release: Release,
    /// The links.
    pub links: Vec<Link>,
}

/// Admits the caller of a request to the release its path names, on the links endpoints.
pub async fn admit(app: &App, call: &Call, links: LinkSelection) -> Result<Admitted, ApiError> {
    let tag = call.tag();
    let selection = Selection::release(tag.as_ref(), links);
    let entered = enter_releases(app, call, selection).await?;
    let release = entered.release.ok_or(ApiError::RecordNotFound)?;
    Ok(Admitted { admission: entered.admission, release, links: entered.links })
}

impl Admitted {
    /// The one link that was asked for.
    pub fn link(&self) -> Result<&Link, ApiError> {
        self.links.first().ok_or(ApiError::RecordNotFound)
    }

    /// Fails unless the caller may change this release.
    pub fn may_write(&self) -> Result<(), ApiError> {
        Ok(self.admission.may_write(&self.release.key.tag)?)
    }

    /// Reads the release and these of its links again, after another writer came first.
    pub async fn reread(
        &mut self,
        app: &App,
        call: &Call,
        links: LinkSelection,
    ) -> Result<(), ApiError> {
        let seen = app.store.reread(&self.release.key, links, call.deadline).await?;
        self.release = seen.release.ok_or(ApiError::RecordNotFound)?;
        self.links = seen.links;
        Ok(())
    }

    /// A link of this release as it is answered.
    #[must_use]
    pub fn render<'a>(&self, call: &Call, link: &'a Link) -> LinkBody<'a> {
        LinkBody::new(&call.base, self.admission.project(), &self.release.key.tag, link)
    }
}
