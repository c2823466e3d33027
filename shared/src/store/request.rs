//! One request to the database inside a deadline, and what its failures mean.

use std::pin::Pin;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;

use super::StoreError;
use super::deadline::Deadline;

/// What came of a request that the database answered.
pub(super) enum Outcome<T, E> {
    /// It was carried out.
    Done(T),
    /// The database said no; what that means depends on the operation.
    Failed(E),
}

/// The codes with which the database asks for another try later. The SDK has made several by then.
const RETRYABLE: [&str; 7] = [
    "InternalServerError",
    "LimitExceededException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ServiceUnavailable",
    "ThrottlingException",
    "TransactionInProgressException",
];

/// A request on its way. Boxed, since the SDK's own futures are tens of kilobytes large, and would
/// make every future that awaits one as large again.
pub(super) type Sent<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// Awaits a request that is being sent, but not past the deadline.
pub(super) fn run<'a, T, E>(
    deadline: Deadline,
    sending: impl Future<Output = Result<T, SdkError<E, HttpResponse>>> + Send + 'a,
) -> Sent<'a, Outcome<T, E>>
where
    T: Send + 'a,
    E: ProvideErrorMetadata + std::error::Error + Send + 'static,
{
    Box::pin(async move {
        let result = tokio::time::timeout(deadline.remaining(), sending)
            .await
            .map_err(|_| StoreError::Unavailable("no answer inside the deadline".to_owned()))?;
        result.map_or_else(outcome_of, |output| Ok(Outcome::Done(output)))
    })
}

fn outcome_of<T, E>(error: SdkError<E, HttpResponse>) -> Result<Outcome<T, E>, StoreError>
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    match error {
        SdkError::ServiceError(error) => {
            let code = error.err().code().unwrap_or_default();
            if RETRYABLE.contains(&code) || error.raw().status().as_u16() >= 500 {
                Err(StoreError::Unavailable(code.to_owned()))
            } else {
                Ok(Outcome::Failed(error.into_err()))
            }
        }
        SdkError::ConstructionFailure(_) => Err(StoreError::Refused(chain(&error))),
        // Also what is not listed yet: no answer came, so another try may bring one.
        _ => Err(StoreError::Unavailable(chain(&error))),
    }
}

/// Awaits a request whose every refusal is a fault of ours.
pub(super) async fn run_or_refuse<T, E>(
    deadline: Deadline,
    sending: impl Future<Output = Result<T, SdkError<E, HttpResponse>>> + Send,
) -> Result<T, StoreError>
where
    T: Send,
    E: ProvideErrorMetadata + std::error::Error + Send + 'static,
{
    match run(deadline, sending).await? {
        Outcome::Done(output) => Ok(output),
        Outcome::Failed(error) => Err(refused(&error)),
    }
}

/// A refusal as the database words it. An answer without an error code comes from another server.
pub(super) fn refused(error: &impl ProvideErrorMetadata) -> StoreError {
    StoreError::Refused(error.code().map_or_else(
        || "the server at this address is not DynamoDB".to_owned(),
        |code| format!("{code}: {}", error.message().unwrap_or_default()),
    ))
}

/// An error with all its causes: the SDK's own text stops at "dispatch failure".
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
