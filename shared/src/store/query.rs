//! Questions about a project. Each has the type of its answer: an endpoint cannot look for anything
//! that it did not ask for.

use super::error::StoreError;
use super::items::releases_key;
use super::items::{Attributes, ClaimItem, IndexItem, LinkItem, ReleaseItem, from_item};
use super::keys::{ReleasesKey, ReleasesKind, index_partition, path_partition, release_partition};
use super::pages::{Order, Pages};
use crate::domain::commit::CommitSha;
use crate::domain::link::{DirectAssetPath, Link, LinkId, LinkedFile};
use crate::domain::project::ProjectId;
use crate::domain::release::Release;
use crate::domain::release_key::ReleaseKey;
use crate::domain::tag_name::TagName;
use crate::domain::time::Timestamp;

/// How many links of a release, and how many releases of a project, are read before the caller is
/// known. Nearly every release and project has fewer and takes one round trip; ordinary links of 250
/// bytes come to 7 read units.
pub const FIRST_ROWS: i32 = 100;
/// How many claims of one path are read before the caller is known: one for each generation of the
/// tag that is not swept yet.
const FIRST_CLAIMS: i32 = 10;

/// A question about a project, which one round trip answers.
pub trait Query: Sync {
    /// The answer. Its default is the answer for a project that does not exist.
    type Found: Default + Send;

    /// The tag and the link that are asked for, for the log.
    fn subject(&self) -> (Option<&TagName>, Option<LinkId>) {
        (None, None)
    }

    /// The items to read by their keys.
    fn keys(&self, _: ProjectId) -> Vec<ReleasesKey> {
        Vec::new()
    }

    /// The partitions of which to read the first page.
    fn partitions(&self, _: ProjectId) -> [Option<Pages>; 2] {
        [None, None]
    }

    /// The answer in what was read.
    fn found(&self, read: Read) -> Result<Self::Found, StoreError>;
}

/// The items of a query: by its keys, and a page of each partition.
#[derive(Default)]
pub struct Read {
    pub(super) items: Vec<Attributes>,
    pub(super) pages: [FirstPage; 2],
}

/// The first page of a partition, and the way to the rest.
#[derive(Default)]
pub struct FirstPage {
    pub(super) items: Vec<Attributes>,
    pub(super) rest: Option<Pages>,
}

impl Query for () {
    type Found = ();

    fn found(&self, _: Read) -> Result<(), StoreError> {
        Ok(())
    }
}

/// A question that may have turned out to have no answer: a text that no tag can have, for example.
impl<Q: Query> Query for Option<Q> {
    type Found = Q::Found;

    fn subject(&self) -> (Option<&TagName>, Option<LinkId>) {
        self.as_ref().map_or((None, None), Query::subject)
    }

    fn keys(&self, project: ProjectId) -> Vec<ReleasesKey> {
        self.as_ref().map(|query| query.keys(project)).unwrap_or_default()
    }

    fn partitions(&self, project: ProjectId) -> [Option<Pages>; 2] {
        self.as_ref().map(|query| query.partitions(project)).unwrap_or_default()
    }

    fn found(&self, read: Read) -> Result<Q::Found, StoreError> {
        self.as_ref().map(|query| query.found(read)).transpose().map(Option::unwrap_or_default)
    }
}

#[derive(Clone, Debug)]
pub struct ReleaseOf(pub TagName);

impl Query for ReleaseOf {
    type Found = Option<Release>;

    fn subject(&self) -> (Option<&TagName>, Option<LinkId>) {
        (Some(&self.0), None)
    }

    fn keys(&self, project: ProjectId) -> Vec<ReleasesKey> {
        vec![ReleasesKey::release(&key(project, &self.0))]
    }

    fn found(&self, read: Read) -> Result<Self::Found, StoreError> {
        Ok(release_with_links(read.items)?.map(|(release, _)| release))
    }
}

/// A release and one of its links.
#[derive(Clone, Debug)]
pub struct ReleaseWithLink {
    pub tag: TagName,
    pub id: LinkId,
}

impl Query for ReleaseWithLink {
    type Found = Option<(Release, Option<Link>)>;

