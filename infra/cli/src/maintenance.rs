//! `sweep`, `audit` and `tables`: the upkeep of the tables themselves.

use std::time::Duration;

use clap::Subcommand;
use serde_json::json;
use shared::domain::time::Timestamp;
use shared::store::audit::Audit;
use shared::store::sweep::{GRACE, Swept};
use shared::store::{Store, TableNames};

use crate::arguments::parse_duration;
use crate::error::Error;
use crate::output::{Output, Printable, Row};
use crate::{STEP, deadline};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Remove the links and claims that deleted releases left behind.
    Sweep {
        /// Spare what is younger, 20m by default. With less than it takes to make a release, a
        /// release that is being made may lose links.
        #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
        older_than: Option<Duration>,
    },
    /// Check both tables against their rules and each other; fails if a rule is broken.
    ///
    /// A violation is a broken rule: a link without its claims, a release whose project the directory
    /// does not know, a path without its project, a token with a role in an unknown project. A warning
    /// is left over from a deleted project: a release, or a token that grants nothing that exists.
    /// Reads both tables page by page, five to seven read units for each link. Run it while nothing writes:
    /// a write in between can look like a violation.
    Audit,
    /// The two tables.
    #[command(subcommand)]
    Tables(Tables),
}

#[derive(Debug, Subcommand)]
pub(crate) enum Tables {
    /// Make the tables that are missing in a bare DynamoDB; on AWS the template makes them.
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
            let before = Timestamp::now().minus(older_than.unwrap_or(GRACE));
            Ok(output.one(&store.sweep(before, STEP).await?)?)
        }
        Command::Audit => audit(store, output).await,
        Command::Tables(Tables::Create) => {
            store.create_tables(deadline()).await?;
            let TableNames { directory, releases } = tables;
            let sentence = format!("the tables {directory} and {releases} are there");
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

impl Row for Swept {
    const HEADER: &'static [&'static str] = &["ITEMS LOOKED AT", "LINKS REMOVED", "CLAIMS REMOVED"];

    fn cells(&self) -> Vec<String> {
        [self.items, self.links, self.claims].map(|count| count.to_string()).to_vec()
    }
}

impl Row for Audit {
    const HEADER: &'static [&'static str] = &[
        "RELEASES",
        "LINKS",
        "CLAIMS",
        "UNREACHABLE",
        "VIOLATIONS",
        "PROJECTS",
        "TOKENS",
        "WARNINGS",
        "UNLISTED",
    ];

    fn cells(&self) -> Vec<String> {
        [
            self.releases,
            self.links,
            self.claims,
            self.unreachable,
            self.violations.len() as u64,
            self.projects,
            self.tokens,
            self.warnings.len() as u64,
            self.unlisted,
        ]
        .map(|count| count.to_string())
        .to_vec()
    }
}
