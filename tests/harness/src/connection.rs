//! The access keys of the databases under test. Tests name a database by its own URL or its proxy's;
//! this module finds the key for that URL.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{LazyLock, Mutex};

use shared::aws_client::LOCAL_REGION;
use shared::connection::Connection;
use tempfile::NamedTempFile;

static BY_URL: LazyLock<Mutex<HashMap<String, Connection>>> = LazyLock::new(Mutex::default);

/// Reads the connection file of a server that has started.
pub fn learn(file: &Path) {
    let connection = Connection::read(file).unwrap();
    BY_URL.lock().unwrap().insert(connection.endpoint_url.clone(), connection);
}

/// Registers the key of the database behind a proxy for the proxy's URL.
pub fn learn_proxy(url: &str, upstream: &str) {
    let connection = Connection { endpoint_url: url.to_owned(), ..of(upstream) };
    BY_URL.lock().unwrap().insert(url.to_owned(), connection);
}

/// How to reach the database at this URL. Databases of other kinds take any key.
pub fn of(url: &str) -> Connection {
    BY_URL.lock().unwrap().get(url).cloned().unwrap_or_else(|| Connection {
        endpoint_url: url.to_owned(),
        region: LOCAL_REGION.to_owned(),
        access_key_id: "test".to_owned(),
        secret_access_key: "test".to_owned(),
    })
}

/// The keys for this URL, as AWS's environment variables.
pub fn variables(url: &str) -> [(&'static str, String); 2] {
    let Connection { access_key_id, secret_access_key, .. } = of(url);
    [("AWS_ACCESS_KEY_ID", access_key_id), ("AWS_SECRET_ACCESS_KEY", secret_access_key)]
}

/// A connection file for this URL, as a server writes it.
pub fn file(url: &str) -> NamedTempFile {
    let file = NamedTempFile::new().unwrap();
    serde_json::to_writer(&file, &of(url)).unwrap();
    file
}
