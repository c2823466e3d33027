//! Removing what deleted releases left behind: items whose release uid no release has.
//!
//! These items are invisible and block nothing. Only their storage costs.

use std::collections::HashMap;
use std::time::Duration;

use serde::Serialize;

use super::Store;
use super::deadline::Deadline;
use super::error::StoreError;
use super::items::releases_key;
use super::items::{Attributes, ClaimItem, LinkItem, ReleaseItem, claims, from_item};
use super::keys::{ReleasesKey, ReleasesKind, release_partition};
use super::pages::{Order, Pages};
use super::scan::Table;
use crate::domain::link::Link;
use crate::domain::release::Release;
use crate::domain::release_key::{ReleaseKey, ReleaseUid};
use crate::domain::time::Timestamp;

/// Items younger than this are left alone: a release that is being made writes its links before
/// it can be seen. Longer than any invocation of a function may last.
pub const GRACE: Duration = Duration::from_mins(20);

/// How many releases a sweep remembers from one page to the next: its memory is bounded.
const REMEMBERED: usize = 10_000;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Swept {
    /// How many items were looked at.
    pub items: u64,
    /// How many links were removed.
    pub links: u64,
    /// How many claims were removed.
    pub claims: u64,
}

impl Store {
    /// Removes every link and claim last written before `before` whose release is not there any more.
    /// `step` bounds each of its requests, not the whole.
    pub async fn sweep(&self, before: Timestamp, step: Duration) -> Result<Swept, StoreError> {
        let mut swept = Swept::default();
        // A uid that was once not live never becomes it, apart from releases that are being made,
        // which the grace spares: what was read once need not be read again.
        let mut live: HashMap<ReleaseKey, Option<ReleaseUid>> = HashMap::new();
        let mut scan = self.scan(Table::Releases);
        while let Some(items) = scan.next(Deadline::after(step)).await? {
            if live.len() > REMEMBERED {
                live.clear();
            }
            let mut doomed = Vec::new();
            for item in items {
                swept.items += 1;
                let Some(dependent) = Dependent::read(item)? else { continue };
                if dependent.written_at >= before {
                    continue;
                }
                let uid = if let Some(uid) = live.get(&dependent.release) {
                    uid.clone()
                } else {
                    let deadline = Deadline::after(step);
                    let release = self.get_release(&dependent.release, deadline).await?;
                    let uid = release.map(|release| release.uid);
                    live.insert(dependent.release.clone(), uid.clone());
                    uid
                };
                if uid.as_ref() != Some(&dependent.uid) {
                    match dependent.kind {
                        DependentKind::Link => swept.links += 1,
                        DependentKind::Claim => swept.claims += 1,
                    }
                    doomed.push(dependent.key);
                }
            }
            self.batch_delete(doomed, Deadline::after(step)).await?;
        }
        Ok(swept)
    }
}

/// The release that an item was, by the image that a stream of the table carries of it.
pub fn removed(image: serde_dynamo::Item) -> Result<Release, StoreError> {
    let item: ReleaseItem = serde_dynamo::from_item(image)?;
    Ok(Release::from(item))
}

impl Store {
    /// Removes the leftovers of a deleted generation of a release. Does nothing for a live one. Can be
    /// repeated if it is interrupted.
    pub async fn sweep_release(
        &self,
        key: &ReleaseKey,
        uid: &ReleaseUid,
        deadline: Deadline,
    ) -> Result<Swept, StoreError> {
        let mut swept = Swept::default();
        let mut pages = Pages::new(release_partition(key), Order::Ascending);
        // Page by page: a release may have more links than fit in memory, and what has been removed
        // need not be read by the next try.
        while let Some(items) = self.next_page(&mut pages, deadline).await? {
            swept.items += items.len() as u64;
            let (mut doomed_claims, mut doomed_links) = (Vec::new(), Vec::new());
            for item in items {
                match releases_key(&item).and_then(|key| key.kind()) {
                    // It comes first, before anything has been removed.
                    Some(ReleasesKind::Release) => {
                        if Release::from(from_item::<ReleaseItem>(item)?).uid == *uid {
                            return Ok(swept);
                        }
                    }
                    Some(ReleasesKind::Link) => {
                        let link = Link::from(from_item::<LinkItem>(item)?);
                        if link.release == *uid {
                            let claims = claims(key, &link);
                            doomed_claims.extend(claims.iter().map(|claim| claim.key.attributes()));
                            doomed_links.push(ReleasesKey::link(key, link.id).attributes());
                        }
                    }
                    Some(ReleasesKind::Claim | ReleasesKind::Index | ReleasesKind::Counter)
                    | None => {}
                }
            }
            swept.claims += doomed_claims.len() as u64;
            swept.links += doomed_links.len() as u64;
            // The claims of a link are found by the link, which therefore goes last.
            self.batch_delete(doomed_claims, deadline).await?;
            self.batch_delete(doomed_links, deadline).await?;
        }
        Ok(swept)
    }
}

/// An item that is there for the sake of one life of a release.
struct Dependent {
    kind: DependentKind,
    key: super::keys::KeyAttributes,
    release: ReleaseKey,
    uid: ReleaseUid,
    /// When it was last written.
    written_at: Timestamp,
}

enum DependentKind {
    Link,
    Claim,
}

impl Dependent {
    fn read(item: Attributes) -> Result<Option<Self>, StoreError> {
        let Some(key) = releases_key(&item) else { return Ok(None) };
        Ok(match key.kind() {
            Some(ReleasesKind::Link) => {
                let item: LinkItem = from_item(item)?;
                let release = ReleaseKey { project: item.project, tag: item.tag.clone() };
                let link = Link::from(item);
                Some(Self {
                    kind: DependentKind::Link,
                    key: key.attributes(),
                    release,
                    uid: link.release,
                    written_at: link.updated_at,
                })
            }
            Some(ReleasesKind::Claim) => {
                let item: ClaimItem = from_item(item)?;
                Some(Self {
                    kind: DependentKind::Claim,
                    key: key.attributes(),
                    release: ReleaseKey { project: item.project, tag: item.tag },
                    uid: item.release_uid,
                    written_at: item.created_at,
                })
            }
            Some(ReleasesKind::Release | ReleasesKind::Index | ReleasesKind::Counter) | None => {
                None
            }
        })
    }
}
