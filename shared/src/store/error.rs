//! The errors of the store.

use std::error::Error;

use aws_sdk_dynamodb::error::BuildError;

/// The cause of an error, with its own causes.
pub type Cause = Box<dyn Error + Send + Sync>;

/// Why the store gave no answer. The text is for the log, never for the client.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database did not answer in time, or throttled until then: worth another try later.
    #[error("DynamoDB is unavailable")]
    Unavailable(#[source] Cause),
    /// The request did not reach the database, or its connection broke.
    #[error("DynamoDB is unavailable")]
    Unreachable(#[source] Cause),
    /// The client has no credentials to sign with.
    #[error("DynamoDB is unavailable: no credentials")]
    NoCredentials(#[source] Cause),
    /// The database rejected the request: a missing permission, table or parameter.
    #[error("DynamoDB refused the request: {code}: {message}")]
    Rejected {
        /// DynamoDB's name for the error, such as `ResourceNotFoundException`.
        code: String,
        /// DynamoDB's explanation.
        message: String,
    },
    /// Another kind of server responded.
    #[error("the server at this address is not DynamoDB")]
    NotDynamoDb,
    /// The request cannot be carried out as it is.
    #[error("DynamoDB refused the request")]
    Refused(#[source] Cause),
    /// An item does not have the attributes this version writes.
    #[error("an item cannot be read")]
    Corrupt(#[source] Cause),
}

impl StoreError {
    /// Whether a retry of the whole request may succeed.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unavailable(_) | Self::Unreachable(_) | Self::NoCredentials(_) => true,
            Self::Rejected { .. } | Self::NotDynamoDb | Self::Refused(_) | Self::Corrupt(_) => {
                false
            }
        }
    }
}

impl From<BuildError> for StoreError {
    fn from(error: BuildError) -> Self {
        Self::Refused(error.into())
    }
}

impl From<serde_dynamo::Error> for StoreError {
    fn from(error: serde_dynamo::Error) -> Self {
        Self::Corrupt(error.into())
    }
}

pub(super) fn causes<'a>(
    error: &'a (dyn Error + 'static),
) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| (*error).source())
}

/// An error with all its causes, for the log: the text of an SDK's error alone is "dispatch failure".
#[must_use]
pub fn with_causes(error: &(dyn Error + 'static)) -> String {
    causes(error).map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
