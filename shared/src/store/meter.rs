//! Counts the requests to the database and their units, for the log of the request that they serve.

use aws_sdk_dynamodb::config::interceptors::{
    AfterDeserializationInterceptorContextRef, BeforeSerializationInterceptorContextMut,
};
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use aws_sdk_dynamodb::operation::{
    batch_get_item, batch_write_item, get_item, query, scan, transact_write_items, update_item,
};
use aws_sdk_dynamodb::types::{ConsumedCapacity, ReturnConsumedCapacity};
use aws_smithy_runtime_api::client::interceptors::context::{Input, Output};
use aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint;

use crate::request_record::note;

/// Asks each operation for its units, and notes them.
#[derive(Debug)]
pub struct Meter;

#[dyn_dispatch_hint]
impl Intercept for Meter {
    fn name(&self) -> &'static str {
        "Meter"
    }

    fn modify_before_serialization(
        &self,
        context: &mut BeforeSerializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(wanted) = wanted(context.input_mut()) {
            *wanted = Some(ReturnConsumedCapacity::Total);
        }
        Ok(())
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let (read_units, write_units) = context.output_or_error().map_or((0.0, 0.0), units);
        note(|record| {
            record.database_requests += 1;
            record.read_units += read_units;
            record.write_units += write_units;
        });
        Ok(())
    }
}

/// The field of a request that asks for its units.
fn wanted(input: &mut Input) -> Option<&mut Option<ReturnConsumedCapacity>> {
    macro_rules! field_of {
        ($($operation:ty),*) => {
            $(if input.downcast_ref::<$operation>().is_some() {
                return Some(&mut input.downcast_mut::<$operation>()?.return_consumed_capacity);
            })*
        };
    }
    field_of!(
        batch_get_item::BatchGetItemInput,
        get_item::GetItemInput,
        query::QueryInput,
        scan::ScanInput,
        batch_write_item::BatchWriteItemInput,
        transact_write_items::TransactWriteItemsInput,
        update_item::UpdateItemInput
    );
    None
}

/// The units of an operation, read and written.
fn units(output: &Output) -> (f64, f64) {
    macro_rules! capacity_of {
        ($($operation:ty),*) => {
            $(if let Some(output) = output.downcast_ref::<$operation>() {
                return output.consumed_capacity.as_ref().map_or(0.0, Capacity::units);
            })*
        };
    }
    let read = || {
        capacity_of!(
            batch_get_item::BatchGetItemOutput,
            get_item::GetItemOutput,
            query::QueryOutput,
            scan::ScanOutput
        );
        0.0
    };
    let written = || {
        capacity_of!(
            batch_write_item::BatchWriteItemOutput,
            transact_write_items::TransactWriteItemsOutput,
            update_item::UpdateItemOutput
        );
        0.0
    };
    (read(), written())
}

trait Capacity {
    fn units(&self) -> f64;
}

impl Capacity for ConsumedCapacity {
    fn units(&self) -> f64 {
        self.capacity_units.unwrap_or_default()
    }
}

/// One for each table.
impl Capacity for Vec<ConsumedCapacity> {
    fn units(&self) -> f64 {
        self.iter().map(Capacity::units).sum()
    }
}
