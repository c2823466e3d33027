//! `project`: a project holds releases, and its settings decide who may see and change them.

mod delete;
mod settings;
mod view;

use clap::{Args, Subcommand};
use shared::domain::project::{Project, ProjectId, ProjectPath, ProjectRef};
use shared::domain::time::Timestamp;
use shared::store::Store;
use shared::store::projects::{NewProject, ProjectChanges, ProjectCreated, ProjectMoved};

use crate::confirm::Confirmation;
use crate::error::Error;
use crate::output::Output;
use crate::project_argument::{ProjectArgument, find};
use crate::{STEP, deadline};
use settings::{Changes, Settings};
use view::ProjectView;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Create a project.
    Create(Create),
    /// List all projects, by number.
    List,
    /// Show the settings of a project.
    Show(Target),
    /// Change settings of a project, for example --visibility public. The others stay.
    Update {
        #[command(flatten)]
        target: Target,
        #[command(flatten)]
        changes: Changes,
    },
    /// Give a project a new path. Its number, releases and tokens stay; the old path is free at once.
    Move {
        #[command(flatten)]
        target: Target,
        /// New full path, for example mygroup/new-name.
        #[arg(value_name = "NEW_PATH", value_parser = parse_path)]
        path: ProjectPath,
    },
    /// Make a project read-only.
    Archive(Target),
    /// Make an archived project writable again.
    Unarchive(Target),
    /// Delete a project and all its releases. Asks first.
    ///
    /// Safe to run again after an interruption. Use the number then, because the path may have been
    /// reused. A request that was running during the deletion can still create a release for half a
    /// minute: running the command again deletes it too. The number of a project that a restored
    /// directory no longer knows deletes the releases that `audit` found under it.
    Delete {
        #[command(flatten)]
        target: Target,
        #[command(flatten)]
        confirmation: Confirmation,
    },
}

#[derive(Args, Debug)]
pub(crate) struct Create {
    /// Full path, for example mygroup/app.
    #[arg(value_name = "NAMESPACE/PROJECT", value_parser = parse_path)]
    path: ProjectPath,
    #[command(flatten)]
    settings: Settings,
    /// Number of the project, for example 42. Default: the next free number.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    id: Option<u64>,
    /// Succeed if the project exists with the settings that are given here.
    #[arg(long)]
    exists_ok: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Target {
    /// Number or full path of the project, for example 42 or mygroup/app.
    project: ProjectArgument,
}

/// The text cannot be the path of a project.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
enum InvalidPath {
    #[error("expected NAMESPACE/PROJECT, for example mygroup/app")]
    NoNamespace,
    #[error(
        "each part of a path such as mygroup/app has letters, digits, '_', '-' and '.', starts with a \
         letter, a digit or '_', and does not end with '.'; the path has at most 255 characters"
    )]
    Characters,
}

fn parse_path(text: &str) -> Result<ProjectPath, InvalidPath> {
    let is_pair = text
        .split_once('/')
        .is_some_and(|(first, rest)| !first.is_empty() && !rest.is_empty() && !rest.ends_with('/'));
    ProjectPath::parse(text)
        .map_err(|_| if is_pair { InvalidPath::Characters } else { InvalidPath::NoNamespace })
}

/// Carries out a command about projects.
pub(crate) async fn run(command: Command, store: &Store, output: Output) -> Result<(), Error> {
    match command {
        Command::Create(new) => create(new, store, output).await,
        Command::List => {
            let projects = store.list_projects(STEP).await?;
            let views: Vec<_> = projects.iter().map(ProjectView::from).collect();
            Ok(output.list(&views)?)
        }
        Command::Show(Target { project }) => show(&find(&project, store).await?, output),
        Command::Update { target: Target { project }, changes } => {
            change(&project, &changes.into_changes()?, store, output).await
        }
        Command::Move { target: Target { project }, path } => {
            move_to(&project, path, store, output).await
        }
        Command::Archive(Target { project }) => archive(&project, true, store, output).await,
        Command::Unarchive(Target { project }) => archive(&project, false, store, output).await,
        Command::Delete { target: Target { project }, confirmation } => {
            delete::run(&project, confirmation, store, output).await
        }
    }
}

