//! Commits as GitLab shows them. The repository is elsewhere: a commit has the id that its release was
//! created with, and the release's author, title and date.

use serde::Serialize;

use super::page_urls::project_url;
use crate::domain::commit::CommitSha;
use crate::domain::project::Project;
use crate::domain::release::{Author, Release, ReleaseName};
use crate::domain::web_url::WebUrl;

/// Git's null name, for commits that are not known. Clients need 40 digits.
const UNKNOWN: &str = "0000000000000000000000000000000000000000";
/// Its first digits.
const SHORT_UNKNOWN: &str = "00000000";

/// A commit, with its keys in GitLab's order.
#[derive(Clone, Debug, Serialize)]
pub struct CommitBody<'a> {
    id: &'a str,
    short_id: &'a str,
    created_at: String,
    parent_ids: [&'a str; 0],
    title: &'a str,
    message: &'a str,
    author_name: &'a str,
    author_email: String,
    authored_date: String,
    committer_name: &'a str,
    committer_email: String,
    committed_date: String,
    trailers: Trailers,
    extended_trailers: Trailers,
    web_url: String,
}

#[derive(Clone, Debug, Serialize)]
struct Trailers {}

impl<'a> CommitBody<'a> {
    /// The commit of a release's tag.
    #[must_use]
    pub fn for_release(base: &WebUrl, project: &Project, release: &'a Release) -> Self {
        let Release { key, author, .. } = release;
        let message = release.name.as_ref().map_or(key.tag.as_str(), ReleaseName::as_str);
        let id = (id(release), release.commit.as_ref().map_or(SHORT_UNKNOWN, CommitSha::short));
        let at = release.created_at.to_string();
        Self::new(base, project, id, message, (&author.username, email(base, author)), at)
    }

    /// The commit of the default branch: nothing is known of it but that the project has a branch.
    #[must_use]
    pub fn for_branch(base: &WebUrl, project: &Project) -> Self {
        let at = project.created_at.to_string();
        Self::new(base, project, (UNKNOWN, SHORT_UNKNOWN), "", ("", String::new()), at)
    }

    fn new(
        base: &WebUrl,
        project: &Project,
        (id, short_id): (&'a str, &'a str),
        message: &'a str,
        (name, email): (&'a str, String),
        at: String,
    ) -> Self {
        Self {
            id,
            short_id,
            created_at: at.clone(),
            parent_ids: [],
            title: message.lines().next().unwrap_or_default(),
            message,
            author_name: name,
            author_email: email.clone(),
            authored_date: at.clone(),
            committer_name: name,
            committer_email: email,
            committed_date: at,
            trailers: Trailers {},
            extended_trailers: Trailers {},
            web_url: format!("{}/-/commit/{id}", project_url(base, project)),
        }
    }
}

/// The id of the commit of a release's tag.
pub(super) fn id(release: &Release) -> &str {
    release.commit.as_ref().map_or(UNKNOWN, CommitSha::as_str)
}

/// The address that GitLab gives a user's commits if the user wants to hide their own.
fn email(base: &WebUrl, author: &Author) -> String {
    format!("{}-{}@users.noreply.{}", author.id, author.username, base.host())
}
