//! Reads everything a request needs for its authorization, in as few sequential round trips as possible.
//!
//! A round trip reads one item of the directory beside the caller's tokens, the project or its path,
//! and with it the beginning of what was asked for. Each has the same shape, whatever is found: a
//! path is looked up beside the releases of a project that does not exist. An ID token adds its issuer,
//! and the publishers of the project. So the requests and read
//! units of a refused caller do not tell a hidden project from a missing one, nor a path that this
//! process has cached from any other.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::KeysAndAttributes;

use super::Store;
use super::deadline::{Backoff, Deadline};
use super::error::StoreError;
use super::items::{
    Attributes, ClaimItem, IssuerItem, PathItem, ProjectItem, TokenItem, directory_key, from_item,
    publishers,
};
use super::keys::{DirectoryKey, DirectoryKind, KeyAttributes, ReleasesKey};
use super::pages::Pages;
use super::query::{
    FirstPage, FirstReleases, LatestRelease, Query, Read, ReleaseIndexEntry, Target, entries,
};
use super::request::run_or_refuse;
use crate::domain::issuer::{Issuer, IssuerUrl};
use crate::domain::link::LinkedFile;
use crate::domain::project::{Project, ProjectId, ProjectPath, ProjectRef};
use crate::domain::publisher::Publisher;
use crate::domain::secret::SecretHash;
use crate::domain::token::Token;

/// The most keys that one batch read takes.
pub(super) const ITEMS_A_BATCH: usize = 100;

/// The credentials to look up.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    pub tokens: Vec<SecretHash>,
    /// The issuers of ID tokens. With one of them, the publishers of the project are read too.
    pub issuers: Vec<IssuerUrl>,
}

impl Wanted {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tokens.is_empty() && self.issuers.is_empty()
    }

    fn keys(&self) -> Vec<DirectoryKey> {
        let tokens = self.tokens.iter().map(DirectoryKey::token);
        tokens.chain(self.issuers.iter().map(DirectoryKey::issuer)).collect()
    }
}

/// The credentials that exist.
#[derive(Debug, Default)]
pub struct FoundCredentials {
    pub tokens: Vec<Token>,
    pub issuers: Vec<Issuer>,
}

/// The result of the first round trip: the caller's credentials, and the project or the number behind
/// its path.
#[derive(Debug)]
pub struct FirstTrip<Found> {
    pub credentials: FoundCredentials,
    project: Reached<Found>,
}

#[derive(Debug)]
enum Reached<Found> {
    /// The project. It is known by its number, or by a cached path.
    Project(Box<Snapshot<Found>>),
    /// The number that belongs to the path.
    Path(Option<ProjectId>),
}

/// A project, and the answer to a question about it.
#[derive(Debug, Default)]
pub struct Snapshot<Found> {
    /// The project, if it exists.
    pub project: Option<Project>,
    /// Its publishers, if the caller has an ID token.
    pub publishers: Vec<Publisher>,
    pub found: Found,
    /// The project's number if it came from the cache: the path may belong to another by now.
    cached: Option<ProjectId>,
}

/// The result of one round trip.
#[derive(Default)]
struct Trip {
    credentials: FoundCredentials,
    /// The number behind the path that was looked up.
    id: Option<ProjectId>,
    project: Option<Project>,
    publishers: Vec<Publisher>,
    read: Read,
}

/// A number that no project has. It is random: requests for missing projects must not all meet on one
/// partition of the database.
fn unused_number() -> ProjectId {
    ProjectId(u64::MAX - u64::from(fastrand::u32(..)))
}

impl Store {
    /// The first round trip: the tokens, and beside them the project and the answer to the query. For a
    /// path that is not cached, the number of its project instead.
    pub async fn look<Q: Query>(
        &self,
        wanted: &Wanted,
        project: &ProjectRef,
        query: &Q,
        deadline: Deadline,
    ) -> Result<FirstTrip<Q::Found>, StoreError> {
        let (id, cached) = match project {
            ProjectRef::Nothing => {
                let Trip { credentials, .. } =
                    self.trip(wanted.keys(), None, false, &(), deadline).await?;
                let nothing = Reached::Project(Box::default());
                return Ok(FirstTrip { credentials, project: nothing });
            }
            ProjectRef::Id(id) => (*id, None),
            ProjectRef::Path(path) => {
                let Some(id) = self.paths.get(&path.lowercase_key()) else {
                    let named = Some(Named::Path(path));
                    let Trip { credentials, id, .. } =
                        self.trip(wanted.keys(), named, false, query, deadline).await?;
                    return Ok(FirstTrip { credentials, project: Reached::Path(id) });
                };
                (id, Some(id))
            }
        };
        let named = Some(Named::Id(id));
        let with_publishers = !wanted.issuers.is_empty();
        let Trip { credentials, project: found, publishers, read, .. } =
            self.trip(wanted.keys(), named, with_publishers, query, deadline).await?;
        let project = unless_moved(found, project);
        let snapshot = Snapshot { project, publishers, found: query.found(read)?, cached };
        Ok(FirstTrip { credentials, project: Reached::Project(Box::new(snapshot)) })
    }

