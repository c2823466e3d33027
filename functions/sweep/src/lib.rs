//! Removes the links and claims that deleted releases left behind, started by
//! the stream of the releases table. No request waits for it: the removed items are invisible.

use std::convert::Infallible;
use std::time::{Duration, SystemTime};

use aws_lambda_events::streams::{DynamoDbBatchItemFailure, DynamoDbEventResponse};
use lambda_http::{Context, LambdaEvent};
use serde::Deserialize;
use serde_json::value::RawValue;
use shared::app::App;
use shared::domain::release::Release;
use shared::store::deadline::Deadline;
use shared::store::error::{StoreError, with_causes};
use shared::store::sweep::{Swept, removed};

/// The longest a function may run.
const LONGEST: Duration = Duration::from_mins(15);
/// Time reserved to report the progress.
const MARGIN: Duration = Duration::from_secs(2);

/// Sweeps after each deleted release of the event, in order, up to the first that fails. Lambda
/// retries from that one on.
///
/// A record that cannot be read is reported as failed: it ends in the dead-letter queue and raises
/// an alarm. If it has no sequence number, the whole batch is. Lambda halves such a batch until the
/// record is alone.
pub async fn handle(
    app: &App,
    event: LambdaEvent<Box<RawValue>>,
) -> Result<DynamoDbEventResponse, Infallible> {
    let deadline = deadline(&event.context);
    // The template counts the error lines of one version that are not transient, and rolls it back.
    let version = &event.context.env_config.version;
    let Ok(Event { records }) = serde_json::from_str(event.payload.get()) else {
        tracing::error!(version, transient = false, "the event is not one of a stream");
        return Ok(failed_at(None));
    };
    for record in records {
        match sweep(app, &record, deadline).await {
            Ok(swept) => tracing::info!(links = swept.links, claims = swept.claims, "swept"),
            Err(error) => {
                let (transient, cause) = (error.is_transient(), with_causes(&error));
                tracing::error!(version, transient, cause, "a release was not swept");
                return Ok(failed_at(sequence_number(&record)));
            }
        }
    }
    Ok(DynamoDbEventResponse::default())
}

/// Makes Lambda retry from this sequence number on, or the whole batch if there is none.
fn failed_at(sequence_number: Option<String>) -> DynamoDbEventResponse {
    let mut failure = DynamoDbBatchItemFailure::default();
    failure.item_identifier = sequence_number;
    let mut response = DynamoDbEventResponse::default();
    response.batch_item_failures.push(failure);
    response
}

async fn sweep(app: &App, record: &RawValue, deadline: Deadline) -> Result<Swept, StoreError> {
    let release = deleted(record)?;
    app.store.sweep_release(&release.key, &release.uid, deadline).await
}

#[derive(Deserialize)]
struct Event {
    #[serde(rename = "Records")]
    records: Vec<Box<RawValue>>,
}

/// A record of the stream, as far as it is read.
#[derive(Deserialize)]
struct Record<Change> {
    dynamodb: Change,
}

/// The deleted release in a record.
fn deleted(record: &RawValue) -> Result<Release, StoreError> {
    #[derive(Deserialize)]
    struct Deletion {
        #[serde(rename = "OldImage")]
        old_image: serde_dynamo::Item,
    }
    let record: Record<Deletion> =
        serde_json::from_str(record.get()).map_err(|error| StoreError::Corrupt(error.into()))?;
    removed(record.dynamodb.old_image)
}

fn sequence_number(record: &RawValue) -> Option<String> {
    #[derive(Deserialize)]
    struct Place {
        #[serde(rename = "SequenceNumber")]
        sequence_number: String,
    }
    let record: Record<Place> = serde_json::from_str(record.get()).ok()?;
    Some(record.dynamodb.sequence_number).filter(|number| !number.is_empty())
}

fn deadline(context: &Context) -> Deadline {
    // One that has passed is none: cargo-lambda's emulator sends 1970.
    let left = context.deadline().duration_since(SystemTime::now()).unwrap_or(LONGEST);
    Deadline::after(left.saturating_sub(MARGIN))
}
