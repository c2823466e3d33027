//! Reading a partition of the releases table, page by page.

use aws_sdk_dynamodb::types::AttributeValue;

use super::deadline::Deadline;
use super::items::Attributes;
use super::keys::KeyAttributes;
use super::request::run_or_refuse;
use super::{Store, StoreError};

/// The order of keys in which to read a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// The first key first.
    Ascending,
    /// The last key first.
    Descending,
}

/// How far a partition has been read.
pub(super) struct Pages {
    partition: String,
    order: Order,
    limit: Option<i32>,
    next: Next,
}

#[derive(PartialEq)]
enum Next {
    /// From after this key, or from the beginning.
    From(Option<KeyAttributes>),
    Nothing,
}

impl Pages {
    /// A partition of which nothing has been read.
    pub(super) fn new(partition: String, order: Order) -> Self {
        Self { partition, order, limit: None, next: Next::From(None) }
    }

    /// The same, an item at a time.
    pub(super) fn of_one(self) -> Self {
        Self { limit: Some(1), ..self }
    }

    /// Whether nothing is left to be read.
    pub(super) fn are_over(&self) -> bool {
        self.next == Next::Nothing
    }
}

impl Store {
    /// The items of a partition of the releases table, read consistently.
    pub(super) async fn query(
        &self,
        partition: String,
        order: Order,
        deadline: Deadline,
    ) -> Result<Vec<Attributes>, StoreError> {
        let mut pages = Pages::new(partition, order);
        let mut items = Vec::new();
        while let Some(page) = self.next_page(&mut pages, deadline).await? {
            items.extend(page);
        }
        Ok(items)
    }

    /// The next items of a partition, at most a megabyte of them; none after the last.
    pub(super) async fn next_page(
        &self,
        pages: &mut Pages,
        deadline: Deadline,
    ) -> Result<Option<Vec<Attributes>>, StoreError> {
        let Next::From(from) = std::mem::replace(&mut pages.next, Next::Nothing) else {
            return Ok(None);
        };
        let request = self
            .client
            .query()
            .table_name(&self.tables.releases)
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", AttributeValue::S(pages.partition.clone()))
            .scan_index_forward(pages.order == Order::Ascending)
            .set_limit(pages.limit)
            .set_exclusive_start_key(from)
            .consistent_read(true);
        let page = run_or_refuse(deadline, request.send()).await?;
        if let Some(key) = page.last_evaluated_key {
            pages.next = Next::From(Some(key));
        }
        Ok(Some(page.items.unwrap_or_default()))
    }
}
