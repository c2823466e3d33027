//! `release`: a release of a project is a tag with a title, notes and links.

mod view;

use clap::{Args, Subcommand};
use shared::domain::project::Project;
use shared::domain::release::{
    Author, Description, MAX_DESCRIPTION_BYTES, MAX_RELEASE_NAME_CHARS, NewLinks, Release,
    ReleaseName,
};
use shared::domain::release_key::ReleaseKey;
use shared::domain::tag_name::{InvalidTagName, TagName};
use shared::domain::time::Timestamp;
use shared::domain::username::Username;
use shared::store::Store;
use shared::store::error::StoreError;
use shared::store::fitting::{Choice, Room, SomeLinks};
use shared::store::releases::{NewRelease, ReleaseCreated};

use crate::confirm::Confirmation;
use crate::deadline;
use crate::error::Error;
use crate::output::Output;
use crate::project_argument::ProjectArgument;
use crate::project_argument::find;
use view::{ReleaseView, ReleaseWithLinks};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Create a release without links. To add some, use `link create`.
    Create(Create),
    /// List the releases of a project, the latest first.
    List {
        /// Number or full path of the project, for example mygroup/app.
        project: ProjectArgument,
    },
    /// Show a release with its links and notes.
    Show(Target),
    /// Delete a release and its links. Asks first.
    Delete {
        #[command(flatten)]
        target: Target,
        #[command(flatten)]
        confirmation: Confirmation,
    },
}

/// The release of a command.
#[derive(Args, Debug)]
pub(crate) struct Target {
    /// Number or full path of the project, for example mygroup/app.
    project: ProjectArgument,
    /// Tag of the release, for example v1.0.0.
    #[arg(value_parser = parse_tag)]
    tag: TagName,
}

#[derive(Args, Debug)]
pub(crate) struct Create {
    /// Number or full path of the project, for example mygroup/app.
    project: ProjectArgument,
    /// Tag of the release, for example v1.0.0.
    #[arg(value_parser = parse_new_tag)]
    tag: TagName,
    /// Title, for example 'Spring release'. Default: the tag.
    #[arg(long, value_parser = parse_name)]
    name: Option<ReleaseName>,
    /// Release notes in Markdown, for example '- Fixes downloads'.
    #[arg(long, value_name = "TEXT", value_parser = parse_description)]
    description: Option<Description>,
    /// Time of the release, for example 2026-01-31T12:00:00Z; may be in the future. Default: now.
    #[arg(long, value_name = "TIME")]
    released_at: Option<Timestamp>,
    /// User who is shown as the author, for example ann; created if missing.
    #[arg(long, value_name = "USERNAME", default_value = "operator")]
    user: Username,
}

fn parse_new_tag(text: &str) -> Result<TagName, InvalidTagName> {
    TagName::parse_new(text)
}

pub(crate) fn parse_tag(text: &str) -> Result<TagName, InvalidTagName> {
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
        Command::Show(target) => {
            let (project, release, links) = target.find(store).await?;
            Ok(ReleaseWithLinks::new(&project, release, &links).print(output)?)
        }
        Command::Delete { target, confirmation } => {
            delete(target, confirmation, store, output).await
        }
    }
}

impl Target {
    /// The release with its project and its links, the newest that fit into a megabyte.
    pub(crate) async fn find(&self, store: &Store) -> Result<(Project, Release, SomeLinks), Error> {
        let project = find(&self.project, store).await?;
        let key = self.key(&project);
        let room = Room::for_rows();
        match store.release_with_links(&key, Choice::Newest, &room, deadline()).await? {
            Some((release, links)) => Ok((project, release, links)),
            None => Err(no_release(&project, &self.tag)),
        }
    }

    /// The same, unless the release is immutable.
    pub(crate) async fn find_mutable(
        &self,
        store: &Store,
    ) -> Result<(Project, Release, SomeLinks), Error> {
        let (project, release, links) = self.find(store).await?;
        check_mutable(&project, &release)?;
        Ok((project, release, links))
    }

    fn key(&self, project: &Project) -> ReleaseKey {
        ReleaseKey { project: project.id, tag: self.tag.clone() }
    }
}

fn check_mutable(project: &Project, release: &Release) -> Result<(), Error> {
    if project.policies.is_immutable(release.created_at, Timestamp::now()) {
        let (project, tag) = (project.path.clone().into(), release.key.tag.to_string());
        return Err(Error::ReleaseImmutable { project, tag });
    }
    Ok(())
}

pub(crate) fn no_release(project: &Project, tag: &TagName) -> Error {
    Error::NoRelease { project: project.path.clone().into(), tag: tag.to_string() }
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

async fn delete(
    target: Target,
    confirmation: Confirmation,
    store: &Store,
    output: Output,
) -> Result<(), Error> {
    let project = if confirmation.is_given() {
        find(&target.project, store).await?
    } else {
        let (project, _, links) = target.find_mutable(store).await?;
        let (tag, path) = (&target.tag, project.path.as_str());
        let links = if links.count == 1 { "1 link" } else { &format!("{} links", links.count) };
        confirmation.ask(&format!("release {tag} of {path} with {links}"), "")?;
        project
    };
    // The answer may have taken longer than the grace.
    if let Some(release) = store.get_release(&target.key(&project), deadline()).await? {
        check_mutable(&project, &release)?;
    }
    let Some(release) = delete_current(&target.key(&project), store).await? else {
        return Err(no_release(&project, &target.tag));
    };
    let release = ReleaseView::new(&project, release);
    let sentence = format!("Deleted release {} of {} and its links.", release.tag, release.project);
    Ok(output.done(&sentence, &release)?)
}

/// Deletes the release of a tag, whatever changes it in the meantime. `None` if there is none.
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
