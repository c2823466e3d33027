//! The choice of the database that a command uses, and of its credentials.

mod database;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::Builder as ClientConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use clap::parser::ValueSource;
use clap::{ArgMatches, Args};
use shared::aws_client;
use shared::connection::Connection;
use shared::store::Store;
use shared::store::table_names::TableNames;
use url::Url;

pub(crate) use database::{Database, Place};

use crate::data_folder;
use crate::error::Error;

/// The options of [`ConnectionArguments`].
pub(crate) const OPTIONS: [&str; 5] =
    ["connection", "endpoint_url", "profile", "directory_table", "releases_table"];

#[derive(Args, Debug)]
#[command(next_help_heading = "Connection options")]
pub(crate) struct ConnectionArguments {
    /// Connection file of a local server, for example ./data/connection.json. The server prints its
    /// path when it starts. Default: the file in the default data folder.
    #[arg(
        id = "connection",
        long = "connection",
        value_name = "PATH",
        global = true,
        env = "RELEASE_LINKS_CONNECTION"
    )]
    file: Option<OsString>,
    /// DynamoDB endpoint URL, for example `http://127.0.0.1:8000`. For a DynamoDB
    /// Local; a local server needs --connection. With `serve`: the DynamoDB to use instead of the
    /// embedded one.
    #[arg(
        long,
        value_name = "URL",
        global = true,
        env = "AWS_ENDPOINT_URL_DYNAMODB",
        value_parser = parse_endpoint
    )]
    endpoint_url: Option<String>,
    /// AWS profile with the credentials and the region, for example production.
    #[arg(long, value_name = "NAME", global = true, env = "AWS_PROFILE")]
    profile: Option<String>,
    /// Table of projects, users and tokens.
    #[arg(
        long,
        value_name = "NAME",
        global = true,
        env = "DIRECTORY_TABLE",
        default_value_t = TableNames::default().directory
    )]
    directory_table: String,
    /// Table of releases and links.
    #[arg(
        long,
        value_name = "NAME",
        global = true,
        env = "RELEASES_TABLE",
        default_value_t = TableNames::default().releases
    )]
    releases_table: String,
    /// The option or variable that chose AWS, if one did.
    #[arg(skip)]
    aws: Option<&'static str>,
}

/// The flags that choose AWS, with their ids.
const AWS_FLAGS: [(&str, &str); 4] = [
    ("endpoint_url", "--endpoint-url"),
    ("profile", "--profile"),
    ("directory_table", "--directory-table"),
    ("releases_table", "--releases-table"),
];

/// With one of these set, a command does not look for a local server.
const AWS_VARIABLES: [&str; 6] = [
    "AWS_PROFILE",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_ENDPOINT_URL_DYNAMODB",
    "DIRECTORY_TABLE",
    "RELEASES_TABLE",
];

