//! Reading the links of a release without holding more of them than an answer has room for.
//!
//! Links are kept while they fit. Once they do not, only the number and the time of each is kept, 16
//! bytes, and the rest of the partition is read without its long attributes: it still has to be
//! counted and put into order. The links that are wanted are fetched afterwards by their keys.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::{StreamExt, TryStreamExt, stream};
use serde::Deserialize;

use super::Store;
use super::deadline::Deadline;
use super::error::{StoreError, with_causes};
use super::items::releases_key;
use super::items::{Attributes, LinkItem, ReleaseItem, from_item};
use super::keys::{ReleasesKey, ReleasesKind, release_partition};
use super::pages::{Order, Pages};
use super::query::FirstLinks;
use super::releases::{AT_ONCE, READ_BATCH};
use super::request::Sent;
use crate::domain::link::{Contents, Link, LinkFields, LinkId, sort_newest_first};
use crate::domain::project::ProjectId;
use crate::domain::release::Release;
use crate::domain::release_key::{ReleaseKey, ReleaseUid};
use crate::domain::tag_name::TagName;
use crate::domain::time::Timestamp;

/// How many bytes of an answer a release and its links take.
pub trait Weigh: Sync {
    /// All of the release but its links.
    fn release(&self, release: &Release) -> usize;
    /// One of its links.
    fn link(&self, release: &Release, link: &Link) -> usize;
    /// The room for a release's links, if its share of the answer is `share` bytes.
    fn room_for_links(&self, release: &Release, share: usize) -> usize;
}

/// By the texts of links alone, where they are only to be held: a page of a list fits anyway.
struct Held;

impl Weigh for Held {
    fn release(&self, _: &Release) -> usize {
        0
    }

    fn link(&self, _: &Release, link: &Link) -> usize {
        let LinkFields { name, url, path, link_type: _, contents } = &link.fields;
        let Contents { digest, size: _ } = contents;
        name.as_str().len()
            + url.as_str().len()
            + path.as_ref().map_or(0, |path| path.as_str().len())
            + digest.as_ref().map_or(0, |digest| digest.as_str().len())
            + link.published_by.as_deref().map_or(0, |job| job.texts().map(str::len).sum())
    }

    fn room_for_links(&self, _: &Release, share: usize) -> usize {
        share
    }
}

/// How many bytes of links are held while a page of them is looked for.
const MAX_HELD_BYTES: usize = 1024 * 1024;

/// The room for releases in one answer. All are whole if they fit together; otherwise each gets an
/// equal share.
pub struct Room<'a> {
    weigh: &'a dyn Weigh,
    most: usize,
    share: usize,
    taken: AtomicUsize,
}

impl Room<'static> {
    /// Room for the links among which a page is looked for.
    #[must_use]
    pub fn for_rows() -> Self {
        Self::new(&Held, MAX_HELD_BYTES, 1)
    }
}

impl<'a> Room<'a> {
    /// Room of `most` bytes for this many releases.
    #[must_use]
    pub fn new(weigh: &'a dyn Weigh, most: usize, releases: usize) -> Self {
        Self { weigh, most, share: most / releases.max(1), taken: AtomicUsize::new(0) }
    }

    fn take(&self, bytes: usize) {
        self.taken.fetch_add(bytes, Ordering::Relaxed);
    }

