//! The default data folder of a local server.

use std::path::PathBuf;

use directories::ProjectDirs;

/// The variable that names another folder, for the server and the commands alike.
pub(crate) const VARIABLE: &str = "RELEASE_LINKS_DATA_DIR";

/// The name of the connection file in the data folder.
pub(crate) const CONNECTION_FILE: &str = "connection.json";

/// The platform's own place for a user's data, such as `~/.local/share/release-links` on Linux.
/// `None` if the user has no home folder.
pub(crate) fn default() -> Option<PathBuf> {
    ProjectDirs::from("", "", "release-links").map(|folders| folders.data_dir().to_owned())
}

/// The connection file that a server with the default data folder writes.
pub(crate) fn connection_file() -> Option<PathBuf> {
    let folder = std::env::var_os(VARIABLE).filter(|folder| !folder.is_empty());
    Some(folder.map(PathBuf::from).or_else(default)?.join(CONNECTION_FILE))
}
