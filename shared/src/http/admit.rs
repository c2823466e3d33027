//! What every endpoint of a release does first: read all that decides, in one round trip, and let
//! the caller in or not, in GitLab's order of checks.

use lambda_http::http::Method;

use super::call::Call;
use super::error::ApiError;
use super::render::LinkBody;
use crate::access::{Admission, Caller, Intent};
use crate::app::App;
use crate::domain::link::{Link, LinkId};
use crate::domain::release::Release;
use crate::domain::time::Timestamp;
use crate::store::read::{LinkSelection, Wanted};

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

/// Admits the caller of a request to the release its path names.
pub async fn admit(app: &App, call: &Call, links: LinkSelection) -> Result<Admitted, ApiError> {
    let tag = call.tag();
    let wanted = Wanted {
        tokens: &call.credentials.hashes(),
        project: &call.project(),
        tag: tag.as_ref(),
        links,
    };
    let seen = app.store.read(&wanted, call.deadline).await?;
    let caller = Caller::identify(&call.credentials, &seen.tokens, Timestamp::now())?;
    let intent = match call.method {
        Method::GET | Method::HEAD => Intent::Read,
        _ => Intent::Write,
    };
    let admission = Admission::new(&caller, seen.project, intent)?;
    let release = seen.release.ok_or(ApiError::RecordNotFound)?;
    Ok(Admitted { admission, release, links: seen.links })
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

    /// Reads the release and one of its links again, after another writer came first.
    pub async fn reread(&mut self, app: &App, call: &Call, id: LinkId) -> Result<(), ApiError> {
        let seen = app.store.reread(&self.release.key, id, call.deadline).await?;
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
