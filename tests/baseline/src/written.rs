//! Jobs as they are handed over, in JSON with items as DynamoDB writes them, and how they become
//! the SDK's own types: all work that is not to be measured.

use std::collections::HashMap;

use aws_sdk_dynamodb::error::BuildError;
use aws_sdk_dynamodb::types::{AttributeValue, Delete, KeysAndAttributes, Put, TransactWriteItem};
use serde::Deserialize;

#[derive(Deserialize)]
enum Attribute<'a> {
    S(&'a str),
    N(&'a str),
}

/// An item or key.
type Item<'a> = HashMap<&'a str, Attribute<'a>>;

/// Some jobs, and the place of the first among all.
#[derive(Deserialize)]
pub(crate) struct Jobs<'a> {
    pub(crate) from: usize,
    #[serde(borrow)]
    pub(crate) jobs: Vec<Job<'a>>,
}

#[derive(Deserialize)]
pub(crate) struct Job<'a> {
    /// Keys, by their table.
    #[serde(borrow)]
    get: HashMap<&'a str, Vec<Item<'a>>>,
    #[serde(borrow)]
    query: Option<Query<'a>>,
    #[serde(borrow)]
    count: Option<Count<'a>>,
    #[serde(borrow, default)]
    write: Vec<Write<'a>>,
}

#[derive(Deserialize)]
struct Query<'a> {
    table: &'a str,
    partition: &'a str,
}

#[derive(Deserialize)]
struct Count<'a> {
    table: &'a str,
    #[serde(borrow)]
    key: Item<'a>,
    by: &'a str,
}

#[derive(Deserialize)]
struct Write<'a> {
    table: &'a str,
    #[serde(borrow, flatten)]
    what: What<'a>,
    condition: Option<&'a str>,
    #[serde(borrow)]
    names: Option<HashMap<&'a str, &'a str>>,
    #[serde(borrow)]
    values: Option<Item<'a>>,
}

/// An item to put, or the key of one to delete.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum What<'a> {
    #[serde(borrow)]
    Put(Item<'a>),
    #[serde(borrow)]
    Delete(Item<'a>),
}

impl TryFrom<Job<'_>> for crate::Job {
    type Error = BuildError;

    fn try_from(job: Job<'_>) -> Result<Self, Self::Error> {
        let mut get = HashMap::new();
        for (table, keys) in job.get {
            get.insert(table.to_owned(), consistent(keys)?);
        }
        Ok(Self {
            get,
            query: job.query.map(|query| crate::Query {
                table: query.table.to_owned(),
                partition: AttributeValue::S(query.partition.to_owned()),
            }),
            count: job.count.map(|count| crate::Count {
                table: count.table.to_owned(),
                key: attributes(count.key),
                by: AttributeValue::N(count.by.to_owned()),
            }),
            write: job.write.into_iter().map(Write::build).collect::<Result<_, _>>()?,
        })
    }
}

fn consistent(keys: Vec<Item<'_>>) -> Result<KeysAndAttributes, BuildError> {
    let keys = keys.into_iter().map(attributes).collect();
    KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true).build()
}

impl Write<'_> {
    fn build(self) -> Result<TransactWriteItem, BuildError> {
        let condition = self.condition.map(str::to_owned);
        let names = self.names.map(|names| {
            names.into_iter().map(|(name, means)| (name.to_owned(), means.to_owned())).collect()
        });
        let values = self.values.map(attributes);
        Ok(match self.what {
            What::Put(item) => {
                let put = Put::builder()
                    .table_name(self.table)
                    .set_item(Some(attributes(item)))
                    .set_condition_expression(condition)
                    .set_expression_attribute_names(names)
                    .set_expression_attribute_values(values);
                TransactWriteItem::builder().put(put.build()?).build()
            }
            What::Delete(key) => {
                let delete = Delete::builder()
                    .table_name(self.table)
                    .set_key(Some(attributes(key)))
                    .set_condition_expression(condition)
                    .set_expression_attribute_names(names)
                    .set_expression_attribute_values(values);
                TransactWriteItem::builder().delete(delete.build()?).build()
            }
        })
    }
}

fn attributes(item: Item<'_>) -> crate::Item {
    item.into_iter()
        .map(|(name, value)| {
            let value = match value {
                Attribute::S(text) => AttributeValue::S(text.to_owned()),
                Attribute::N(number) => AttributeValue::N(number.to_owned()),
            };
            (name.to_owned(), value)
        })
        .collect()
}
