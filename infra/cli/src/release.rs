//! `release`: what links are added to.

use clap::{Args, Subcommand};
use serde::Serialize;
use shared::domain::project::Project;
use shared::domain::release::{
    Author, Description, InvalidTagName, MAX_DESCRIPTION_BYTES, MAX_RELEASE_NAME_CHARS, NewLinks,
    Release, ReleaseKey, ReleaseName, TagName,
};
use shared::domain::time::Timestamp;
use shared::domain::username::Username;
use shared::store::releases::{NewRelease, ReleaseCreated};
use shared::store::{Store, StoreError};

use crate::arguments::ProjectArgument;
use crate::deadline;
use crate::error::Error;
use crate::output::{Output, Row};
use crate::project::find;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a release without links.
    Create(Create),
    /// List the releases of a project, the latest first.
    List {
        /// The project's number or full path.
        project: ProjectArgument,
    },
    /// Delete a release and, with it, its links.
    Delete {
        /// The project's number or full path.
        project: ProjectArgument,
        /// The tag's name.
        #[arg(value_parser = parse_tag)]
        tag: TagName,
    },
}

#[derive(Args, Debug)]
pub(crate) struct Create {
    /// The project's number or full path.
    project: ProjectArgument,
    /// The tag's name.
    #[arg(value_parser = parse_new_tag)]
    tag: TagName,
    /// Its title; the tag's name by default.
    #[arg(long, value_parser = parse_name)]
    name: Option<ReleaseName>,
    /// Its notes.
    #[arg(long, value_name = "TEXT", value_parser = parse_description)]
    description: Option<Description>,
    /// When it is, or will be, released, such as 2026-01-31T12:00:00Z; now by default.
    #[arg(long, value_name = "TIME")]
    released_at: Option<Timestamp>,
    /// The user who makes it.
    #[arg(long, value_name = "USERNAME", default_value = "root")]
    user: Username,
}

fn parse_new_tag(text: &str) -> Result<TagName, InvalidTagName> {
    TagName::parse_new(text)
}

fn parse_tag(text: &str) -> Result<TagName, InvalidTagName> {
    TagName::parse(text)
}

fn parse_name(text: &str) -> Result<ReleaseName, String> {
    ReleaseName::parse(text).map_err(|_| format!("has over {MAX_RELEASE_NAME_CHARS} characters"))
}

fn parse_description(text: &str) -> Result<Description, String> {
    Description::parse(text).map_err(|_| format!("has over {MAX_DESCRIPTION_BYTES} bytes"))
}

/// Carries out a command about releases.
pub(crate) async fn run(command: Command, store: &Store, output: Output) -> Result<(), Error> {
    match command {
        Command::Create(new) => create(new, store, output).await,
        Command::List { project } => {
            let project = find(&project, store).await?;
            let releases = store.list_releases(project.id, deadline()).await?;
            let views: Vec<_> =
                releases.into_iter().map(|release| ReleaseView::new(&project, release)).collect();
            Ok(output.list(&views)?)
        }
        Command::Delete { project, tag } => {
            let project = find(&project, store).await?;
            let key = ReleaseKey { project: project.id, tag };
            let Some(release) = delete_current(&key, store).await? else {
                let (project, tag) = (project.path.into(), key.tag.into());
                return Err(Error::NoRelease { project, tag });
            };
            let release = ReleaseView::new(&project, release);
            let sentence = format!(
                "deleted release {} of {}; its links are gone, and `sweep` removes what they left",
                release.tag, release.project
            );
            Ok(output.done(&sentence, &release)?)
        }
    }
}

async fn create(new: Create, store: &Store, output: Output) -> Result<(), Error> {
    let project = find(&new.project, store).await?;
    let now = Timestamp::now();
    let release = NewRelease {
        key: ReleaseKey { project: project.id, tag: new.tag.clone() },
        name: new.name,
        description: new.description,
        author: Author::from(&store.ensure_user(&new.user, None, deadline()).await?),
        commit: None,
        released_at: new.released_at.unwrap_or(now),
        links: NewLinks::default(),
    };
    match store.create_release(release, now, deadline()).await? {
        ReleaseCreated::Release(release, _) => {
            Ok(output.one(&ReleaseView::new(&project, release))?)
        }
        ReleaseCreated::Exists => {
            let (project, tag) = (project.path.into(), new.tag.into());
            Err(Error::ReleaseExists { project, tag })
        }
    }
}

/// Deletes the release as it now is, and again where it is another by then; none where none is
/// there.
pub(crate) async fn delete_current(
    key: &ReleaseKey,
    store: &Store,
) -> Result<Option<Release>, StoreError> {
    let deadline = deadline();
    while let Some(release) = store.get_release(key, deadline).await? {
        if store.delete_release(&release, deadline).await? {
            return Ok(Some(release));
        }
    }
    Ok(None)
}

#[derive(Debug, Serialize)]
struct ReleaseView {
    project_id: u64,
    project: String,
    tag: String,
    name: Option<String>,
    description: Option<String>,
    author: String,
    created_at: String,
    released_at: String,
}

impl ReleaseView {
    fn new(project: &Project, release: Release) -> Self {
        Self {
            project_id: project.id.0,
            project: project.path.as_str().to_owned(),
            tag: release.key.tag.into(),
            name: release.name.map(|name| name.as_str().to_owned()),
            description: release.description.map(|description| description.as_str().to_owned()),
            author: release.author.username,
            created_at: release.created_at.to_string(),
            released_at: release.released_at.to_string(),
        }
    }
}

impl Row for ReleaseView {
    const HEADER: &'static [&'static str] =
        &["PROJECT", "TAG", "NAME", "AUTHOR", "CREATED AT", "RELEASED AT"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.project.clone(),
            self.tag.clone(),
            self.name.clone().unwrap_or_default(),
            self.author.clone(),
            self.created_at.clone(),
            self.released_at.clone(),
        ]
    }
}
