//! Releases in the output.

use std::io;

use serde::Serialize;
use shared::domain::project::Project;
use shared::domain::release::Release;
use shared::domain::time::Timestamp;
use shared::store::fitting::SomeLinks;

use crate::link::view::LinkView;
use crate::output::{Details, Output, Printable, Row};

#[derive(Debug, Serialize)]
pub(super) struct ReleaseView {
    project_id: u64,
    pub(super) project: String,
    pub(super) tag: String,
    name: Option<String>,
    description: Option<String>,
    author: String,
    created_at: String,
    released_at: String,
    immutable: bool,
}

impl ReleaseView {
    pub(super) fn new(project: &Project, release: Release) -> Self {
        Self {
            project_id: project.id.0,
            project: project.path.as_str().to_owned(),
            tag: release.key.tag.into(),
            name: release.name.map(|name| name.as_str().to_owned()),
            description: release.description.map(|description| description.as_str().to_owned()),
            author: release.author.username,
            created_at: release.created_at.to_string(),
            released_at: release.released_at.to_string(),
            immutable: project.policies.is_immutable(release.created_at, Timestamp::now()),
        }
    }
}

impl Row for ReleaseView {
    const HEADER: &'static [&'static str] = &["TAG", "NAME", "AUTHOR", "CREATED AT", "RELEASED AT"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.tag.clone(),
            self.name.clone().unwrap_or_default(),
            self.author.clone(),
            self.created_at.clone(),
            self.released_at.clone(),
        ]
    }
}

impl Details for ReleaseView {
    fn fields(&self) -> Vec<(&'static str, String)> {
        vec![
            ("Project", self.project.clone()),
            ("Tag", self.tag.clone()),
            ("Name", self.name.clone().unwrap_or_default()),
            ("Author", self.author.clone()),
            ("Created at", self.created_at.clone()),
            ("Released at", self.released_at.clone()),
            ("Immutable", if self.immutable { "yes".to_owned() } else { String::new() }),
        ]
    }
}

#[derive(Debug, Serialize)]
pub(super) struct ReleaseWithLinks {
    #[serde(flatten)]
    release: ReleaseView,
    /// More than there are in `links`, if those do not fit.
    link_count: usize,
    links: Vec<LinkView>,
}

impl ReleaseWithLinks {
    pub(super) fn new(project: &Project, release: Release, links: &SomeLinks) -> Self {
        Self {
            release: ReleaseView::new(project, release),
            link_count: links.count,
            links: links.links.iter().map(LinkView::from).collect(),
        }
    }

    /// Prints the release, its links and its notes.
    pub(super) fn print(&self, output: Output) -> io::Result<()> {
        match output {
            Output::Json => Printable::json(self)?.print(),
            Output::Table => {
                Printable::details(self).print()?;
                if !self.links.is_empty() {
                    Printable::line("").print()?;
                    Printable::table(&self.links).print()?;
                }
                if let Some(notes) = &self.release.description {
                    Printable::line("").print()?;
                    Printable::lines(notes).print()?;
                }
                Ok(())
            }
        }
    }
}

impl Details for ReleaseWithLinks {
    fn fields(&self) -> Vec<(&'static str, String)> {
        let mut fields = self.release.fields();
        let links = match self.links.len() {
            shown if shown < self.link_count => {
                format!("{} (the newest {shown} are shown)", self.link_count)
            }
            _ => self.link_count.to_string(),
        };
        fields.push(("Links", links));
        fields
    }
}
