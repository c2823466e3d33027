//! `project delete`.

use serde::Serialize;
use shared::domain::project::{Project, ProjectId, ProjectRef};
use shared::domain::time::Timestamp;
use shared::domain::token::GrantTarget;
use shared::store::Store;
use shared::store::error::StoreError;

use crate::confirm::Confirmation;
use crate::error::Error;
use crate::output::Output;
use crate::project_argument::ProjectArgument;
use crate::{STEP, deadline, release};

#[derive(Debug, Serialize)]
struct Deleted<'a> {
    id: u64,
    /// Absent if the directory does not know the number.
    path: Option<&'a str>,
    releases: u64,
}

/// Deletes a project, or the releases that an earlier deletion left.
pub(super) async fn run(
    name: &ProjectArgument,
    confirmation: Confirmation,
    store: &Store,
    output: Output,
) -> Result<(), Error> {
    let mut releases = 0;
    let project = match store.find_project(&name.project, deadline()).await? {
        Some(project) => {
            ask(&project, confirmation, store).await?;
            // Most go while the project can still be seen: then an interrupted deletion is visibly
            // incomplete.
            releases += delete_releases(project.id, store).await?;
            // The rest is the same if another command was first.
            store.delete_project(&project, deadline()).await?;
            project
        }
        None => match find_deleted(name, store).await? {
            Some(project) => {
                let owner = format!("the deleted {}", shown(&project));
                ask_about_the_rest(project.id, &owner, confirmation, store).await?;
                project
            }
            None => return delete_forgotten(name, confirmation, store, output).await,
        },
    };
    // Deletes releases that were created in the meantime, or left by an earlier deletion. A request
    // that has seen the project can create one even later, since no write reads the project again:
    // the sentence says so.
    releases += delete_releases(project.id, store).await?;
    let (id, path) = (project.id, project.path.as_str());
    let sentence = format!(
        "Deleted project {id} ({path}) and {}; `sweep` removes their links. A request that is still \
         running can create a release for another half a minute: to delete that too, run `project \
         delete {id} --yes` again then.",
        counted(releases)
    );
    Ok(output.done(&sentence, &Deleted { id: id.0, path: Some(path), releases })?)
}

fn shown(project: &Project) -> String {
    format!("project {} ({})", project.id, project.path.as_str())
}

fn counted(releases: u64) -> String {
    match releases {
        1 => "1 release".to_owned(),
        count => format!("{count} releases"),
    }
}

async fn ask(project: &Project, confirmation: Confirmation, store: &Store) -> Result<(), Error> {
    if confirmation.is_given() {
        return Ok(());
    }
    let releases = store.release_keys(project.id, STEP).await?.len() as u64;
    let (tokens, now) = (store.list_tokens(STEP).await?, Timestamp::now());
    let members = tokens.iter().filter(|token| {
        let mut targets = token.grants.iter().map(|grant| &grant.target);
        token.check_active(now).is_ok()
            && targets.any(|one| *one == GrantTarget::Project(project.id))
    });
    let effects = match members.count() {
        0 => String::new(),
        1 => "1 token loses its role in it.".to_owned(),
        count => format!("{count} tokens lose their role in it."),
    };
    confirmation.ask(&format!("{} with {}", shown(project), counted(releases)), &effects)
}

/// Asks about the releases of a project that does not exist, if there are any.
async fn ask_about_the_rest(
    id: ProjectId,
    owner: &str,
    confirmation: Confirmation,
    store: &Store,
) -> Result<(), Error> {
    if confirmation.is_given() {
        return Ok(());
    }
    match store.release_keys(id, STEP).await?.len() as u64 {
        0 => Ok(()),
        releases => confirmation.ask(&format!("{} of {owner}", counted(releases)), ""),
    }
}

/// Deletes the releases of a number that the directory does not know.
async fn delete_forgotten(
    name: &ProjectArgument,
    confirmation: Confirmation,
    store: &Store,
    output: Output,
) -> Result<(), Error> {
    let no_project = || Error::NoProject(name.to_string());
    let id = match name.project {
        ProjectRef::Id(id) => id,
        ProjectRef::Path(_) | ProjectRef::Nothing => return Err(no_project()),
    };
    let owner = format!("the number {id}, which the directory does not know");
    ask_about_the_rest(id, &owner, confirmation, store).await?;
    let releases = delete_releases(id, store).await?;
    if releases == 0 {
        return Err(no_project());
    }
    let sentence = format!(
        "Deleted {} of the number {id}, which the directory does not know; `sweep` removes their \
         links.",
        counted(releases)
    );
    Ok(output.done(&sentence, &Deleted { id: id.0, path: None, releases })?)
}

/// The deleted project with this number, or that had this path.
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

/// Deletes the releases of a project, each within its own deadline.
async fn delete_releases(project: ProjectId, store: &Store) -> Result<u64, StoreError> {
    let mut count = 0;
    for key in store.release_keys(project, STEP).await? {
        if release::delete_current(&key, store).await?.is_some() {
            count += 1;
        }
    }
    Ok(count)
}
