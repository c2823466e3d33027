//! The embedded DynamoDB.

use std::path::Path;

use dynoxide::Database;
use tokio::net::TcpListener;

use crate::Error;

/// Opens the database in `folder`, made where it is not there; in memory without one.
pub(crate) fn open(folder: Option<&Path>) -> Result<Database, Error> {
    let Some(folder) = folder else {
        return Ok(Database::memory()?);
    };
    let cannot =
        |error: &dyn std::fmt::Display| format!("cannot use {}: {error}", folder.display());
    std::fs::create_dir_all(folder).map_err(|error| cannot(&error))?;
    let file = folder.join("dynamodb.sqlite");
    let file = file.to_str().ok_or_else(|| cannot(&"its name is not UTF-8"))?;
    Database::new(file).map_err(|error| cannot(&error).into())
}

/// Serves the database until `stopped` resolves and the last request is answered.
pub(crate) async fn serve(
    listener: TcpListener,
    database: Database,
    stopped: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Error> {
    Ok(dynoxide::server::serve_with_shutdown(listener, database, stopped).await?)
}
