//! Callers and their rights: GitLab's roles, in GitLab's order of checks.

use super::credentials::{Credentials, Presented};
use super::id_token::{IdToken, IdTokenError};
use crate::domain::access_level::{AccessLevel, Membership};
use crate::domain::issuer::Issuer;
use crate::domain::policies::OnDuplicate;
use crate::domain::project::{
    ListedProject, Project, ProjectId, ProjectPath, ProtectedTag, ReleasesAccess, Visibility,
};
use crate::domain::publisher::{Identity, Mismatch, Publisher, Stamp, Tags};
use crate::domain::release::Release;
use crate::domain::secret::Secret;
use crate::domain::tag_name::TagName;
use crate::domain::time::Timestamp;
use crate::domain::token::{InactiveReason, Scope, Token, User};
use crate::domain::token_kind::TokenKind;
use crate::request_record::RequestRecord;
use crate::store::read::FoundCredentials;

/// Why a request may not go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccessError {
    /// It carries a token that does not exist.
    UnknownToken,
    /// It carries a token that once was good.
    DeadToken(InactiveReason),
    /// Its project is not there, or the caller may not know of it: the two must look the same.
    ProjectInvisible,
    InsufficientScope,
    /// It carries a job token of another project.
    JobTokenNotAllowed {
        source: ProjectPath,
        /// The project that was asked for.
        target: ProjectPath,
    },
    /// The caller may see the project and not do this.
    Forbidden,
    /// A job with an ID token may not do this: one of its claims is not as it has to be.
    ClaimDiffers(Mismatch),
    /// The project takes no writes of stored tokens.
    OnlyTrustedPublishers,
    /// The release is older than its project's grace period.
    Immutable,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caller {
    /// Somebody without a token.
    Anonymous,
    /// The bearer of a good token.
    Authenticated(Token),
    /// A job with a good ID token. Each project says whether it is a publisher there.
    Job(Identity),
}

impl Caller {
    /// Decides which of the tokens a request carries counts; `found` are those that exist, and the
    /// issuers of ID tokens.
    ///
    /// A token that is bad ends the request even where another good one is there, with the
    /// exceptions GitLab makes: a bearer token yields to `PRIVATE-TOKEN`, and what looks like a job
    /// token is passed over where an access token is expected.
    ///
    /// A token whose scope is too small is refused here, before any project is looked at: whether
    /// there is one must not show.
    pub fn authenticate(
        credentials: &Credentials,
        found: &FoundCredentials,
        intent: Intent,
        now: Timestamp,
    ) -> Result<Self, AccessError> {
        let caller = Self::find(credentials, found, now)?;
        match (&caller, intent) {
            (Self::Authenticated(Token { scope: Scope::ReadApi, .. }), Intent::Write) => {
                Err(AccessError::InsufficientScope)
            }
            (
                Self::Anonymous | Self::Authenticated(_) | Self::Job(_),
                Intent::Read | Intent::Write,
            ) => Ok(caller),
        }
    }

    fn find(
        credentials: &Credentials,
        found: &FoundCredentials,
        now: Timestamp,
    ) -> Result<Self, AccessError> {
        let find = |secret: Option<&Secret>| {
            let hash = secret?.hash();
            found.tokens.iter().find(|token| token.hash == hash).cloned()
        };
        let running_job = |presented: &Presented| match presented {
            Presented::Stored { secret, .. } => find(secret.as_ref())
                .filter(|token| token.kind == TokenKind::Job && token.check_active(now).is_ok())
                .map(Self::Authenticated),
            Presented::Id(_) => None,
        };

        let Credentials { bearer, private, job } = credentials;
        if let Some(running) = bearer.as_ref().and_then(running_job) {
            return Ok(running);
        }
        let access = private.as_ref().or(bearer.as_ref());
        if let Some(presented) = access.filter(|presented| !presented.claims_job()) {
            return match presented {
                Presented::Id(token) => Self::verify(token.as_ref(), &found.issuers, now),
                Presented::Stored { secret, .. } => {
                    let token = find(secret.as_ref()).ok_or(AccessError::UnknownToken)?;
                    token.check_active(now).map_err(AccessError::DeadToken)?;
                    Ok(Self::Authenticated(token))
                }
            };
        }
        if let Some(presented) = job {
            return match presented {
                Presented::Id(token) => Self::verify(token.as_ref(), &found.issuers, now),
                Presented::Stored { .. } => running_job(presented).ok_or(AccessError::UnknownToken),
            };
        }
        // A job's token sent as a bearer's, after the job's end.
        if bearer.as_ref().is_some_and(Presented::claims_job) {
            return Err(AccessError::UnknownToken);
        }
        Ok(Self::Anonymous)
    }

