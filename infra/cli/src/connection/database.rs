//! The chosen database in the words of an error.

use shared::store::error::{StoreError, with_causes};
use shared::store::table_names::TableNames;

use crate::error::Error;

/// The database of a command.
pub(crate) struct Database {
    pub(crate) place: Place,
    pub(crate) tables: TableNames,
}

/// How requests find the database.
pub(crate) enum Place {
    /// By a URL: a local server's database, or another DynamoDB.
    Url(String),
    /// In a region of AWS.
    Aws {
        region: String,
        /// The option or variable that chose AWS.
        chosen_by: Option<&'static str>,
    },
}

/// Codes with which DynamoDB rejects an access key.
const KEY_REJECTED: [&str; 4] = [
    "IncompleteSignatureException",
    "InvalidSignatureException",
    "MissingAuthenticationTokenException",
    "UnrecognizedClientException",
];

impl Database {
    /// The error of a command, with the database's place and the next step if the database is its
    /// cause.
    pub(crate) fn explain(&self, error: Error) -> Error {
        let Error::Store(error) = error else { return error };
        let text = match &error {
            StoreError::Unreachable(cause) => self.unreachable(&with_causes(&**cause)),
            StoreError::NotDynamoDb => self.not_dynamodb(),
            StoreError::NoCredentials(cause) => self.no_credentials(&with_causes(&**cause)),
            StoreError::Rejected { code, .. } if code == "ResourceNotFoundException" => {
                self.no_table()
            }
            StoreError::Rejected { code, .. } if code.starts_with("ExpiredToken") => {
                "the AWS credentials have expired: sign in again".to_owned()
            }
            StoreError::Rejected { code, .. } if KEY_REJECTED.contains(&code.as_str()) => {
                "the database refused the access key: use --connection with the file that the local \
                 server printed when it started; on AWS, check the credentials or choose another \
                 --profile"
                    .to_owned()
            }
            StoreError::Unavailable(_)
            | StoreError::Rejected { .. }
            | StoreError::Refused(_)
            | StoreError::Corrupt(_) => return Error::Store(error),
        };
        Error::Database(text)
    }

    fn unreachable(&self, cause: &str) -> String {
        match &self.place {
            Place::Url(url) => format!(
                "cannot reach the database at {url}: {cause}. Is the server running? Start it with \
                 `release-links serve`"
            ),
            Place::Aws { region, .. } => format!(
                "cannot reach DynamoDB in {region}: {cause}. Check the network and the region's name"
            ),
        }
    }

    fn not_dynamodb(&self) -> String {
        match &self.place {
            Place::Url(url) => format!(
                "{url} is not a DynamoDB endpoint. `release-links serve` prints the URL of its \
                 database when it starts, by default http://127.0.0.1:8000"
            ),
            Place::Aws { region, .. } => format!(
                "the response of DynamoDB in {region} comes from another server, such as a proxy"
            ),
        }
    }

    fn no_credentials(&self, cause: &str) -> String {
        let chosen = match &self.place {
            Place::Aws { chosen_by: Some(name), .. } if !name.starts_with("--") => format!(
                " {name} is set, so AWS is used: to use the local server instead, unset it."
            ),
            Place::Aws { .. } | Place::Url(_) => String::new(),
        };
        format!(
            "no AWS credentials were found: {cause}.{chosen} For AWS, sign in or choose a --profile \
             that has credentials"
        )
    }

    fn no_table(&self) -> String {
        let TableNames { directory, releases } = &self.tables;
        match &self.place {
            Place::Url(url) => format!(
                "the database at {url} has no table {directory} or no table {releases}: check \
                 --directory-table and --releases-table, or create the tables with `release-links \
                 tables create`"
            ),
            Place::Aws { region, .. } => format!(
                "{region} has no table {directory} or no table {releases}: check the region, \
                 --directory-table and --releases-table"
            ),
        }
    }
}
