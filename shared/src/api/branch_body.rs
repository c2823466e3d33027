//! The default branch as GitLab shows it. Other branches of the repository are not known.

use serde::Serialize;

use super::commit_body::CommitBody;
use super::page_urls::{project_url, segments};
use crate::authorize::access::ProjectAccess;
use crate::domain::access_level::AccessLevel;
use crate::domain::web_url::WebUrl;

/// A branch, with its keys in GitLab's order.
#[derive(Clone, Debug, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "GitLab's keys")]
pub struct BranchBody<'a> {
    name: &'a str,
    commit: CommitBody<'a>,
    merged: bool,
    protected: bool,
    developers_can_push: bool,
    developers_can_merge: bool,
    can_push: bool,
    default: bool,
    web_url: String,
}

impl<'a> BranchBody<'a> {
    /// Shows the project's default branch. It has GitLab's default protection: maintainers
    /// push.
    #[must_use]
    pub fn new(base: &WebUrl, access: &'a ProjectAccess) -> Self {
        let project = access.project();
        let name = project.default_branch.as_str();
        let level = access.membership().level();
        Self {
            name,
            commit: CommitBody::for_branch(base, project),
            merged: false,
            protected: true,
            developers_can_push: false,
            developers_can_merge: false,
            can_push: !project.archived && level >= Some(AccessLevel::Maintainer),
            default: true,
            web_url: format!("{}/-/tree/{}", project_url(base, project), segments(name)),
        }
    }
}
