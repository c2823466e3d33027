//! Reads everything a request needs for its authorization, in as few sequential round trips as possible.
//!
//! A round trip reads one item of the directory beside the caller's tokens, the project or its path,
//! and with it the beginning of what was asked for. Each has the same shape, whatever is found: a
//! path is looked up beside the releases of a project that does not exist. So the requests and read
//! units of a refused caller do not tell a hidden project from a missing one, nor a path that this
//! process has cached from any other.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::KeysAndAttributes;

use super::deadline::{Backoff, Deadline};
use super::items::{
    Attributes, ClaimItem, IndexItem, LinkItem, PathItem, ProjectItem, ReleaseItem, TokenItem,
    from_item,
};
use super::keys::{
    DirectoryKey, DirectoryKind, KeyAttributes, PK, ReleasesKey, ReleasesKind, SK, index_partition,
    path_partition, release_partition,
};
use super::query::{Order, Pages};
use super::request::run_or_refuse;
use super::{Store, StoreError};
use crate::domain::commit::CommitSha;
use crate::domain::link::{DirectAssetPath, Link, LinkId, LinkUrl};
use crate::domain::project::{Project, ProjectId, ProjectPath, ProjectRef};
use crate::domain::release::{Release, ReleaseKey, TagName};
use crate::domain::time::Timestamp;
use crate::domain::token::{SecretHash, Token};

/// How many links of a release, and how many releases of a project, are read before the caller is
/// known. Nearly every release and project has fewer and takes one round trip; ordinary links of 250
/// bytes come to 7 read units.
pub const FIRST_ROWS: i32 = 100;
/// How many claims of one path are read before the caller is known: one for each generation of the
/// tag that is not swept yet.
const FIRST_CLAIMS: i32 = 10;

/// The most keys that one batch read takes.
pub(super) const ITEMS_A_BATCH: usize = 100;

/// What to read.
#[derive(Clone, Debug)]
pub struct Wanted<'a> {
    /// The tokens the request carries.
    pub tokens: &'a [SecretHash],
    /// The project it names.
    pub project: &'a ProjectRef,
    /// What of the project.
    pub selection: Selection<'a>,
}

/// What to read of a project.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Selection<'a> {
    /// The project alone.
    Project,
    /// A release, and of its links these.
    Release(&'a TagName, LinkSelection),
    /// A release with its first links, and the latest release's entry in the project's list.
    Page(&'a TagName),
    /// A release, and where a path of it leads.
    Download(&'a TagName, &'a DirectAssetPath),
    /// The latest release's entry in the project's list.
    Latest,
    /// The project's list of releases.
    List,
}

impl<'a> Selection<'a> {
    /// A release, where its tag can be one.
    #[must_use]
    pub fn release(tag: Option<&'a TagName>, links: LinkSelection) -> Self {
        tag.map_or(Self::Project, |tag| Self::Release(tag, links))
    }

    /// A download, where its tag and path can be such.
    #[must_use]
    pub fn download(tag: Option<&'a TagName>, path: Option<&'a DirectAssetPath>) -> Self {
        match (tag, path) {
            (Some(tag), Some(path)) => Self::Download(tag, path),
            (tag, None) => Self::release(tag, LinkSelection::None),
            (None, Some(_)) => Self::Project,
        }
    }
}

/// Which links of a release to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkSelection {
    /// None.
    None,
    /// The one of this number.
    One(LinkId),
    /// The first [`FIRST_ROWS`] by number. The rest can be read once the caller is known.
    First,
}

/// The result of the first round trip: the caller's tokens, and the project or the number behind its
/// path.
#[derive(Debug)]
pub struct FirstTrip {
    /// The tokens that exist.
    pub tokens: Vec<Token>,
    found: Found,
}

#[derive(Debug)]
enum Found {
    /// The selection. Its project is known by its number, or by a cached path.
    Seen(Box<Seen>),
    /// The number that belongs to the path.
    Path(Option<ProjectId>),
}

