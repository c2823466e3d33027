//! Lists of the directory. With them, a listing costs what it lists.
//!
//! An entry of a list holds the key of an item. An entry of the list of projects also holds what
//! decides who sees the project. It is written in the transaction that creates or changes the item, and
//! deleted in the transaction that deletes it. The database removes a token and its entry
//! independently some time after the token's expiry, so an entry may outlive its item.

use std::collections::HashSet;
use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt, stream};
use serde::de::DeserializeOwned;

use super::Store;
use super::deadline::Deadline;
use super::error::StoreError;
use super::items::directory_key;
use super::items::{Attributes, from_item};
use super::keys::{DirectoryKey, DirectoryList};
use super::pages::Pages;
use super::read::ITEMS_A_BATCH;
use super::request::Sent;
use super::transaction::{Condition, Write};

/// Batch reads that are on their way at once.
const AT_ONCE: usize = 4;

impl Store {
    /// The items that a list names, by entries whose sort keys begin with `prefix`. They come in no
    /// order; `step` bounds each request, not the whole.
    pub(super) async fn read_list<T: DeserializeOwned + Send>(
        &self,
        list: DirectoryList,
        prefix: &str,
        step: Duration,
    ) -> Result<Vec<T>, StoreError> {
        let mut items = Vec::new();
        let mut pages = Pages::list(list, prefix);
        while let Some(entries) = self.next_page(&mut pages, Deadline::after(step)).await? {
            let keys = listed(&entries).into_iter().collect();
            let found = self.read_directory(keys, step).await?;
            items.extend(found.into_iter().map(|(_, item)| item));
        }
        Ok(items)
    }

    /// The items of the directory with these keys, parsed as `T`. Attributes that `T` lacks are dropped
    /// batch by batch; `step` bounds each request, not the whole.
    pub(super) async fn read_directory<T: DeserializeOwned + Send>(
        &self,
        keys: HashSet<DirectoryKey>,
        step: Duration,
    ) -> Result<Vec<(DirectoryKey, T)>, StoreError> {
        let keys: Vec<_> = keys.into_iter().collect();
        let mut reads: Vec<Sent<'_, Vec<(DirectoryKey, T)>>> = Vec::new();
        for keys in keys.chunks(ITEMS_A_BATCH) {
            reads.push(Box::pin(async move {
                let rows = self.batch_get(keys, &[], Deadline::after(step)).await?;
                let keyed = |item| Some((directory_key(&item)?, item));
                let items = rows.directory.into_iter().filter_map(keyed);
                items.map(|(key, item)| Ok((key, from_item(item)?))).collect()
            }));
        }
        let found: Vec<Vec<(DirectoryKey, T)>> =
            stream::iter(reads).buffer_unordered(AT_ONCE).try_collect().await?;
        Ok(found.into_iter().flatten().collect())
    }

    /// The creation or replacement of an item of the directory, key and all.
    pub(super) fn put_in_directory(&self, item: Attributes, condition: Option<Condition>) -> Write {
        Write::Put { table: self.tables.directory.clone(), item, condition }
    }

    /// The deletion of an item of the directory.
    pub(super) fn delete_from_directory(
        &self,
        key: &DirectoryKey,
        condition: Option<Condition>,
    ) -> Write {
        Write::Delete { table: self.tables.directory.clone(), key: key.attributes(), condition }
    }
}

/// The keys of the items that these entries name.
pub(super) fn listed(entries: &[Attributes]) -> Vec<DirectoryKey> {
    entries.iter().filter_map(|entry| directory_key(entry)?.listed()).collect()
}
