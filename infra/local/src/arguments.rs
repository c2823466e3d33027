//! The command line.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::{Args, Parser};
use shared::app::WebUrl;

/// Serves GitLab's Release Links API on this machine, over an embedded DynamoDB.
#[derive(Debug, Parser)]
#[command(name = "release-links-local", version, about)]
pub(crate) struct Arguments {
    /// Where the API listens; port 0 takes a free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:3000")]
    pub(crate) listen: SocketAddr,
    /// Loopback address of the embedded DynamoDB; port 0 takes a free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8000", value_parser = loopback)]
    pub(crate) dynamodb_listen: SocketAddr,
    /// Another local DynamoDB to use instead of the embedded one, with the credentials in
    /// `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY` if both are set.
    #[arg(long, value_name = "URL", conflicts_with_all = ["dynamodb_listen", "data_dir", "ephemeral"])]
    pub(crate) endpoint_url: Option<String>,
    #[command(flatten)]
    pub(crate) data: Data,
    /// The URL that clients use, in `Link` and `direct_asset_url`; the request's host by default.
    /// An API on a loopback address refuses every `Host` but loopback names and this URL's.
    #[arg(long, value_name = "URL", value_parser = WebUrl::parse)]
    pub(crate) public_url: Option<WebUrl>,
    /// How often what deleted releases left behind is removed, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 600, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) sweep_every: u64,
    /// Start without the projects, links and token of GitLab's documentation.
    #[arg(long)]
    pub(crate) no_demo: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Data {
    /// The folder that keeps the data and the connection file; other users are kept out of it.
    #[arg(
        long,
        value_name = "DIR",
        default_value = ".release-links",
        conflicts_with = "ephemeral"
    )]
    data_dir: PathBuf,
    /// Keep the data in memory only, and the connection file in a temporary folder.
    #[arg(long)]
    ephemeral: bool,
}

impl Data {
    /// The folder to keep the data in, unless it is not to be kept.
    pub(crate) fn folder(&self) -> Option<&Path> {
        (!self.ephemeral).then_some(&self.data_dir)
    }
}

/// Parses an address that no other machine can reach.
fn loopback(text: &str) -> Result<SocketAddr, crate::Error> {
    let address: SocketAddr = text.parse()?;
    if address.ip().is_loopback() {
        Ok(address)
    } else {
        Err("the database listens on loopback only".into())
    }
}