    fn give_back(&self, bytes: usize) {
        self.taken.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// The room for the links of a release, as far as it is known by now.
    fn for_links(&self, release: &Release) -> usize {
        if self.taken.load(Ordering::Relaxed) > self.most {
            self.weigh.room_for_links(release, self.share)
        } else {
            self.most
        }
    }
}

/// Which of a release's links are wanted.
#[derive(Clone, Copy)]
pub enum Choice<'a> {
    Newest,
    /// Those of these rows of the list, newest first, out of this many in all. At most a hundred.
    Rows(&'a (dyn Fn(usize) -> Range<usize> + Sync)),
}

/// Some links of a release.
#[derive(Clone, Debug, Default)]
pub struct SomeLinks {
    /// The chosen ones, newest first.
    pub links: Vec<Link>,
    /// How many the release has in all.
    pub count: usize,
}

impl SomeLinks {
    /// All links of a release, in any order.
    #[must_use]
    pub fn all(mut links: Vec<Link>) -> Self {
        sort_newest_first(&mut links);
        Self { count: links.len(), links }
    }
}

/// A release and some of its links.
pub type WithLinks = (Release, SomeLinks);

/// The attributes by which links are counted and put into order.
const ORDER: &[&str] = &["pk", "sk", "release_uid", "id", "created_at"];

#[derive(Deserialize)]
struct Place {
    release_uid: ReleaseUid,
    id: LinkId,
    created_at: Timestamp,
}

/// The attributes that say when a release or one of its links was changed.
const CHANGES: &[&str] = &["pk", "sk", "uid", "release_uid", "updated_at"];

#[derive(Deserialize)]
struct ReleaseChange {
    uid: ReleaseUid,
    updated_at: Timestamp,
}

#[derive(Deserialize)]
struct LinkChange {
    release_uid: ReleaseUid,
    updated_at: Timestamp,
}

/// The links of one generation of a release, as far as they were read.
struct Gathering<'a> {
    release: &'a Release,
    room: &'a Room<'a>,
    places: Vec<(Timestamp, LinkId)>,
    /// All links so far; none once they do not fit any more.
    whole: Option<Vec<Link>>,
    /// The weight of the links that were read whole.
    bytes: usize,
}

impl<'a> Gathering<'a> {
    fn new(release: &'a Release, room: &'a Room<'a>) -> Self {
        room.take(room.weigh.release(release));
        Self { release, room, places: Vec::new(), whole: Some(Vec::new()), bytes: 0 }
    }

    fn take_link(&mut self, link: Link) {
        self.places.push((link.created_at, link.id));
        let Some(whole) = &mut self.whole else { return };
        let bytes = self.room.weigh.link(self.release, &link);
        self.room.take(bytes);
        self.bytes += bytes;
        whole.push(link);
        if self.bytes > self.room.for_links(self.release) {
            self.whole = None;
        }
    }

    /// Takes the links among these items that belong to this generation of the release.
    fn take(&mut self, items: Vec<Attributes>) -> Result<(), StoreError> {
        for item in items {
            if !is_link(&item)? {
                continue;
            }
            if self.whole.is_some() {
                let link = Link::from(from_item::<LinkItem>(item)?);
                if link.release == self.release.uid {
                    self.take_link(link);
                }
            } else {
                let place: Place = from_item(item)?;
                if place.release_uid == self.release.uid {
                    self.places.push((place.created_at, place.id));
                }
            }
        }
        Ok(())
    }

    /// The next pages, without what will not be kept.
    fn narrow(&self, pages: Pages) -> Pages {
        if self.whole.is_some() { pages } else { pages.only(ORDER) }
    }

    /// How many links are likely to take this many bytes, by those that were read whole.
    fn likely(&self, bytes: usize) -> usize {
        let of_one = self.bytes / self.places.len().max(1);
        (bytes / of_one.max(1)).clamp(1, READ_BATCH)
    }
}

/// Whether an item of a release's partition is a link; otherwise it is the release.
fn is_link(item: &Attributes) -> Result<bool, StoreError> {
    match releases_key(item).and_then(|key| key.kind()) {
        Some(ReleasesKind::Link) => Ok(true),
        Some(ReleasesKind::Release) => Ok(false),
        Some(ReleasesKind::Claim | ReleasesKind::Index | ReleasesKind::Counter) | None => {
            Err(StoreError::Corrupt(format!("in a release: {item:?}").into()))
        }
    }
}

impl Store {
    /// The chosen links of a release that was read with its first ones. If it has no others, this
    /// takes no further request. `None` if the release has been deleted since.
    pub async fn links_of(
        &self,
        release: Release,
        first: FirstLinks,
        choice: Choice<'_>,
        room: &Room<'_>,
        deadline: Deadline,
    ) -> Result<Option<WithLinks>, StoreError> {
        if first.rest.is_some() {
            // From the beginning again: it may be another generation by now, and finding that out
            // would take as long.
            return self.release_with_links(&release.key, choice, room, deadline).await;
        }
        let mut gathering = Gathering::new(&release, room);
        for link in first.links {
            gathering.take_link(link);
        }
        let mut some = SomeLinks::default();
        self.choose(&mut some, gathering, choice, deadline).await?;
        Ok(Some((release, some)))
    }

