//! The operator's projects. No function of the API may write them: their roles do not allow it.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;

use super::deadline::Deadline;
use super::items::{IndexItem, PathItem, ProjectItem, from_item, project_item, to_item};
use super::keys::{DirectoryKey, DirectoryKind, KeyAttributes, index_partition};
use super::query::{Order, Pages};
use super::read::ITEMS_A_BATCH;
use super::scan::Table;
use super::transaction::{Condition, Decision, Write};
use super::{Store, StoreError};
use crate::domain::project::{
    BranchName, Project, ProjectId, ProjectPath, ProjectRef, ProtectedTag, ReleasesAccess,
    SourceUrl, Visibility,
};
use crate::domain::release::ReleaseKey;
use crate::domain::time::Timestamp;

/// What a project is made of.
#[derive(Clone, Debug)]
pub struct NewProject {
    /// Its number, where the operator wants a certain one.
    pub id: Option<ProjectId>,
    /// Its full path.
    pub path: ProjectPath,
    /// Who sees it.
    pub visibility: Visibility,
    /// Who sees its releases.
    pub releases_access: ReleasesAccess,
    /// The rules about its tags.
    pub protected_tags: Vec<ProtectedTag>,
    /// Its repository's default branch.
    pub default_branch: BranchName,
    /// The page of its code.
    pub source_url: Option<SourceUrl>,
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
}

/// What came of making a project.
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

