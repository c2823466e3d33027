//! Setting attributes of one directory item and leaving its other attributes as they are.
//!
//! Two operators who change different attributes of an item both keep their change. The values are
//! constants, so a retry after a lost response sets the same values again.

use aws_sdk_dynamodb::types::ReturnValue;

use super::deadline::{Backoff, Deadline};
use super::items::Attributes;
use super::keys::DirectoryKey;
use super::request::{Outcome, refused, run};
use super::transaction::Condition;
use super::{Store, StoreError};

impl Store {
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
        let mut request = self
            .client
            .update_item()
            .table_name(&self.tables.directory)
            .set_key(Some(key.attributes()))
            .condition_expression(condition.expression)
            .return_values(ReturnValue::AllNew);
        for (placeholder, value) in condition.values {
            request = request.expression_attribute_values(placeholder, value);
        }
        let (mut set, mut removed) = (Vec::new(), Vec::new());
        for (n, (name, value)) in attributes.into_iter().enumerate() {
            request = request.expression_attribute_names(format!("#set{n}"), name);
            if value.is_null() {
                removed.push(format!("#set{n}"));
            } else {
                set.push(format!("#set{n} = :set{n}"));
                request = request.expression_attribute_values(format!(":set{n}"), value);
            }
        }
        let clauses = [("SET", set), ("REMOVE", removed)];
        let clauses = clauses.iter().filter(|(_, actions)| !actions.is_empty());
        let clauses: Vec<_> =
            clauses.map(|(verb, actions)| format!("{verb} {}", actions.join(", "))).collect();
        let request = request.update_expression(clauses.join(" "));
        let mut backoff = Backoff::new(deadline);
        loop {
            match run(deadline, request.clone().send()).await? {
                Outcome::Done(output) => return Ok(output.attributes),
                Outcome::Failed(error) if error.is_conditional_check_failed_exception() => {
                    return Ok(None);
                }
                // A transaction holds the item for the moment.
                Outcome::Failed(error) if error.is_transaction_conflict_exception() => {
                    backoff.pause("TransactionConflictException").await?;
                }
                Outcome::Failed(error) => return Err(refused(&error)),
            }
        }
    }
}
