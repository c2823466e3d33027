//! Clients of the database and of other AWS services: where they are, whom they trust, and how often
//! they try.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_smithy_http_client::Builder as HttpClientBuilder;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::SharedHttpClient;

use crate::config::{self, ConfigError};
use crate::store::meter::Meter;

/// Which database, and how to reach it.
#[derive(Debug)]
pub struct Database {
    pub region: String,
    /// The credentials of the client.
    pub credentials: Credentials,
    /// Its URL, where it is not the region's own.
    pub endpoint_url: Option<String>,
    /// The certificates to trust, where not the system's.
    pub ca_bundle: Option<PathBuf>,
}

impl Database {
    /// The database in the environment of a Lambda function.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::service_from_env("AWS_ENDPOINT_URL_DYNAMODB")
    }

    fn service_from_env(endpoint_variable: &str) -> Result<Self, ConfigError> {
        Ok(Self {
            region: config::region()?,
            credentials: config::credentials()?,
            endpoint_url: config::endpoint_url(endpoint_variable),
            ca_bundle: config::ca_bundle(),
        })
    }

    /// A database on this machine, which takes any credentials.
    #[must_use]
    pub fn local(endpoint_url: String) -> Self {
        Self {
            region: LOCAL_REGION.to_owned(),
            credentials: Credentials::new("local", "local", None, None, "local"),
            endpoint_url: Some(endpoint_url),
            ca_bundle: None,
        }
    }

    /// Another server's database at `endpoint_url`, with the credentials and region of the
    /// environment. If it has no credentials, this is [`Database::local`].
    #[must_use]
    pub fn at(endpoint_url: String) -> Self {
        let mut database = Self::local(endpoint_url);
        if let Some(credentials) = config::optional_credentials() {
            database.credentials = credentials;
        }
        if let Some(region) = config::optional_region() {
            database.region = region;
        }
        database
    }
}

/// The region that clients of a local database sign for; no local database checks it.
pub const LOCAL_REGION: &str = "us-east-1";

/// How a function reaches an AWS service other than the database.
#[derive(Debug)]
pub struct AwsService(Database);

impl AwsService {
    /// A service in the environment of a Lambda function, at the endpoint in `endpoint_variable` if
    /// that is set.
    pub fn from_env(endpoint_variable: &str) -> Result<Self, ConfigError> {
        Database::service_from_env(endpoint_variable).map(Self)
    }

    #[must_use]
    pub fn region(&self) -> &str {
        &self.0.region
    }

    /// The function's own credentials.
    #[must_use]
    pub fn credentials(&self) -> Credentials {
        self.0.credentials.clone()
    }

    /// The URL of the service with this prefix (`lambda`).
    #[must_use]
    pub fn endpoint_url(&self, prefix: &str) -> String {
        let region = &self.0.region;
        let china = if region.starts_with("cn-") { ".cn" } else { "" };
        let own = || format!("https://{prefix}.{region}.amazonaws.com{china}");
        self.0.endpoint_url.clone().unwrap_or_else(own)
    }

    /// A client that trusts what functions trust.
    pub fn http_client(&self) -> Result<SharedHttpClient, ConfigError> {
        self.0.http_client()
    }
}

/// Tries of one request by the SDK: at one fault in ten, all of them fail once in a hundred
/// million requests.
const ATTEMPTS: u32 = 8;
const FIRST_BACKOFF: Duration = Duration::from_millis(25);
const LONGEST_BACKOFF: Duration = Duration::from_millis(500);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(2);

/// How often and how fast a client of the database tries again: up to eight times, after pauses of
/// at most half a second. How long in all is each request's own deadline.
#[must_use]
pub fn retries() -> RetryConfig {
    RetryConfig::standard()
        .with_max_attempts(ATTEMPTS)
        .with_initial_backoff(FIRST_BACKOFF)
        .with_max_backoff(LONGEST_BACKOFF)
}

/// An HTTP client for a machine that is not Lambda's. It trusts the certificates of
/// `AWS_CA_BUNDLE`, as AWS's own tools do, and the system's where that is not set: a company that
/// looks into its traffic has put its own among them. Fails where the bundle cannot be used.
pub fn http_client() -> Result<SharedHttpClient, ConfigError> {
    let trusted = match config::ca_bundle() {
        Some(path) => bundle(&path)?,
        None => TrustStore::default(),
    };
    https_client(trusted)
}

/// A client of `database`. One of its tries may take two seconds, of which a second for connecting.
pub fn client(database: Database) -> Result<Client, ConfigError> {
    let timeout = TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .build();
    let http = database.http_client()?;
    let mut config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new(database.region))
        .credentials_provider(database.credentials)
        .retry_config(retries())
        .timeout_config(timeout)
        .http_client(http)
        .interceptor(Meter);
    if let Some(url) = database.endpoint_url {
        config = config.endpoint_url(url);
    }
    Ok(Client::from_conf(config.build()))
}

/// The five certificates that AWS's own end points lead to, by Amazon Trust Services' list.
const AMAZON_ROOTS: &[u8] = include_bytes!("amazon_roots.pem");

impl Database {
    /// The certificates to trust: `AWS_CA_BUNDLE`'s where it is set; Amazon's for AWS's own end
    /// points; the system's for others, China's among them, whose partition may choose other roots.
    ///
    /// Reading the system's 144 certificates would be most of a function's start.
    fn trusted(&self) -> Result<TrustStore, ConfigError> {
        match &self.ca_bundle {
            Some(path) => bundle(path),
            None if self.endpoint_url.is_none() && !self.region.starts_with("cn-") => {
                Ok(TrustStore::empty().with_pem_certificate(AMAZON_ROOTS))
            }
            None => Ok(TrustStore::default()),
        }
    }

    fn http_client(&self) -> Result<SharedHttpClient, ConfigError> {
        if self.endpoint_url.as_ref().is_some_and(|url| url.starts_with("http://")) {
            return Ok(HttpClientBuilder::new().build_http());
        }
        https_client(self.trusted()?)
    }
}

/// The certificates in a file, and no others.
fn bundle(path: &Path) -> Result<TrustStore, ConfigError> {
    let cannot = |cause: &dyn fmt::Display| {
        ConfigError::Certificates(format!("{} {}: {cause}", config::CA_BUNDLE, path.display()))
    };
    let pem = std::fs::read(path).map_err(|error| cannot(&error))?;
    let begin = b"-----BEGIN CERTIFICATE-----";
    if !pem.windows(begin.len()).any(|window| window == begin) {
        return Err(cannot(&"no certificate in it"));
    }
    Ok(TrustStore::empty().with_pem_certificate(pem))
}

fn https_client(trusted: TrustStore) -> Result<SharedHttpClient, ConfigError> {
    let context = TlsContext::builder()
        .with_trust_store(trusted)
        .build()
        .map_err(|error| ConfigError::Certificates(error.to_string()))?;
    Ok(HttpClientBuilder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .tls_context(context)
        .build_https())
}
