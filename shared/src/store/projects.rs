//! The operator's projects. No function of the API may write them: their roles do not allow it.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use futures_util::future::try_join_all;
use serde::Serialize;

use super::Store;
use super::deadline::Deadline;
use super::error::StoreError;
use super::items::{
    Attributes, IndexItem, PathItem, ProjectItem, from_item, project_item, to_item,
};
use super::keys::{DirectoryKey, DirectoryList, KeyAttributes, index_partition, last_path_prefix};
use super::pages::{Order, Pages};
use super::query::ReleaseIndexEntry;
use super::transaction::{Condition, TransactionResult, Write};
use crate::domain::policies::{OnDuplicate, Policies};
use crate::domain::project::ProjectState;
use crate::domain::project::{
    BranchName, ListedProject, Project, ProjectId, ProjectPath, ProjectRef, ProtectedTag,
    ReleasesAccess, SourceUrl, Visibility,
};
use crate::domain::release_key::ReleaseKey;
use crate::domain::time::Timestamp;

/// The settings of a new project.
#[derive(Clone, Debug)]
pub struct NewProject {
    /// Its number, where the operator wants a certain one.
    pub id: Option<ProjectId>,
    pub path: ProjectPath,
    pub visibility: Visibility,
    pub releases_access: ReleasesAccess,
    /// The rules about its tags.
    pub protected_tags: Vec<ProtectedTag>,
    /// Its repository's default branch.
    pub default_branch: BranchName,
    pub source_url: Option<SourceUrl>,
    pub policies: Policies,
}

/// Settings of a project to change; the others stay as they are. The fields are attributes of the
/// project's item.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ProjectChanges {
    /// New visibility.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub visibility: Option<Visibility>,
    /// New access to its releases.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub releases_access: Option<ReleasesAccess>,
    /// Whether it is read-only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub archived: Option<bool>,
    /// The rules about its tags.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protected_tags: Option<Vec<ProtectedTag>>,
    /// Its repository's default branch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_branch: Option<BranchName>,
    /// The page of the project that has its code; `Some(None)` removes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_url: Option<Option<SourceUrl>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_duplicate: Option<OnDuplicate>,
    /// In seconds; `Some(None)` is never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub immutable_after: Option<Option<u64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub only_trusted: Option<bool>,
}

/// Those of the changes that a project's entry in the list of projects shows.
#[derive(Serialize)]
struct EntryChanges {
    #[serde(skip_serializing_if = "Option::is_none")]
    visibility: Option<Visibility>,
    #[serde(skip_serializing_if = "Option::is_none")]
    archived: Option<bool>,
}

impl ProjectChanges {
    fn entry_changes(&self) -> EntryChanges {
        EntryChanges { visibility: self.visibility, archived: self.archived }
    }
}

/// The result of creating a project.
#[derive(Debug)]
pub enum ProjectCreated {
    /// It was made.
    Project(Project),
    /// A project has, or once had, the number.
    IdUsed,
    /// The directory does not know the number, but the releases table has releases of it.
    IdHasReleases,
    /// A project has the path.
    PathTaken,
}

/// The result of moving a project.
#[derive(Debug)]
pub enum ProjectMoved {
    /// The project with its new path.
    Project(Project),
    /// Another project has the new path.
    PathTaken,
    /// The project was deleted or moved in the meantime.
    Gone,
}

impl Store {
    /// Makes a project. Its number is never used again, not even after its end.
    ///
    /// A directory restored to an earlier moment has forgotten projects, and its counter went back.
    /// A number that still has releases is therefore skipped: they would appear in the new project.
    pub async fn create_project(
        &self,
        new: NewProject,
        now: Timestamp,
        deadline: Deadline,
    ) -> Result<ProjectCreated, StoreError> {
        loop {
            if deadline.remaining().is_zero() {
                // The counter keeps what it has skipped, so another run goes on from here.
                return Err(StoreError::Unavailable("no free project number yet".into()));
            }
            let id = match new.id {
                Some(id) => id,
                None => ProjectId(self.next(&DirectoryKey::project_counter(), deadline).await?),
            };
            if self.has_releases(id, deadline).await? {
                if new.id.is_none() {
                    continue;
                }
                if self.read_project(id, deadline).await?.is_none() {
                    return Ok(ProjectCreated::IdHasReleases);
                }
            }
            let project = Project {
                id,
                path: new.path.clone(),
                visibility: new.visibility,
                releases_access: new.releases_access,
                archived: false,
                protected_tags: new.protected_tags.clone(),
                default_branch: new.default_branch.clone(),
                source_url: new.source_url.clone(),
                policies: new.policies,
                created_at: now,
            };
            let path_key = DirectoryKey::path(&project.path).attributes();
            let item = project_item(&ProjectItem::new(&project))?;
            let entry = DirectoryKey::project_entry(id).attributes();
            let writes = vec![
                self.put_in_directory(
                    to_item(path_key, &PathItem { id })?,
                    Some(Condition::absent()),
                ),
                self.put_in_directory(item, Some(Condition::absent())),
                self.put_in_directory(to_item(entry, &ListedProject::from(&project))?, None),
            ];
            match self.transact(writes, deadline).await? {
                TransactionResult::Committed => return Ok(ProjectCreated::Project(project)),
                TransactionResult::ConditionsFailed(failed) if failed.first() == Some(&true) => {
                    return Ok(ProjectCreated::PathTaken);
                }
                TransactionResult::ConditionsFailed(_) if new.id.is_some() => {
                    return Ok(ProjectCreated::IdUsed);
                }
                // The operator chose this number for a project once; the next one may be free.
                TransactionResult::ConditionsFailed(_) => {}
            }
        }
    }

