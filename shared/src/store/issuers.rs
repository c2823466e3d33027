//! Issuers of ID tokens, and the publishers of projects. The only function that writes here
//! is `refresh-issuers`, and only the keys of known issuers.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;

use super::Store;
use super::deadline::Deadline;
use super::error::StoreError;
use super::items::{Attributes, IssuerItem, KeysOfIssuer, from_item, publishers, to_item};
use super::keys::{DirectoryKey, DirectoryList, KeyAttributes};
use super::projects::not_deleted;
use super::transaction::{Condition, TransactionResult, Write};
use crate::domain::issuer::{Issuer, IssuerUrl, PublicKey};
use crate::domain::project::ProjectId;
use crate::domain::publisher::{MAX_PUBLISHERS, Publisher};
use crate::domain::time::Timestamp;

/// The result of adding a publisher.
#[derive(Debug, PartialEq, Eq)]
pub enum PublisherAdded {
    /// The project has it now, or had it already.
    Done,
    /// The project has [`MAX_PUBLISHERS`] others.
    TooMany,
    /// The project was deleted, or never existed.
    NoProject,
}

impl Store {
    /// Adds an issuer. False if there is one of its URL, which is left as it is.
    pub async fn add_issuer(
        &self,
        issuer: &Issuer,
        deadline: Deadline,
    ) -> Result<bool, StoreError> {
        let key = DirectoryKey::issuer(&issuer.url);
        let item = to_item(key.attributes(), &IssuerItem::from(issuer))?;
        let entry = DirectoryKey::issuer_entry(&issuer.url);
        let writes = vec![
            self.put_in_directory(item, Some(Condition::absent())),
            self.put_in_directory(entry.attributes(), None),
        ];
        Ok(matches!(self.transact(writes, deadline).await?, TransactionResult::Committed))
    }

    /// The issuer of this URL.
    pub async fn find_issuer(
        &self,
        url: &IssuerUrl,
        deadline: Deadline,
    ) -> Result<Option<Issuer>, StoreError> {
        let rows = self.batch_get(&[DirectoryKey::issuer(url)], &[], deadline).await?;
        let item = rows.directory.into_iter().next();
        Ok(item.map(from_item::<IssuerItem>).transpose()?.map(Issuer::from))
    }

    /// All issuers, by URL. `step` bounds each request, not the whole.
    pub async fn list_issuers(&self, step: Duration) -> Result<Vec<Issuer>, StoreError> {
        let items = self.read_list::<IssuerItem>(DirectoryList::Issuers, "", step).await?;
        let mut issuers: Vec<Issuer> = items.into_iter().map(Issuer::from).collect();
        issuers.sort_by(|a, b| a.url.cmp(&b.url));
        Ok(issuers)
    }

    /// Replaces the keys of an issuer, fetched at `now`. False if the issuer was removed.
    pub async fn set_issuer_keys(
        &self,
        url: &IssuerUrl,
        keys: &[PublicKey],
        now: Timestamp,
        deadline: Deadline,
    ) -> Result<bool, StoreError> {
        let attributes = to_item(KeyAttributes::new(), &KeysOfIssuer { keys, refreshed_at: now })?;
        let key = DirectoryKey::issuer(url);
        let item = self.set_attributes(&key, attributes, Condition::exists(), deadline).await?;
        Ok(item.is_some())
    }

    /// Removes an issuer: its tokens are refused from now on. False if there is none of this URL.
    pub async fn remove_issuer(
        &self,
        url: &IssuerUrl,
        deadline: Deadline,
    ) -> Result<bool, StoreError> {
        let writes = vec![
            self.delete_from_directory(&DirectoryKey::issuer(url), Some(Condition::exists())),
            self.delete_from_directory(&DirectoryKey::issuer_entry(url), None),
        ];
        Ok(matches!(self.transact(writes, deadline).await?, TransactionResult::Committed))
    }

    /// The publishers of a project, by id.
    pub async fn list_publishers(
        &self,
        project: ProjectId,
        deadline: Deadline,
    ) -> Result<Vec<Publisher>, StoreError> {
        let rows = self.batch_get(&[DirectoryKey::publishers(project)], &[], deadline).await?;
        let item = rows.directory.into_iter().next();
        let mut found = item.map(publishers).transpose()?.unwrap_or_default();
        found.sort_by_key(Publisher::id);
        Ok(found)
    }

    /// Adds a publisher to a project.
    pub async fn add_publisher(
        &self,
        project: ProjectId,
        publisher: &Publisher,
        deadline: Deadline,
    ) -> Result<PublisherAdded, StoreError> {
        let held = self.list_publishers(project, deadline).await?;
        if held.len() >= MAX_PUBLISHERS && !held.contains(publisher) {
            return Ok(PublisherAdded::TooMany);
        }
        let value = serde_dynamo::to_attribute_value(publisher)?;
        let change = [(publisher.id(), value)].into();
        let project_lives = Write::Check {
            table: self.tables.directory.clone(),
            key: DirectoryKey::project(project).attributes(),
            condition: not_deleted(),
        };
        let writes = vec![project_lives, self.change_publishers(project, change, None)];
        match self.transact(writes, deadline).await? {
            TransactionResult::Committed => {}
            TransactionResult::ConditionsFailed(_) => return Ok(PublisherAdded::NoProject),
        }
        // A condition cannot count the attributes of an item, so several callers may pass the check above at
        // once. Each that then finds too many removes its own.
        if self.list_publishers(project, deadline).await?.len() > MAX_PUBLISHERS {
            self.remove_publisher(project, &publisher.id(), deadline).await?;
            return Ok(PublisherAdded::TooMany);
        }
        Ok(PublisherAdded::Done)
    }

    /// Removes the publisher with this id from a project. False if the project has none with it.
    pub async fn remove_publisher(
        &self,
        project: ProjectId,
        id: &str,
        deadline: Deadline,
    ) -> Result<bool, StoreError> {
        let removed = [(id.to_owned(), AttributeValue::Null(true))].into();
        let is_there = Condition::new("attribute_exists(#id)", [("#id", id)], []);
        let writes = vec![self.change_publishers(project, removed, Some(is_there))];
        Ok(matches!(self.transact(writes, deadline).await?, TransactionResult::Committed))
    }

    fn change_publishers(
        &self,
        project: ProjectId,
        attributes: Attributes,
        condition: Option<Condition>,
    ) -> Write {
        let key = DirectoryKey::publishers(project);
        self.change_in_directory(&key, attributes, condition)
    }
}
