//! All-or-nothing writes.

use std::collections::HashMap;

use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    AttributeValue, ConditionCheck, Delete, Put, TransactWriteItem, Update,
};

use super::Store;
use super::change::Change;
use super::deadline::{Backoff, Deadline};
use super::error::StoreError;
use super::items::Attributes;
use super::keys::{KeyAttributes, ReleasesKey};
use super::request::{DbResult, refused, run};
use crate::domain::random::random_u128;

/// One item's part of a transaction, and the condition under which it may happen.
#[derive(Clone)]
pub(super) enum Write {
    Put {
        table: String,
        item: Attributes,
        condition: Option<Condition>,
    },
    Delete {
        table: String,
        key: KeyAttributes,
        condition: Option<Condition>,
    },
    Update {
        table: String,
        key: KeyAttributes,
        change: Change,
        condition: Option<Condition>,
    },
    /// The condition alone.
    Check {
        table: String,
        key: KeyAttributes,
        condition: Condition,
    },
}

/// A condition expression with what its placeholders stand for.
#[derive(Clone, Default)]
pub(super) struct Condition {
    pub(super) expression: String,
    pub(super) names: HashMap<String, String>,
    pub(super) values: Attributes,
}

impl Condition {
    /// A condition with placeholders of names and of values.
    pub(super) fn new<const NAMES: usize, const VALUES: usize>(
        expression: &str,
        names: [(&str, &str); NAMES],
        values: [(&str, AttributeValue); VALUES],
    ) -> Self {
        Self {
            expression: expression.to_owned(),
            names: names.map(|(name, stands_for)| (name.to_owned(), stands_for.to_owned())).into(),
            values: values.map(|(name, value)| (name.to_owned(), value)).into(),
        }
    }

    /// The condition that an item has this key.
    pub(super) fn exists() -> Self {
        Self { expression: "attribute_exists(pk)".to_owned(), ..Self::default() }
    }

    /// The condition that no item has this key.
    pub(super) fn absent() -> Self {
        Self { expression: "attribute_not_exists(pk)".to_owned(), ..Self::default() }
    }

    /// The same, beside a change with these placeholders: a request has one list of them.
    pub(super) fn with(mut self, names: HashMap<String, String>, values: Attributes) -> Self {
        self.names.extend(names);
        self.values.extend(values);
        self
    }
}

/// The result of a transaction.
pub(super) enum TransactionResult {
    /// All of it happened.
    Committed,
    /// The transaction wrote nothing. For each write, in order, whether its condition failed.
    ConditionsFailed(Vec<bool>),
}

impl Store {
    /// Carries out `writes`, at most a hundred and no two of one item, as one transaction. Retries after
    /// conflicts and throttles.
    ///
    /// A single write is a transaction too, at twice the price of a put: only transactions accept an
    /// idempotency token. Without one, a retry after a lost response could overwrite later changes.
    ///
    /// A conflict is never taken for a failed condition, even where the database reports both: the
    /// other writer's transaction can still be cancelled.
    pub(super) async fn transact(
        &self,
        writes: Vec<Write>,
        deadline: Deadline,
    ) -> Result<TransactionResult, StoreError> {
        let items =
            writes.into_iter().map(TransactWriteItem::try_from).collect::<Result<Vec<_>, _>>()?;
        let mut backoff = Backoff::new(deadline);
        loop {
            // The SDK's own retries share the token: after a lost response, they get the first result.
            // A retry after a cancellation is a new transaction with a new token.
            let request = self
                .client
                .transact_write_items()
                .set_transact_items(Some(items.clone()))
                .client_request_token(format!("{:032x}", random_u128()));
            let cancelled = match run(deadline, request.send()).await? {
                DbResult::Done(_) => return Ok(TransactionResult::Committed),
                DbResult::Failed(TransactWriteItemsError::TransactionCanceledException(error)) => {
                    error
                }
                DbResult::Failed(error) => return Err(refused(&error)),
            };
            match Cancellation::read(cancelled.cancellation_reasons())? {
                Cancellation::ConditionsFailed(failed) => {
                    return Ok(TransactionResult::ConditionsFailed(failed));
                }
                Cancellation::TryAgain(cause) => backoff.wait(&cause).await?,
            }
        }
    }
}

