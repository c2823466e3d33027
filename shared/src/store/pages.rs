//! Reading a partition of a table, page by page.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

use super::Store;
use super::deadline::Deadline;
use super::error::StoreError;
use super::items::Attributes;
use super::keys::{DirectoryList, KeyAttributes};
use super::request::run_or_refuse;
use super::scan::Table;

/// The order of keys in which to read a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Ascending,
    Descending,
}

/// How far a partition has been read.
#[derive(Clone, Debug)]
pub struct Pages {
    table: Table,
    partition: String,
    prefix: String,
    order: Order,
    limit: Option<i32>,
    attributes: &'static [&'static str],
    next: Next,
}

#[derive(Clone, Debug, PartialEq)]
enum Next {
    /// From after this key, or from the beginning.
    From(Option<KeyAttributes>),
    Nothing,
}

impl Pages {
    /// A partition of the releases table, from its beginning.
    pub(super) fn new(partition: String, order: Order) -> Self {
        Self {
            table: Table::Releases,
            partition,
            prefix: String::new(),
            order,
            limit: None,
            attributes: &[],
            next: Next::From(None),
        }
    }

    /// The entries of a list of the directory whose sort keys begin with `prefix`.
    pub(super) fn list(list: DirectoryList, prefix: &str) -> Self {
        Self {
            table: Table::Directory,
            prefix: prefix.to_owned(),
            ..Self::new(list.partition().to_owned(), Order::Ascending)
        }
    }

    /// The same, the last key first.
    pub(super) fn descending(self) -> Self {
        Self { order: Order::Descending, ..self }
    }

    /// The same from after this key.
    pub(super) fn after(self, key: KeyAttributes) -> Self {
        Self { next: Next::From(Some(key)), ..self }
    }

    /// The same, at most this many items a page.
    pub(super) fn limited_to(self, items: i32) -> Self {
        Self { limit: Some(items), ..self }
    }

    /// The same from here on, a megabyte a page.
    pub(super) fn unlimited(self) -> Self {
        Self { limit: None, ..self }
    }

    /// The same from here on, these attributes of each item alone. An item costs as much as before,
    /// but does not have to be sent and parsed whole.
    pub(super) fn only(self, attributes: &'static [&'static str]) -> Self {
        Self { attributes, ..self }
    }

    /// Whether nothing is left to be read.
    pub(super) fn is_exhausted(&self) -> bool {
        self.next == Next::Nothing
    }
}

impl Store {
    /// The next items of a partition, read consistently: at most a megabyte of them; none after the
    /// last.
    pub(super) async fn next_page(
        &self,
        pages: &mut Pages,
        deadline: Deadline,
    ) -> Result<Option<Vec<Attributes>>, StoreError> {
        let Next::From(from) = std::mem::replace(&mut pages.next, Next::Nothing) else {
            return Ok(None);
        };
        // By placeholders, since DynamoDB reserves hundreds of words.
        let names = pages.attributes.iter().map(|name| (format!("#{name}"), (*name).to_owned()));
        let names: HashMap<String, String> = names.collect();
        let chosen: Vec<String> = pages.attributes.iter().map(|name| format!("#{name}")).collect();
        let mut values =
            Attributes::from([(":pk".to_owned(), AttributeValue::S(pages.partition.clone()))]);
        let condition = if pages.prefix.is_empty() {
            "pk = :pk"
        } else {
            values.insert(":sk".to_owned(), AttributeValue::S(pages.prefix.clone()));
            "pk = :pk AND begins_with(sk, :sk)"
        };
        let request = self
            .client
            .query()
            .table_name(self.table_name(pages.table))
            .key_condition_expression(condition)
            .set_expression_attribute_values(Some(values))
            .set_projection_expression((!chosen.is_empty()).then(|| chosen.join(", ")))
            .set_expression_attribute_names((!names.is_empty()).then_some(names))
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
