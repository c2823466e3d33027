//! Authorization, the first step of every endpoint: reads what it needs in as few round trips as
//! possible, and admits or refuses the caller in GitLab's order of checks.
//!
//! A caller who is refused learns nothing by it: hidden and missing projects take the same requests,
//! in the same order, and get the same answer.

use lambda_http::http::Method;

use super::error::ApiError;
use super::render::LinkBody;
use super::request::ApiRequest;
use crate::access::{Admission, Caller, Intent, Refusal};
use crate::api::credentials::Credentials;
use crate::app::App;
use crate::domain::link::Link;
use crate::domain::project::{Project, ProjectRef};
use crate::domain::release::Release;
use crate::domain::time::Timestamp;
use crate::domain::token::Token;
use crate::store::read::{
    FirstLinks, FirstListed, FirstTrip, LinkSelection, Seen, Selection, Target, Wanted,
};

/// A project the caller may see, with what was asked for of it.
#[derive(Clone, Debug)]
pub struct Entered {
    /// The project, and what the caller may do there.
    pub admission: Admission,
    /// The release, if it is there.
    pub release: Option<Release>,
    /// Its first links.
    pub links: FirstLinks,
    /// Where the path leads.
    pub target: Target,
    /// The project's releases, the latest first.
    pub listed: FirstListed,
}

/// Admits the caller of a request to the releases of the project its path names.
pub async fn enter_releases(
    app: &App,
    request: &ApiRequest,
    selection: Selection<'_>,
) -> Result<Entered, ApiError> {
    enter_releases_of(app, request, &request.project(), selection).await
}

/// Admits the caller of a request to the project its path names. These endpoints take no job
/// tokens.
pub async fn enter_project(
    app: &App,
    request: &ApiRequest,
    selection: Selection<'_>,
) -> Result<Entered, ApiError> {
    let credentials = request.credentials.without_job_tokens();
    enter(app, request, &credentials, &request.project(), selection).await
}

/// Admits the caller of a request to the releases of `project`, which its path names in another way
/// than the API's do.
pub async fn enter_releases_of(
    app: &App,
    request: &ApiRequest,
    project: &ProjectRef,
    selection: Selection<'_>,
) -> Result<Entered, ApiError> {
    let entered = enter(app, request, &request.credentials, project, selection).await?;
    entered.admission.may_read_releases()?;
    Ok(entered)
}

async fn enter(
    app: &App,
    request: &ApiRequest,
    credentials: &Credentials,
    project: &ProjectRef,
    selection: Selection<'_>,
) -> Result<Entered, ApiError> {
    let wanted = Wanted { tokens: &credentials.hashes(), project, selection };
    let (caller, first) = identify(app, request, credentials, &wanted).await?;
    let mut seen = app.store.follow(&wanted, first, request.deadline).await?;
    let admission = match admission(&caller, seen.project.as_ref()) {
        Err(Refusal::ProjectInvisible) => {
            let anew = app.store.read_anew(&wanted, &seen, request.deadline).await?;
            seen = anew.ok_or(Refusal::ProjectInvisible)?;
            admission(&caller, seen.project.as_ref())?
        }
        other => other?,
    };
    let Seen { release, links, target, listed, .. } = seen;
    Ok(Entered { admission, release, links, target, listed })
}

fn admission(caller: &Caller, project: Option<&Project>) -> Result<Admission, Refusal> {
    Admission::to_project(caller.clone(), project.cloned())
}

/// Identifies the caller by the first round trip. Malformed tokens are refused without it.
async fn identify(
    app: &App,
    request: &ApiRequest,
    credentials: &Credentials,
    wanted: &Wanted<'_>,
) -> Result<(Caller, FirstTrip), ApiError> {
    let intent = match request.method {
        Method::GET | Method::HEAD => Intent::Read,
        _ => Intent::Write,
    };
    if wanted.tokens.is_empty() {
        Caller::identify(credentials, &[], intent, Timestamp::now())?;
    }
    let first = app.store.look(wanted, request.deadline).await?;
    let caller = Caller::identify(credentials, &first.tokens, intent, Timestamp::now())?;
    Ok((caller, first))
}

/// The caller of an endpoint that names no project.
pub async fn caller(
    app: &App,
    request: &ApiRequest,
    credentials: &Credentials,
) -> Result<Caller, ApiError> {
    let project = &ProjectRef::Nothing;
    let selection = Selection::Project;
    let wanted = Wanted { tokens: &credentials.hashes(), project, selection };
    let (caller, _) = identify(app, request, credentials, &wanted).await?;
    Ok(caller)
}

/// The token of a caller who has to have one, on an endpoint that names no project.
pub async fn sign_in(
    app: &App,
    request: &ApiRequest,
    credentials: &Credentials,
) -> Result<Token, ApiError> {
    Ok(caller(app, request, credentials).await?.signed_in()?)
}

/// A release the caller may read, with the links that were asked for.
#[derive(Clone, Debug)]
pub struct Admitted {
    /// The project, and what the caller may do there.
    pub admission: Admission,
    /// The release.
    pub release: Release,
    /// Its first links.
    pub links: FirstLinks,
}

/// Admits the caller of a request to the release its path names, on the links endpoints.
pub async fn admit(
    app: &App,
    request: &ApiRequest,
    links: LinkSelection,
) -> Result<Admitted, ApiError> {
    let tag = request.tag();
    let selection = Selection::release(tag.as_ref(), links);
    let entered = enter_releases(app, request, selection).await?;
    let release = entered.release.ok_or(ApiError::RecordNotFound)?;
    Ok(Admitted { admission: entered.admission, release, links: entered.links })
}

impl Admitted {
    /// The one link that was asked for.
    pub fn link(&self) -> Result<&Link, ApiError> {
        self.links.one().ok_or(ApiError::RecordNotFound)
    }

    /// Fails unless the caller may change this release.
    pub fn may_write(&self) -> Result<(), ApiError> {
        Ok(self.admission.may_write(&self.release.key.tag)?)
    }

    /// Reads the release and these of its links again, after another writer came first.
    pub async fn reread(
        &mut self,
        app: &App,
        request: &ApiRequest,
        links: LinkSelection,
    ) -> Result<(), ApiError> {
        let seen = app.store.reread(&self.release.key, links, request.deadline).await?;
        self.release = seen.release.ok_or(ApiError::RecordNotFound)?;
        self.links = seen.links;
        Ok(())
    }

    /// A link of this release as it is answered.
    #[must_use]
    pub fn render<'a>(&self, request: &ApiRequest, link: &'a Link) -> LinkBody<'a> {
        LinkBody::new(&request.base, self.admission.project(), &self.release.key.tag, link)
    }
}
