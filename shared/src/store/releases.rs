//! Making, listing, changing and deleting releases.
//!
//! A release appears as a whole: its links and claims are written under a new uid, which is invisible
//! until one transaction puts the release. Deleting it is one transaction too. Its leftovers carry a
//! uid that no release has, and a sweep removes them.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, DeleteRequest, PutRequest, WriteRequest};
use futures_util::{StreamExt, TryStreamExt, stream};

use super::Store;
use super::deadline::{Backoff, Deadline};
use super::error::{StoreError, with_causes};
use super::items::{Attributes, IndexItem, ReleaseItem, claims, from_item, to_item};
use super::keys::{KeyAttributes, ReleasesKey, index_partition};
use super::links::link_item;
use super::pages::{Order, Pages};
use super::query::ReleaseOf;
use super::request::{Sent, run_or_refuse};
use super::transaction::{Condition, TransactionResult};
use crate::domain::commit::CommitSha;
use crate::domain::link::{Link, LinkId};
use crate::domain::project::ProjectId;
use crate::domain::publisher::Stamp;
use crate::domain::release::{Author, Description, NewLinks, Release, ReleaseChanges, ReleaseName};
use crate::domain::release_key::{ReleaseKey, ReleaseUid};
use crate::domain::time::Timestamp;

/// The fields of a new release.
#[derive(Clone, Debug)]
pub struct NewRelease {
    pub key: ReleaseKey,
    pub name: Option<ReleaseName>,
    pub description: Option<Description>,
    pub author: Author,
    /// The commit its tag is said to be at.
    pub commit: Option<CommitSha>,
    /// When it is, or will be, released.
    pub released_at: Timestamp,
    pub links: NewLinks,
}

/// The result of creating a release.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "one is made in a request, and taken apart at once")]
pub enum ReleaseCreated {
    /// It was made.
    Release(Release, Vec<Link>),
    Exists,
}

/// `DynamoDB` writes this many items in one batch.
const BATCH: usize = 25;
/// `DynamoDB` reads this many items in one batch.
pub(super) const READ_BATCH: usize = 100;
/// Requests that are on their way at once where one thing takes many: enough to hide most of their
/// latency, few enough not to be a throttle's reason.
pub(super) const AT_ONCE: usize = 8;

impl Store {
    /// Creates a release with its links. A failure before the last step leaves up to four invisible
    /// items for each link, for a sweep. After a failure of the last step, the release may exist.
    pub async fn create_release(
        &self,
        new: NewRelease,
        stamp: impl Into<Stamp>,
        deadline: Deadline,
    ) -> Result<ReleaseCreated, StoreError> {
        let Stamp { at, published_by } = stamp.into();
        let release = Release {
            key: new.key,
            uid: ReleaseUid::generate(),
            name: new.name,
            description: new.description,
            author: new.author,
            commit: new.commit,
            created_at: at,
            released_at: new.released_at,
            updated_at: at,
            published_by,
        };
        let ids = self.take_link_ids(new.links.len() as u64, deadline).await?;
        let links: Vec<Link> = ids
            .zip(new.links.into_fields())
            .map(|(id, fields)| Link {
                id: LinkId(id),
                release: release.uid.clone(),
                fields,
                created_at: at,
                updated_at: at,
                published_by: release.published_by.clone(),
            })
            .collect();
        let mut items = Vec::new();
        let mut keys = Vec::new();
        for link in &links {
            items.push(link_item(&release.key, link)?);
            keys.push(ReleasesKey::link(&release.key, link.id).attributes());
            for claim in claims(&release.key, link) {
                items.push(to_item(claim.key.attributes(), &claim.item)?);
                keys.push(claim.key.attributes());
            }
        }
        self.batch_put(items, deadline).await?;

        let writes = vec![
            self.put(release_item(&release)?, Some(Condition::absent())),
            self.put(index_item(&release)?, None),
        ];
        match self.transact(writes, deadline).await? {
            TransactionResult::Committed => Ok(ReleaseCreated::Release(release, links)),
            TransactionResult::ConditionsFailed(_) => {
                let there = self.get_release(&release.key, deadline).await?;
                if there.is_some_and(|there| there.uid == release.uid) {
                    // An earlier try was carried out and its answer lost.
                    return Ok(ReleaseCreated::Release(release, links));
                }
                // No release will ever have this uid. A sweep removes what this leaves behind.
                if let Err(error) = self.batch_delete(keys, deadline).await {
                    tracing::warn!(
                        cause = with_causes(&error),
                        "a release that exists left links behind"
                    );
                }
                Ok(ReleaseCreated::Exists)
            }
        }
    }

    pub async fn get_release(
        &self,
        key: &ReleaseKey,
        deadline: Deadline,
    ) -> Result<Option<Release>, StoreError> {
        self.ask(key.project, &ReleaseOf(key.tag.clone()), deadline).await
    }

    /// The releases of a project, the latest `released_at` first.
    pub async fn list_releases(
        &self,
        project: ProjectId,
        deadline: Deadline,
    ) -> Result<Vec<Release>, StoreError> {
        let mut pages = Pages::new(index_partition(project), Order::Descending);
        let mut releases = Vec::new();
        while let Some(page) = self.next_page(&mut pages, deadline).await? {
            let key = |item| {
                let IndexItem { project, tag, .. } = from_item(item)?;
                Ok(ReleaseKey { project, tag })
            };
            let keys = page.into_iter().map(key).collect::<Result<Vec<_>, StoreError>>()?;
            releases.extend(self.get_releases(&keys, deadline).await?);
        }
        Ok(releases)
    }

