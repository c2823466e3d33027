//! The embedded DynamoDB engine: an operation's name and JSON body in, status and JSON body out.

use std::path::Path;

use dynoxide::{Database, DynoxideError};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::serve_error::ServeError;

/// The tables' file in the data folder.
pub(crate) const FILE: &str = "dynamodb.sqlite";

/// The engine over its tables. Clones share them.
#[derive(Clone)]
pub(crate) struct Engine {
    database: Database,
}

/// The response of an operation.
pub(crate) struct Answer {
    /// The HTTP status.
    pub(crate) status: u16,
    /// The JSON body.
    pub(crate) body: String,
}

impl Engine {
    /// Opens the tables in `folder`, which must exist; in memory without one.
    pub(crate) fn open(folder: Option<&Path>) -> Result<Self, ServeError> {
        let Some(folder) = folder else {
            return Ok(Self { database: Database::memory()? });
        };
        let cannot =
            |error: &dyn std::fmt::Display| format!("cannot use {}: {error}", folder.display());
        let file = folder.join(FILE);
        let file = file.to_str().ok_or_else(|| cannot(&"its name is not UTF-8"))?;
        Ok(Self { database: Database::new(file).map_err(|error| cannot(&error))? })
    }

    /// Carries out one operation, such as `PutItem`. Blocks while others hold the tables.
    pub(crate) fn answer(&self, operation: &str, body: &str) -> Answer {
        match self.run(operation, body) {
            Some(Ok(body)) => Answer { status: 200, body },
            Some(Err(error)) => Answer { status: error.status_code(), body: error.to_json() },
            None => Answer {
                status: 400,
                body: r#"{"__type":"com.amazon.coral.service#UnknownOperationException"}"#
                    .to_owned(),
            },
        }
    }

    /// The body of an operation's success, or its error; `None` if there is no such operation.
    fn run(&self, operation: &str, body: &str) -> Option<dynoxide::Result<String>> {
        let db = &self.database;
        Some(match operation {
            "BatchExecuteStatement" => ask(body, |request| db.batch_execute_statement(request)),
            "BatchGetItem" => ask(body, |request| db.batch_get_item(request)),
            "BatchWriteItem" => ask(body, |request| db.batch_write_item(request)),
            "CreateTable" => ask(body, |request| db.create_table(request)),
            "DeleteItem" => ask(body, |request| db.delete_item(request)),
            "DeleteTable" => ask(body, |request| db.delete_table(request)),
            "DescribeStream" => ask(body, |request| db.describe_stream(request)),
            "DescribeTable" => ask(body, |request| db.describe_table(request)),
            "DescribeTimeToLive" => ask(body, |request| db.describe_time_to_live(request)),
            "ExecuteStatement" => ask(body, |request| db.execute_statement(request)),
            "ExecuteTransaction" => ask(body, |request| db.execute_transaction(request)),
            "GetItem" => ask(body, |request| db.get_item(request)),
            "GetRecords" => ask(body, |request| db.get_records(request)),
            "GetShardIterator" => ask(body, |request| db.get_shard_iterator(request)),
            "ListStreams" => ask(body, |request| db.list_streams(request)),
            "ListTables" => ask(body, |request| db.list_tables(request)),
            "ListTagsOfResource" => ask(body, |request| db.list_tags_of_resource(request)),
            "PutItem" => ask(body, |request| db.put_item(request)),
            "Query" => ask(body, |request| db.query(request)),
            "Scan" => ask(body, |request| db.scan(request)),
            "TagResource" => ask(body, |request| db.tag_resource(request)),
            "TransactGetItems" => ask(body, |request| db.transact_get_items(request)),
            "TransactWriteItems" => ask(body, |request| db.transact_write_items(request)),
            "UntagResource" => ask(body, |request| db.untag_resource(request)),
            "UpdateItem" => ask(body, |request| db.update_item(request)),
            "UpdateTable" => ask(body, |request| db.update_table(request)),
            "UpdateTimeToLive" => ask(body, |request| db.update_time_to_live(request)),
            _ => return None,
        })
    }
}

/// Reads a request, carries it out and writes its response.
fn ask<Request: DeserializeOwned, Response: Serialize>(
    body: &str,
    carry_out: impl FnOnce(Request) -> dynoxide::Result<Response>,
) -> dynoxide::Result<String> {
    let request = serde_json::from_str(body).map_err(|error| unreadable(&error))?;
    let response = carry_out(request)?;
    serde_json::to_string(&response)
        .map_err(|error| DynoxideError::InternalServerError(error.to_string()))
}

/// The error of a body that is not a request of its operation. The engine's types put a marker, such
/// as `VALIDATION:`, before the words of what is invalid rather than malformed.
fn unreadable(error: &serde_json::Error) -> DynoxideError {
    let words = error.to_string();
    let words = words.rsplit_once(" at line ").map_or(words.as_str(), |(words, _)| words);
    let is_marker = |text: &str| text.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
    let parts = words.split_once(':').filter(|(marker, _)| is_marker(marker));
    let (marker, bare) = parts.unwrap_or(("", words));
    if marker.starts_with("VALIDATION") || words.starts_with("missing field") {
        DynoxideError::ValidationException(bare.to_owned())
    } else {
        DynoxideError::SerializationException(bare.to_owned())
    }
}
