//! What a request needs to know before it may answer, in one sequential round trip.

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
    /// All of them.
    All,
}

/// What was there.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// The tokens that exist.
    pub tokens: Vec<Token>,
    /// The project.
    pub project: Option<Project>,
    /// The release.
    pub release: Option<Release>,
    /// The chosen links of this life of the release, in no order.
    pub links: Vec<Link>,
    /// Where the path leads in this life of the release.
    pub target: Option<LinkUrl>,
    /// The list's entries, the latest `released_at` first.
    pub listed: Vec<Listed>,
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
}

impl Store {
    /// Reads all that `wanted` names, consistently. One sequential round trip where the project is
    /// named by number or its path was seen before; all links take one per megabyte, and one more
    /// where that is more than one. A path that was not seen takes one more, and one that has been
    /// given to another project since two.
    pub async fn read(&self, wanted: &Wanted<'_>, deadline: Deadline) -> Result<Seen, StoreError> {
        let path = match wanted.project {
            ProjectRef::Id(id) => return self.read_by_id(wanted, Some(*id), deadline).await,
            ProjectRef::Nothing => return self.read_by_id(wanted, None, deadline).await,
            ProjectRef::Path(path) => path,
        };
        let folded = path.folded();
        if let Some(id) = self.paths.get(&folded) {
            let seen = self.read_by_id(wanted, Some(id), deadline).await?;
            if seen.project.as_ref().is_some_and(|project| project.path.folded() == folded) {
                return Ok(seen);
            }
            // The project was deleted, and its path may have been given to another since.
            self.paths.forget(&folded);
        }
        let id = self.look_up_path(path, deadline).await?;
        let seen = self.read_by_id(wanted, id, deadline).await?;
        if let Some(id) = id.filter(|_| seen.project.is_some()) {
            self.paths.put(folded, id);
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

    async fn read_by_id(
        &self,
        wanted: &Wanted<'_>,
        project: Option<ProjectId>,
        deadline: Deadline,
    ) -> Result<Seen, StoreError> {
        let mut directory: Vec<DirectoryKey> =
            wanted.tokens.iter().map(DirectoryKey::token).collect();
        directory.extend(project.map(DirectoryKey::project));

        let mut seen = Seen::default();
        let Some(project) = project else {
            seen.take_directory(self.batch_get(&directory, &[], deadline).await?.directory)?;
            return Ok(seen);
        };
        let key = |tag: &TagName| ReleaseKey { project, tag: tag.clone() };
        // Items by their keys, and beside them a partition.
        let keys = match wanted.selection {
            Selection::Release(tag, LinkSelection::None) | Selection::Download(tag, _) => {
                vec![ReleasesKey::release(&key(tag))]
            }
            Selection::Release(tag, LinkSelection::One(id)) => {
                let release = key(tag);
                vec![ReleasesKey::release(&release), ReleasesKey::link(&release, id)]
            }
            Selection::Project
            | Selection::Release(_, LinkSelection::All)
            | Selection::Latest
            | Selection::List => Vec::new(),
        };
        let query = async {
            match wanted.selection {
                Selection::Project
                | Selection::Release(_, LinkSelection::None | LinkSelection::One(_)) => {
                    Ok(Vec::new())
                }
                Selection::Release(tag, LinkSelection::All) => {
                    self.whole_release(&key(tag), deadline).await
                }
                Selection::Download(tag, path) => {
                    let partition = path_partition(&key(tag), path);
                    self.query(partition, Order::Ascending, deadline).await
                }
                Selection::Latest => {
                    let partition = index_partition(project);
                    let mut last = Pages::new(partition, Order::Descending).of_one();
                    Ok(self.next_page(&mut last, deadline).await?.unwrap_or_default())
                }
                Selection::List => {
                    self.query(index_partition(project), Order::Descending, deadline).await
                }
            }
        };
        let (rows, items) = tokio::try_join!(self.batch_get(&directory, &keys, deadline), query)?;
        seen.take_directory(rows.directory)?;
        match wanted.selection {
            Selection::Project => {}
            Selection::Release(_, LinkSelection::All) => seen.take_release(items)?,
            Selection::Release(_, LinkSelection::None | LinkSelection::One(_)) => {
                seen.take_release(rows.releases)?;
            }
            Selection::Download(..) => {
                seen.take_release(rows.releases)?;
                seen.take_claims(items)?;
            }
            Selection::Latest | Selection::List => seen.take_list(items)?,
        }
        Ok(seen)
    }

    /// A release and all links of its partition, from one moment of its life.
    ///
    /// The release is read first: each link it was made with was written before it. Where there are
    /// too many for one page, it is looked at again after the last, since what has been deleted
    /// meanwhile may have been swept half-way through.
    async fn whole_release(
        &self,
        key: &ReleaseKey,
        deadline: Deadline,
    ) -> Result<Vec<Attributes>, StoreError> {
        let release_key = Some(ReleasesKey::release(key));
        loop {
            let mut pages = Pages::new(release_partition(key), Order::Ascending);
            let mut items = self.next_page(&mut pages, deadline).await?.unwrap_or_default();
            let first = items.first().cloned();
            let is_release =
                first.as_ref().and_then(releases_key) == Some(ReleasesKey::release(key));
            if pages.are_over() || !is_release {
                return Ok(items);
            }
            while let Some(page) = self.next_page(&mut pages, deadline).await? {
                items.extend(page);
            }
            let mut again = Pages::new(release_partition(key), Order::Ascending).of_one();
            let now = self.next_page(&mut again, deadline).await?.unwrap_or_default().pop();
            let uid = |item: Option<Attributes>| {
                let release = item.filter(|item| releases_key(item) == release_key);
                let release = release.map(from_item::<ReleaseItem>).transpose()?;
                Ok::<_, StoreError>(release.map(|item| Release::from(item).uid))
            };
            if uid(first)? == uid(now)? {
                return Ok(items);
            }
        }
    }

    /// The release and these of its links, as they are now.
    pub async fn reread(
        &self,
        release: &ReleaseKey,
        links: LinkSelection,
        deadline: Deadline,
    ) -> Result<Seen, StoreError> {
        let mut keys = vec![ReleasesKey::release(release)];
        let items = match links {
            LinkSelection::None => self.batch_get(&[], &keys, deadline).await?.releases,
            LinkSelection::One(id) => {
                keys.push(ReleasesKey::link(release, id));
                self.batch_get(&[], &keys, deadline).await?.releases
            }
            LinkSelection::All => self.whole_release(release, deadline).await?,
        };
        let mut seen = Seen::default();
        seen.take_release(items)?;
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

impl Seen {
    fn take_directory(&mut self, items: Vec<Attributes>) -> Result<(), StoreError> {
        for item in items {
            match DirectoryKind::of(&item) {
                Some(DirectoryKind::Token) => {
                    self.tokens.push(from_item::<TokenItem>(item)?.into());
                }
                Some(DirectoryKind::Project) => {
                    self.project = from_item::<ProjectItem>(item)?.alive();
                }
                Some(DirectoryKind::Path | DirectoryKind::User | DirectoryKind::Counter) | None => {
                    return Err(StoreError::Corrupt(format!(
                        "among tokens and projects: {item:?}"
                    )));
                }
            }
        }
        Ok(())
    }

    /// Takes the url from the claim that belongs to this life of the release.
    fn take_claims(&mut self, items: Vec<Attributes>) -> Result<(), StoreError> {
        let Some(release) = &self.release else { return Ok(()) };
        for item in items {
            let claim: ClaimItem = from_item(item)?;
            if claim.release_uid == release.uid {
                self.target = claim.url;
            }
        }
        Ok(())
    }

    fn take_list(&mut self, items: Vec<Attributes>) -> Result<(), StoreError> {
        for item in items {
            let IndexItem { tag, commit, created_at, .. } = from_item(item)?;
            self.listed.push(Listed { tag, commit, created_at });
        }
        Ok(())
    }

    /// Takes a release and those of the links that belong to this life of it: what an earlier
    /// release of the tag left behind is not there.
    pub(super) fn take_release(&mut self, items: Vec<Attributes>) -> Result<(), StoreError> {
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
            self.links = links;
        }
        Ok(())
    }
}

/// The key of an item of the releases table.
pub(super) fn releases_key(item: &Attributes) -> Option<ReleasesKey> {
    let text = |name| item.get(name)?.as_s().ok().cloned();
    Some(ReleasesKey { pk: text(PK)?, sk: text(SK)? })
}
