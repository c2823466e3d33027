//! Projects in the output.

use serde::Serialize;
use shared::domain::project::{Project, ProtectedTag};

use super::settings::{NO_ONE, grace, protected_tag};
use crate::output::{Details, Row};
use crate::words;

#[derive(Debug, Serialize)]
pub(super) struct ProjectView {
    pub(super) id: u64,
    pub(super) path: String,
    visibility: &'static str,
    releases_access: &'static str,
    archived: bool,
    protected_tags: Vec<ProtectedTagView>,
    default_branch: String,
    source_url: Option<String>,
    on_duplicate: &'static str,
    /// In seconds.
    immutable_after: Option<u64>,
    #[serde(skip)]
    grace: String,
    only_trusted: bool,
    created_at: String,
}

#[derive(Debug, Serialize)]
struct ProtectedTagView {
    pattern: String,
    create_level: &'static str,
    #[serde(skip)]
    text: String,
}

impl From<&ProtectedTag> for ProtectedTagView {
    fn from(tag: &ProtectedTag) -> Self {
        Self {
            pattern: tag.pattern.clone(),
            create_level: tag.create_level.map_or(NO_ONE, words::word),
            text: protected_tag(tag),
        }
    }
}

impl From<&Project> for ProjectView {
    fn from(project: &Project) -> Self {
        Self {
            id: project.id.0,
            path: project.path.as_str().to_owned(),
            visibility: words::word(project.visibility),
            releases_access: words::word(project.releases_access),
            archived: project.archived,
            protected_tags: project.protected_tags.iter().map(ProtectedTagView::from).collect(),
            default_branch: project.default_branch.as_str().to_owned(),
            source_url: project.source_url.as_ref().map(|url| url.as_str().to_owned()),
            on_duplicate: words::word(project.policies.on_duplicate),
            immutable_after: project.policies.immutable_after.map(|grace| grace.as_secs()),
            grace: grace(project.policies.immutable_after),
            only_trusted: project.policies.only_trusted,
            created_at: project.created_at.to_string(),
        }
    }
}

fn yes_or_no(truth: bool) -> String {
    if truth { "yes" } else { "no" }.to_owned()
}

impl ProjectView {
    fn tags(&self) -> String {
        let tags: Vec<_> = self.protected_tags.iter().map(|tag| tag.text.as_str()).collect();
        tags.join(", ")
    }
}

impl Row for ProjectView {
    const HEADER: &'static [&'static str] =
        &["ID", "PATH", "VISIBILITY", "RELEASES", "ARCHIVED", "PROTECTED TAGS", "CREATED AT"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.id.to_string(),
            self.path.clone(),
            self.visibility.to_owned(),
            self.releases_access.to_owned(),
            yes_or_no(self.archived),
            self.tags(),
            self.created_at.clone(),
        ]
    }
}

impl Details for ProjectView {
    fn fields(&self) -> Vec<(&'static str, String)> {
        vec![
            ("ID", self.id.to_string()),
            ("Path", self.path.clone()),
            ("Visibility", self.visibility.to_owned()),
            ("Releases access", self.releases_access.to_owned()),
            ("Archived", yes_or_no(self.archived)),
            ("Protected tags", self.tags()),
            ("Default branch", self.default_branch.clone()),
            ("Source URL", self.source_url.clone().unwrap_or_default()),
            ("On duplicate", self.on_duplicate.to_owned()),
            ("Immutable after", self.grace.clone()),
            ("Only trusted", yes_or_no(self.only_trusted)),
            ("Created at", self.created_at.clone()),
        ]
    }
}
