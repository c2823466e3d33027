//! The connection file: where a local server's database listens, and the access key it demands.

use std::io;
use std::path::{Path, PathBuf};

use aws_sdk_dynamodb::config::Credentials;
use serde::{Deserialize, Serialize};

use crate::aws_client::Database;

/// The content of a connection file, as JSON. The access key alone opens the database, so only the
/// file's owner may read it, and there is no `Debug`.
#[derive(Clone, Deserialize, Serialize)]
pub struct Connection {
    pub endpoint_url: String,
    /// The AWS region that clients sign for.
    pub region: String,
    /// The only access key that the database accepts.
    pub access_key_id: String,
    /// The key that clients sign with. The database does not check signatures.
    pub secret_access_key: String,
}

/// Why a connection file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConnectionError {
    /// The file is missing or unreadable.
    #[error("cannot read the connection file {}: {error}", path.display())]
    Unreadable { path: PathBuf, error: io::Error },
    /// The file is not JSON, or lacks a field.
    #[error("{} is not a connection file: {error}", path.display())]
    Invalid { path: PathBuf, error: serde_json::Error },
}

impl Connection {
    /// Reads the file at `path`.
    pub fn read(path: &Path) -> Result<Self, ConnectionError> {
        let text = std::fs::read(path)
            .map_err(|error| ConnectionError::Unreadable { path: path.to_owned(), error })?;
        serde_json::from_slice(&text)
            .map_err(|error| ConnectionError::Invalid { path: path.to_owned(), error })
    }

    /// The database it leads to.
    #[must_use]
    pub fn database(&self) -> Database {
        let Self { endpoint_url, region, access_key_id, secret_access_key } = self.clone();
        Database {
            region,
            credentials: Credentials::new(
                access_key_id,
                secret_access_key,
                None,
                None,
                "connection file",
            ),
            endpoint_url: Some(endpoint_url),
            ca_bundle: None,
        }
    }
}