    /// The project and the answer. After a look-up of the path it takes the second round trip, even if
    /// no project has the path.
    pub async fn follow<Q: Query>(
        &self,
        first: FirstTrip<Q::Found>,
        wanted: &Wanted,
        project: &ProjectRef,
        query: &Q,
        deadline: Deadline,
    ) -> Result<Snapshot<Q::Found>, StoreError> {
        match first.project {
            Reached::Project(snapshot) => Ok(*snapshot),
            Reached::Path(id) => self.read_project_of(id, wanted, project, query, deadline).await,
        }
    }

    /// Reads anew what a caller may not see, if its number came from the cache: the path may have
    /// been given to another project. `None` if it still leads to that number.
    pub async fn read_anew<Q: Query>(
        &self,
        snapshot: &Snapshot<Q::Found>,
        wanted: &Wanted,
        project: &ProjectRef,
        query: &Q,
        deadline: Deadline,
    ) -> Result<Option<Snapshot<Q::Found>>, StoreError> {
        let (Some(cached), ProjectRef::Path(path)) = (snapshot.cached, project) else {
            return Ok(None);
        };
        let named = Some(Named::Path(path));
        let Trip { id, .. } = self.trip(Vec::new(), named, false, query, deadline).await?;
        if id == Some(cached) && snapshot.project.is_some() {
            return Ok(None);
        }
        self.paths.forget(&path.lowercase_key());
        match id.filter(|id| *id != cached) {
            Some(id) => {
                let anew = self.read_project_of(Some(id), wanted, project, query, deadline);
                Ok(Some(anew.await?))
            }
            None => Ok(None),
        }
    }

    async fn read_project_of<Q: Query>(
        &self,
        id: Option<ProjectId>,
        wanted: &Wanted,
        project: &ProjectRef,
        query: &Q,
        deadline: Deadline,
    ) -> Result<Snapshot<Q::Found>, StoreError> {
        let named = Some(Named::Id(id.unwrap_or_else(unused_number)));
        let with_publishers = !wanted.issuers.is_empty();
        let Trip { project: found, publishers, read, .. } =
            self.trip(Vec::new(), named, with_publishers, query, deadline).await?;
        let found = unless_moved(found, project);
        if let (ProjectRef::Path(path), Some(project)) = (project, &found) {
            self.paths.put(path.lowercase_key(), project.id);
        }
        Ok(Snapshot { project: found, publishers, found: query.found(read)?, cached: None })
    }

    pub(super) async fn look_up_path(
        &self,
        path: &ProjectPath,
        deadline: Deadline,
    ) -> Result<Option<ProjectId>, StoreError> {
        let request = self
            .client
            .get_item()
            .table_name(&self.tables.directory)
            .set_key(Some(DirectoryKey::path(path).attributes()))
            .consistent_read(true);
        let item = run_or_refuse(deadline, request.send()).await?.item;
        Ok(item.map(from_item::<PathItem>).transpose()?.map(|item| item.id))
    }

    /// One round trip.
    async fn trip(
        &self,
        mut directory: Vec<DirectoryKey>,
        named: Option<Named<'_>>,
        with_publishers: bool,
        query: &impl Query,
        deadline: Deadline,
    ) -> Result<Trip, StoreError> {
        let (keys, partitions) = match named {
            None => (Vec::new(), [None, None]),
            Some(named) => {
                let (named, project) = match named {
                    Named::Id(id) => (DirectoryKey::project(id), id),
                    Named::Path(path) => (DirectoryKey::path(path), unused_number()),
                };
                directory.push(named);
                if with_publishers {
                    directory.push(DirectoryKey::publishers(project));
                }
                (query.keys(project), query.partitions(project))
            }
        };
        // Boxed: every caller's future would hold it.
        let (rows, read) = Box::pin(self.read_all(&directory, &keys, partitions, deadline)).await?;
        let mut trip = Trip { read, ..Trip::default() };
        trip.take_directory(rows)?;
        Ok(trip)
    }

    /// Reads items of the directory and of a query in one round trip.
    async fn read_all(
        &self,
        directory: &[DirectoryKey],
        keys: &[ReleasesKey],
        partitions: [Option<Pages>; 2],
        deadline: Deadline,
    ) -> Result<(Vec<Attributes>, Read), StoreError> {
        let [first, second] = partitions;
        let (rows, first, second) = tokio::try_join!(
            self.batch_get(directory, keys, deadline),
            self.first_page(first, deadline),
            self.first_page(second, deadline),
        )?;
        Ok((rows.directory, Read { items: rows.releases, pages: [first, second] }))
    }

    /// The answer to a query about a project, for a caller who is known.
    pub async fn ask<Q: Query>(
        &self,
        project: ProjectId,
        query: &Q,
        deadline: Deadline,
    ) -> Result<Q::Found, StoreError> {
        let (keys, partitions) = (query.keys(project), query.partitions(project));
        let (_, read) = Box::pin(self.read_all(&[], &keys, partitions, deadline)).await?;
        query.found(read)
    }