/// What was there.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// The project.
    pub project: Option<Project>,
    /// The release.
    pub release: Option<Release>,
    /// The chosen links of this life of the release.
    pub links: FirstLinks,
    /// Where the path leads in this life of the release.
    pub target: Target,
    /// The beginning of the list of releases.
    pub listed: FirstListed,
    /// The project's number where the cache had it: the path may belong to another by now.
    cached: Option<ProjectId>,
}

/// The first links of a release, by number, and the way to the rest.
#[derive(Clone, Debug, Default)]
pub struct FirstLinks {
    pub(super) links: Vec<Link>,
    pub(super) rest: Option<Pages>,
}

impl FirstLinks {
    /// The one link that was asked for.
    #[must_use]
    pub fn one(&self) -> Option<&Link> {
        self.links.first()
    }

    /// The first links alone.
    #[must_use]
    pub fn into_inner(self) -> Vec<Link> {
        self.links
    }
}

/// The first entries of a project's list of releases, the latest `released_at` first, and the way to
/// the rest.
#[derive(Clone, Debug, Default)]
pub struct FirstListed {
    listed: Vec<Listed>,
    rest: Option<Pages>,
}

impl FirstListed {
    /// The first entries, at most [`FIRST_ROWS`].
    #[must_use]
    pub fn first(&self) -> &[Listed] {
        &self.listed
    }

    /// The latest release.
    #[must_use]
    pub fn latest(&self) -> Option<&Listed> {
        self.listed.first()
    }
}

/// The target of a path.
#[derive(Clone, Debug, Default)]
pub enum Target {
    /// To no file.
    #[default]
    Nowhere,
    /// There.
    Url(LinkUrl),
    /// The claim of this key says so, if it exists. It was not among the first.
    Claim(ReleasesKey),
}

/// A release in the list of its project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its tag.
    pub tag: TagName,
    /// The commit its tag was said to be at.
    pub commit: Option<CommitSha>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was or will be released.
    pub released_at: Timestamp,
}

/// The result of one round trip.
#[derive(Default)]
struct Trip {
    tokens: Vec<Token>,
    /// The number behind the path that was looked up.
    id: Option<ProjectId>,
    seen: Seen,
}

/// A number that no project has. It is random: requests for missing projects must not all meet on one
/// partition of the database.
fn unused_number() -> ProjectId {
    ProjectId(u64::MAX - u64::from(fastrand::u32(..)))
}

impl Store {
    /// The first round trip: the tokens, and beside them the project with the beginning of what was
    /// selected; for a path that is not cached, the number of its project instead.
    pub async fn look(
        &self,
        wanted: &Wanted<'_>,
        deadline: Deadline,
    ) -> Result<FirstTrip, StoreError> {
        let Wanted { tokens, selection, .. } = *wanted;
        let (id, cached) = match wanted.project {
            ProjectRef::Nothing => {
                let Trip { tokens, .. } = self.trip(tokens, None, selection, deadline).await?;
                return Ok(FirstTrip { tokens, found: Found::Seen(Box::default()) });
            }
            ProjectRef::Id(id) => (*id, None),
            ProjectRef::Path(path) => {
                let Some(id) = self.paths.get(&path.folded()) else {
                    let named = Some(Named::Path(path));
                    let Trip { tokens, id, .. } =
                        self.trip(tokens, named, selection, deadline).await?;
                    return Ok(FirstTrip { tokens, found: Found::Path(id) });
                };
                (id, Some(id))
            }
        };
        let Trip { tokens, seen, .. } =
            self.trip(tokens, Some(Named::Id(id)), selection, deadline).await?;
        let mut seen = Seen { cached, ..seen };
        seen.drop_moved(wanted.project);
        Ok(FirstTrip { tokens, found: Found::Seen(Box::new(seen)) })
    }

    /// Reads the selection. After a look-up of the path it takes the second round trip, even if no
    /// project has the path.
    pub async fn follow(
        &self,
        wanted: &Wanted<'_>,
        first: FirstTrip,
        deadline: Deadline,
    ) -> Result<Seen, StoreError> {
        match first.found {
            Found::Seen(seen) => Ok(*seen),
            Found::Path(id) => self.read_found(wanted, id, deadline).await,
        }
    }