    /// Looks for a release of this number in the releases table. Unswept links do not count: they
    /// carry the uid of a deleted release, and no new release gets that uid.
    async fn has_releases(&self, id: ProjectId, deadline: Deadline) -> Result<bool, StoreError> {
        let mut first = Pages::new(index_partition(id), Order::Ascending).limited_to(1);
        let page = self.next_page(&mut first, deadline).await?;
        Ok(page.is_some_and(|items| !items.is_empty()))
    }

    /// The next number of a counter of the directory.
    pub(super) async fn next(
        &self,
        counter: &DirectoryKey,
        deadline: Deadline,
    ) -> Result<u64, StoreError> {
        self.count_up(&self.tables.directory, counter.attributes(), 1, deadline).await
    }

    /// The project of this number or path.
    pub async fn find_project(
        &self,
        project: &ProjectRef,
        deadline: Deadline,
    ) -> Result<Option<Project>, StoreError> {
        let id = match project {
            ProjectRef::Id(id) => Some(*id),
            ProjectRef::Path(path) => self.look_up_path(path, deadline).await?,
            ProjectRef::Nothing => None,
        };
        let Some(id) = id else { return Ok(None) };
        Ok(self.read_project(id, deadline).await?.and_then(ProjectItem::if_live))
    }

    /// The projects of this number or last path that were deleted, in the order of their numbers:
    /// several may have had one path, one after the other. `step` bounds each request, not the whole.
    pub async fn find_deleted_projects(
        &self,
        project: &ProjectRef,
        step: Duration,
    ) -> Result<Vec<Project>, StoreError> {
        match project {
            ProjectRef::Id(id) => {
                let item = self.read_project(*id, Deadline::after(step)).await?;
                Ok(item.and_then(ProjectItem::if_deleted).into_iter().collect())
            }
            ProjectRef::Path(path) => {
                let (list, prefix) = (DirectoryList::DeletedProjects, last_path_prefix(path));
                let items = self.read_list::<ProjectItem>(list, &prefix, step).await?;
                Ok(sorted(items.into_iter().filter_map(ProjectItem::if_deleted)))
            }
            ProjectRef::Nothing => Ok(Vec::new()),
        }
    }

    /// All projects, in the order of their numbers. `step` bounds each request, not the whole.
    pub async fn list_projects(&self, step: Duration) -> Result<Vec<Project>, StoreError> {
        let items = self.read_list::<ProjectItem>(DirectoryList::Projects, "", step).await?;
        Ok(sorted(items.into_iter().filter_map(ProjectItem::if_live)))
    }

    /// The newest of the projects with a number below `before`: those that one query of at most a
    /// megabyte reads, some 10,000. Also returns whether there may be more.
    pub async fn newest_projects(
        &self,
        before: Option<ProjectId>,
        deadline: Deadline,
    ) -> Result<(Vec<ListedProject>, bool), StoreError> {
        let mut pages = Pages::list(DirectoryList::Projects, "").descending();
        if let Some(id) = before {
            pages = pages.after(DirectoryKey::project_entry(id).attributes());
        }
        let entries = self.next_page(&mut pages, deadline).await?.unwrap_or_default();
        let listed = entries.into_iter().map(from_item).collect::<Result<_, _>>()?;
        Ok((listed, !pages.is_exhausted()))
    }

    /// The list of all projects, the newest number first.
    pub async fn listed_projects(
        &self,
        deadline: Deadline,
    ) -> Result<Vec<ListedProject>, StoreError> {
        let mut listed: Vec<ListedProject> = Vec::new();
        let mut pages = Pages::list(DirectoryList::Projects, "").descending();
        while let Some(entries) = self.next_page(&mut pages, deadline).await? {
            for entry in entries {
                listed.push(from_item(entry)?);
            }
        }
        Ok(listed)
    }

