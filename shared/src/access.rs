//! Who is calling, and what they may do: GitLab's roles, in GitLab's order of checks.

use crate::domain::project::{Project, ProjectPath, ReleasesAccess, Visibility};
use crate::domain::release::TagName;
use crate::domain::time::Timestamp;
use crate::domain::token::{AccessLevel, Dead, Scope, Token, TokenKind};
use crate::http::credentials::{Credentials, Presented};

/// Why a request may not go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It carries a token nobody has been given.
    UnknownToken,
    /// It carries a token that once was good.
    DeadToken(Dead),
    /// Its project is not there, or the caller may not know of it: the two must look the same.
    ProjectInvisible,
    /// Its token only reads.
    InsufficientScope,
    /// It carries a job token of another project.
    JobTokenNotAllowed {
        /// The project of the job.
        source: ProjectPath,
        /// The project that was asked for.
        target: ProjectPath,
    },
    /// The caller may see the project and not do this.
    Forbidden,
}

/// Who is calling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caller {
    /// Somebody without a token.
    Anonymous,
    /// The bearer of a good token.
    Bearer(Token),
}

impl Caller {
    /// Decides which of the tokens a request carries counts; `found` are those that exist.
    ///
    /// A token that is bad ends the request even where another good one is there, with the
    /// exceptions GitLab makes: a bearer token yields to `PRIVATE-TOKEN`, and what looks like a job
    /// token is passed over where an access token is expected.
    pub fn identify(
        credentials: &Credentials,
        found: &[Token],
        now: Timestamp,
    ) -> Result<Self, Refusal> {
        let find = |presented: &Presented| {
            let hash = presented.secret.as_ref()?.hash();
            found.iter().find(|token| token.hash == hash).cloned()
        };
        let running_job = |presented: &Presented| {
            find(presented).filter(|token| token.kind == TokenKind::Job && token.alive(now).is_ok())
        };
        let claims_job = |presented: &&Presented| presented.claims == Some(TokenKind::Job);

        let Credentials { bearer, private, job } = credentials;
        if let Some(token) = bearer.as_ref().and_then(running_job) {
            return Ok(Self::Bearer(token));
        }
        let access = private.as_ref().or(bearer.as_ref());
        if let Some(presented) = access.filter(|presented| !claims_job(presented)) {
            let token = find(presented).ok_or(Refusal::UnknownToken)?;
            token.alive(now).map_err(Refusal::DeadToken)?;
            return Ok(Self::Bearer(token));
        }
        if let Some(presented) = job {
            return running_job(presented).map(Self::Bearer).ok_or(Refusal::UnknownToken);
        }
        // A job's token sent as a bearer's, after the job's end.
        if bearer.as_ref().is_some_and(|presented| claims_job(&presented)) {
            return Err(Refusal::UnknownToken);
        }
        Ok(Self::Anonymous)
    }

    fn level_in(&self, project: &Project) -> Option<AccessLevel> {
        match self {
            Self::Anonymous => None,
            Self::Bearer(token) => token.level_in(project),
        }
    }

    fn sees(&self, project: &Project) -> bool {
        let signed_in_and_not_external = match self {
            Self::Anonymous => false,
            Self::Bearer(token) => !token.user.external,
        };
        self.level_in(project).is_some()
            || match project.visibility {
                Visibility::Private => false,
                Visibility::Internal => signed_in_and_not_external,
                Visibility::Public => true,
            }
    }
}

/// What a request does to what it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intent {
    /// It reads.
    Read,
    /// It writes.
    Write,
}

/// A project whose releases the caller may read.
#[derive(Clone, Debug)]
pub struct Admission {
    project: Project,
    level: Option<AccessLevel>,
}

impl Admission {
    /// Admits `caller` to the releases of `project`, if there is one.
    pub fn new(caller: &Caller, project: Option<Project>, intent: Intent) -> Result<Self, Refusal> {
        let project = project.ok_or(Refusal::ProjectInvisible)?;
        if let (Caller::Bearer(Token { scope: Scope::ReadApi, .. }), Intent::Write) =
            (caller, intent)
        {
            return Err(Refusal::InsufficientScope);
        }
        if !caller.sees(&project) {
            return Err(Refusal::ProjectInvisible);
        }
        let level = caller.level_in(&project);
        if let Caller::Bearer(Token { job_project: Some(source), .. }) = caller
            && level.is_none()
        {
            return Err(Refusal::JobTokenNotAllowed {
                source: source.clone(),
                target: project.path,
            });
        }
        let releases_are_open = match project.releases_access {
            ReleasesAccess::Enabled => true,
            ReleasesAccess::Private => level.is_some(),
            ReleasesAccess::Disabled => false,
        };
        if releases_are_open { Ok(Self { project, level }) } else { Err(Refusal::Forbidden) }
    }

    /// The project.
    #[must_use]
    pub fn project(&self) -> &Project {
        &self.project
    }

    /// Fails unless the caller may change the release of this tag.
    pub fn may_write(&self, tag: &TagName) -> Result<(), Refusal> {
        let allowed = !self.project.archived
            && self.level >= Some(AccessLevel::Developer)
            && self.may_create_tag(tag);
        if allowed { Ok(()) } else { Err(Refusal::Forbidden) }
    }

    /// Where several rules speak of a tag, one that allows it is enough, as in GitLab.
    fn may_create_tag(&self, tag: &TagName) -> bool {
        let mut rules =
            self.project.protected_tags.iter().filter(|rule| rule.matches(tag)).peekable();
        rules.peek().is_none()
            || rules.any(|rule| rule.create_level.is_some_and(|least| self.level >= Some(least)))
    }
}