/// A project's number as the directory knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProjectState {
    /// The path of an existing project.
    Live(ProjectPath),
    /// The last path of a deleted project.
    Deleted(ProjectPath),
    /// No project has, or ever had, the number.
    Unknown,
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
                return Err(StoreError::Unavailable("no free project number yet".to_owned()));
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
                created_at: now,
            };
            let put = |item| Write::Put {
                table: self.tables.directory.clone(),
                item,
                condition: Some(Condition::absent()),
            };
            let path_key = DirectoryKey::path(&project.path).attributes();
            let writes = vec![
                put(to_item(path_key, &PathItem { id })?),
                put(project_item(&ProjectItem::new(&project))?),
            ];
            match self.transact(writes, deadline).await? {
                Decision::Committed => return Ok(ProjectCreated::Project(project)),
                Decision::ConditionsFailed(failed) if failed.first() == Some(&true) => {
                    return Ok(ProjectCreated::PathTaken);
                }
                Decision::ConditionsFailed(_) if new.id.is_some() => {
                    return Ok(ProjectCreated::IdUsed);
                }
                // The operator chose this number for a project once; the next one may be free.
                Decision::ConditionsFailed(_) => {}
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
        Ok(self.read_project(id, deadline).await?.and_then(ProjectItem::alive))
    }

    /// The projects of this number or path that were deleted, in the order of their numbers:
    /// several may have had one path, one after the other. A path is looked for in the whole
    /// directory; `step` bounds each request, not the whole.
    pub async fn find_deleted_projects(
        &self,
        project: &ProjectRef,
        step: Duration,
    ) -> Result<Vec<Project>, StoreError> {
        match project {
            ProjectRef::Id(id) => {
                let item = self.read_project(*id, Deadline::after(step)).await?;
                Ok(item.and_then(ProjectItem::buried).into_iter().collect())
            }
            ProjectRef::Path(path) => {
                let path = path.folded();
                let mut projects = self.scan_projects(ProjectItem::buried, step).await?;
                projects.retain(|project| project.path.folded() == path);
                Ok(projects)
            }
            ProjectRef::Nothing => Ok(Vec::new()),
        }
    }

    /// All projects, in the order of their numbers. Reads the whole directory; `step` bounds each
    /// request, not the whole.
    pub async fn list_projects(&self, step: Duration) -> Result<Vec<Project>, StoreError> {
        self.scan_projects(ProjectItem::alive, step).await
    }

    /// How many projects there are.
    pub async fn count_projects(&self, deadline: Deadline) -> Result<u64, StoreError> {
        Ok(self.list_projects(deadline.remaining()).await?.len() as u64)
    }

    /// The state of each of these numbers; `step` bounds each request, not the whole.
    pub async fn find_projects(
        &self,
        ids: &[ProjectId],
        step: Duration,
    ) -> Result<HashMap<ProjectId, ProjectState>, StoreError> {
        let mut states: HashMap<_, _> = ids.iter().map(|id| (*id, ProjectState::Unknown)).collect();
        let keys: Vec<_> = states.keys().map(|id| DirectoryKey::project(*id)).collect();
        for keys in keys.chunks(ITEMS_A_BATCH) {
            let rows = self.batch_get(keys, &[], Deadline::after(step)).await?;
            for item in rows.directory {
                let item: ProjectItem = from_item(item)?;
                states.insert(item.id, item.into_state());
            }
        }
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

    /// The projects that `wanted` takes, in the order of their numbers.
    async fn scan_projects(
        &self,
        wanted: fn(ProjectItem) -> Option<Project>,
        step: Duration,
    ) -> Result<Vec<Project>, StoreError> {
        let mut projects = Vec::new();
        let mut scan = self.scan(Table::Directory);
        while let Some(items) = scan.next(Deadline::after(step)).await? {
            for item in items {
                if DirectoryKind::of(&item) == Some(DirectoryKind::Project) {
                    projects.extend(wanted(from_item(item)?));
                }
            }
        }
        projects.sort_by_key(|project| project.id);
        Ok(projects)
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
        let item = self.set_attributes(&key, attributes, not_deleted(), deadline).await?;
        Ok(item.map(from_item::<ProjectItem>).transpose()?.and_then(ProjectItem::alive))
    }

    /// Gives a project a new path. Its old path is free at once.
    pub async fn move_project(
        &self,
        project: &Project,
        path: ProjectPath,
        deadline: Deadline,
    ) -> Result<ProjectMoved, StoreError> {
        let table = &self.tables.directory;
        let text = |path: &ProjectPath| AttributeValue::S(path.as_str().to_owned());
        let mut writes = vec![Write::Update {
            table: table.clone(),
            key: DirectoryKey::project(project.id).attributes(),
            set: "SET #path = :path",
            condition: Condition {
                expression: "deleted = :false AND #path = :old".to_owned(),
                names: vec![("#path", "path")],
                values: [
                    (":false".to_owned(), AttributeValue::Bool(false)),
                    (":old".to_owned(), text(&project.path)),
                    (":path".to_owned(), text(&path)),
                ]
                .into(),
            },
        }];
        // A path item belongs to all spellings of its path.
        if path.folded() != project.path.folded() {
            let id = project.id;
            writes.push(Write::Delete {
                table: table.clone(),
                key: DirectoryKey::path(&project.path).attributes(),
                condition: Some(Condition {
                    expression: "id = :id".to_owned(),
                    names: Vec::new(),
                    values: [(":id".to_owned(), AttributeValue::N(id.to_string()))].into(),
                }),
            });
            writes.push(Write::Put {
                table: table.clone(),
                item: to_item(DirectoryKey::path(&path).attributes(), &PathItem { id })?,
                condition: Some(Condition::absent()),
            });
        }
        Ok(match self.transact(writes, deadline).await? {
            Decision::Committed => ProjectMoved::Project(Project { path, ..project.clone() }),
            Decision::ConditionsFailed(failed) => match failed.as_slice() {
                // Then the new path may be this project's own, taken by another move.
                [false, false, true] => ProjectMoved::PathTaken,
                _ => ProjectMoved::Gone,
            },
        })
    }

    /// Deletes a project: its path is free again, its number is not. False where it was deleted
    /// meanwhile. Its releases stay: a request that has seen the project may yet make one.
    pub async fn delete_project(
        &self,
        project: &Project,
        deadline: Deadline,
    ) -> Result<bool, StoreError> {
        let writes = vec![
            Write::Update {
                table: self.tables.directory.clone(),
                key: DirectoryKey::project(project.id).attributes(),
                set: "SET deleted = :true",
                condition: Condition {
                    values: [
                        (":false".to_owned(), AttributeValue::Bool(false)),
                        (":true".to_owned(), AttributeValue::Bool(true)),
                    ]
                    .into(),
                    ..not_deleted()
                },
            },
            Write::Delete {
                table: self.tables.directory.clone(),
                key: DirectoryKey::path(&project.path).attributes(),
                condition: None,
            },
        ];
        Ok(matches!(self.transact(writes, deadline).await?, Decision::Committed))
    }
}

fn not_deleted() -> Condition {
    Condition {
        expression: "deleted = :false".to_owned(),
        names: Vec::new(),
        values: [(":false".to_owned(), AttributeValue::Bool(false))].into(),
    }
}