    /// Reads anew what a caller may not see, if its number came from the cache: the path may have
    /// been given to another project. `None` if it still leads to that number.
    pub async fn read_anew(
        &self,
        wanted: &Wanted<'_>,
        seen: &Seen,
        deadline: Deadline,
    ) -> Result<Option<Seen>, StoreError> {
        let (Some(cached), ProjectRef::Path(path)) = (seen.cached, wanted.project) else {
            return Ok(None);
        };
        let named = Some(Named::Path(path));
        let Trip { id, .. } = self.trip(&[], named, wanted.selection, deadline).await?;
        if id == Some(cached) && seen.project.is_some() {
            return Ok(None);
        }
        self.paths.forget(&path.folded());
        match id.filter(|id| *id != cached) {
            Some(id) => Ok(Some(self.read_found(wanted, Some(id), deadline).await?)),
            None => Ok(None),
        }
    }

    async fn read_found(
        &self,
        wanted: &Wanted<'_>,
        id: Option<ProjectId>,
        deadline: Deadline,
    ) -> Result<Seen, StoreError> {
        let named = Some(Named::Id(id.unwrap_or_else(unused_number)));
        let Trip { mut seen, .. } = self.trip(&[], named, wanted.selection, deadline).await?;
        seen.drop_moved(wanted.project);
        if let (ProjectRef::Path(path), Some(project)) = (wanted.project, &seen.project) {
            self.paths.put(path.folded(), project.id);
        }
        Ok(seen)
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
        tokens: &[SecretHash],
        named: Option<Named<'_>>,
        selection: Selection<'_>,
        deadline: Deadline,
    ) -> Result<Trip, StoreError> {
        let mut directory: Vec<DirectoryKey> = tokens.iter().map(DirectoryKey::token).collect();
        let mut trip = Trip::default();
        let Some(named) = named else {
            trip.take_directory(self.batch_get(&directory, &[], deadline).await?.directory)?;
            return Ok(trip);
        };
        let (named, project) = match named {
            Named::Id(id) => (DirectoryKey::project(id), id),
            Named::Path(path) => (DirectoryKey::path(path), unused_number()),
        };
        directory.push(named);
        let keys = selection.keys(project);
        let mut pages = selection.pages(project);
        let mut latest = selection.latest(project);
        let (rows, items, latest) = tokio::try_join!(
            self.batch_get(&directory, &keys, deadline),
            // Boxed: every caller's future would hold both.
            Box::pin(self.first_page(&mut pages, deadline)),
            Box::pin(self.first_page(&mut latest, deadline)),
        )?;
        let rest = pages.filter(|pages| !pages.are_over());
        trip.take_directory(rows.directory)?;
        let seen = &mut trip.seen;
        match selection {
            Selection::Project => {}
            Selection::Release(_, LinkSelection::First) | Selection::Page(_) => {
                seen.take_release(items)?;
                seen.links.rest = rest;
                seen.listed.take(latest)?;
            }
            Selection::Release(_, LinkSelection::None | LinkSelection::One(_)) => {
                seen.take_release(rows.releases)?;
            }
            Selection::Download(_, path) => {
                seen.take_release(rows.releases)?;
                seen.take_claims(path, items, rest.is_some())?;
            }
            Selection::Latest => seen.listed.take(items)?,
            Selection::List => {
                seen.listed.take(items)?;
                seen.listed.rest = rest;
            }
        }
        Ok(trip)
    }

    /// The latest release's entry in a project's list.
    pub(super) async fn latest_release(
        &self,
        project: ProjectId,
        deadline: Deadline,
    ) -> Result<Option<Listed>, StoreError> {
        let mut listed = FirstListed::default();
        listed.take(self.first_page(&mut Some(latest(project)), deadline).await?)?;
        Ok(listed.listed.pop())
    }

    async fn first_page(
        &self,
        pages: &mut Option<Pages>,
        deadline: Deadline,
    ) -> Result<Vec<Attributes>, StoreError> {
        match pages {
            Some(pages) => Ok(self.next_page(pages, deadline).await?.unwrap_or_default()),
            None => Ok(Vec::new()),
        }
    }