    fn verify(
        token: Option<&IdToken>,
        issuers: &[Issuer],
        now: Timestamp,
    ) -> Result<Self, AccessError> {
        let token = token.ok_or(AccessError::UnknownToken)?;
        let issuer = issuers.iter().find(|issuer| issuer.url == *token.issuer());
        let verified = token.verify(issuer.ok_or(AccessError::UnknownToken)?, now);
        verified.map(Self::Job).map_err(|error| match error {
            IdTokenError::Invalid => AccessError::UnknownToken,
            IdTokenError::Expired => AccessError::DeadToken(InactiveReason::Expired),
        })
    }

    /// The caller's user. `None` without a token.
    #[must_use]
    pub fn user(&self) -> Option<User> {
        match self {
            Self::Anonymous => None,
            Self::Authenticated(token) => Some(token.user.clone()),
            Self::Job(identity) => Some(identity.user()),
        }
    }

    /// Notes who it is, for the log.
    pub(super) fn note(&self, record: &mut RequestRecord) {
        record.user = self.user().map(|user| user.username);
        match self {
            Self::Anonymous => {}
            Self::Authenticated(token) => record.token = Some(token.id().to_owned()),
            Self::Job(identity) => record.job = Some(identity.published_by().to_string()),
        }
    }

    /// The caller's roles by its token. A job with an ID token has none before its project's publishers
    /// are known.
    fn membership(&self, project: ProjectId, path: &ProjectPath) -> Membership {
        match self {
            Self::Anonymous | Self::Job(_) => Membership::default(),
            Self::Authenticated(token) => token.membership(project, path),
        }
    }

    /// The caller's role in a project of the list of projects. `None` for non-members.
    #[must_use]
    pub fn level_in(&self, listed: &ListedProject) -> Option<AccessLevel> {
        self.membership(listed.id, &listed.path).level()
    }

    /// Whether the caller may know of this project of the list of projects.
    #[must_use]
    pub fn may_see(&self, listed: &ListedProject) -> bool {
        self.level_in(listed).is_some() || self.is_shown(listed.visibility)
    }

    /// Whether a project's visibility alone shows it to this caller.
    fn is_shown(&self, visibility: Visibility) -> bool {
        match (visibility, self) {
            (Visibility::Private, _) | (Visibility::Internal, Self::Anonymous | Self::Job(_)) => {
                false
            }
            (Visibility::Internal, Self::Authenticated(token)) => !token.user.external,
            (Visibility::Public, _) => true,
        }
    }
}

/// Whether a request reads or writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intent {
    /// It reads.
    Read,
    /// It writes.
    Write,
}

/// A project the caller may see.
#[derive(Clone, Debug)]
pub struct ProjectAccess {
    project: Project,
    caller: Caller,
    user: Option<User>,
    membership: Membership,
    /// The tags that the caller may write as far as its ID token goes, or why it may write none.
    tags: Result<Tags, Mismatch>,
}

impl ProjectAccess {
    /// Admits `caller` to `project`, if there is one. A job with an ID token is admitted by the project's
    /// publishers.
    pub fn to_project(
        caller: Caller,
        project: Option<Project>,
        publishers: &[Publisher],
    ) -> Result<Self, AccessError> {
        let project = project.ok_or(AccessError::ProjectInvisible)?;
        let mut membership = caller.membership(project.id, &project.path);
        let tags = match &caller {
            Caller::Anonymous | Caller::Authenticated(_) => Ok(Tags::All),
            Caller::Job(identity) => {
                let tags = identity.check(publishers);
                membership.project = tags.as_ref().ok().map(|_| AccessLevel::Developer);
                tags
            }
        };
        let is_member = membership.level().is_some();
        if !is_member && !caller.is_shown(project.visibility) {
            // Strangers learn nothing of the project; a job that its publishers pin knows of it.
            return Err(match tags {
                Err(mismatch) if mismatch.knows_project => AccessError::ClaimDiffers(mismatch),
                Ok(_) | Err(_) => AccessError::ProjectInvisible,
            });
        }
        if let Caller::Authenticated(Token { job: Some(job), .. }) = &caller
            && !is_member
        {
            return Err(AccessError::JobTokenNotAllowed {
                source: job.project.clone(),
                target: project.path,
            });
        }
        let user = caller.user();
        Ok(Self { project, caller, user, membership, tags })
    }

    /// Fails unless the caller may read the project's releases.
    pub fn may_read_releases(&self) -> Result<(), AccessError> {
        let open = match self.project.releases_access {
            ReleasesAccess::Enabled => true,
            ReleasesAccess::Private => self.level().is_some(),
            ReleasesAccess::Disabled => false,
        };
        if open { Ok(()) } else { Err(AccessError::Forbidden) }
    }

