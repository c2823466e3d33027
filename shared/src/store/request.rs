//! One request to the database inside a deadline, and what its failures mean.

use std::error::Error;
use std::io;
use std::pin::Pin;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;

use super::deadline::Deadline;
use super::error::{Cause, StoreError, causes, with_causes};

/// The response of the database.
pub(super) enum DbResult<T, E> {
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
) -> Sent<'a, DbResult<T, E>>
where
    T: Send + 'a,
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    Box::pin(async move {
        let result = tokio::time::timeout(deadline.remaining(), sending)
            .await
            .map_err(|_| StoreError::Unavailable("no answer inside the deadline".into()))?;
        result.map_or_else(outcome_of, |output| Ok(DbResult::Done(output)))
    })
}

fn outcome_of<T, E>(error: SdkError<E, HttpResponse>) -> Result<DbResult<T, E>, StoreError>
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    match error {
        SdkError::ServiceError(error) => {
            let code = error.err().code().unwrap_or_default();
            let status = error.raw().status();
            if RETRYABLE.contains(&code) {
                Err(StoreError::Unavailable(code.into()))
            } else if status.is_server_error() {
                Err(StoreError::Unavailable(format!("HTTP status {status} {code}").into()))
            } else {
                Ok(DbResult::Failed(error.into_err()))
            }
        }
        SdkError::ConstructionFailure(_) => Err(StoreError::Refused(error.into())),
        SdkError::DispatchFailure(_) => Err(not_sent(error.into())),
        // Every response of DynamoDB has this header.
        SdkError::ResponseError(ref response)
            if response.raw().headers().get("x-amzn-requestid").is_none() =>
        {
            Err(StoreError::NotDynamoDb)
        }
        // Also what is not listed yet: no answer came, so another try may bring one.
        _ => Err(StoreError::Unavailable(error.into())),
    }
}

/// Awaits a request whose every refusal is a fault of ours.
pub(super) async fn run_or_refuse<T, E>(
    deadline: Deadline,
    sending: impl Future<Output = Result<T, SdkError<E, HttpResponse>>> + Send,
) -> Result<T, StoreError>
where
    T: Send,
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    match run(deadline, sending).await? {
        DbResult::Done(output) => Ok(output),
        DbResult::Failed(error) => Err(refused(&error)),
    }
}

/// A rejection as the database words it. A response without an error code comes from another server.
pub(super) fn refused(error: &impl ProvideErrorMetadata) -> StoreError {
    match error.code() {
        None => StoreError::NotDynamoDb,
        Some(code) => StoreError::Rejected {
            code: code.to_owned(),
            message: error.message().unwrap_or_default().to_owned(),
        },
    }
}

/// Why a request got no response: for lack of credentials, or by an error of the network, in the
/// operating system's words if it has some ("connection refused").
fn not_sent(error: Cause) -> StoreError {
    if let Some(error) = causes(&*error).find_map(|cause| cause.downcast_ref()) {
        return StoreError::NoCredentials(match error {
            // The SDK's text lists everything that it tried.
            CredentialsError::CredentialsNotLoaded(_) => "none are configured".into(),
            error => with_causes(error).into(),
        });
    }
    let io = causes(&*error).filter_map(|cause| cause.downcast_ref::<io::Error>()).last();
    let kind = io.filter(|io| io.raw_os_error().is_some()).map(io::Error::kind);
    StoreError::Unreachable(kind.map_or(error, |kind| io::Error::from(kind).into()))
}