    /// The whole list of which this is the beginning.
    pub async fn all_listed(
        &self,
        first: FirstListed,
        deadline: Deadline,
    ) -> Result<Vec<Listed>, StoreError> {
        let FirstListed { listed, rest } = first;
        let mut all = FirstListed { listed, rest: None };
        let Some(rest) = rest else { return Ok(all.listed) };
        let mut pages = rest.unlimited();
        while let Some(page) = self.next_page(&mut pages, deadline).await? {
            all.take(page)?;
        }
        Ok(all.listed)
    }

    /// The url behind a path. A round trip only if so many generations of the tag have left claims
    /// of the path behind that the live one was not among the first.
    pub async fn url_of(
        &self,
        target: Target,
        deadline: Deadline,
    ) -> Result<Option<LinkUrl>, StoreError> {
        let key = match target {
            Target::Nowhere => return Ok(None),
            Target::Url(url) => return Ok(Some(url)),
            Target::Claim(key) => key,
        };
        let claim = self.batch_get(&[], &[key], deadline).await?.releases.into_iter().next();
        Ok(claim.map(from_item::<ClaimItem>).transpose()?.and_then(|claim| claim.url))
    }

    /// The release and these of its links, as they are now.
    pub async fn reread(
        &self,
        release: &ReleaseKey,
        links: LinkSelection,
        deadline: Deadline,
    ) -> Result<Seen, StoreError> {
        let selection = Selection::Release(&release.tag, links);
        let mut seen = Seen::default();
        let Some(mut pages) = selection.pages(release.project) else {
            let keys = selection.keys(release.project);
            seen.take_release(self.batch_get(&[], &keys, deadline).await?.releases)?;
            return Ok(seen);
        };
        seen.take_release(self.next_page(&mut pages, deadline).await?.unwrap_or_default())?;
        seen.links.rest = Some(pages).filter(|pages| !pages.are_over());
        Ok(seen)
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
                backoff.pause("keys are left unprocessed").await?;
            }
        }
        Ok(rows)
    }
}

fn consistent(keys: Vec<KeyAttributes>) -> Result<KeysAndAttributes, StoreError> {
    KeysAndAttributes::builder()
        .set_keys(Some(keys))
        .consistent_read(true)
        .build()
        .map_err(|error| StoreError::Refused(error.to_string()))
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

impl Selection<'_> {
    /// The items to read by their keys.
    fn keys(&self, project: ProjectId) -> Vec<ReleasesKey> {
        let key = |tag: &TagName| ReleaseKey { project, tag: tag.clone() };
        match self {
            Self::Release(tag, LinkSelection::None) | Self::Download(tag, _) => {
                vec![ReleasesKey::release(&key(tag))]
            }
            Self::Release(tag, LinkSelection::One(id)) => {
                let release = key(tag);
                vec![ReleasesKey::release(&release), ReleasesKey::link(&release, *id)]
            }
            Self::Project
            | Self::Release(_, LinkSelection::First)
            | Self::Page(_)
            | Self::Latest
            | Self::List => Vec::new(),
        }
    }

    /// The partition to read the first page of.
    fn pages(&self, project: ProjectId) -> Option<Pages> {
        let key = |tag: &TagName| ReleaseKey { project, tag: tag.clone() };
        match self {
            Self::Project | Self::Release(_, LinkSelection::None | LinkSelection::One(_)) => None,
            Self::Release(tag, LinkSelection::First) | Self::Page(tag) => {
                let partition = release_partition(&key(tag));
                // The release itself comes before its links.
                Some(Pages::new(partition, Order::Ascending).limited_to(FIRST_ROWS + 1))
            }
            Self::Download(tag, path) => {
                let partition = path_partition(&key(tag), path);
                Some(Pages::new(partition, Order::Ascending).limited_to(FIRST_CLAIMS))
            }
            Self::Latest => Some(latest(project)),
            Self::List => {
                Some(Pages::new(index_partition(project), Order::Descending).limited_to(FIRST_ROWS))
            }
        }
    }
}

