//! The least a function can be that asks the same of the database as one of ours: what
//! `lambda_http`, the SDK and its requests cost, for others to be measured by.
//!
//! Each event brings in its body what to ask, ready made. Nothing is checked, and nothing told.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    AttributeValue, Delete, KeysAndAttributes, Put, ReturnValue, TransactWriteItem,
};
use lambda_http::{Error, Request, service_fn};
use serde::Deserialize;
use shared::app::{self, Database};

/// An item or key, in DynamoDB's JSON.
type Item<'a> = HashMap<&'a str, Attribute<'a>>;

#[derive(Deserialize)]
enum Attribute<'a> {
    S(&'a str),
    N(&'a str),
}

/// What to ask: first all that reads, side by side, then one transaction.
#[derive(Deserialize)]
struct Job<'a> {
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

/// All items of a partition.
#[derive(Deserialize)]
struct Query<'a> {
    table: &'a str,
    partition: &'a str,
}

/// A counter, and by how much it goes up.
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
    #[serde(borrow)]
    put: Option<Item<'a>>,
    #[serde(borrow)]
    delete: Option<Item<'a>>,
    condition: Option<&'a str>,
    #[serde(borrow)]
    names: Option<HashMap<&'a str, &'a str>>,
    #[serde(borrow)]
    values: Option<Item<'a>>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    #[expect(clippy::disallowed_methods, reason = "not one of the functions")]
    let url = std::env::var("AWS_ENDPOINT_URL_DYNAMODB")?;
    let client: &'static Client = Box::leak(Box::new(app::client(Database::local(url))?));
    lambda_http::run(service_fn(move |request: Request| async move {
        ask(client, serde_json::from_slice(request.body())?).await?;
        Ok::<_, Error>("done")
    }))
    .await
}

async fn ask(client: &Client, job: Job<'_>) -> Result<(), Error> {
    let get = Box::pin(get(client, job.get));
    let query = Box::pin(async {
        match job.query {
            Some(query) => self::query(client, query).await,
            None => Ok(()),
        }
    });
    let count = Box::pin(async {
        match job.count {
            Some(count) => self::count(client, count).await,
            None => Ok(()),
        }
    });
    tokio::try_join!(get, query, count)?;
    if !job.write.is_empty() {
        let items = job.write.into_iter().map(write).collect::<Result<_, _>>()?;
        Box::pin(client.transact_write_items().set_transact_items(Some(items)).send()).await?;
    }
    Ok(())
}

async fn get(client: &Client, keys: HashMap<&str, Vec<Item<'_>>>) -> Result<(), Error> {
    let mut requests = HashMap::new();
    for (table, keys) in keys {
        let keys = KeysAndAttributes::builder()
            .set_keys(Some(keys.into_iter().map(attributes).collect()))
            .consistent_read(true)
            .build()?;
        requests.insert(table.to_owned(), keys);
    }
    client.batch_get_item().set_request_items(Some(requests)).send().await?;
    Ok(())
}

async fn query(client: &Client, query: Query<'_>) -> Result<(), Error> {
    client
        .query()
        .table_name(query.table)
        .key_condition_expression("pk = :pk")
        .expression_attribute_values(":pk", AttributeValue::S(query.partition.to_owned()))
        .scan_index_forward(false)
        .consistent_read(true)
        .send()
        .await?;
    Ok(())
}

async fn count(client: &Client, count: Count<'_>) -> Result<(), Error> {
    client
        .update_item()
        .table_name(count.table)
        .set_key(Some(attributes(count.key)))
        .update_expression("ADD #last :count")
        .expression_attribute_names("#last", "last")
        .expression_attribute_values(":count", AttributeValue::N(count.by.to_owned()))
        .return_values(ReturnValue::UpdatedNew)
        .send()
        .await?;
    Ok(())
}

fn write(write: Write<'_>) -> Result<TransactWriteItem, Error> {
    let condition = write.condition.map(str::to_owned);
    let names = write.names.map(|names| {
        names.into_iter().map(|(name, means)| (name.to_owned(), means.to_owned())).collect()
    });
    let values = write.values.map(attributes);
    if let Some(item) = write.put {
        let put = Put::builder()
            .table_name(write.table)
            .set_item(Some(attributes(item)))
            .set_condition_expression(condition)
            .set_expression_attribute_names(names)
            .set_expression_attribute_values(values)
            .build()?;
        return Ok(TransactWriteItem::builder().put(put).build());
    }
    let delete = Delete::builder()
        .table_name(write.table)
        .set_key(write.delete.map(attributes))
        .set_condition_expression(condition)
        .set_expression_attribute_names(names)
        .set_expression_attribute_values(values)
        .build()?;
    Ok(TransactWriteItem::builder().delete(delete).build())
}

fn attributes(item: Item<'_>) -> HashMap<String, AttributeValue> {
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