    fn subject(&self) -> (Option<&TagName>, Option<LinkId>) {
        (Some(&self.tag), Some(self.id))
    }

    fn keys(&self, project: ProjectId) -> Vec<ReleasesKey> {
        let release = key(project, &self.tag);
        vec![ReleasesKey::release(&release), ReleasesKey::link(&release, self.id)]
    }

    fn found(&self, read: Read) -> Result<Self::Found, StoreError> {
        let found = release_with_links(read.items)?;
        Ok(found.map(|(release, links)| (release, links.into_iter().next())))
    }
}

/// A release and its first links.
#[derive(Clone, Debug)]
pub struct ReleaseWithLinks(pub TagName);

impl Query for ReleaseWithLinks {
    type Found = Option<(Release, FirstLinks)>;

    fn subject(&self) -> (Option<&TagName>, Option<LinkId>) {
        (Some(&self.0), None)
    }

    fn partitions(&self, project: ProjectId) -> [Option<Pages>; 2] {
        let partition = release_partition(&key(project, &self.0));
        // The release itself comes before its links.
        [Some(Pages::new(partition, Order::Ascending).limited_to(FIRST_ROWS + 1)), None]
    }

    fn found(&self, read: Read) -> Result<Self::Found, StoreError> {
        let [FirstPage { items, rest }, _] = read.pages;
        let found = release_with_links(items)?;
        Ok(found.map(|(release, links)| (release, FirstLinks { links, rest })))
    }
}

/// A release with its first links, beside the latest release of the project.
#[derive(Clone, Debug)]
pub struct ReleaseAndLatest(pub TagName);

impl Query for ReleaseAndLatest {
    type Found = (Option<(Release, FirstLinks)>, Option<ReleaseIndexEntry>);

    fn subject(&self) -> (Option<&TagName>, Option<LinkId>) {
        (Some(&self.0), None)
    }

    fn partitions(&self, project: ProjectId) -> [Option<Pages>; 2] {
        let [release, _] = ReleaseWithLinks(self.0.clone()).partitions(project);
        let [latest, _] = LatestRelease.partitions(project);
        [release, latest]
    }

    fn found(&self, read: Read) -> Result<Self::Found, StoreError> {
        let [release, latest] = read.pages;
        let of = |page| Read { pages: [page, FirstPage::default()], ..Read::default() };
        let found = ReleaseWithLinks(self.0.clone()).found(of(release))?;
        Ok((found, LatestRelease.found(of(latest))?))
    }
}

/// The target of a path of a release. `None` is a path that no link can have.
#[derive(Clone, Debug)]
pub struct Download {
    pub tag: TagName,
    pub path: Option<DirectAssetPath>,
}

impl Query for Download {
    /// `None` if there is no release.
    type Found = Option<Target>;

    fn subject(&self) -> (Option<&TagName>, Option<LinkId>) {
        (Some(&self.tag), None)
    }

    fn keys(&self, project: ProjectId) -> Vec<ReleasesKey> {
        vec![ReleasesKey::release(&key(project, &self.tag))]
    }

    fn partitions(&self, project: ProjectId) -> [Option<Pages>; 2] {
        let claims = self.path.as_ref().map(|path| {
            let partition = path_partition(&key(project, &self.tag), path);
            Pages::new(partition, Order::Ascending).limited_to(FIRST_CLAIMS)
        });
        [claims, None]
    }

    fn found(&self, read: Read) -> Result<Self::Found, StoreError> {
        let Some((release, _)) = release_with_links(read.items)? else { return Ok(None) };
        let Some(path) = &self.path else { return Ok(Some(Target::Nowhere)) };
        let [FirstPage { items, rest }, _] = read.pages;
        for item in items {
            let claim: ClaimItem = from_item(item)?;
            if claim.release_uid == release.uid {
                return Ok(Some(claim.into_file().map_or(Target::Nowhere, Target::File)));
            }
        }
        let claim = ReleasesKey::path_claim(&release.key, path, &release.uid);
        Ok(Some(if rest.is_some() { Target::Claim(claim) } else { Target::Nowhere }))
    }
}

