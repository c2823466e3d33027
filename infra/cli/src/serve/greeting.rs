//! The greeting of each start: where everything is, and the next steps.

use std::fmt;
use std::net::SocketAddr;
use std::path::Path;

use shared::domain::secret::Secret;

use super::data::Folder;
use super::sample;
use crate::data_folder;

pub(super) struct Greeting<'a> {
    pub(super) address: SocketAddr,
    /// The URL that clients use.
    pub(super) url: &'a str,
    pub(super) database_url: &'a str,
    /// `None` if the database is not the embedded one.
    pub(super) folder: Option<&'a Folder>,
    pub(super) projects: u64,
    /// The sample's token, on the first start.
    pub(super) sample_token: Option<&'a Secret>,
}

impl fmt::Display for Greeting<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { url, database_url, folder, .. } = self;
        let projects = match self.projects {
            0 => "no projects".to_owned(),
            1 => "1 project".to_owned(),
            count => format!("{count} projects"),
        };
        let kept = folder.and_then(|folder| folder.database_folder());
        writeln!(f, "release-links {}\n", env!("CARGO_PKG_VERSION"))?;
        match (kept, folder) {
            (Some(kept), _) => writeln!(f, "Data:             {} ({projects})", kept.display())?,
            (None, Some(_)) => writeln!(f, "Data:             in memory only ({projects})")?,
            (None, None) => writeln!(f, "Data:             in the database below ({projects})")?,
        }
        writeln!(f, "Database:         {database_url}")?;
        if let Some(folder) = folder {
            writeln!(f, "Connection file:  {}", folder.connection_file().display())?;
        }
        writeln!(f, "Listening on:     {}", self.address)?;
        writeln!(f, "API:              {url}/api/v4")?;
        writeln!(f, "Open:             {url}/{}", sample::PROJECT)?;
        let program = program();
        let connection =
            folder.map_or_else(|| format!(" --endpoint-url {database_url}"), connection_option);
        writeln!(
            f,
            "Create a token:   {program}{connection} token create --name me --project {}",
            sample::PROJECT
        )?;
        writeln!(f, "Stop:             Ctrl-C")?;
        match kept {
            Some(kept) => writeln!(f, "Reset:            stop, then rm -r {}", quoted(kept))?,
            None => writeln!(f, "Reset:            stop and start again")?,
        }
        if let Some(token) = self.sample_token {
            write!(f, "\n{}", sample::first_commands(token, url))?;
        }
        Ok(())
    }
}

/// How the reader started this program.
fn program() -> &'static str {
    // Set by `cargo run`.
    if std::env::var_os("CARGO").is_some() { "cargo run --" } else { "release-links" }
}

/// The option that leads a command to this server; none if the commands find it by themselves.
fn connection_option(folder: &Folder) -> String {
    let file = folder.connection_file();
    if data_folder::connection_file().is_some_and(|default| default == file) {
        String::new()
    } else {
        format!(" --connection {}", quoted(&file))
    }
}

/// A path as a word of a shell's command line.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+@:".contains(c);
    if text.chars().all(is_plain) { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}
