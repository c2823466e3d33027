//! `project`: the places releases are in.

use clap::{Args, Subcommand};
use serde::Serialize;
use shared::domain::project::{
    BranchName, Project, ProjectId, ProjectPath, ProjectRef, ProtectedTag, ReleasesAccess,
    SourceUrl, Visibility,
};
use shared::domain::time::Timestamp;
use shared::domain::token::AccessLevel;
use shared::store::projects::{NewProject, ProjectChanges, ProjectCreated};
use shared::store::{Store, StoreError};

use crate::arguments::ProjectArgument;
use crate::error::Error;
use crate::output::{Output, Row};
use crate::words::{self, Word};
use crate::{STEP, deadline, release};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a project.
    Create {
        /// Its full path, namespace/project.
        path: ProjectPath,
        /// Its number; the next free one by default.
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
        id: Option<u64>,
        /// Who sees it.
        #[arg(long, value_parser = words::parser::<Visibility>(), default_value = "private")]
        visibility: Visibility,
        /// Who, among those, sees its releases: all of them, its members, or nobody.
        #[arg(long, value_parser = words::parser::<ReleasesAccess>(), default_value = "enabled")]
        releases_access: ReleasesAccess,
        /// Tags, with * for any run of characters, and the lowest role that may create them:
        /// developer, maintainer, owner or no-one.
        #[arg(
            long = "protected-tag",
            value_name = "PATTERN:LEVEL",
            value_parser = parse_protected_tag
        )]
        protected_tags: Vec<ProtectedTag>,
        /// Its repository's default branch, which release tools ask for.
        #[arg(long, value_name = "BRANCH", default_value = "main")]
        default_branch: BranchName,
        /// The page of its code on a GitLab, such as `https://gitlab.com/group/app`.
        ///
        /// Releases then link to the archives of their tag there.
        #[arg(long, value_name = "URL")]
        source_url: Option<SourceUrl>,
    },
    /// List all projects.
    List,
    /// Show a project.
    Show(Target),
    /// Make a project read-only.
    Archive(Target),
    /// Make an archived project writable again.
    Unarchive(Target),
    /// Delete a project and all its releases.
    ///
    /// Run again, it deletes what releases a deleted project still has: those that a deletion which
    /// was cut off did not come to, and those that were just being made, which takes half a minute
    /// at most. By then its path may be another project's: name it by its number. The number of a project
    /// that a restored directory has forgotten deletes the releases that `audit` found under it.
    Delete(Target),
}

/// The project a command is about.
#[derive(Args, Debug)]
pub(crate) struct Target {
    /// Its number or full path.
    project: ProjectArgument,
}

/// Carries out a command about projects.
pub(crate) async fn run(command: Command, store: &Store, output: Output) -> Result<(), Error> {
    match command {
        Command::Create {
            path,
            id,
            visibility,
            releases_access,
            protected_tags,
            default_branch,
            source_url,
        } => {
            let new = NewProject {
                id: id.map(ProjectId),
                path,
                visibility,
                releases_access,
                protected_tags,
                default_branch,
                source_url,
            };
            create(new, store, output).await
        }
        Command::List => {
            let projects = store.list_projects(STEP).await?;
            let views: Vec<_> = projects.iter().map(ProjectView::from).collect();
            Ok(output.list(&views)?)
        }
        Command::Show(Target { project }) => {
            let project = find(&project, store).await?;
            Ok(output.one(&ProjectView::from(&project))?)
        }
        Command::Archive(Target { project }) => archive(&project, true, store, output).await,
        Command::Unarchive(Target { project }) => archive(&project, false, store, output).await,
        Command::Delete(Target { project }) => delete(&project, store, output).await,
    }
}

/// The project that is called so.
pub(crate) async fn find(name: &ProjectArgument, store: &Store) -> Result<Project, Error> {
    let project = store.find_project(&name.project, deadline()).await?;
    project.ok_or_else(|| Error::NoProject(name.to_string()))
}

