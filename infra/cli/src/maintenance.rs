//! `sweep`, `audit` and `tables`: the upkeep of the tables themselves.

use std::time::Duration;

use clap::Subcommand;
use serde_json::json;
use shared::domain::time::Timestamp;
use shared::store::Store;
use shared::store::audit::Audit;
use shared::store::sweep::{GRACE, Swept};
use shared::store::table_names::TableNames;

use crate::duration::parse_duration;
use crate::error::Error;
use crate::output::{Details, Output, Printable};
use crate::{STEP, deadline};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Remove links and claims that deleted releases left in the database.
    ///
    /// They can no longer be seen and only take up storage. A claim keeps a name, URL or path unique in
    /// its release. A local server sweeps by itself, and on AWS the table's stream does.
    Sweep {
        /// Only remove items older than this, for example 1h [default: 20m].
        ///
        /// Too small a value can remove links of a release that is still being created.
        #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
        older_than: Option<Duration>,
    },
    /// Check that both tables are consistent. Exits with 1 if they are not.
    ///
    /// A violation is an inconsistency: a link without the claims that keep its values unique, a release whose project the directory
    /// does not know, a path without its project, a token with a role in an unknown project. A warning
    /// is left over from a deleted project: a release, or a token that grants nothing that exists.
    /// Reads both tables page by page, five to seven read units for each link. Run it while no client
    /// writes: a write during the audit can look like a violation.
    Audit,
    /// Manage the two tables.
    #[command(subcommand)]
    Tables(Tables),
}

#[derive(Debug, Subcommand)]
pub(crate) enum Tables {
    /// Create the missing tables in a DynamoDB, for example with --endpoint-url `http://127.0.0.1:8000`.
    ///
    /// On AWS, the CloudFormation template creates them.
    Create,
}

/// Carries out a command about the tables.
pub(crate) async fn run(
    command: Command,
    store: &Store,
    tables: &TableNames,
    output: Output,
) -> Result<(), Error> {
    match command {
        Command::Sweep { older_than } => {
            let age = older_than.unwrap_or(GRACE);
            let swept = store.sweep(Timestamp::now().minus(age), STEP).await?;
            output.one(&swept)?;
            if let Output::Table = output {
                let minutes = age.as_secs().div_ceil(60);
                let note = format!("Items of the last {minutes} minutes are left to later sweeps.");
                Printable::line(&note).print()?;
            }
            Ok(())
        }
        Command::Audit => audit(store, output).await,
        Command::Tables(Tables::Create) => {
            store.create_tables(deadline()).await?;
            let TableNames { directory, releases } = tables;
            let sentence = format!("The tables {directory} and {releases} exist.");
            let names = json!({ "directory_table": directory, "releases_table": releases });
            Ok(output.done(&sentence, &names)?)
        }
    }
}

async fn audit(store: &Store, output: Output) -> Result<(), Error> {
    let audit = store.audit(STEP).await?;
    output.one(&audit)?;
    match output {
        Output::Table => {
            for violation in &audit.violations {
                Printable::line(violation).print()?;
            }
            for warning in &audit.warnings {
                Printable::line(&format!("warning: {warning}")).print()?;
            }
        }
        // They are in the object.
        Output::Json => {}
    }
    match audit.violations.len() {
        0 => Ok(()),
        violations => Err(Error::Violations(violations)),
    }
}

impl Details for Swept {
    fn fields(&self) -> Vec<(&'static str, String)> {
        vec![
            ("Items read", self.items.to_string()),
            ("Links removed", self.links.to_string()),
            ("Claims removed", self.claims.to_string()),
        ]
    }
}

impl Details for Audit {
    fn fields(&self) -> Vec<(&'static str, String)> {
        vec![
            ("Projects", self.projects.to_string()),
            ("Releases", self.releases.to_string()),
            ("Links", self.links.to_string()),
            ("Claims", self.claims.to_string()),
            ("Tokens", self.tokens.to_string()),
            ("Items left to sweep", self.unreachable.to_string()),
            ("Violations", self.violations.len().to_string()),
            ("Warnings", self.warnings.len().to_string()),
            ("Unlisted", self.unlisted.to_string()),
        ]
    }
}