    /// The releases of these keys without their links, in the order of the keys. Deleted ones are
    /// left out. One round trip per hundred.
    pub async fn get_releases(
        &self,
        keys: &[ReleaseKey],
        deadline: Deadline,
    ) -> Result<Vec<Release>, StoreError> {
        let mut found = HashMap::new();
        for chunk in keys.chunks(READ_BATCH) {
            let item_keys: Vec<_> = chunk.iter().map(ReleasesKey::release).collect();
            for item in self.batch_get(&[], &item_keys, deadline).await?.releases {
                let release = Release::from(from_item::<ReleaseItem>(item)?);
                found.insert(release.key.clone(), release);
            }
        }
        Ok(keys.iter().filter_map(|key| found.remove(key)).collect())
    }

    /// Changes a release, provided that it still is as it was read; none where it is not: read it
    /// again. One whose `released_at` changes moves in its project's list at the same moment.
    pub async fn update_release(
        &self,
        current: &Release,
        changes: &ReleaseChanges,
        now: Timestamp,
        deadline: Deadline,
    ) -> Result<Option<Release>, StoreError> {
        let release = changes.apply(current, now);
        let mut writes = vec![self.put(release_item(&release)?, Some(as_read(current)))];
        if release.released_at != current.released_at {
            writes.push(self.put(index_item(&release)?, None));
            writes.push(self.delete(&index_key(current), None));
        }
        let decision = self.transact(writes, deadline).await?;
        Ok(matches!(decision, TransactionResult::Committed).then_some(release))
    }

    /// Deletes a release, provided that it still is as it was read; false where it is not.
    pub async fn delete_release(
        &self,
        release: &Release,
        deadline: Deadline,
    ) -> Result<bool, StoreError> {
        let writes = vec![
            self.delete(&ReleasesKey::release(&release.key), Some(as_read(release))),
            self.delete(&index_key(release), None),
        ];
        Ok(matches!(self.transact(writes, deadline).await?, TransactionResult::Committed))
    }

    async fn batch_put(
        &self,
        items: Vec<Attributes>,
        deadline: Deadline,
    ) -> Result<(), StoreError> {
        let mut requests = Vec::with_capacity(items.len());
        for item in items {
            let put = PutRequest::builder().set_item(Some(item)).build()?;
            requests.push(WriteRequest::builder().put_request(put).build());
        }
        self.batch_write(requests, deadline).await
    }

    pub(super) async fn batch_delete(
        &self,
        keys: Vec<KeyAttributes>,
        deadline: Deadline,
    ) -> Result<(), StoreError> {
        let mut requests = Vec::with_capacity(keys.len());
        for key in keys {
            let delete = DeleteRequest::builder().set_key(Some(key)).build()?;
            requests.push(WriteRequest::builder().delete_request(delete).build());
        }
        self.batch_write(requests, deadline).await
    }

    /// Writes items of any number, of which no two have one key. A failure leaves some written.
    async fn batch_write(
        &self,
        requests: Vec<WriteRequest>,
        deadline: Deadline,
    ) -> Result<(), StoreError> {
        let mut batches: Vec<Sent<'_, ()>> = Vec::new();
        for batch in requests.chunks(BATCH) {
            batches.push(Box::pin(self.write_batch(batch, deadline)));
        }
        stream::iter(batches).buffer_unordered(AT_ONCE).try_collect().await
    }

    async fn write_batch(
        &self,
        batch: &[WriteRequest],
        deadline: Deadline,
    ) -> Result<(), StoreError> {
        let mut open = HashMap::from([(self.tables.releases.clone(), batch.to_vec())]);
        let mut backoff = Backoff::new(deadline);
        while !open.is_empty() {
            let request = self.client.batch_write_item().set_request_items(Some(open));
            let output = run_or_refuse(deadline, request.send()).await?;
            open = output.unprocessed_items.unwrap_or_default();
            if !open.is_empty() {
                backoff.wait("items are left unprocessed").await?;
            }
        }
        Ok(())
    }
}

fn release_item(release: &Release) -> Result<Attributes, StoreError> {
    to_item(ReleasesKey::release(&release.key).attributes(), &ReleaseItem::from(release))
}

fn index_item(release: &Release) -> Result<Attributes, StoreError> {
    let item = IndexItem {
        project: release.key.project,
        tag: release.key.tag.clone(),
        uid: release.uid.clone(),
        commit: release.commit.clone(),
        created_at: release.created_at,
    };
    to_item(index_key(release).attributes(), &item)
}

fn index_key(release: &Release) -> ReleasesKey {
    ReleasesKey::index(release.key.project, release.released_at, &release.key.tag)
}

/// The condition that the release is unchanged since it was read. Its entry in the list then still has
/// the key with the `released_at` as read.
fn as_read(release: &Release) -> Condition {
    let updated_at = AttributeValue::N(release.updated_at.unix_millis().to_string());
    let uid = AttributeValue::S(release.uid.as_str().to_owned());
    Condition::new(
        "uid = :uid AND updated_at = :updated_at",
        [],
        [(":uid", uid), (":updated_at", updated_at)],
    )
}