    /// These projects, at most a hundred, in this order, without the deleted ones.
    pub async fn read_projects(
        &self,
        ids: &[ProjectId],
        deadline: Deadline,
    ) -> Result<Vec<Project>, StoreError> {
        let keys: Vec<_> = ids.iter().map(|id| DirectoryKey::project(*id)).collect();
        let rows = self.batch_get(&keys, &[], deadline).await?;
        let items = rows.directory.into_iter().map(from_item::<ProjectItem>);
        let alive = items.filter_map(|item| item.map(ProjectItem::if_live).transpose());
        let mut found = alive
            .map(|project| project.map(|project| (project.id, project)))
            .collect::<Result<HashMap<_, _>, _>>()?;
        Ok(ids.iter().filter_map(|id| found.remove(id)).collect())
    }

    /// The latest release of each of these projects, if it has one. One request for each project, all at once.
    pub async fn latest_releases(
        &self,
        ids: &[ProjectId],
        deadline: Deadline,
    ) -> Result<Vec<Option<ReleaseIndexEntry>>, StoreError> {
        let latest = ids.iter().map(|id| self.latest_release(*id, deadline));
        try_join_all(latest).await
    }

    /// How many projects there are.
    pub async fn count_projects(&self, deadline: Deadline) -> Result<u64, StoreError> {
        let mut count = 0;
        let mut pages = Pages::list(DirectoryList::Projects, "");
        while let Some(entries) = self.next_page(&mut pages, deadline).await? {
            count += entries.len() as u64;
        }
        Ok(count)
    }

    /// The state of each of these numbers; `step` bounds each request, not the whole.
    pub async fn find_projects(
        &self,
        ids: &[ProjectId],
        step: Duration,
    ) -> Result<HashMap<ProjectId, ProjectState>, StoreError> {
        let mut states: HashMap<_, _> = ids.iter().map(|id| (*id, ProjectState::Unknown)).collect();
        let keys = states.keys().map(|id| DirectoryKey::project(*id)).collect();
        let found: Vec<(_, ProjectItem)> = self.read_directory(keys, step).await?;
        states.extend(found.into_iter().map(|(_, item)| (item.id, item.into_state())));
        Ok(states)
    }

    async fn read_project(
        &self,
        id: ProjectId,
        deadline: Deadline,
    ) -> Result<Option<ProjectItem>, StoreError> {
        let rows = self.batch_get(&[DirectoryKey::project(id)], &[], deadline).await?;
        rows.directory.into_iter().next().map(from_item).transpose()
    }

    /// The keys of a project's releases, whether or not the project is still there, in the order
    /// of `released_at`. The releases themselves are not read; `step` bounds each request, not the
    /// whole.
    pub async fn release_keys(
        &self,
        project: ProjectId,
        step: Duration,
    ) -> Result<Vec<ReleaseKey>, StoreError> {
        let mut keys = Vec::new();
        let mut pages = Pages::new(index_partition(project), Order::Ascending);
        while let Some(items) = self.next_page(&mut pages, Deadline::after(step)).await? {
            for item in items {
                let IndexItem { project, tag, .. } = from_item(item)?;
                keys.push(ReleaseKey { project, tag });
            }
        }
        Ok(keys)
    }

    /// Changes settings of a project. Returns the project after the change, or `None` if it was
    /// deleted or never existed.
    pub async fn update_project(
        &self,
        id: ProjectId,
        changes: &ProjectChanges,
        deadline: Deadline,
    ) -> Result<Option<Project>, StoreError> {
        let attributes = to_item(KeyAttributes::new(), changes)?;
        if attributes.is_empty() {
            return self.find_project(&ProjectRef::Id(id), deadline).await;
        }
        let key = DirectoryKey::project(id);
        let listed = to_item(KeyAttributes::new(), &changes.entry_changes())?;
        if listed.is_empty() {
            let item = self.set_attributes(&key, attributes, not_deleted(), deadline).await?;
            return Ok(item
                .map(from_item::<ProjectItem>)
                .transpose()?
                .and_then(ProjectItem::if_live));
        }
        let writes = vec![
            self.change_in_directory(&key, attributes, Some(not_deleted())),
            self.change_entry(id, listed),
        ];
        match self.transact(writes, deadline).await? {
            TransactionResult::Committed => self.find_project(&ProjectRef::Id(id), deadline).await,
            TransactionResult::ConditionsFailed(failed) if failed.first() == Some(&true) => {
                Ok(None)
            }
            TransactionResult::ConditionsFailed(_) => Err(missing_entry(id)),
        }
    }

