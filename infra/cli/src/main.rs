//! The program `release-links`: serves the API on this machine, and manages the projects, tokens and
//! releases of an installation, straight in its tables.
//!
//! The commands are guarded by the file permissions of the data folder, or on AWS by the IAM
//! permissions of the caller. They are the only writers of the directory table.

mod arguments;
mod confirm;
mod connection;
mod data_folder;
mod duration;
mod error;
mod issuer;
mod link;
mod maintenance;
mod output;
mod project;
mod project_argument;
mod publisher;
mod release;
mod serve;
mod serve_error;
mod token;
mod usage;
mod words;

use std::process::ExitCode;
use std::time::Duration;

use shared::store::Store;
use shared::store::deadline::Deadline;
use tokio::runtime;

use arguments::{Arguments, Command};
use connection::ConnectionArguments;
use error::Error;
use output::Printable;

/// How long one operation may take. For operations that read a whole table or list, the limit of each
/// request.
const STEP: Duration = Duration::from_secs(30);

/// The deadline of an operation that starts now.
fn deadline() -> Deadline {
    Deadline::after(STEP)
}

fn main() -> ExitCode {
    let arguments = match Arguments::read() {
        Ok(arguments) => arguments,
        Err(unread) => return unread.report(),
    };
    let output = arguments.output;
    match run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output.error(&error.to_string());
            match error {
                Error::Usage(_) => ExitCode::from(usage::EXIT_CODE),
                _ => ExitCode::FAILURE,
            }
        }
    }
}

fn run(arguments: Arguments) -> Result<(), Error> {
    let Arguments { output, connection, command } = arguments;
    match command {
        Command::Serve(arguments) => {
            serve::run(arguments, connection.into_endpoint_url()).map_err(Error::Serve)
        }
        Command::Completions { shell } => {
            let script = arguments::completions(shell);
            Ok(Printable::lines(&String::from_utf8_lossy(&script)).print()?)
        }
        Command::Project(command) => {
            on_database(connection, async |store| project::run(command, store, output).await)
        }
        Command::Token(command) => {
            on_database(connection, async |store| token::run(command, store, output).await)
        }
        Command::Release(command) => {
            on_database(connection, async |store| release::run(command, store, output).await)
        }
        Command::Link(command) => {
            on_database(connection, async |store| link::run(command, store, output).await)
        }
        Command::Issuer(command) => {
            on_database(connection, async |store| issuer::run(command, store, output).await)
        }
        Command::Publisher(command) => {
            on_database(connection, async |store| publisher::run(command, store, output).await)
        }
        Command::Maintenance(command) => {
            let tables = connection.tables();
            on_database(connection, async |store| {
                maintenance::run(command, store, &tables, output).await
            })
        }
    }
}

/// Runs a command on its database.
fn on_database(
    connection: ConnectionArguments,
    command: impl AsyncFnOnce(&Store) -> Result<(), Error>,
) -> Result<(), Error> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let (store, database) = connection.open().await?;
        command(&store).await.map_err(|error| database.explain(error))
    })
}
