//! The composition root: what a function is made of, and the only reader of the environment.

use std::convert::Infallible;
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
pub use lambda_http::Error;
use lambda_http::{Body, LambdaEvent, Request, Response, lambda_runtime, service_fn};
use serde_json::value::RawValue;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use url::Url;

use crate::api::request::origin;
use crate::api::respond::respond;
use crate::api::{ApiError, ApiRequest, ApiResponse, event};
use crate::store::{Store, TableNames};

/// What every function has: the store, and where the installation is.
#[derive(Debug)]
pub struct App {
    /// Links, releases, projects and tokens.
    pub store: Store,
    public_url: Option<WebUrl>,
}

/// The URL under which the installation's pages and API are, without a slash at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebUrl(String);

impl fmt::Display for WebUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl WebUrl {
    /// The part of it after the host: empty, or with a slash before and none behind.
    #[must_use]
    pub fn path(&self) -> &str {
        let after_scheme = self.0.find("://").map_or(0, |at| at + 3);
        self.0[after_scheme..].find('/').map_or("", |at| &self.0[after_scheme + at..])
    }

    /// Its host, without the port.
    #[must_use]
    pub fn host(&self) -> &str {
        let after_scheme = self.0.find("://").map_or(0, |at| at + 3);
        let authority = self.0[after_scheme..].split('/').next().unwrap_or_default();
        match authority.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
            Some(_) | None => authority,
        }
    }

    /// Parses an absolute http or https URL; a query or fragment in it is an error.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let invalid = || ConfigError::Invalid { name: PUBLIC_URL, wanted: "an http(s) URL" };
        let url = Url::parse(text).map_err(|_| invalid())?;
        let is_plain = matches!(url.scheme(), "http" | "https")
            && url.query().is_none()
            && url.fragment().is_none();
        if is_plain {
            Ok(Self(url.as_str().trim_end_matches('/').to_owned()))
        } else {
            Err(invalid())
        }
    }
}

/// Why a process cannot start.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// A variable that has no default is not set.
    #[error("the environment variable {0} is not set")]
    Missing(&'static str),
    /// A variable has a value that makes no sense.
    #[error("the environment variable {name} is not {wanted}")]
    Invalid {
        /// Which.
        name: &'static str,
        /// What it should be.
        wanted: &'static str,
    },
    /// The certificates that are to be trusted cannot be.
    #[error("the trusted certificates cannot be used: {0}")]
    Certificates(String),
}

const PUBLIC_URL: &str = "PUBLIC_URL";
const DIRECTORY_TABLE: &str = "DIRECTORY_TABLE";
const RELEASES_TABLE: &str = "RELEASES_TABLE";
const CA_BUNDLE: &str = "AWS_CA_BUNDLE";
const CHECKED_FUNCTIONS: &str = "CHECKED_FUNCTIONS";

impl App {
    /// An app over `store`. Where `public_url` is absent, answers name the host that each request
    /// was sent to.
    #[must_use]
    pub fn new(store: Store, public_url: Option<WebUrl>) -> Self {
        Self { store, public_url }
    }

    /// The URL that answers name, if it is not the host of each request.
    #[must_use]
    pub fn public_url(&self) -> Option<&WebUrl> {
        self.public_url.as_ref()
    }

    /// An app as the environment of a Lambda function describes it.
    pub fn from_env() -> Result<Self, ConfigError> {
        let tables = TableNames {
            directory: required(DIRECTORY_TABLE)?,
            releases: required(RELEASES_TABLE)?,
        };
        let public_url = optional(PUBLIC_URL).map(|text| WebUrl::parse(&text)).transpose()?;
        let client = client(Database::from_env()?)?;
        Ok(Self::new(Store::new(client, tables), public_url))
    }

    /// Where the installation is for the client of `request`; `prefix` is what stands before the
    /// API in the request's path.
    #[must_use]
    pub fn web_url(&self, request: &Request, prefix: &str) -> WebUrl {
        if let Some(url) = &self.public_url {
            return url.clone();
        }
        let (scheme, host) = origin(request);
        WebUrl(format!("{scheme}://{host}{prefix}"))
    }
}

