//! The errors of the store.

/// Why the store gave no answer. The text is for the log, never for the client.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database did not answer in time, or throttled until then: worth another try later.
    #[error("DynamoDB is unavailable: {0}")]
    Unavailable(String),
    /// The request did not reach the database, or its connection broke.
    #[error("DynamoDB is unavailable: {0}")]
    Unreachable(String),
    /// The client has no credentials to sign with.
    #[error("DynamoDB is unavailable: no credentials: {0}")]
    NoCredentials(String),
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
    #[error("DynamoDB refused the request: {0}")]
    Refused(String),
    /// An item does not have the attributes this version writes.
    #[error("an item cannot be read: {0}")]
    Corrupt(String),
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