    /// A release and the chosen ones of its links, from one moment of its life. One round trip per
    /// megabyte, one more where that is more than one, and more where links do not fit.
    ///
    /// The release is read first: each link it was made with was written before it. Where there are
    /// too many links for one page, it is looked at again after the last: a release deleted in the
    /// meantime may be half swept.
    pub async fn release_with_links(
        &self,
        key: &ReleaseKey,
        choice: Choice<'_>,
        room: &Room<'_>,
        deadline: Deadline,
    ) -> Result<Option<WithLinks>, StoreError> {
        loop {
            let mut pages = Pages::new(release_partition(key), Order::Ascending);
            let mut items = self.next_page(&mut pages, deadline).await?.unwrap_or_default();
            let release = match items.first() {
                Some(first) if !is_link(first)? => items.remove(0),
                Some(_) | None => return Ok(None),
            };
            let release = Release::from(from_item::<ReleaseItem>(release)?);
            let mut gathering = Gathering::new(&release, room);
            gathering.take(items)?;
            let is_one_page = pages.is_exhausted();
            loop {
                pages = gathering.narrow(pages);
                let Some(page) = self.next_page(&mut pages, deadline).await? else { break };
                gathering.take(page)?;
            }
            let is_one_look = is_one_page && gathering.whole.is_some();
            let weight = gathering.bytes + room.weigh.release(&release);
            let mut some = SomeLinks::default();
            self.choose(&mut some, gathering, choice, deadline).await?;
            if is_one_look {
                return Ok(Some((release, some)));
            }
            let now = self.get_release(key, deadline).await?;
            if now.is_some_and(|now| now.uid == release.uid) {
                return Ok(Some((release, some)));
            }
            room.give_back(weight);
        }
    }

    /// The release and all its links, however much memory they take: for commands.
    pub async fn release_with_all_links(
        &self,
        key: &ReleaseKey,
        deadline: Deadline,
    ) -> Result<Option<(Release, Vec<Link>)>, StoreError> {
        let room = Room::new(&Held, usize::MAX, 1);
        let found = self.release_with_links(key, Choice::Newest, &room, deadline).await?;
        Ok(found.map(|(release, links)| (release, links.links)))
    }

    /// The newest links that fit, of a release that has just been changed or deleted: as many as can
    /// be read in time, and the count by then. Never fails: the write is done and has to be answered.
    pub async fn links_in_time(
        &self,
        release: &Release,
        first: FirstLinks,
        room: &Room<'_>,
        deadline: Deadline,
    ) -> SomeLinks {
        let mut gathering = Gathering::new(release, room);
        for link in first.links {
            gathering.take_link(link);
        }
        let mut some = SomeLinks::default();
        let read = async {
            if let Some(rest) = first.rest {
                let mut pages = rest.unlimited();
                // The other half is for fetching what does not fit beside the rest.
                let until = deadline.halfway();
                loop {
                    pages = gathering.narrow(pages);
                    match self.next_page(&mut pages, until).await {
                        Ok(Some(page)) => gathering.take(page)?,
                        Ok(None) => break,
                        Err(error) => {
                            tracing::warn!(
                                cause = with_causes(&error),
                                "a release's links were not all counted"
                            );
                            break;
                        }
                    }
                }
            }
            self.choose(&mut some, gathering, Choice::Newest, deadline).await
        };
        if let Err(error) = read.await {
            tracing::warn!(cause = with_causes(&error), "a release's links were not all read");
        }
        some
    }

