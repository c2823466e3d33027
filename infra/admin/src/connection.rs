//! Which database the command speaks to, and as whom.

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::Builder as ClientConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use clap::parser::ValueSource;
use clap::{ArgMatches, Args};
use shared::app::{self, Database};
use shared::connection::Connection as ConnectionFile;
use shared::store::{Store, TableNames};
use url::Url;

use crate::Error;

#[derive(Args, Debug)]
#[command(next_help_heading = "Connection")]
pub(crate) struct Connection {
    /// The connection file of a local server, which prints its path when it starts.
    #[arg(
        id = "connection",
        long = "connection",
        value_name = "PATH",
        global = true,
        env = "RELEASE_LINKS_CONNECTION"
    )]
    file: Option<OsString>,
    /// The URL of a DynamoDB that is not the region's own; a plain http one needs no credentials.
    #[arg(
        long,
        value_name = "URL",
        global = true,
        env = "AWS_ENDPOINT_URL_DYNAMODB",
        value_parser = parse_endpoint
    )]
    endpoint_url: Option<String>,
    /// The AWS profile to take credentials and region from.
    #[arg(long, value_name = "NAME", global = true, env = "AWS_PROFILE")]
    profile: Option<String>,
    /// The table of projects, users and tokens.
    #[arg(
        long,
        value_name = "NAME",
        global = true,
        env = "DIRECTORY_TABLE",
        default_value_t = TableNames::default().directory
    )]
    directory_table: String,
    /// The table of releases and links.
    #[arg(
        long,
        value_name = "NAME",
        global = true,
        env = "RELEASES_TABLE",
        default_value_t = TableNames::default().releases
    )]
    releases_table: String,
    // Only to see whether there is one: the SDK reads it, and its secret, itself.
    #[arg(long, global = true, env = "AWS_ACCESS_KEY_ID", hide = true)]
    access_key_id: Option<String>,
}

impl Connection {
    /// Decides between the connection file and AWS's own settings: a flag wins over every
    /// variable, and `RELEASE_LINKS_CONNECTION` over AWS's variables. `matches` are those these
    /// arguments came from. Flags of both kinds are an error, whose text this returns.
    pub(crate) fn decide(&mut self, matches: &ArgMatches) -> Result<(), &'static str> {
        let is_flag = |id| matches.value_source(id) == Some(ValueSource::CommandLine);
        let aws = is_flag("endpoint_url") || is_flag("profile");
        match (is_flag("connection"), aws) {
            (true, true) => Err("--connection cannot be used with --endpoint-url or --profile"),
            (false, true) => {
                self.file = None;
                Ok(())
            }
            (true | false, false) => Ok(()),
        }
    }

    /// The tables that are named here.
    pub(crate) fn tables(&self) -> TableNames {
        TableNames {
            directory: self.directory_table.clone(),
            releases: self.releases_table.clone(),
        }
    }

    /// The store over these tables. Nothing is sent before it is used.
    pub(crate) async fn open(self) -> Result<Store, Error> {
        let tables = self.tables();
        if let Some(path) = self.file.filter(|path| !path.is_empty()) {
            let file = ConnectionFile::read(Path::new(&path))?;
            return Ok(Store::new(app::client(file.database())?, tables));
        }
        let profile = said(self.profile);
        let has_credentials = profile.is_some() || said(self.access_key_id).is_some();
        let client = match said(self.endpoint_url) {
            Some(url) if url.starts_with("http://") && !has_credentials => {
                app::client(Database::local(url))?
            }
            endpoint_url => on_aws(profile, endpoint_url).await?,
        };
        Ok(Store::new(client, tables))
    }
}

/// How long an answer may take to begin before it is asked for again. Not how long a whole try may
/// take, as for a function: here the first try also waits for credentials, for which somebody may
/// have to be asked, and a page of a scan is a megabyte on the operator's own line.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// A client with the credentials and region that the SDK finds where AWS's own tools find them.
async fn on_aws(profile: Option<String>, endpoint_url: Option<String>) -> Result<Client, Error> {
    let mut loader =
        aws_config::defaults(BehaviorVersion::v2026_01_12()).http_client(app::http_client()?);
    if let Some(profile) = profile {
        loader = loader.profile_name(profile);
    }
    let config: SdkConfig = Box::pin(loader.load()).await;
    if config.region().is_none() {
        return Err(Error::NoRegion);
    }
    // These are set here and not in the loader, whose own requests for credentials go to AWS and by
    // its rules.
    let mut client = ClientConfig::from(&config)
        .retry_config(app::retries())
        .timeout_config(TimeoutConfig::builder().read_timeout(ANSWER_TIMEOUT).build());
    if let Some(url) = endpoint_url {
        client = client.endpoint_url(url);
    }
    Ok(Client::from_conf(client.build()))
}

/// The value, unless it is empty: an empty variable says nothing, as for AWS's own tools.
fn said(value: Option<String>) -> Option<String> {
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