    async fn first_page(
        &self,
        pages: Option<Pages>,
        deadline: Deadline,
    ) -> Result<FirstPage, StoreError> {
        let Some(mut pages) = pages else { return Ok(FirstPage::default()) };
        let items = self.next_page(&mut pages, deadline).await?.unwrap_or_default();
        Ok(FirstPage { items, rest: Some(pages).filter(|pages| !pages.is_exhausted()) })
    }

    /// The latest release's entry in a project's list.
    pub(super) async fn latest_release(
        &self,
        project: ProjectId,
        deadline: Deadline,
    ) -> Result<Option<ReleaseIndexEntry>, StoreError> {
        self.ask(project, &LatestRelease, deadline).await
    }

    /// The whole list of which this is the beginning.
    pub async fn all_entries(
        &self,
        first: FirstReleases,
        deadline: Deadline,
    ) -> Result<Vec<ReleaseIndexEntry>, StoreError> {
        let FirstReleases { entries: mut all, rest } = first;
        let Some(rest) = rest else { return Ok(all) };
        let mut pages = rest.unlimited();
        while let Some(page) = self.next_page(&mut pages, deadline).await? {
            all.extend(entries(page)?);
        }
        Ok(all)
    }

    /// The file behind a path. A round trip only if so many generations of the tag have left claims
    /// of the path behind that the live one was not among the first.
    pub async fn file_of(
        &self,
        target: Target,
        deadline: Deadline,
    ) -> Result<Option<LinkedFile>, StoreError> {
        let key = match target {
            Target::Nowhere => return Ok(None),
            Target::File(file) => return Ok(Some(file)),
            Target::Claim(key) => key,
        };
        let claim = self.batch_get(&[], &[key], deadline).await?.releases.into_iter().next();
        Ok(claim.map(from_item::<ClaimItem>).transpose()?.and_then(ClaimItem::into_file))
    }

    /// Reads items of both tables consistently, at most a hundred, again until every key was looked
    /// at: a key that the database left for later is not a missing item.
    pub(super) async fn batch_get(
        &self,
        directory: &[DirectoryKey],
        releases: &[ReleasesKey],
        deadline: Deadline,
    ) -> Result<Rows, StoreError> {
        let mut open = HashMap::new();
        let directory: Vec<_> = directory.iter().map(DirectoryKey::attributes).collect();
        let releases: Vec<_> = releases.iter().map(ReleasesKey::attributes).collect();
        for (table, keys) in
            [(&self.tables.directory, directory), (&self.tables.releases, releases)]
        {
            if !keys.is_empty() {
                open.insert(table.clone(), consistent(keys)?);
            }
        }
        let mut rows = Rows::default();
        let mut backoff = Backoff::new(deadline);
        while !open.is_empty() {
            let request = self.client.batch_get_item().set_request_items(Some(open));
            let output = run_or_refuse(deadline, request.send()).await?;
            for (table, items) in output.responses.unwrap_or_default() {
                if table == self.tables.directory {
                    rows.directory.extend(items);
                } else {
                    rows.releases.extend(items);
                }
            }
            open = output.unprocessed_keys.unwrap_or_default();
            if !open.is_empty() {
                backoff.wait("keys are left unprocessed").await?;
            }
        }
        Ok(rows)
    }
}

fn consistent(keys: Vec<KeyAttributes>) -> Result<KeysAndAttributes, StoreError> {
    Ok(KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true).build()?)
}

/// Items of both tables.
#[derive(Default)]
pub(super) struct Rows {
    pub(super) directory: Vec<Attributes>,
    pub(super) releases: Vec<Attributes>,
}

/// How a project is named to the directory.
#[derive(Clone, Copy)]
enum Named<'a> {
    Id(ProjectId),
    Path(&'a ProjectPath),
}

impl Trip {
    fn take_directory(&mut self, items: Vec<Attributes>) -> Result<(), StoreError> {
        for item in items {
            match directory_key(&item).and_then(|key| key.kind()) {
                Some(DirectoryKind::Token) => {
                    self.credentials.tokens.push(from_item::<TokenItem>(item)?.into());
                }
                Some(DirectoryKind::Issuer) => {
                    self.credentials.issuers.push(from_item::<IssuerItem>(item)?.into());
                }
                Some(DirectoryKind::Publishers) => self.publishers = publishers(item)?,
                Some(DirectoryKind::Project) => {
                    self.project = from_item::<ProjectItem>(item)?.if_live();
                }
                Some(DirectoryKind::Path) => self.id = Some(from_item::<PathItem>(item)?.id),
                Some(DirectoryKind::User | DirectoryKind::Counter) | None => {
                    return Err(StoreError::Corrupt(
                        format!("among credentials, projects and paths: {item:?}").into(),
                    ));
                }
            }
        }
        Ok(())
    }
}

/// The project, unless it has another path than the one it was asked for by: then it was moved.
fn unless_moved(project: Option<Project>, wanted: &ProjectRef) -> Option<Project> {
    project.filter(|project| match wanted {
        ProjectRef::Path(path) => project.path.lowercase_key() == path.lowercase_key(),
        ProjectRef::Id(_) | ProjectRef::Nothing => true,
    })
}
