//! Tokens and the rights of their bearers.

use super::access_level::{AccessLevel, Membership};
use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

use super::policies::OnDuplicate;
use super::project::{NamespacePath, ProjectId, ProjectPath};
use super::secret::SecretHash;
use super::time::Timestamp;
use super::token_kind::TokenKind;

/// How much of the API a token opens.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr, VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Scope {
    /// Reading and writing.
    Api,
    /// GET and HEAD.
    ReadApi,
}

/// The project or namespace of a grant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantTarget {
    /// In one project.
    Project(ProjectId),
    /// In every project of a namespace and of those below it, present and future.
    Namespace(NamespacePath),
}

/// A role in a project or namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// Where.
    pub target: GrantTarget,
    pub level: AccessLevel,
}

/// The user a token acts for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    pub id: u64,
    pub username: String,
    /// External users see internal projects only as members.
    pub external: bool,
}

/// A CI job, as far as its token tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    pub id: u64,
    pub project: ProjectPath,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// By what it is found; its secret is not kept.
    pub hash: SecretHash,
    pub kind: TokenKind,
    pub name: String,
    pub user: User,
    /// How much of the API it opens.
    pub scope: Scope,
    /// Roles, wherever it has one.
    pub grants: Vec<Grant>,
    /// The job, for a job token.
    pub job: Option<Job>,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it is refused.
    pub expires_at: Option<Timestamp>,
    /// Whether it was withdrawn.
    pub revoked: bool,
    /// Overrides the project's policy.
    pub on_duplicate: Option<OnDuplicate>,
}

/// Why a token that exists opens nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InactiveReason {
    /// It was withdrawn.
    Revoked,
    Expired,
}

/// How many digits of a token's hash are its public id.
pub const TOKEN_ID_DIGITS: usize = 12;

impl Token {
    /// The id by which operators tell tokens apart: the start of the hash, which opens nothing.
    #[must_use]
    pub fn id(&self) -> &str {
        let hash = self.hash.as_str();
        hash.get(..TOKEN_ID_DIGITS).unwrap_or(hash)
    }

    /// Whether it still opens anything at `now`; a token that is both revoked and expired is
    /// called expired, GitLab's order.
    pub fn check_active(&self, now: Timestamp) -> Result<(), InactiveReason> {
        if self.expires_at.is_some_and(|at| at <= now) {
            Err(InactiveReason::Expired)
        } else if self.revoked {
            Err(InactiveReason::Revoked)
        } else {
            Ok(())
        }
    }

    /// The roles its grants give in the project with this number and path.
    #[must_use]
    pub fn membership(&self, project: ProjectId, path: &ProjectPath) -> Membership {
        let mut membership = Membership::default();
        for Grant { target, level } in &self.grants {
            let held = match target {
                GrantTarget::Project(id) if *id == project => &mut membership.project,
                GrantTarget::Namespace(namespace) if namespace.contains(path) => {
                    &mut membership.group
                }
                GrantTarget::Project(_) | GrantTarget::Namespace(_) => continue,
            };
            *held = (*held).max(Some(*level));
        }
        membership
    }
}
