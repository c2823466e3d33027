//! The least a function can be that asks the same of the database as one of ours: what
//! `lambda_http`, the SDK and its requests cost, for others to be measured by.
//!
//! Jobs arrive in earlier invocations, which are not measured, and are kept as the SDK's own types. A
//! measured event only has the number of a job. The function parses only this number, and checks and
//! returns nothing.

mod written;

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes, ReturnValue, TransactWriteItem};
use lambda_http::{Body, Error, Request, service_fn};
use shared::aws_client::{self, Database};

/// An item or key.
type Item = HashMap<String, AttributeValue>;

/// A job: first the reads and the counter, side by side, then one transaction. It is done once and
/// consumed.
struct Job {
    /// By their table.
    get: HashMap<String, KeysAndAttributes>,
    query: Option<Query>,
    count: Option<Count>,
    write: Vec<TransactWriteItem>,
}

/// All items of a partition.
struct Query {
    table: String,
    partition: AttributeValue,
}

/// A counter, and by how much it goes up.
struct Count {
    table: String,
    key: Item,
    by: AttributeValue,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    #[expect(clippy::disallowed_methods, reason = "not one of the functions")]
    let url = std::env::var("AWS_ENDPOINT_URL_DYNAMODB")?;
    let client: &'static Client = Box::leak(Box::new(aws_client::client(Database::local(url))?));
    let kept: &'static Mutex<Vec<Option<Job>>> = Box::leak(Box::default());
    lambda_http::run(service_fn(move |request: Request| async move {
        match request.body() {
            Body::Text(number) => ask(client, take(kept, number)?).await?,
            Body::Binary(jobs) => keep(kept, jobs)?,
            // No job, or one of a later kind.
            _ => return Err("neither jobs nor the number of one".into()),
        }
        Ok::<_, Error>("done")
    }))
    .await
}

fn take(kept: &Mutex<Vec<Option<Job>>>, number: &str) -> Result<Job, Error> {
    let number: usize = number.parse()?;
    let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(kept.get_mut(number).and_then(Option::take).ok_or("no such job, or no longer")?)
}

/// Keeps jobs from their first place on, and none that were there or behind.
fn keep(kept: &Mutex<Vec<Option<Job>>>, json: &[u8]) -> Result<(), Error> {
    let written::Jobs { from, jobs } = serde_json::from_slice(json)?;
    let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
    kept.truncate(from);
    for job in jobs {
        kept.push(Some(job.try_into()?));
    }
    Ok(())
}

async fn ask(client: &Client, job: Job) -> Result<(), Error> {
    let get = async {
        Box::pin(client.batch_get_item().set_request_items(Some(job.get)).send()).await?;
        Ok::<_, Error>(())
    };
    let query = async {
        match job.query {
            Some(query) => Box::pin(self::query(client, query)).await,
            None => Ok(()),
        }
    };
    let count = async {
        match job.count {
            Some(count) => Box::pin(self::count(client, count)).await,
            None => Ok(()),
        }
    };
    tokio::try_join!(get, query, count)?;
    if !job.write.is_empty() {
        let items = Some(job.write);
        Box::pin(client.transact_write_items().set_transact_items(items).send()).await?;
    }
    Ok(())
}

async fn query(client: &Client, query: Query) -> Result<(), Error> {
    client
        .query()
        .table_name(query.table)
        .key_condition_expression("pk = :pk")
        .expression_attribute_values(":pk", query.partition)
        .scan_index_forward(false)
        .consistent_read(true)
        .send()
        .await?;
    Ok(())
}

async fn count(client: &Client, count: Count) -> Result<(), Error> {
    client
        .update_item()
        .table_name(count.table)
        .set_key(Some(count.key))
        .update_expression("ADD #last :count")
        .expression_attribute_names("#last", "last")
        .expression_attribute_values(":count", count.by)
        .return_values(ReturnValue::UpdatedNew)
        .send()
        .await?;
    Ok(())
}
