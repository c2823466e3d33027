//! Callers and their rights: GitLab's roles, in GitLab's order of checks.

use super::credentials::{Credentials, Presented};
use crate::domain::access_level::{AccessLevel, Membership};
use crate::domain::policies::OnDuplicate;
use crate::domain::project::{
    ListedProject, Project, ProjectId, ProjectPath, ProtectedTag, ReleasesAccess, Visibility,
};
use crate::domain::release::Release;
use crate::domain::tag_name::TagName;
use crate::domain::time::Timestamp;
use crate::domain::token::{InactiveReason, Scope, Token};
use crate::domain::token_kind::TokenKind;

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
    /// The release is older than its project's grace period.
    Immutable,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caller {
    /// Somebody without a token.
    Anonymous,
    /// The bearer of a good token.
    Authenticated(Token),
}

impl Caller {
    /// Decides which of the tokens a request carries counts; `found` are those that exist.
    ///
    /// A token that is bad ends the request even where another good one is there, with the
    /// exceptions GitLab makes: a bearer token yields to `PRIVATE-TOKEN`, and what looks like a job
    /// token is passed over where an access token is expected.
    ///
    /// A token whose scope is too small is refused here, before any project is looked at: whether
    /// there is one must not show.
    pub fn authenticate(
        credentials: &Credentials,
        found: &[Token],
        intent: Intent,
        now: Timestamp,
    ) -> Result<Self, AccessError> {
        let caller = Self::find(credentials, found, now)?;
        match (&caller, intent) {
            (Self::Authenticated(Token { scope: Scope::ReadApi, .. }), Intent::Write) => {
                Err(AccessError::InsufficientScope)
            }
            (Self::Anonymous | Self::Authenticated(_), Intent::Read | Intent::Write) => Ok(caller),
        }
    }

    fn find(
        credentials: &Credentials,
        found: &[Token],
        now: Timestamp,
    ) -> Result<Self, AccessError> {
        let find = |presented: &Presented| {
            let hash = presented.secret.as_ref()?.hash();
            found.iter().find(|token| token.hash == hash).cloned()
        };
        let running_job = |presented: &Presented| {
            find(presented)
                .filter(|token| token.kind == TokenKind::Job && token.check_active(now).is_ok())
        };
        let claims_job = |presented: &&Presented| presented.prefix_kind == Some(TokenKind::Job);

        let Credentials { bearer, private, job } = credentials;
        if let Some(token) = bearer.as_ref().and_then(running_job) {
            return Ok(Self::Authenticated(token));
        }
        let access = private.as_ref().or(bearer.as_ref());
        if let Some(presented) = access.filter(|presented| !claims_job(presented)) {
            let token = find(presented).ok_or(AccessError::UnknownToken)?;
            token.check_active(now).map_err(AccessError::DeadToken)?;
            return Ok(Self::Authenticated(token));
        }
        if let Some(presented) = job {
            return running_job(presented)
                .map(Self::Authenticated)
                .ok_or(AccessError::UnknownToken);
        }
        // A job's token sent as a bearer's, after the job's end.
        if bearer.as_ref().is_some_and(|presented| claims_job(&presented)) {
            return Err(AccessError::UnknownToken);
        }
        Ok(Self::Anonymous)
    }

    /// The token of a caller who has one; the others are refused.
    pub fn signed_in(self) -> Result<Token, AccessError> {
        match self {
            Self::Anonymous => Err(AccessError::UnknownToken),
            Self::Authenticated(token) => Ok(token),
        }
    }

    fn membership(&self, project: ProjectId, path: &ProjectPath) -> Membership {
        match self {
            Self::Anonymous => Membership::default(),
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
            (Visibility::Private, _) | (Visibility::Internal, Self::Anonymous) => false,
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
    membership: Membership,
}

impl ProjectAccess {
    /// Admits `caller` to `project`, if there is one.
    pub fn to_project(caller: Caller, project: Option<Project>) -> Result<Self, AccessError> {
        let project = project.ok_or(AccessError::ProjectInvisible)?;
        let membership = caller.membership(project.id, &project.path);
        let is_member = membership.level().is_some();
        if !is_member && !caller.is_shown(project.visibility) {
            return Err(AccessError::ProjectInvisible);
        }
        if let Caller::Authenticated(Token { job: Some(job), .. }) = &caller
            && !is_member
        {
            return Err(AccessError::JobTokenNotAllowed {
                source: job.project.clone(),
                target: project.path,
            });
        }
        Ok(Self { project, caller, membership })
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

    /// The token that was presented, if one was.
    #[must_use]
    pub fn token(&self) -> Option<&Token> {
        match &self.caller {
            Caller::Anonymous => None,
            Caller::Authenticated(token) => Some(token),
        }
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
        let may = !self.project.archived && self.level() >= Some(AccessLevel::Developer);
        if may { Ok(()) } else { Err(AccessError::Forbidden) }
    }

    /// Fails unless the caller may change the release of this tag.
    pub fn may_write(&self, tag: &TagName) -> Result<(), AccessError> {
        self.may_make_releases()?;
        if self.may_create_tag(tag) { Ok(()) } else { Err(AccessError::Forbidden) }
    }

    /// Fails if the release is immutable. The caller's rights are checked separately.
    pub fn is_mutable(&self, release: &Release, now: Timestamp) -> Result<(), AccessError> {
        let is_immutable = self.project.policies.is_immutable(release.created_at, now);
        if is_immutable { Err(AccessError::Immutable) } else { Ok(()) }
    }

    /// How a creation handles duplicates. The request takes precedence over the token, and the token
    /// over the project.
    #[must_use]
    pub fn on_duplicate(&self, requested: Option<OnDuplicate>) -> OnDuplicate {
        let of_token = self.token().and_then(|token| token.on_duplicate);
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
