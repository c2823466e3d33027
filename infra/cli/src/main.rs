//! The program `release-links`: serves the API on this machine, and manages the projects, tokens and
//! releases of an installation, straight in its tables.
//!
//! The commands are guarded by the file permissions of the data folder, or on AWS by the IAM
//! permissions of the caller. They are the only writers of the directory table.

mod arguments;
mod connection;
mod data_folder;
mod error;
mod maintenance;
mod output;
mod project;
mod release;
mod serve;
mod token;
mod words;

use std::process::ExitCode;
use std::time::Duration;

use shared::store::deadline::Deadline;
use tokio::runtime;

use arguments::{Arguments, Command};
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
        // The help or the version.
        Err(help) if help.exit_code() == 0 => {
            return match Printable::lines(&help.render().to_string()).print() {
                Ok(()) => ExitCode::SUCCESS,
                Err(_) => ExitCode::FAILURE,
            };
        }
        Err(error) => {
            // It repeats what was typed.
            Printable::lines(&error.render().to_string()).print_as_error();
            return ExitCode::from(USAGE);
        }
    };
    let output = arguments.output;
    match run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output.error(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

/// The exit code of a command line that cannot be read.
const USAGE: u8 = 2;

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
            wait(async { project::run(command, &connection.open().await?, output).await })
        }
        Command::Token(command) => {
            wait(async { token::run(command, &connection.open().await?, output).await })
        }
        Command::Release(command) => {
            wait(async { release::run(command, &connection.open().await?, output).await })
        }
        Command::Maintenance(command) => wait(async {
            let tables = connection.tables();
            maintenance::run(command, &connection.open().await?, &tables, output).await
        }),
    }
}

/// Runs a command to its end.
fn wait(command: impl Future<Output = Result<(), Error>>) -> Result<(), Error> {
    runtime::Builder::new_current_thread().enable_all().build()?.block_on(command)
}
