//! A response, before it gets the headers that every response has.

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde::Serialize;

use super::error::ApiError;
use crate::domain::policies::Outcome;

/// The longest value of a header that is sent, in bytes: API Gateway takes 10,240 for all headers
/// together, and clients and proxies have limits of their own.
pub const MAX_HEADER_BYTES: usize = 8 * 1024;

/// A response without the headers that all responses have.
#[derive(Clone, Debug)]
pub struct ApiResponse {
    pub status: StatusCode,
    /// The headers that this one has and others do not.
    pub headers: HeaderMap,
    pub body: String,
}

impl ApiResponse {
    /// An answer with `body` as JSON.
    pub fn json<T: Serialize>(status: StatusCode, body: &T) -> Result<Self, ApiError> {
        Ok(Self::from_json(status, to_json(body)?))
    }

    /// An answer with a body that is JSON already.
    #[must_use]
    pub fn from_json(status: StatusCode, body: String) -> Self {
        let headers = HeaderMap::from_iter([(
            http::header::CONTENT_TYPE,
            http::HeaderValue::from_static("application/json"),
        )]);
        Self { status, headers, body }
    }

    /// Adds the outcome of a creation as a header. The log repeats it.
    #[must_use]
    pub fn with_outcome(mut self, outcome: Outcome) -> Self {
        let word = HeaderValue::from_static(outcome.into());
        self.headers.insert(OUTCOME, word);
        self
    }
}

/// The header with the outcome of a creation. GitLab does not have it.
pub const OUTCOME: HeaderName = HeaderName::from_static("x-release-links-outcome");

pub(super) fn to_json<T: Serialize>(value: &T) -> Result<String, ApiError> {
    serde_json::to_string(value).map_err(|error| ApiError::Internal { cause: error.to_string() })
}
