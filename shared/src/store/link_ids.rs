//! Numbers for links: small, unique, leased from a counter in blocks.

use std::ops::Range;

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use tokio::sync::Mutex;

use super::deadline::Deadline;
use super::keys::ReleasesKey;
use super::request::run_or_refuse;
use super::{Store, StoreError};
use crate::domain::link::LinkId;

/// How many numbers one write to the counter brings. A process that ends leaves the rest of its
/// block as a gap.
const BLOCK: u64 = 16;

/// The numbers this process has leased and not used.
#[derive(Debug, Default)]
pub(super) struct LinkIds {
    block: Mutex<Range<u64>>,
}

impl Store {
    /// Leases a block where none is left, so that a creation need not. Done beside
    /// another request of the same invocation it costs no round trip of its own, and never after
    /// the answer: a function is frozen then, and the lease would be lost with the connection.
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
        // Not idempotent, and need not be: a lease whose answer is lost is a gap.
        let request = self
            .client
            .update_item()
            .table_name(&self.tables.releases)
            .set_key(Some(ReleasesKey::link_counter().attributes()))
            .update_expression("ADD #last :count")
            .expression_attribute_names("#last", LAST)
            .expression_attribute_values(":count", AttributeValue::N(count.to_string()))
            .return_values(ReturnValue::UpdatedNew);
        let output = run_or_refuse(deadline, request.send()).await?;
        let last: u64 = output
            .attributes()
            .and_then(|attributes| attributes.get(LAST)?.as_n().ok()?.parse().ok())
            .ok_or_else(|| StoreError::Corrupt("the counter has no number".to_owned()))?;
        Ok(last + 1 - count..last + 1)
    }
}

/// The counter's attribute: the last number given out.
pub(super) const LAST: &str = "last";
