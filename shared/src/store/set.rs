//! Setting attributes of one item and leaving its other attributes as they are.
//!
//! Two operators who change different attributes of an item both keep their change. The values are
//! constants, so a retry after a lost response sets the same values again.

use aws_sdk_dynamodb::types::ReturnValue;

use super::Store;
use super::change::Change;
use super::deadline::{Backoff, Deadline};
use super::error::StoreError;
use super::items::Attributes;
use super::keys::DirectoryKey;
use super::request::{DbResult, refused, run};
use super::transaction::{Condition, Write, placeholders};

impl Store {
    /// The change of an item of the directory as a part of a transaction.
    pub(super) fn change_in_directory(
        &self,
        key: &DirectoryKey,
        attributes: Attributes,
        condition: Option<Condition>,
    ) -> Write {
        let change = Change::set(attributes);
        let table = self.tables.directory.clone();
        Write::Update { table, key: key.attributes(), change, condition }
    }

    /// Sets these attributes, and removes those that are null, if the item meets the condition, which
    /// an absent item must not. Returns the whole item after the change, or `None` if nothing was
    /// changed.
    pub(super) async fn set_attributes(
        &self,
        key: &DirectoryKey,
        attributes: Attributes,
        condition: Condition,
        deadline: Deadline,
    ) -> Result<Option<Attributes>, StoreError> {
        let Change { expression, names, values } = Change::set(attributes);
        let (condition, of_condition, values) = placeholders(Some(condition.with(names, values)));
        let request = self
            .client
            .update_item()
            .table_name(&self.tables.directory)
            .set_key(Some(key.attributes()))
            .update_expression(expression)
            .set_condition_expression(condition)
            .set_expression_attribute_names(of_condition)
            .set_expression_attribute_values(values)
            .return_values(ReturnValue::AllNew);
        let mut backoff = Backoff::new(deadline);
        loop {
            match run(deadline, request.clone().send()).await? {
                DbResult::Done(output) => return Ok(output.attributes),
                DbResult::Failed(error) if error.is_conditional_check_failed_exception() => {
                    return Ok(None);
                }
                // A transaction holds the item for the moment.
                DbResult::Failed(error) if error.is_transaction_conflict_exception() => {
                    backoff.wait("TransactionConflictException").await?;
                }
                DbResult::Failed(error) => return Err(refused(&error)),
            }
        }
    }
}
