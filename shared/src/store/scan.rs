//! Reading a whole table, page by page: for sweeps and audits, never for a request.

use super::Store;
use super::deadline::Deadline;
use super::error::StoreError;
use super::items::Attributes;
use super::keys::KeyAttributes;
use super::request::run_or_refuse;

#[derive(Clone, Copy, Debug)]
pub(super) enum Table {
    Directory,
    Releases,
}

pub(super) struct Scan<'a> {
    store: &'a Store,
    table: &'a str,
    from: Option<KeyAttributes>,
    finished: bool,
}

impl Store {
    pub(super) fn scan(&self, table: Table) -> Scan<'_> {
        Scan { store: self, table: self.table_name(table), from: None, finished: false }
    }

    pub(super) fn table_name(&self, table: Table) -> &str {
        match table {
            Table::Directory => &self.tables.directory,
            Table::Releases => &self.tables.releases,
        }
    }
}

impl Scan<'_> {
    /// The next page, or none after the last.
    pub(super) async fn next(
        &mut self,
        deadline: Deadline,
    ) -> Result<Option<Vec<Attributes>>, StoreError> {
        if self.finished {
            return Ok(None);
        }
        let request = self
            .store
            .client
            .scan()
            .table_name(self.table)
            .set_exclusive_start_key(self.from.take())
            .consistent_read(true);
        let page = run_or_refuse(deadline, request.send()).await?;
        self.from = page.last_evaluated_key;
        self.finished = self.from.is_none();
        Ok(Some(page.items.unwrap_or_default()))
    }
}