impl Store {
    /// The writing of an item of the releases table, key and all.
    pub(super) fn put(&self, item: Attributes, condition: Option<Condition>) -> Write {
        Write::Put { table: self.tables.releases.clone(), item, condition }
    }

    /// The deletion of an item of the releases table.
    pub(super) fn delete(&self, key: &ReleasesKey, condition: Option<Condition>) -> Write {
        Write::Delete { table: self.tables.releases.clone(), key: key.attributes(), condition }
    }
}

enum Cancellation {
    ConditionsFailed(Vec<bool>),
    TryAgain(String),
}

impl Cancellation {
    fn read(reasons: &[aws_sdk_dynamodb::types::CancellationReason]) -> Result<Self, StoreError> {
        let codes = || reasons.iter().map(|reason| reason.code().unwrap_or("None"));
        let passing = ["TransactionConflict", "ProvisionedThroughputExceeded", "ThrottlingError"];
        if let Some(code) = codes().find(|code| passing.contains(code)) {
            return Ok(Self::TryAgain(code.to_owned()));
        }
        let failed: Vec<bool> = codes().map(|code| code == "ConditionalCheckFailed").collect();
        if failed.contains(&true) {
            Ok(Self::ConditionsFailed(failed))
        } else {
            let codes = codes().collect::<Vec<_>>().join(", ");
            Err(StoreError::Refused(format!("transaction cancelled: {codes}").into()))
        }
    }
}

impl TryFrom<Write> for TransactWriteItem {
    type Error = StoreError;

    fn try_from(write: Write) -> Result<Self, Self::Error> {
        Ok(match write {
            Write::Put { table, item, condition } => {
                let (expression, names, values) = placeholders(condition);
                let put = Put::builder()
                    .table_name(table)
                    .set_item(Some(item))
                    .set_condition_expression(expression)
                    .set_expression_attribute_names(names)
                    .set_expression_attribute_values(values)
                    .build()?;
                Self::builder().put(put).build()
            }
            Write::Delete { table, key, condition } => {
                let (expression, names, values) = placeholders(condition);
                let delete = Delete::builder()
                    .table_name(table)
                    .set_key(Some(key))
                    .set_condition_expression(expression)
                    .set_expression_attribute_names(names)
                    .set_expression_attribute_values(values)
                    .build()?;
                Self::builder().delete(delete).build()
            }
            Write::Update { table, key, change, condition } => {
                let expression = condition.as_ref().map(|condition| condition.expression.clone());
                let all = condition.unwrap_or_default().with(change.names, change.values);
                let (_, names, values) = placeholders(Some(all));
                let update = Update::builder()
                    .table_name(table)
                    .set_key(Some(key))
                    .update_expression(change.expression)
                    .set_condition_expression(expression)
                    .set_expression_attribute_names(names)
                    .set_expression_attribute_values(values)
                    .build()?;
                Self::builder().update(update).build()
            }
            Write::Check { table, key, condition } => {
                let (expression, names, values) = placeholders(Some(condition));
                let check = ConditionCheck::builder()
                    .table_name(table)
                    .set_key(Some(key))
                    .set_condition_expression(expression)
                    .set_expression_attribute_names(names)
                    .set_expression_attribute_values(values)
                    .build()?;
                Self::builder().condition_check(check).build()
            }
        })
    }
}

type Placeholders = (Option<String>, Option<HashMap<String, String>>, Option<Attributes>);

/// A condition in the form of a request, in which an empty map of placeholders is an error.
pub(super) fn placeholders(condition: Option<Condition>) -> Placeholders {
    let Some(Condition { expression, names, values }) = condition else {
        return (None, None, None);
    };
    let names = (!names.is_empty()).then_some(names);
    (Some(expression), names, (!values.is_empty()).then_some(values))
}
