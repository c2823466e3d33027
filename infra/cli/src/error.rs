//! Why a command failed: each sentence says what is wrong and what to do next.

use shared::app::ConfigError;
use shared::connection::ConnectionError;
use shared::store::StoreError;

/// Why a command was not carried out.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
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
        "no database found. Start a local server with `release-links serve`, or name one: \
         --connection PATH for a local server's connection file, --endpoint-url URL for another \
         DynamoDB, or AWS_REGION (or --profile) for AWS"
    )]
    NoDatabase,
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
    #[error("{0}")]
    Serve(crate::serve::Error),
    #[error("cannot write the output: {0}")]
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
