//! Numbers for links: small, unique, leased from a counter in blocks.

use std::ops::Range;

use super::Store;
use super::deadline::Deadline;
use super::error::StoreError;
use super::keys::ReleasesKey;
use crate::domain::link::LinkId;

/// How many numbers one write to the counter brings. A process that ends leaves the rest of its
/// block as a gap.
const BLOCK: u64 = 16;

impl Store {
    /// Leases a block of numbers if none is left. Beside another request of the same invocation it costs
    /// no round trip of its own. It is never done after the response: Lambda freezes the function then,
    /// and the lease would be lost with the connection.
    pub async fn prepare_link_id(&self, deadline: Deadline) -> Result<(), StoreError> {
        let mut block = self.link_ids.block.lock().await;
        if block.is_empty() {
            *block = self.lease(BLOCK, deadline).await?;
        }
        Ok(())
    }

    /// A number no link has had.
    pub(super) async fn take_link_id(&self, deadline: Deadline) -> Result<LinkId, StoreError> {
        let mut block = self.link_ids.block.lock().await;
        loop {
            if let Some(id) = block.next() {
                return Ok(LinkId(id));
            }
            *block = self.lease(BLOCK, deadline).await?;
        }
    }

    /// `count` numbers no link has had, in order.
    pub(super) async fn take_link_ids(
        &self,
        count: u64,
        deadline: Deadline,
    ) -> Result<Range<u64>, StoreError> {
        if count == 0 { Ok(0..0) } else { self.lease(count, deadline).await }
    }

    async fn lease(&self, count: u64, deadline: Deadline) -> Result<Range<u64>, StoreError> {
        let counter = ReleasesKey::link_counter().attributes();
        let last = self.count_up(&self.tables.releases, counter, count, deadline).await?;
        Ok(last + 1 - count..last + 1)
    }
}