async fn create(new: NewProject, store: &Store, output: Output) -> Result<(), Error> {
    match store.create_project(new.clone(), Timestamp::now(), deadline()).await? {
        ProjectCreated::Project(project) => Ok(output.one(&ProjectView::from(&project))?),
        ProjectCreated::PathTaken => Err(Error::PathTaken(new.path.into())),
        ProjectCreated::IdUsed => Err(Error::IdUsed(new.id.map_or(0, |id| id.0))),
        ProjectCreated::IdHasReleases => Err(Error::IdHasReleases(new.id.map_or(0, |id| id.0))),
    }
}

async fn archive(
    name: &ProjectArgument,
    archived: bool,
    store: &Store,
    output: Output,
) -> Result<(), Error> {
    let id = find(name, store).await?.id;
    let changes = ProjectChanges { archived: Some(archived), ..ProjectChanges::default() };
    match store.update_project(id, &changes, deadline()).await? {
        Some(project) => Ok(output.one(&ProjectView::from(&project))?),
        None => Err(Error::NoProject(name.to_string())),
    }
}

async fn delete(name: &ProjectArgument, store: &Store, output: Output) -> Result<(), Error> {
    let mut releases = 0;
    let project = match store.find_project(&name.project, deadline()).await? {
        Some(project) => {
            // Most go while the project can still be seen, so that a deletion that is cut off here
            // is seen not to be done.
            releases += delete_releases(project.id, store).await?;
            // Where another command was first, what is left to do is the same.
            store.delete_project(&project, deadline()).await?;
            project
        }
        None => match find_deleted(name, store).await? {
            Some(project) => project,
            None => return delete_forgotten(name, store, output).await,
        },
    };
    // Those that were made meanwhile, or that an earlier deletion left. A request that saw the
    // project may make one even later, since no write asks for the project again: of that the
    // operator is told.
    releases += delete_releases(project.id, store).await?;
    let (id, path) = (project.id, project.path.as_str());
    let sentence = format!(
        "deleted project {id} ({path}) and {releases} of its releases; `sweep` removes their \
         links. A release that was just being made may come after this, for half a minute: to \
         delete it, run `project delete {id}` again then"
    );
    Ok(output.done(&sentence, &Deleted { id: id.0, path: Some(path), releases })?)
}

/// Deletes the releases of a number that the directory does not know.
async fn delete_forgotten(
    name: &ProjectArgument,
    store: &Store,
    output: Output,
) -> Result<(), Error> {
    let no_project = || Error::NoProject(name.to_string());
    let id = match name.project {
        ProjectRef::Id(id) => id,
        ProjectRef::Path(_) | ProjectRef::Nothing => return Err(no_project()),
    };
    let releases = delete_releases(id, store).await?;
    if releases == 0 {
        return Err(no_project());
    }
    let sentence = format!(
        "deleted {releases} releases under the number {id}, which the directory does not know; \
         `sweep` removes their links"
    );
    Ok(output.done(&sentence, &Deleted { id: id.0, path: None, releases })?)
}

/// The project that was called so and was deleted.
async fn find_deleted(name: &ProjectArgument, store: &Store) -> Result<Option<Project>, Error> {
    let mut found = store.find_deleted_projects(&name.project, STEP).await?;
    match (found.pop(), found.as_slice()) {
        (None, _) => Ok(None),
        (Some(project), []) => Ok(Some(project)),
        (Some(last), others) => {
            let ids = others.iter().chain([&last]).map(|project| project.id.to_string());
            let ids = ids.collect::<Vec<_>>().join(", ");
            Err(Error::AmbiguousProject { path: name.to_string(), ids })
        }
    }
}

/// Deletes the releases a project has, each inside a deadline of its own.
async fn delete_releases(project: ProjectId, store: &Store) -> Result<u64, StoreError> {
    let mut count = 0;
    for key in store.release_keys(project, STEP).await? {
        if release::delete_current(&key, store).await?.is_some() {
            count += 1;
        }
    }
    Ok(count)
}