    /// Puts the chosen links into `some`, and fetches those that are not at hand. After an error the
    /// newest that were fetched by then are in it.
    async fn choose(
        &self,
        some: &mut SomeLinks,
        mut gathering: Gathering<'_>,
        choice: Choice<'_>,
        deadline: Deadline,
    ) -> Result<(), StoreError> {
        some.count = gathering.places.len();
        let rows = match choice {
            Choice::Newest => 0..some.count,
            Choice::Rows(rows) => rows(some.count),
        };
        if let Some(mut links) = gathering.whole.take() {
            sort_newest_first(&mut links);
            links.truncate(rows.end);
            some.links = links.split_off(rows.start.min(links.len()));
            return Ok(());
        }
        gathering.places.sort_unstable_by(|a, b| b.cmp(a));
        let mut left = match choice {
            Choice::Newest => gathering.room.for_links(gathering.release),
            Choice::Rows(_) => usize::MAX,
        };
        let mut places = &gathering.places[rows];
        while !places.is_empty() {
            let (batch, rest) = places.split_at(gathering.likely(left).min(places.len()));
            places = rest;
            for link in self.fetch(gathering.release, batch, deadline).await? {
                let bytes = gathering.room.weigh.link(gathering.release, &link);
                match left.checked_sub(bytes) {
                    Some(rest) => left = rest,
                    None => return Ok(()),
                }
                some.links.push(link);
            }
        }
        Ok(())
    }

    /// The links in these places, newest first. One that was deleted since is not among them.
    async fn fetch(
        &self,
        release: &Release,
        places: &[(Timestamp, LinkId)],
        deadline: Deadline,
    ) -> Result<Vec<Link>, StoreError> {
        let keys: Vec<_> =
            places.iter().map(|(_, id)| ReleasesKey::link(&release.key, *id)).collect();
        let mut links = Vec::with_capacity(keys.len());
        for item in self.batch_get(&[], &keys, deadline).await?.releases {
            let link = Link::from(from_item::<LinkItem>(item)?);
            if link.release == release.uid {
                links.push(link);
            }
        }
        sort_newest_first(&mut links);
        Ok(links)
    }

    /// The releases of these tags with their newest links, in the order of the tags, several read at
    /// once. One that is not there any more is not among them.
    pub async fn releases_with_links(
        &self,
        project: ProjectId,
        tags: &[TagName],
        room: &Room<'_>,
        deadline: Deadline,
    ) -> Result<Vec<WithLinks>, StoreError> {
        let mut reads: Vec<Sent<'_, Option<WithLinks>>> = Vec::new();
        for tag in tags {
            reads.push(Box::pin(async move {
                let key = ReleaseKey { project, tag: tag.clone() };
                self.release_with_links(&key, Choice::Newest, room, deadline).await
            }));
        }
        stream::iter(reads)
            .buffered(AT_ONCE)
            .try_filter_map(|found| std::future::ready(Ok(found)))
            .try_collect()
            .await
    }

    /// When each of these releases or one of its links was last changed, in the order of the tags.
    /// `None` for a release that is not there any more.
    pub async fn last_activity_at(
        &self,
        project: ProjectId,
        tags: &[TagName],
        deadline: Deadline,
    ) -> Result<Vec<Option<Timestamp>>, StoreError> {
        let mut reads: Vec<Sent<'_, Option<Timestamp>>> = Vec::with_capacity(tags.len());
        for tag in tags {
            reads.push(Box::pin(async move {
                let key = ReleaseKey { project, tag: tag.clone() };
                self.release_touched_at(&key, deadline).await
            }));
        }
        stream::iter(reads).buffered(AT_ONCE).try_collect().await
    }

    async fn release_touched_at(
        &self,
        key: &ReleaseKey,
        deadline: Deadline,
    ) -> Result<Option<Timestamp>, StoreError> {
        loop {
            let mut pages = Pages::new(release_partition(key), Order::Ascending).only(CHANGES);
            let mut items = self.next_page(&mut pages, deadline).await?.unwrap_or_default();
            let release = match items.first() {
                Some(first) if !is_link(first)? => items.remove(0),
                Some(_) | None => return Ok(None),
            };
            let ReleaseChange { uid, updated_at: mut touched } = from_item(release)?;
            let is_one_page = pages.is_exhausted();
            loop {
                for item in items {
                    let link: LinkChange = from_item(item)?;
                    if link.release_uid == uid {
                        touched = touched.max(link.updated_at);
                    }
                }
                let Some(page) = self.next_page(&mut pages, deadline).await? else { break };
                items = page;
            }
            if is_one_page || self.get_release(key, deadline).await?.is_some_and(|r| r.uid == uid) {
                return Ok(Some(touched));
            }
        }
    }
}
