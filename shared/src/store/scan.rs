//! Reading a whole table, page by page: for sweeps and audits, never for a request.

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::scan::{ScanError, ScanOutput};
use aws_smithy_async::future::pagination_stream::PaginationStream;

use super::Store;
use super::deadline::Deadline;
use super::error::StoreError;
use super::items::Attributes;
use super::request::run_or_refuse;

#[derive(Clone, Copy, Debug)]
pub(super) enum Table {
    Directory,
    Releases,
}

pub(super) struct Scan(PaginationStream<Result<ScanOutput, SdkError<ScanError>>>);

impl Store {
    pub(super) fn scan(&self, table: Table) -> Scan {
        let scan = self.client.scan().table_name(self.table_name(table)).consistent_read(true);
        Scan(scan.into_paginator().send())
    }

    pub(super) fn table_name(&self, table: Table) -> &str {
        match table {
            Table::Directory => &self.tables.directory,
            Table::Releases => &self.tables.releases,
        }
    }
}

impl Scan {
    /// The next page, or none after the last.
    pub(super) async fn next(
        &mut self,
        deadline: Deadline,
    ) -> Result<Option<Vec<Attributes>>, StoreError> {
        let page = run_or_refuse(deadline, self.0.try_next()).await?;
        Ok(page.map(|page| page.items.unwrap_or_default()))
    }
}
