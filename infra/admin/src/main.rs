//! The operator's command: projects, tokens and releases, straight in the tables.
//!
//! It is guarded by the IAM permissions of whoever runs it, and is the only writer of the directory
//! table.

mod arguments;
mod connection;
mod maintenance;
mod output;
mod projects;
mod releases;
mod tokens;
mod words;

use std::process::ExitCode;
use std::time::Duration;

use shared::app::ConfigError;
use shared::connection::ConnectionError;
use shared::store::StoreError;
use shared::store::deadline::Deadline;

use arguments::{Arguments, Command};
use output::Printable;

/// How long one operation may take; of one that reads a whole table or list, each of its requests.
const STEP: Duration = Duration::from_secs(30);

/// The deadline of an operation that starts now.
fn deadline() -> Deadline {
    Deadline::after(STEP)
}

/// Why a command was not carried out.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("there is no project {0}")]
    NoProject(String),
    #[error(
        "more than one project that was deleted had the path {path}: name one by its number, {ids}"
    )]
    AmbiguousProject { path: String, ids: String },
    #[error("the path {0} is another project's")]
    PathTaken(String),
    #[error("the number {0} is, or once was, another project's; it is never given out again")]
    IdUsed(u64),
    #[error(
        "the number {0} has releases of a project that the directory does not know, as after a \
         restore: choose another number, or delete them with `project delete {0}`"
    )]
    IdHasReleases(u64),
    #[error("project {project} has no release {tag}")]
    NoRelease { project: String, tag: String },
    #[error("project {project} already has a release {tag}")]
    ReleaseExists { project: String, tag: String },
    #[error("there is no token {0}")]
    NoToken(String),
    #[error("there is no token with this secret")]
    NoTokenOfSecret,
    #[error("more than one token has the id {0}: name the one that is meant by its secret")]
    AmbiguousToken(String),
    // The text is not repeated: it may be a secret that was copied badly.
    #[error("that is neither a token's id, twelve hexadecimal digits, nor a token's secret")]
    NotAToken,
    #[error("violations of the tables' rules: {0}")]
    Violations(usize),
    #[error("a table is not there: check the region, --directory-table and --releases-table")]
    NoTable,
    #[error("no AWS credentials are found: sign in, or choose a --profile that has some")]
    NoCredentials,
    #[error("no AWS region is set: set AWS_REGION, or choose a --profile that names one")]
    NoRegion,
    #[error(
        "the database refused the access key: use --connection with the file that the local server \
         printed when it started; on AWS, check the credentials or choose another --profile"
    )]
    OtherAccessKey,
    #[error(transparent)]
    Connection(#[from] ConnectionError),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Store(StoreError),
    #[error("the answer cannot be written: {0}")]
    Output(#[from] std::io::Error),
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            // An operator's commonest slips, which the SDK tells in many words or too few.
            StoreError::Refused(words) if words.contains("ResourceNotFoundException") => {
                Self::NoTable
            }
            StoreError::Refused(words) if words.contains("UnrecognizedClientException") => {
                Self::OtherAccessKey
            }
            StoreError::Unavailable(words) if words.contains("no credentials found in chain") => {
                Self::NoCredentials
            }
            StoreError::Unavailable(_) | StoreError::Refused(_) | StoreError::Corrupt(_) => {
                Self::Store(error)
            }
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = match Arguments::read() {
        Ok(arguments) => arguments,
        // The help or the version.
        Err(help) if help.exit_code() == 0 => {
            return help.print().map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS);
        }
        Err(error) => {
            // It repeats what was typed.
            Printable::lines(&error.render().to_string()).print_as_error();
            return ExitCode::from(USAGE);
        }
    };
    match run(arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let words = error.to_string().lines().map(str::trim).collect::<Vec<_>>().join("; ");
            Printable::line(&format!("error: {words}")).print_as_error();
            ExitCode::FAILURE
        }
    }
}

/// The exit code of a command line that cannot be read.
const USAGE: u8 = 2;

async fn run(arguments: Arguments) -> Result<(), Error> {
    let output = arguments.output;
    let tables = arguments.connection.tables();
    let store = arguments.connection.open().await?;
    match arguments.command {
        Command::Project(command) => projects::run(command, &store, output).await,
        Command::Token(command) => tokens::run(command, &store, output).await,
        Command::Release(command) => releases::run(command, &store, output).await,
        Command::Maintenance(command) => maintenance::run(command, &store, &tables, output).await,
    }
}