impl ConnectionArguments {
    /// Decides between a connection file and AWS's own settings. Flags win over variables, and
    /// `RELEASE_LINKS_CONNECTION` wins over AWS's variables. `matches` are the source of these
    /// arguments. The error says which flags exclude each other.
    pub(crate) fn decide(
        &mut self,
        matches: &ArgMatches,
        serves: bool,
    ) -> Result<(), &'static str> {
        let is_flag = |id| matches.value_source(id) == Some(ValueSource::CommandLine);
        if serves {
            if is_flag("connection") || is_flag("profile") {
                return Err("serve takes neither --connection nor --profile");
            }
            // AWS's variable is for the commands: `serve` has a database of its own.
            self.endpoint_url = self.endpoint_url.take().filter(|_| is_flag("endpoint_url"));
            return Ok(());
        }
        let flag = AWS_FLAGS.into_iter().find(|(id, _)| is_flag(id)).map(|(_, flag)| flag);
        let variable = || AWS_VARIABLES.into_iter().find(|name| has_variable(name));
        self.aws = flag.or_else(variable);
        match (is_flag("connection"), is_flag("endpoint_url") || is_flag("profile")) {
            (true, true) => Err("--connection cannot be used with --endpoint-url or --profile"),
            (false, true) => {
                self.file = None;
                Ok(())
            }
            (true | false, false) => Ok(()),
        }
    }

    /// The URL of `--endpoint-url`.
    pub(crate) fn into_endpoint_url(self) -> Option<String> {
        non_empty(self.endpoint_url)
    }

    /// The names of the two tables.
    pub(crate) fn tables(&self) -> TableNames {
        TableNames {
            directory: self.directory_table.clone(),
            releases: self.releases_table.clone(),
        }
    }

    /// The store over these tables, and a description of their database. Sends nothing.
    pub(crate) async fn open(self) -> Result<(Store, Database), Error> {
        let tables = self.tables();
        if let Some(file) = self.connection_file() {
            let connection = Connection::read(&file)?;
            let store = Store::new(aws_client::client(connection.database())?, tables.clone());
            return Ok((store, Database { place: Place::Url(connection.endpoint_url), tables }));
        }
        let profile = non_empty(self.profile);
        let has_credentials = profile.is_some() || has_variable("AWS_ACCESS_KEY_ID");
        let endpoint_url = non_empty(self.endpoint_url);
        let (client, region) = match endpoint_url.clone() {
            Some(url) if url.starts_with("http://") && !has_credentials => {
                (aws_client::client(aws_client::Database::local(url))?, None)
            }
            endpoint_url => {
                let client = on_aws(profile, endpoint_url, self.aws).await?;
                let region = client.config().region().map(ToString::to_string);
                (client, region)
            }
        };
        let place = match (endpoint_url, region) {
            (Some(url), _) => Place::Url(url),
            (None, region) => {
                Place::Aws { region: region.unwrap_or_default(), chosen_by: self.aws }
            }
        };
        Ok((Store::new(client, tables.clone()), Database { place, tables }))
    }

    /// The connection file of `--connection`. Otherwise, unless AWS is chosen, the file in the default
    /// data folder, if it exists.
    fn connection_file(&self) -> Option<PathBuf> {
        let named = self.file.as_deref().filter(|path| !path.is_empty());
        match named {
            Some(path) => Some(Path::new(path).to_owned()),
            None if self.aws.is_some() => None,
            None => data_folder::connection_file().filter(|path| path.exists()),
        }
    }
}

fn has_variable(name: &str) -> bool {
    std::env::var_os(name).is_some_and(|value| !value.is_empty())
}

/// How long a response may take to begin before the request is retried. Functions limit the whole
/// attempt instead. Here the first attempt also waits for credentials, for which the operator may
/// have to sign in, and a page of a scan is a megabyte over the operator's own line.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// A client with the credentials and region that the SDK finds where AWS's own tools find them.
async fn on_aws(
    profile: Option<String>,
    endpoint_url: Option<String>,
    chosen_by: Option<&'static str>,
) -> Result<Client, Error> {
    let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .http_client(aws_client::http_client()?);
    if let Some(profile) = profile {
        loader = loader.profile_name(profile);
    }
    let config: SdkConfig = Box::pin(loader.load()).await;
    if config.region().is_none() {
        return Err(chosen_by.map_or(Error::NoDatabase, Error::NoRegion));
    }
    // Set here and not in the loader: its own requests for credentials keep AWS's defaults.
    let mut client = ClientConfig::from(&config)
        .retry_config(aws_client::retries())
        .timeout_config(TimeoutConfig::builder().read_timeout(ANSWER_TIMEOUT).build());
    if let Some(url) = endpoint_url {
        client = client.endpoint_url(url);
    }
    Ok(Client::from_conf(client.build()))
}

/// The value, unless it is empty: AWS's own tools ignore empty variables too.
fn non_empty(value: Option<String>) -> Option<String> {
    value.filter(|value| !value.is_empty())
}

/// The text is not a URL to send requests to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is not an http or https URL")]
struct InvalidEndpoint;

fn parse_endpoint(text: &str) -> Result<String, InvalidEndpoint> {
    let is_web = |url: Url| matches!(url.scheme(), "http" | "https");
    let parses = text.is_empty() || Url::parse(text).is_ok_and(is_web);
    if parses { Ok(text.to_owned()) } else { Err(InvalidEndpoint) }
}