/// The latest release's entry in the project's list.
#[derive(Clone, Copy, Debug)]
pub struct LatestRelease;

impl Query for LatestRelease {
    type Found = Option<ReleaseIndexEntry>;

    fn partitions(&self, project: ProjectId) -> [Option<Pages>; 2] {
        [Some(Pages::new(index_partition(project), Order::Descending).limited_to(1)), None]
    }

    fn found(&self, read: Read) -> Result<Self::Found, StoreError> {
        let [FirstPage { items, .. }, _] = read.pages;
        Ok(entries(items)?.into_iter().next())
    }
}

/// The project's list of releases, the latest `released_at` first.
#[derive(Clone, Copy, Debug)]
pub struct ReleaseList;

impl Query for ReleaseList {
    type Found = FirstReleases;

    fn partitions(&self, project: ProjectId) -> [Option<Pages>; 2] {
        let pages = Pages::new(index_partition(project), Order::Descending);
        [Some(pages.limited_to(FIRST_ROWS)), None]
    }

    fn found(&self, read: Read) -> Result<Self::Found, StoreError> {
        let [FirstPage { items, rest }, _] = read.pages;
        Ok(FirstReleases { entries: entries(items)?, rest })
    }
}

/// The first links of a release, by number, and the way to the rest.
#[derive(Clone, Debug, Default)]
pub struct FirstLinks {
    pub(super) links: Vec<Link>,
    pub(super) rest: Option<Pages>,
}

impl FirstLinks {
    /// The first links alone, at most [`FIRST_ROWS`].
    #[must_use]
    pub fn into_links(self) -> Vec<Link> {
        self.links
    }
}

/// The first entries of a project's list of releases, and the way to the rest.
#[derive(Clone, Debug, Default)]
pub struct FirstReleases {
    pub(super) entries: Vec<ReleaseIndexEntry>,
    pub(super) rest: Option<Pages>,
}

impl FirstReleases {
    /// The first entries, at most [`FIRST_ROWS`].
    #[must_use]
    pub fn entries(&self) -> &[ReleaseIndexEntry] {
        &self.entries
    }
}

#[derive(Clone, Debug, Default)]
pub enum Target {
    /// No file.
    #[default]
    Nowhere,
    File(LinkedFile),
    /// The file in the claim of this key, if it exists. It was not among the first claims.
    Claim(ReleasesKey),
}

/// A release in the list of its project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleaseIndexEntry {
    pub tag: TagName,
    /// The commit that the tag was said to be at.
    pub commit: Option<CommitSha>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was or will be released.
    pub released_at: Timestamp,
}

fn key(project: ProjectId, tag: &TagName) -> ReleaseKey {
    ReleaseKey { project, tag: tag.clone() }
}

pub(super) fn entries(items: Vec<Attributes>) -> Result<Vec<ReleaseIndexEntry>, StoreError> {
    let entry = |item| {
        let released_at = releases_key(&item).and_then(|key| key.released_at());
        let IndexItem { tag, commit, created_at, .. } = from_item(item)?;
        let released_at = released_at.unwrap_or(created_at);
        Ok(ReleaseIndexEntry { tag, commit, created_at, released_at })
    };
    items.into_iter().map(entry).collect()
}

/// A release and its links. Links of earlier generations are left out.
fn release_with_links(items: Vec<Attributes>) -> Result<Option<(Release, Vec<Link>)>, StoreError> {
    let mut found: Option<Release> = None;
    let mut links: Vec<Link> = Vec::new();
    for item in items {
        match releases_key(&item).and_then(|key| key.kind()) {
            Some(ReleasesKind::Release) => found = Some(from_item::<ReleaseItem>(item)?.into()),
            Some(ReleasesKind::Link) => links.push(from_item::<LinkItem>(item)?.into()),
            Some(ReleasesKind::Claim | ReleasesKind::Index | ReleasesKind::Counter) | None => {
                return Err(StoreError::Corrupt(format!("in a release: {item:?}").into()));
            }
        }
    }
    Ok(found.map(|release| {
        links.retain(|link| link.release == release.uid);
        (release, links)
    }))
}
