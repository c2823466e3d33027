//! Making, listing and deleting releases.
//!
//! A release appears whole: its links and claims are written under a uid nobody can see yet, then
//! one transaction puts the release. Deleting it is one transaction too; what it leaves behind
//! carries a uid that no release has any more, and is swept.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, DeleteRequest, PutRequest, WriteRequest};

use super::deadline::{Backoff, Deadline};
use super::items::{Attributes, IndexItem, ReleaseItem, claims, from_item, to_item};
use super::keys::{KeyAttributes, ReleasesKey, index_partition};
use super::links::link_item;
use super::request::run_or_refuse;
use super::transaction::{Condition, Decision, Write};
use super::{Store, StoreError};
use crate::domain::link::{Link, LinkFields, LinkId};
use crate::domain::project::ProjectId;
use crate::domain::release::{Release, ReleaseKey, ReleaseUid};
use crate::domain::time::Timestamp;

/// What a release is made of.
#[derive(Clone, Debug)]
pub struct NewRelease {
    /// Its project and tag.
    pub key: ReleaseKey,
    /// Its title.
    pub name: Option<String>,
    /// Its notes.
    pub description: Option<String>,
    /// The user who makes it.
    pub author: String,
    /// When it is, or will be, released.
    pub released_at: Timestamp,
}

/// What came of making a release.
#[derive(Debug)]
pub enum ReleaseCreated {
    /// It was made.
    Release(Release, Vec<Link>),
    /// The tag has a release.
    Exists,
}

/// `DynamoDB` writes this many items in one batch.
const BATCH: usize = 25;
/// `DynamoDB` reads this many items in one batch.
const READ_BATCH: usize = 100;

impl Store {
    /// Makes a release with these links, whose names, urls and paths must differ from each other.
    pub async fn create_release(
        &self,
        new: NewRelease,
        links: Vec<LinkFields>,
        now: Timestamp,
        deadline: Deadline,
    ) -> Result<ReleaseCreated, StoreError> {
        let release = Release {
            key: new.key,
            uid: ReleaseUid::draw(),
            name: new.name,
            description: new.description,
            author: new.author,
            created_at: now,
            released_at: new.released_at,
        };
        let ids = self.take_link_ids(links.len() as u64, deadline).await?;
        let links: Vec<Link> = ids
            .zip(links)
            .map(|(id, fields)| Link {
                id: LinkId(id),
                release: release.uid.clone(),
                fields,
                created_at: now,
                updated_at: now,
            })
            .collect();
        let mut items = Vec::new();
        for link in &links {
            items.push(link_item(&release.key, link)?);
            for claim in claims(&release.key, link) {
                items.push(to_item(claim.key.attributes(), &claim.item)?);
            }
        }
        self.batch_put(items, deadline).await?;

        let index = index_key(&release);
        let index_item = IndexItem {
            project: release.key.project,
            tag: release.key.tag.clone(),
            uid: release.uid.clone(),
        };
        let put =
            |item, condition| Write::Put { table: self.tables.releases.clone(), item, condition };
        let release_key = ReleasesKey::release(&release.key).attributes();
        let writes = vec![
            put(to_item(release_key, &ReleaseItem::from(&release))?, Some(Condition::absent())),
            put(to_item(index.attributes(), &index_item)?, None),
        ];
        match self.transact(writes, deadline).await? {
            Decision::Committed => Ok(ReleaseCreated::Release(release, links)),
            Decision::ConditionsFailed(_) => Ok(ReleaseCreated::Exists),
        }
    }

    /// The release of a tag.
    pub async fn get_release(
        &self,
        key: &ReleaseKey,
        deadline: Deadline,
    ) -> Result<Option<Release>, StoreError> {
        let request = self
            .client
            .get_item()
            .table_name(&self.tables.releases)
            .set_key(Some(ReleasesKey::release(key).attributes()))
            .consistent_read(true);
        let item = run_or_refuse(deadline, request.send()).await?.item;
        Ok(item.map(from_item::<ReleaseItem>).transpose()?.map(Release::from))
    }

