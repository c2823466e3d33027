//! Removes the links and claims that deleted releases left behind, as the stream of the releases
//! table tells of them. Nothing waits for it: what it removes can be neither seen nor in the way.

use std::convert::Infallible;
use std::time::{Duration, SystemTime};

use aws_lambda_events::dynamodb::{Event, EventRecord};
use aws_lambda_events::streams::{DynamoDbBatchItemFailure, DynamoDbEventResponse};
use lambda_http::{Context, LambdaEvent};
use shared::app::App;
use shared::store::StoreError;
use shared::store::deadline::Deadline;
use shared::store::sweep::{Swept, removed};

/// The longest a function may run.
const LONGEST: Duration = Duration::from_mins(15);
/// What is kept of the function's own time to say how far it came.
const MARGIN: Duration = Duration::from_secs(2);

/// Sweeps after each deleted release of the event, in order, up to the first that fails. Lambda
/// hands that one and those behind it over again.
pub async fn handle(
    app: &App,
    event: LambdaEvent<Event>,
) -> Result<DynamoDbEventResponse, Infallible> {
    let deadline = deadline(&event.context);
    let mut response = DynamoDbEventResponse::default();
    for record in event.payload.records {
        let sequence_number = record.change.sequence_number.clone();
        match sweep(app, record, deadline).await {
            Ok(swept) => tracing::info!(links = swept.links, claims = swept.claims, "swept"),
            Err(error) => {
                tracing::error!(cause = %error, "a release was not swept");
                let mut failure = DynamoDbBatchItemFailure::default();
                failure.item_identifier = sequence_number;
                response.batch_item_failures.push(failure);
                break;
            }
        }
    }
    Ok(response)
}

async fn sweep(app: &App, record: EventRecord, deadline: Deadline) -> Result<Swept, StoreError> {
    let release = removed(record.change.old_image)?;
    app.store.sweep_release(&release.key, &release.uid, deadline).await
}

fn deadline(context: &Context) -> Deadline {
    // One that has passed is none: cargo-lambda's emulator sends 1970.
    let left = context.deadline().duration_since(SystemTime::now()).unwrap_or(LONGEST);
    Deadline::after(left.saturating_sub(MARGIN))
}
