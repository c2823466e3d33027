//! The options of `serve`. Each has an environment variable of the same name.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use shared::domain::web_url::WebUrl;

use crate::data_folder;

#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// Address of the API, for example 0.0.0.0:3000; port 0 takes a free one.
    #[arg(
        long,
        value_name = "ADDR",
        env = "RELEASE_LINKS_LISTEN",
        default_value = "127.0.0.1:3000",
        value_parser = address
    )]
    pub(crate) listen: SocketAddr,
    /// Loopback address of the embedded DynamoDB; port 0 takes a free one.
    #[arg(
        long,
        value_name = "ADDR",
        env = "RELEASE_LINKS_DYNAMODB_LISTEN",
        default_value = "127.0.0.1:8000",
        value_parser = loopback
    )]
    pub(crate) dynamodb_listen: SocketAddr,
    #[command(flatten)]
    pub(crate) data: Data,
    /// URL that clients use, for example `https://releases.example.com`. Default: the host of each
    /// request. An API on a loopback address refuses every other host, except loopback names.
    #[arg(long, value_name = "URL", env = "PUBLIC_URL", value_parser = public_url)]
    pub(crate) public_url: Option<WebUrl>,
    /// Seconds between two removals of what deleted releases left behind.
    #[arg(
        long,
        value_name = "SECONDS",
        env = "RELEASE_LINKS_SWEEP_EVERY",
        default_value_t = 600,
        value_parser = clap::value_parser!(u64).range(1..)
    )]
    pub(crate) sweep_every: u64,
    /// Start without the sample project.
    #[arg(long, env = "RELEASE_LINKS_NO_SAMPLE")]
    pub(crate) no_sample: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Data {
    /// Folder for the data and the connection file, for example ./data; only its owner may enter.
    /// Default: the platform's folder for user data.
    #[arg(long, value_name = "DIR", env = data_folder::VARIABLE)]
    data_dir: Option<PathBuf>,
    /// Keep the data in memory only, and the connection file in a temporary folder.
    #[arg(long, env = "RELEASE_LINKS_EPHEMERAL", conflicts_with = "data_dir")]
    ephemeral: bool,
}

impl Data {
    /// The folder to keep the data in; `None` to keep it in memory.
    pub(crate) fn folder(&self) -> Result<Option<PathBuf>, crate::serve_error::ServeError> {
        if self.ephemeral {
            return Ok(None);
        }
        let folder = self.data_dir.clone().or_else(data_folder::default);
        folder
            .map(Some)
            .ok_or_else(|| "no home folder was found: choose a folder with --data-dir".into())
    }
}

/// Parses `IP:PORT`; `localhost` stands for 127.0.0.1.
fn address(text: &str) -> Result<SocketAddr, &'static str> {
    let numeric = text.strip_prefix("localhost:").map(|port| format!("127.0.0.1:{port}"));
    let parsed = numeric.as_deref().unwrap_or(text).parse();
    parsed.map_err(|_| "expected IP:PORT, for example 127.0.0.1:3000")
}

/// Parses an address that no other machine can reach.
fn loopback(text: &str) -> Result<SocketAddr, &'static str> {
    let address = address(text)?;
    if address.ip().is_loopback() {
        Ok(address)
    } else {
        Err("the database listens on loopback only, for example 127.0.0.1:8000")
    }
}

fn public_url(text: &str) -> Result<WebUrl, &'static str> {
    WebUrl::parse(text)
        .map_err(|_| "expected an http or https URL, for example https://releases.example.com")
}