    /// Fails unless the caller may read the project's code: GitLab asks it of who reads a release
    /// by its tag.
    pub fn may_read_code(&self) -> Result<(), AccessError> {
        let may = self.level() >= Some(AccessLevel::Reporter)
            || self.caller.is_shown(self.project.visibility);
        if may { Ok(()) } else { Err(AccessError::Forbidden) }
    }

    /// Whether everybody may read the project's releases, with a token or without.
    #[must_use]
    pub fn is_open_to_everybody(&self) -> bool {
        self.project.visibility == Visibility::Public
            && self.project.releases_access == ReleasesAccess::Enabled
    }

    /// The caller's user. `None` without a token.
    #[must_use]
    pub fn user(&self) -> Option<&User> {
        self.user.as_ref()
    }

    /// The time and the job of a write at this moment.
    #[must_use]
    pub fn stamp(&self, at: Timestamp) -> Stamp {
        let published_by = match &self.caller {
            Caller::Anonymous | Caller::Authenticated(_) => None,
            Caller::Job(identity) => Some(Box::new(identity.published_by())),
        };
        Stamp { at, published_by }
    }

    /// The caller's roles in the project.
    #[must_use]
    pub fn membership(&self) -> Membership {
        self.membership
    }

    fn level(&self) -> Option<AccessLevel> {
        self.membership.level()
    }

    #[must_use]
    pub fn project(&self) -> &Project {
        &self.project
    }

    /// Fails unless the caller may make releases, of whatever tags are not protected.
    pub fn may_make_releases(&self) -> Result<(), AccessError> {
        if let Err(mismatch) = &self.tags {
            return Err(AccessError::ClaimDiffers(mismatch.clone()));
        }
        let may = !self.project.archived && self.level() >= Some(AccessLevel::Developer);
        if !may {
            return Err(AccessError::Forbidden);
        }
        match &self.caller {
            Caller::Authenticated(_) if self.project.policies.only_trusted => {
                Err(AccessError::OnlyTrustedPublishers)
            }
            Caller::Anonymous | Caller::Authenticated(_) | Caller::Job(_) => Ok(()),
        }
    }

    /// Fails if the caller's ID token is bound to the release of another tag.
    pub fn may_write_as_job(&self, tag: &TagName) -> Result<(), AccessError> {
        let tags = self.tags.as_ref().map_err(Clone::clone);
        tags.and_then(|tags| tags.allow(tag)).map_err(AccessError::ClaimDiffers)
    }

    /// Fails unless the caller may change the release of this tag.
    pub fn may_write(&self, tag: &TagName) -> Result<(), AccessError> {
        self.may_make_releases()?;
        self.may_write_as_job(tag)?;
        if self.may_create_tag(tag) { Ok(()) } else { Err(AccessError::Forbidden) }
    }

    /// Fails if the release is immutable. The caller's rights are checked separately.
    pub fn is_mutable(&self, release: &Release, now: Timestamp) -> Result<(), AccessError> {
        if self.is_immutable(release, now) { Err(AccessError::Immutable) } else { Ok(()) }
    }

    #[must_use]
    pub fn is_immutable(&self, release: &Release, now: Timestamp) -> bool {
        self.project.policies.is_immutable(release.created_at, now)
    }

    /// How a creation handles duplicates. The request takes precedence over the token, and the token
    /// over the project.
    #[must_use]
    pub fn on_duplicate(&self, requested: Option<OnDuplicate>) -> OnDuplicate {
        let of_token = match &self.caller {
            Caller::Authenticated(token) => token.on_duplicate,
            Caller::Anonymous | Caller::Job(_) => None,
        };
        requested.or(of_token).unwrap_or(self.project.policies.on_duplicate)
    }

    /// Fails unless the caller may delete this tag. A protected one is for maintainers who may also
    /// create it.
    pub fn may_delete_tag(&self, tag: &TagName) -> Result<(), AccessError> {
        self.may_write(tag)?;
        let may = !self.is_protected(tag) || self.level() >= Some(AccessLevel::Maintainer);
        if may { Ok(()) } else { Err(AccessError::Forbidden) }
    }

    /// Whether the rules about tags let the caller create this one. Where several speak of it, one
    /// that allows it is enough, as in GitLab.
    #[must_use]
    pub fn may_create_tag(&self, tag: &TagName) -> bool {
        let mut rules = self.rules_about(tag).peekable();
        let level = self.level();
        rules.peek().is_none()
            || rules.any(|rule| rule.create_level.is_some_and(|least| level >= Some(least)))
    }

    /// Whether a rule speaks of this tag.
    #[must_use]
    pub fn is_protected(&self, tag: &TagName) -> bool {
        self.rules_about(tag).next().is_some()
    }

    fn rules_about(&self, tag: &TagName) -> impl Iterator<Item = &ProtectedTag> {
        self.project.protected_tags.iter().filter(move |rule| rule.matches(tag))
    }
}