/// Which database, and how to reach it.
#[derive(Debug)]
pub struct Database {
    /// The AWS region.
    pub region: String,
    /// Who is asking.
    pub credentials: Credentials,
    /// Its URL, where it is not the region's own.
    pub endpoint_url: Option<String>,
    /// The certificates to trust, where not the system's.
    pub ca_bundle: Option<PathBuf>,
}

impl Database {
    /// The database in the environment of a Lambda function. Lambda sets the credentials for the
    /// life of the process, so that nothing has to renew them.
    fn from_env() -> Result<Self, ConfigError> {
        Self::service_from_env("AWS_ENDPOINT_URL_DYNAMODB")
    }

    fn service_from_env(endpoint_variable: &str) -> Result<Self, ConfigError> {
        Ok(Self {
            region: required("AWS_REGION")?,
            credentials: Credentials::new(
                required("AWS_ACCESS_KEY_ID")?,
                required("AWS_SECRET_ACCESS_KEY")?,
                optional("AWS_SESSION_TOKEN"),
                None,
                "environment",
            ),
            endpoint_url: optional(endpoint_variable).or(optional("AWS_ENDPOINT_URL")),
            ca_bundle: optional(CA_BUNDLE).map(PathBuf::from),
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
        let key = optional("AWS_ACCESS_KEY_ID").zip(optional("AWS_SECRET_ACCESS_KEY"));
        if let Some((id, secret)) = key {
            let session = optional("AWS_SESSION_TOKEN");
            database.credentials = Credentials::new(id, secret, session, None, "environment");
        }
        if let Some(region) = optional("AWS_REGION") {
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

    /// The AWS region.
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

/// The functions that `check-deployment` checks, as the template lists them.
pub fn checked_functions() -> Result<String, ConfigError> {
    required(CHECKED_FUNCTIONS)
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
    let trusted = match optional(CA_BUNDLE) {
        Some(path) => bundle(Path::new(&path))?,
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
        .http_client(http);
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
        ConfigError::Certificates(format!("{CA_BUNDLE} {}: {cause}", path.display()))
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

fn optional(name: &str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "the only reader of the environment")]
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn required(name: &'static str) -> Result<String, ConfigError> {
    optional(name).ok_or(ConfigError::Missing(name))
}

/// Starts a function's process: its log, and the app, which lives as long as it does.
pub fn start() -> Result<&'static App, ConfigError> {
    log_to(std::io::stdout);
    Ok(Box::leak(Box::new(App::from_env()?)))
}

/// Runs the function of an endpoint: everything its `main` has to do. Returns only when the process
/// cannot start or has lost its runtime.
pub async fn run<Endpoint, Answering>(endpoint: Endpoint) -> Result<(), Error>
where
    Endpoint: Fn(&'static App, ApiRequest) -> Answering + Copy + Send + Sync + 'static,
    Answering: Future<Output = Result<ApiResponse, ApiError>> + Send + 'static,
{
    run_unframed(move |app, request| respond(app, request, endpoint)).await
}

/// The same for a function that takes requests of any form.
pub async fn run_unframed<Handle, Handling>(handle: Handle) -> Result<(), Error>
where
    Handle: Fn(&'static App, Request) -> Handling + Copy + Send + Sync + 'static,
    Handling: Future<Output = Response<Body>> + Send + 'static,
{
    let app = start()?;
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Box<RawValue>>| {
        let reply = event::reply(event, move |request| handle(app, request));
        async move { Ok::<_, Infallible>(reply.await) }
    }))
    .await
}

/// Writes the log as JSON lines.
///
/// Only this project's own lines can be turned up: the Lambda runtime and the HTTP stack write whole
/// events at their lowest levels, and with them the tokens of every caller.
pub fn log_to<W>(writer: W)
where
    W: for<'a> tracing_subscriber::fmt::MakeWriter<'a> + Send + Sync + 'static,
{
    let level = optional("AWS_LAMBDA_LOG_LEVEL")
        .and_then(|level| level.parse().ok())
        .unwrap_or(LevelFilter::INFO);
    let ours =
        ["shared", "sweep", "check_deployment", "release_links"].map(|target| (target, level));
    let filter = Targets::new().with_default(LevelFilter::WARN).with_targets(ours);
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_writer(writer);
    // A second call, in a process that has a log, changes nothing.
    let _ = tracing_subscriber::registry().with(filter).with(lines).try_init();
}
