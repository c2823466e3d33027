//! Counters: items that hold the last number given out.

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};

use super::Store;
use super::deadline::Deadline;
use super::error::StoreError;
use super::keys::KeyAttributes;
use super::request::run_or_refuse;

const LAST: &str = "last";

impl Store {
    /// Adds `count` to a counter and answers with its new number: that one and the `count - 1`
    /// before it are the caller's. Not idempotent, and need not be: numbers whose answer is lost
    /// are a gap.
    pub(super) async fn count_up(
        &self,
        table: &str,
        counter: KeyAttributes,
        count: u64,
        deadline: Deadline,
    ) -> Result<u64, StoreError> {
        let request = self
            .client
            .update_item()
            .table_name(table)
            .set_key(Some(counter))
            .update_expression("ADD #last :count")
            .expression_attribute_names("#last", LAST)
            .expression_attribute_values(":count", AttributeValue::N(count.to_string()))
            .return_values(ReturnValue::UpdatedNew);
        run_or_refuse(deadline, request.send())
            .await?
            .attributes()
            .and_then(|attributes| attributes.get(LAST)?.as_n().ok()?.parse().ok())
            .ok_or_else(|| StoreError::Corrupt("a counter has no number".into()))
    }
}