const NO_ONE: &str = "no-one";

/// The text is not a rule about tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is not PATTERN:LEVEL with developer, maintainer, owner or no-one for its LEVEL")]
struct InvalidProtectedTag;

/// Parses a pattern, which may have colons itself, and a role.
fn parse_protected_tag(text: &str) -> Result<ProtectedTag, InvalidProtectedTag> {
    let (pattern, level) = text.rsplit_once(':').ok_or(InvalidProtectedTag)?;
    let create_level = match words::find(level) {
        Some(level) if level >= AccessLevel::Developer => Some(level),
        None if level == NO_ONE => None,
        Some(_) | None => return Err(InvalidProtectedTag),
    };
    if pattern.is_empty() {
        return Err(InvalidProtectedTag);
    }
    Ok(ProtectedTag { pattern: pattern.to_owned(), create_level })
}

#[derive(Debug, Serialize)]
struct ProjectView {
    id: u64,
    path: String,
    visibility: &'static str,
    releases_access: &'static str,
    archived: bool,
    protected_tags: Vec<ProtectedTagView>,
    default_branch: String,
    source_url: Option<String>,
    created_at: String,
}

#[derive(Debug, Serialize)]
struct ProtectedTagView {
    pattern: String,
    create_level: &'static str,
}

#[derive(Debug, Serialize)]
struct Deleted<'a> {
    id: u64,
    /// Absent if the directory does not know the number.
    path: Option<&'a str>,
    releases: u64,
}

impl From<&Project> for ProjectView {
    fn from(project: &Project) -> Self {
        let protected_tag = |tag: &ProtectedTag| ProtectedTagView {
            pattern: tag.pattern.clone(),
            create_level: tag.create_level.map_or(NO_ONE, Word::word),
        };
        Self {
            id: project.id.0,
            path: project.path.as_str().to_owned(),
            visibility: project.visibility.word(),
            releases_access: project.releases_access.word(),
            archived: project.archived,
            protected_tags: project.protected_tags.iter().map(protected_tag).collect(),
            default_branch: project.default_branch.as_str().to_owned(),
            source_url: project.source_url.as_ref().map(|url| url.as_str().to_owned()),
            created_at: project.created_at.to_string(),
        }
    }
}

impl Row for ProjectView {
    const HEADER: &'static [&'static str] =
        &["ID", "PATH", "VISIBILITY", "RELEASES", "ARCHIVED", "PROTECTED TAGS", "CREATED AT"];

    fn cells(&self) -> Vec<String> {
        let tags = self.protected_tags.iter();
        let tags = tags.map(|tag| format!("{}:{}", tag.pattern, tag.create_level));
        vec![
            self.id.to_string(),
            self.path.clone(),
            self.visibility.to_owned(),
            self.releases_access.to_owned(),
            if self.archived { "yes" } else { "no" }.to_owned(),
            tags.collect::<Vec<_>>().join(", "),
            self.created_at.clone(),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_colon_ends_the_pattern() {
        for (text, pattern, create_level) in [
            ("v*:maintainer", "v*", Some(AccessLevel::Maintainer)),
            ("v*:developer", "v*", Some(AccessLevel::Developer)),
            ("a:b*:owner", "a:b*", Some(AccessLevel::Owner)),
            ("*:no-one", "*", None),
        ] {
            let pattern = pattern.to_owned();
            assert_eq!(parse_protected_tag(text), Ok(ProtectedTag { pattern, create_level }));
        }
    }

    #[test]
    fn a_rule_needs_a_pattern_and_a_role_that_may_create_tags() {
        for text in ["", "v*", "v*:", ":owner", "v*:guest", "v*:reporter", "v*:Owner", "v*:noone"] {
            assert_eq!(parse_protected_tag(text), Err(InvalidProtectedTag), "{text}");
        }
    }
}