fn show(project: &Project, output: Output) -> Result<(), Error> {
    Ok(output.one(&ProjectView::from(project))?)
}

async fn create(new: Create, store: &Store, output: Output) -> Result<(), Error> {
    let at_path = ProjectRef::Path(new.path.clone());
    // Asked first: an attempt that fails would use up a number.
    if let Some(project) = store.find_project(&at_path, deadline()).await? {
        return exists(&new, &project, output);
    }
    let project = NewProject { id: new.id.map(ProjectId), ..new.settings.project(&new.path) };
    match store.create_project(project, Timestamp::now(), deadline()).await? {
        ProjectCreated::Project(project) => show(&project, output),
        ProjectCreated::PathTaken => match store.find_project(&at_path, deadline()).await? {
            Some(project) => exists(&new, &project, output),
            None => Err(Error::PathBroken(new.path.into())),
        },
        ProjectCreated::IdUsed => Err(Error::IdUsed(new.id.unwrap_or_default())),
        ProjectCreated::IdHasReleases => Err(Error::IdHasReleases(new.id.unwrap_or_default())),
    }
}

/// The result of creating a project that exists.
fn exists(new: &Create, project: &Project, output: Output) -> Result<(), Error> {
    let (path, id) = (project.path.clone().into(), project.id.0);
    if !new.exists_ok {
        return Err(Error::PathTaken { path, id });
    }
    if let Some(wanted) = new.id.filter(|wanted| *wanted != id) {
        return Err(Error::OtherNumber { path, id, wanted });
    }
    let differences = new.settings.differences(project);
    if !differences.is_empty() {
        return Err(Error::OtherSettings { path, id, differences: differences.join("; ") });
    }
    show(project, output)
}

async fn archive(
    name: &ProjectArgument,
    archived: bool,
    store: &Store,
    output: Output,
) -> Result<(), Error> {
    let changes = ProjectChanges { archived: Some(archived), ..ProjectChanges::default() };
    change(name, &changes, store, output).await
}

async fn change(
    name: &ProjectArgument,
    changes: &ProjectChanges,
    store: &Store,
    output: Output,
) -> Result<(), Error> {
    let id = find(name, store).await?.id;
    match store.update_project(id, changes, deadline()).await? {
        Some(project) => show(&project, output),
        None => Err(Error::NoProject(name.to_string())),
    }
}

async fn move_to(
    name: &ProjectArgument,
    path: ProjectPath,
    store: &Store,
    output: Output,
) -> Result<(), Error> {
    let project = find(name, store).await?;
    match store.move_project(&project, path.clone(), deadline()).await? {
        ProjectMoved::Project(moved) => {
            let view = ProjectView::from(&moved);
            let old = project.path.as_str();
            let sentence = format!(
                "Moved project {} from {old} to {}. Its URLs and clients need the new path.",
                view.id, view.path
            );
            Ok(output.done(&sentence, &view)?)
        }
        ProjectMoved::PathTaken => {
            let other = store.find_project(&ProjectRef::Path(path.clone()), deadline()).await?;
            Err(match other {
                Some(other) => Error::PathTaken { path: other.path.into(), id: other.id.0 },
                None => Error::PathBroken(path.into()),
            })
        }
        ProjectMoved::Gone => Err(Error::ProjectChanged(name.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_without_a_namespace_gets_an_example() {
        for text in ["app", "", "/app", "app/", "/"] {
            assert_eq!(parse_path(text), Err(InvalidPath::NoNamespace), "{text}");
        }
        for text in ["my group/app", "-a/b", "a//b", "a/b.", "a/b/é"] {
            assert_eq!(parse_path(text), Err(InvalidPath::Characters), "{text}");
        }
        assert!(parse_path("mygroup/sub/app").is_ok());
    }
}