    /// Gives a project a new path. Its old path is free at once.
    pub async fn move_project(
        &self,
        project: &Project,
        path: ProjectPath,
        deadline: Deadline,
    ) -> Result<ProjectMoved, StoreError> {
        let id = project.id;
        let new = || AttributeValue::S(path.as_str().to_owned());
        let mut writes = vec![
            self.change_project(project, ("path", new())),
            self.change_entry(id, [("path".to_owned(), new())].into()),
        ];
        // A path item belongs to all spellings of its path.
        if path.lowercase_key() != project.path.lowercase_key() {
            let old_path = DirectoryKey::path(&project.path);
            writes.push(self.delete_from_directory(&old_path, Some(leads_to(id, "id = :id"))));
            let new_path = to_item(DirectoryKey::path(&path).attributes(), &PathItem { id })?;
            writes.push(self.put_in_directory(new_path, Some(Condition::absent())));
        }
        Ok(match self.transact(writes, deadline).await? {
            TransactionResult::Committed => {
                ProjectMoved::Project(Project { path, ..project.clone() })
            }
            TransactionResult::ConditionsFailed(failed) => match failed.as_slice() {
                // Then the new path may be this project's own, taken by another move.
                [false, false, false, true] => ProjectMoved::PathTaken,
                [false, true, ..] => return Err(missing_entry(id)),
                _ => ProjectMoved::Gone,
            },
        })
    }

    /// Deletes a project: its path is free again, its number is not. False if it was already
    /// deleted. Its releases stay: a request that has seen the project can still create one.
    pub async fn delete_project(
        &self,
        project: &Project,
        deadline: Deadline,
    ) -> Result<bool, StoreError> {
        let id = project.id;
        let mut project = project.clone();
        loop {
            let last_path = DirectoryKey::deleted_project_entry(&project.path, id);
            let path_is_its_own = leads_to(id, "attribute_not_exists(pk) OR id = :id");
            let path = project.path.clone();
            let writes = vec![
                self.change_project(&project, ("deleted", AttributeValue::Bool(true))),
                self.delete_from_directory(&DirectoryKey::path(&path), Some(path_is_its_own)),
                self.delete_from_directory(&DirectoryKey::project_entry(id), None),
                self.put_in_directory(last_path.attributes(), None),
                self.delete_from_directory(&DirectoryKey::publishers(id), None),
            ];
            match self.transact(writes, deadline).await? {
                TransactionResult::Committed => return Ok(true),
                // Another project has the path.
                TransactionResult::ConditionsFailed(failed) if failed.first() == Some(&false) => {
                    let path = path.as_str();
                    return Err(StoreError::Corrupt(
                        format!("{path} is not project {id}'s path").into(),
                    ));
                }
                TransactionResult::ConditionsFailed(_) => {}
            }
            // Another operator moved or deleted it.
            match self.find_project(&ProjectRef::Id(id), deadline).await? {
                Some(moved) => project = moved,
                None => return Ok(false),
            }
        }
    }

    /// A change of one attribute of a project, on condition that it is not deleted and still has this
    /// path.
    fn change_project(&self, project: &Project, (name, value): (&str, AttributeValue)) -> Write {
        let path = AttributeValue::S(project.path.as_str().to_owned());
        self.change_in_directory(
            &DirectoryKey::project(project.id),
            [(name.to_owned(), value)].into(),
            Some(Condition::new(
                "deleted = :false AND #path = :path",
                [("#path", "path")],
                [(":false", AttributeValue::Bool(false)), (":path", path)],
            )),
        )
    }

    /// A change of a project's entry in the list of projects.
    fn change_entry(&self, id: ProjectId, attributes: Attributes) -> Write {
        let key = DirectoryKey::project_entry(id);
        self.change_in_directory(&key, attributes, Some(Condition::exists()))
    }
}

fn missing_entry(id: ProjectId) -> StoreError {
    StoreError::Corrupt(format!("project {id} is missing from the list of projects").into())
}

/// A condition of a path item, with the number of the project as `:id`.
fn leads_to(id: ProjectId, expression: &str) -> Condition {
    Condition::new(expression, [], [(":id", AttributeValue::N(id.to_string()))])
}

fn sorted(projects: impl Iterator<Item = Project>) -> Vec<Project> {
    let mut projects: Vec<_> = projects.collect();
    projects.sort_by_key(|project| project.id);
    projects
}

pub(super) fn not_deleted() -> Condition {
    Condition::new("deleted = :false", [], [(":false", AttributeValue::Bool(false))])
}
