//! The environment of a function, whose only reader this is.

use std::path::PathBuf;

use aws_sdk_dynamodb::config::Credentials;

use crate::domain::web_url::WebUrl;
use crate::store::table_names::TableNames;

/// Why a process cannot start.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// A variable that has no default is not set.
    #[error("the environment variable {0} is not set")]
    Missing(&'static str),
    /// A variable has a value that makes no sense.
    #[error("the environment variable {name} is not {wanted}")]
    Invalid {
        name: &'static str,
        /// The form that it should have.
        wanted: &'static str,
    },
    /// The certificates that are to be trusted cannot be.
    #[error("the trusted certificates cannot be used: {0}")]
    Certificates(String),
}

const PUBLIC_URL: &str = "PUBLIC_URL";
const DIRECTORY_TABLE: &str = "DIRECTORY_TABLE";
const RELEASES_TABLE: &str = "RELEASES_TABLE";
pub(crate) const CA_BUNDLE: &str = "AWS_CA_BUNDLE";
const CHECKED_FUNCTIONS: &str = "CHECKED_FUNCTIONS";

/// The names of both tables.
pub fn tables() -> Result<TableNames, ConfigError> {
    Ok(TableNames { directory: required(DIRECTORY_TABLE)?, releases: required(RELEASES_TABLE)? })
}

/// The URL of the installation, if it is not the host of each request.
pub fn public_url() -> Result<Option<WebUrl>, ConfigError> {
    let invalid = |_| ConfigError::Invalid { name: PUBLIC_URL, wanted: "an http(s) URL" };
    optional(PUBLIC_URL).map(|text| WebUrl::parse(&text).map_err(invalid)).transpose()
}

/// The file with the certificates to trust.
pub fn ca_bundle() -> Option<PathBuf> {
    optional(CA_BUNDLE).map(PathBuf::from)
}

/// The AWS region of a function.
pub fn region() -> Result<String, ConfigError> {
    required("AWS_REGION")
}

/// The AWS region, if one is set.
#[must_use]
pub fn optional_region() -> Option<String> {
    optional("AWS_REGION")
}

/// The credentials of a function. Lambda sets them for the life of the process: they need no
/// renewal.
pub fn credentials() -> Result<Credentials, ConfigError> {
    let id = required("AWS_ACCESS_KEY_ID")?;
    Ok(credentials_of(id, required("AWS_SECRET_ACCESS_KEY")?))
}

/// The credentials, if they are set.
#[must_use]
pub fn optional_credentials() -> Option<Credentials> {
    let key = optional("AWS_ACCESS_KEY_ID").zip(optional("AWS_SECRET_ACCESS_KEY"));
    key.map(|(id, secret)| credentials_of(id, secret))
}

fn credentials_of(id: String, secret: String) -> Credentials {
    Credentials::new(id, secret, optional("AWS_SESSION_TOKEN"), None, "environment")
}

/// The URL of an AWS service, if it is not the region's own.
#[must_use]
pub fn endpoint_url(variable: &str) -> Option<String> {
    optional(variable).or(optional("AWS_ENDPOINT_URL"))
}

/// The level of the log, if one is set.
#[must_use]
pub fn log_level() -> Option<String> {
    optional("AWS_LAMBDA_LOG_LEVEL")
}

/// The functions that `check-deployment` checks, as the template lists them.
pub fn checked_functions() -> Result<String, ConfigError> {
    required(CHECKED_FUNCTIONS)
}

fn optional(name: &str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "the only reader of the environment")]
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn required(name: &'static str) -> Result<String, ConfigError> {
    optional(name).ok_or(ConfigError::Missing(name))
}
