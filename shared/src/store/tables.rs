//! The two tables: their names, and how a bare database gets them.

use aws_sdk_dynamodb::client::Waiters;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
    TimeToLiveSpecification,
};

use super::Store;
use super::deadline::Deadline;
use super::error::StoreError;
use super::items::TTL;
use super::keys::{PK, SK};
use super::request::{DbResult, refused, run};

impl Store {
    /// Makes the tables that are not there yet and waits until they can be used. On AWS the
    /// template makes them; this serves the local server and bare databases.
    pub async fn create_tables(&self, deadline: Deadline) -> Result<(), StoreError> {
        self.create_table(&self.tables.directory, deadline).await?;
        self.create_table(&self.tables.releases, deadline).await?;
        self.expire_tokens(deadline).await
    }

    async fn create_table(&self, name: &str, deadline: Deadline) -> Result<(), StoreError> {
        let mut request =
            self.client.create_table().table_name(name).billing_mode(BillingMode::PayPerRequest);
        for (attribute, kind) in [(PK, KeyType::Hash), (SK, KeyType::Range)] {
            request = request
                .attribute_definitions(
                    AttributeDefinition::builder()
                        .attribute_name(attribute)
                        .attribute_type(ScalarAttributeType::S)
                        .build()?,
                )
                .key_schema(
                    KeySchemaElement::builder().attribute_name(attribute).key_type(kind).build()?,
                );
        }
        match run(deadline, request.send()).await? {
            DbResult::Done(_) => {}
            // There already, or being made by somebody else.
            DbResult::Failed(error) if error.is_resource_in_use_exception() => {}
            DbResult::Failed(error) => return Err(refused(&error)),
        }
        let active = self.client.wait_until_table_exists().table_name(name);
        active
            .wait(deadline.remaining())
            .await
            .map_err(|error| StoreError::Unavailable(error.into()))?;
        Ok(())
    }

    async fn expire_tokens(&self, deadline: Deadline) -> Result<(), StoreError> {
        let table = &self.tables.directory;
        let described =
            run(deadline, self.client.describe_time_to_live().table_name(table).send()).await?;
        let enabled = matches!(
            described,
            DbResult::Done(ref output)
                if output.time_to_live_description().and_then(|ttl| ttl.attribute_name()).is_some()
        );
        if enabled {
            return Ok(());
        }
        let specification =
            TimeToLiveSpecification::builder().attribute_name(TTL).enabled(true).build()?;
        let request = self
            .client
            .update_time_to_live()
            .table_name(table)
            .time_to_live_specification(specification);
        match run(deadline, request.send()).await? {
            DbResult::Done(_) => Ok(()),
            DbResult::Failed(error) => Err(refused(&error)),
        }
    }
}
