//! The data folder: the database's file, and the files that tell other programs how to reach it.

use std::cmp::Ordering;
use std::fs::{File, Permissions, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};

use shared::aws_client::LOCAL_REGION;
use shared::connection::Connection;
use shared::store::table_names::TableNames;
use tempfile::{NamedTempFile, TempDir};

use super::engine;
use crate::data_folder;
use crate::serve_error::ServeError;

/// The number of the folder's format.
const FORMAT_FILE: &str = "format";
/// The format that this version reads and writes. Folders of format 1 have no such file.
const FORMAT: u32 = 3;
/// Locked by the server that uses the folder.
const LOCK: &str = "lock";
/// The same as environment variables, for `cargo lambda watch --env-file` and AWS's tools.
const WATCH: &str = "watch.env";

/// A folder that only its owner may enter.
pub(crate) enum Folder {
    Kept {
        path: PathBuf,
        /// Held as long as the server runs: a second one would replace the first one's connection
        /// file.
        _lock: File,
    },
    /// Goes with this value.
    Temporary(TempDir),
}

impl Folder {
    /// Opens the folder at `path`, or makes it, and keeps other users out of it. Without a path, a
    /// temporary folder.
    pub(crate) fn open(path: Option<&Path>) -> Result<Self, ServeError> {
        let Some(path) = path else {
            let mut builder = tempfile::Builder::new();
            builder.prefix("release-links-");
            #[cfg(unix)]
            builder.permissions(owner_only());
            return Ok(Self::Temporary(builder.tempdir()?));
        };
        let kept = || -> std::io::Result<PathBuf> {
            std::fs::create_dir_all(path)?;
            keep_others_out(path)?;
            std::path::absolute(path)
        };
        let cannot = |error| format!("cannot use {}: {error}", path.display());
        let path = kept().map_err(cannot)?;
        let lock = File::create(path.join(LOCK)).map_err(cannot)?;
        match lock.try_lock() {
            Ok(()) => {
                check_format(&path)?;
                Ok(Self::Kept { path, _lock: lock })
            }
            Err(TryLockError::WouldBlock) => Err(format!(
                "another server uses {}: stop it, or choose another folder with --data-dir",
                path.display()
            )
            .into()),
            Err(TryLockError::Error(error)) => Err(cannot(error).into()),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::Kept { path, .. } => path,
            Self::Temporary(folder) => folder.path(),
        }
    }

    /// The folder of the database's file; `None` if the data stays in memory.
    pub(crate) fn database_folder(&self) -> Option<&Path> {
        match self {
            Self::Kept { path, .. } => Some(path),
            Self::Temporary(_) => None,
        }
    }

    pub(crate) fn connection_file(&self) -> PathBuf {
        self.path().join(data_folder::CONNECTION_FILE)
    }

    /// Writes how to reach the database at `endpoint_url`. A data folder keeps its access key over
    /// restarts: a running `cargo lambda watch`, which reads it once, goes on working.
    pub(crate) fn connect(&self, endpoint_url: String) -> Result<Connection, ServeError> {
        let file = self.connection_file();
        let kept = Connection::read(&file).ok().filter(|kept| is_key(&kept.access_key_id));
        let connection = match kept {
            Some(kept) => Connection { endpoint_url, ..kept },
            None => Connection {
                endpoint_url,
                region: LOCAL_REGION.to_owned(),
                access_key_id: generate_key()?,
                secret_access_key: generate_key()?,
            },
        };
        let json = serde_json::to_string_pretty(&connection)?;
        self.write(data_folder::CONNECTION_FILE, &format!("{json}\n"))?;
        self.write(WATCH, &variables(&connection))?;
        Ok(connection)
    }

    /// Replaces a file by one that only its owner may read.
    fn write(&self, name: &str, text: &str) -> Result<(), ServeError> {
        write(self.path(), name, text)
    }
}

/// Replaces a file of `folder` by one that only its owner may read.
fn write(folder: &Path, name: &str, text: &str) -> Result<(), ServeError> {
    let mut file = NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.persist(folder.join(name))?;
    Ok(())
}

/// Refuses a folder that another version of this program has written, and marks a new one.
fn check_format(folder: &Path) -> Result<(), ServeError> {
    let shown = folder.display();
    let format = match std::fs::read_to_string(folder.join(FORMAT_FILE)) {
        Ok(text) => text.trim().parse().map_err(|_| {
            format!("{shown}/{FORMAT_FILE} does not have a number: choose another folder with --data-dir")
        })?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            if !folder.join(engine::FILE).exists() {
                return write(folder, FORMAT_FILE, &format!("{FORMAT}\n"));
            }
            1
        }
        Err(error) => return Err(format!("cannot use {shown}: {error}").into()),
    };
    match FORMAT.cmp(&format) {
        Ordering::Equal => Ok(()),
        Ordering::Greater => Err(format!(
            "the data in {shown} has format {format}, of an older version; this version uses format \
             {FORMAT}: move the folder away, or choose another one with --data-dir"
        )
        .into()),
        Ordering::Less => Err(format!(
            "the data in {shown} has format {format}, of a newer version; this version uses format \
             {FORMAT}: start the newer version, or choose another folder with --data-dir"
        )
        .into()),
    }
}

#[cfg(unix)]
fn owner_only() -> Permissions {
    std::os::unix::fs::PermissionsExt::from_mode(0o700)
}

#[cfg(unix)]
fn keep_others_out(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    // Others work in it, as in /tmp.
    const STICKY: u32 = 0o1000;
    let mode = std::fs::metadata(folder)?.permissions().mode();
    if mode & STICKY != 0 {
        return Err(std::io::Error::other(
            "it is shared with other users; name a folder inside it",
        ));
    }
    if mode & 0o777 == 0o700 { Ok(()) } else { std::fs::set_permissions(folder, owner_only()) }
}

#[cfg(not(unix))]
fn keep_others_out(_: &Path) -> std::io::Result<()> {
    Ok(())
}

const KEY_PREFIX: &str = "LOCAL";

/// A new key: 128 random bits.
fn generate_key() -> Result<String, ServeError> {
    let mut random = [0; 16];
    getrandom::fill(&mut random)?;
    Ok(format!("{KEY_PREFIX}{:032X}", u128::from_ne_bytes(random)))
}

/// Whether a text has the form of a generated key. An empty or short one would open the database to
/// every guess.
fn is_key(text: &str) -> bool {
    let digits = text.strip_prefix(KEY_PREFIX);
    digits.is_some_and(|text| text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// The environment of functions that work on the database.
fn variables(connection: &Connection) -> String {
    let tables = TableNames::default();
    [
        ("AWS_ENDPOINT_URL_DYNAMODB", &connection.endpoint_url),
        ("AWS_REGION", &connection.region),
        // The AWS CLI knows the region by this name only.
        ("AWS_DEFAULT_REGION", &connection.region),
        ("AWS_ACCESS_KEY_ID", &connection.access_key_id),
        ("AWS_SECRET_ACCESS_KEY", &connection.secret_access_key),
        ("DIRECTORY_TABLE", &tables.directory),
        ("RELEASES_TABLE", &tables.releases),
    ]
    .map(|(name, value)| format!("{name}={value}\n"))
    .concat()
}