impl Selection<'_> {
    /// The entry of the latest release, if it is read beside another.
    fn latest(&self, project: ProjectId) -> Option<Pages> {
        match self {
            Self::Page(_) => Some(latest(project)),
            Self::Project | Self::Release(..) | Self::Download(..) | Self::Latest | Self::List => {
                None
            }
        }
    }
}

fn latest(project: ProjectId) -> Pages {
    Pages::new(index_partition(project), Order::Descending).limited_to(1)
}

impl Trip {
    fn take_directory(&mut self, items: Vec<Attributes>) -> Result<(), StoreError> {
        for item in items {
            match directory_key(&item).and_then(|key| key.kind()) {
                Some(DirectoryKind::Token) => {
                    self.tokens.push(from_item::<TokenItem>(item)?.into());
                }
                Some(DirectoryKind::Project) => {
                    self.seen.project = from_item::<ProjectItem>(item)?.alive();
                }
                Some(DirectoryKind::Path) => self.id = Some(from_item::<PathItem>(item)?.id),
                Some(DirectoryKind::User | DirectoryKind::Counter) | None => {
                    return Err(StoreError::Corrupt(format!(
                        "among tokens, projects and paths: {item:?}"
                    )));
                }
            }
        }
        Ok(())
    }
}

impl FirstListed {
    fn take(&mut self, items: Vec<Attributes>) -> Result<(), StoreError> {
        for item in items {
            let released_at = releases_key(&item).and_then(|key| key.released_at());
            let IndexItem { tag, commit, created_at, .. } = from_item(item)?;
            let released_at = released_at.unwrap_or(created_at);
            self.listed.push(Listed { tag, commit, created_at, released_at });
        }
        Ok(())
    }
}

impl Seen {
    /// Drops a project that has another path than the one it was asked for by: it was moved.
    fn drop_moved(&mut self, wanted: &ProjectRef) {
        if let ProjectRef::Path(path) = wanted {
            self.project.take_if(|project| project.path.folded() != path.folded());
        }
    }

    /// Takes the url from the claim that belongs to this life of the release.
    fn take_claims(
        &mut self,
        path: &DirectAssetPath,
        items: Vec<Attributes>,
        are_more: bool,
    ) -> Result<(), StoreError> {
        let Some(release) = &self.release else { return Ok(()) };
        if are_more {
            self.target = Target::Claim(ReleasesKey::path_claim(&release.key, path, &release.uid));
        }
        for item in items {
            let claim: ClaimItem = from_item(item)?;
            if claim.release_uid == release.uid {
                self.target = claim.url.map_or(Target::Nowhere, Target::Url);
            }
        }
        Ok(())
    }

    /// Takes a release and those of the links that belong to this life of it: what an earlier
    /// release of the tag left behind is not there.
    fn take_release(&mut self, items: Vec<Attributes>) -> Result<(), StoreError> {
        let mut links: Vec<Link> = Vec::new();
        for item in items {
            match releases_key(&item).and_then(|key| key.kind()) {
                Some(ReleasesKind::Release) => {
                    self.release = Some(from_item::<ReleaseItem>(item)?.into());
                }
                Some(ReleasesKind::Link) => links.push(from_item::<LinkItem>(item)?.into()),
                Some(ReleasesKind::Claim | ReleasesKind::Index | ReleasesKind::Counter) | None => {
                    return Err(StoreError::Corrupt(format!("in a release: {item:?}")));
                }
            }
        }
        if let Some(release) = &self.release {
            links.retain(|link| link.release == release.uid);
            self.links.links = links;
        }
        Ok(())
    }
}

/// The key of an item of the directory table.
pub(super) fn directory_key(item: &Attributes) -> Option<DirectoryKey> {
    Some(DirectoryKey { pk: text(item, PK)?, sk: text(item, SK)? })
}

/// The key of an item of the releases table.
pub(super) fn releases_key(item: &Attributes) -> Option<ReleasesKey> {
    Some(ReleasesKey { pk: text(item, PK)?, sk: text(item, SK)? })
}

fn text(item: &Attributes, name: &str) -> Option<String> {
    item.get(name)?.as_s().ok().cloned()
}