    /// The releases of a project, the latest `released_at` first.
    pub async fn list_releases(
        &self,
        project: ProjectId,
        deadline: Deadline,
    ) -> Result<Vec<Release>, StoreError> {
        let mut releases = Vec::new();
        let mut from = None;
        loop {
            let request = self
                .client
                .query()
                .table_name(&self.tables.releases)
                .key_condition_expression("pk = :pk")
                .expression_attribute_values(":pk", AttributeValue::S(index_partition(project)))
                .scan_index_forward(false)
                .set_exclusive_start_key(from)
                .consistent_read(true);
            let page = run_or_refuse(deadline, request.send()).await?;
            let listed = page
                .items
                .unwrap_or_default()
                .into_iter()
                .map(from_item::<IndexItem>)
                .collect::<Result<Vec<_>, _>>()?;
            for chunk in listed.chunks(READ_BATCH) {
                releases.extend(self.get_releases(chunk, deadline).await?);
            }
            from = page.last_evaluated_key;
            if from.is_none() {
                return Ok(releases);
            }
        }
    }

    /// The releases of these entries of a list, in its order. One that was deleted since is not
    /// among them.
    async fn get_releases(
        &self,
        listed: &[IndexItem],
        deadline: Deadline,
    ) -> Result<Vec<Release>, StoreError> {
        let keys: Vec<_> = listed
            .iter()
            .map(|item| ReleaseKey { project: item.project, tag: item.tag.clone() })
            .collect();
        let item_keys: Vec<_> = keys.iter().map(ReleasesKey::release).collect();
        let mut found = HashMap::new();
        for item in self.batch_get(&[], &item_keys, deadline).await?.releases {
            let release = Release::from(from_item::<ReleaseItem>(item)?);
            found.insert(release.key.clone(), release);
        }
        Ok(keys.iter().filter_map(|key| found.remove(key)).collect())
    }

    /// Deletes this life of a release; false where it is not there any more.
    pub async fn delete_release(
        &self,
        release: &Release,
        deadline: Deadline,
    ) -> Result<bool, StoreError> {
        let same_life = Condition {
            expression: "uid = :uid AND released_at = :released_at".to_owned(),
            names: Vec::new(),
            values: Attributes::from([
                (":uid".to_owned(), AttributeValue::S(release.uid.as_str().to_owned())),
                (
                    ":released_at".to_owned(),
                    AttributeValue::N(release.released_at.unix_millis().to_string()),
                ),
            ]),
        };
        let delete = |key: ReleasesKey, condition| Write::Delete {
            table: self.tables.releases.clone(),
            key: key.attributes(),
            condition,
        };
        let writes = vec![
            delete(ReleasesKey::release(&release.key), Some(same_life)),
            delete(index_key(release), None),
        ];
        match self.transact(writes, deadline).await? {
            Decision::Committed => Ok(true),
            Decision::ConditionsFailed(_) => Ok(false),
        }
    }

    async fn batch_put(
        &self,
        items: Vec<Attributes>,
        deadline: Deadline,
    ) -> Result<(), StoreError> {
        let mut requests = Vec::with_capacity(items.len());
        for item in items {
            let put = PutRequest::builder()
                .set_item(Some(item))
                .build()
                .map_err(|error| StoreError::Refused(error.to_string()))?;
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
            let delete = DeleteRequest::builder()
                .set_key(Some(key))
                .build()
                .map_err(|error| StoreError::Refused(error.to_string()))?;
            requests.push(WriteRequest::builder().delete_request(delete).build());
        }
        self.batch_write(requests, deadline).await
    }

    async fn batch_write(
        &self,
        requests: Vec<WriteRequest>,
        deadline: Deadline,
    ) -> Result<(), StoreError> {
        for chunk in requests.chunks(BATCH) {
            let mut open = HashMap::from([(self.tables.releases.clone(), chunk.to_vec())]);
            let mut backoff = Backoff::new(deadline);
            while !open.is_empty() {
                let request = self.client.batch_write_item().set_request_items(Some(open));
                let output = run_or_refuse(deadline, request.send()).await?;
                open = output.unprocessed_items.unwrap_or_default();
                if !open.is_empty() {
                    backoff.pause("items are left unprocessed").await?;
                }
            }
        }
        Ok(())
    }
}

fn index_key(release: &Release) -> ReleasesKey {
    ReleasesKey::index(release.key.project, release.released_at, &release.key.tag)
}
