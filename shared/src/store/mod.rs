//! Links, releases, projects and tokens in `DynamoDB`.
//!
//! One store speaks to one database: there is no other implementation and no trait for one. Tests
//! and the local server run an embedded `DynamoDB` behind the same client.

pub mod audit;
mod change;
mod counter;
pub mod deadline;
pub mod error;
pub mod fitting;
pub mod issuers;
mod items;
pub mod keys;
mod leased_numbers;
mod link_ids;
pub mod links;
mod list;
pub mod meter;
mod pages;
mod path_cache;
pub mod projects;
pub mod publish;
pub mod query;
pub mod read;
pub mod releases;
mod request;
mod scan;
mod set;
pub mod sweep;
pub mod table_names;
pub mod tables;
pub mod tokens;
mod transaction;

use aws_sdk_dynamodb::Client;

use leased_numbers::LeasedNumbers;
use path_cache::PathCache;
use table_names::TableNames;

/// The store: a client, the names of two tables, and what a process remembers between requests.
#[derive(Debug)]
pub struct Store {
    client: Client,
    tables: TableNames,
    link_ids: LeasedNumbers,
    paths: PathCache,
}

impl Store {
    /// A store over these tables.
    #[must_use]
    pub fn new(client: Client, tables: TableNames) -> Self {
        Self { client, tables, link_ids: LeasedNumbers::default(), paths: PathCache::default() }
    }
}
