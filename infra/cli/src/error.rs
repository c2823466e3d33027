//! Why a command failed: each sentence says the mistake and the next step.

use std::io;

use shared::config::ConfigError;
use shared::connection::ConnectionError;
use shared::domain::publisher::InvalidPublisher;
use shared::domain::username::InvalidUsername;
use shared::store::error::{StoreError, with_causes};

/// Why a command was not carried out.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The options contradict each other, or one is missing.
    #[error("{0}")]
    Usage(&'static str),
    #[error("there is no project {0}: to see all projects, run `release-links project list`")]
    NoProject(String),
    #[error(
        "more than one project that was deleted had the path {path}: name one by its number, {ids}"
    )]
    AmbiguousProject { path: String, ids: String },
    #[error(
        "a project already exists at {path} (number {id}): to change it, run `release-links project \
         update {path}`"
    )]
    PathTaken { path: String, id: u64 },
    #[error(
        "the path {0} is taken, but its project is missing: `release-links audit` shows the cause"
    )]
    PathBroken(String),
    #[error(
        "project {path} (number {id}) has other settings: {differences}. To change them, run \
         `release-links project update {path}`"
    )]
    OtherSettings { path: String, id: u64, differences: String },
    #[error("project {path} has the number {id}, not {wanted}; a number cannot be changed")]
    OtherNumber { path: String, id: u64, wanted: u64 },
    #[error("project {0} was moved or deleted by another command: run this one again")]
    ProjectChanged(String),
    #[error("the number {0} belongs or belonged to another project; numbers are never reused")]
    IdUsed(u64),
    #[error(
        "the number {0} has releases of a project that the directory does not know, as after a \
         restore: choose another number, or delete them with `project delete {0}`"
    )]
    IdHasReleases(u64),
    #[error(
        "project {project} has no release {tag}: to see its releases, run `release-links release \
         list {project}`"
    )]
    NoRelease { project: String, tag: String },
    #[error(
        "release {tag} of {project} is immutable: to change it, run `release-links project update \
         {project} --immutable-after never` first"
    )]
    ReleaseImmutable { project: String, tag: String },
    #[error("project {project} already has a release {tag}")]
    ReleaseExists { project: String, tag: String },
    #[error(
        "release {tag} of {project} has no link {link}: to see its links, run `release-links link \
         list {project} {tag}`"
    )]
    NoLink { project: String, tag: String, link: String },
    #[error(
        "release {tag} of {project} has {count} links, too many to find one by its name: name it by \
         its number"
    )]
    TooManyLinks { project: String, tag: String, count: usize },
    #[error("release {tag} of {project} already has this link, with the number {id}")]
    LinkExists { project: String, tag: String, id: u64 },
    #[error("release {tag} of {project} already has {taken}")]
    LinkTaken { project: String, tag: String, taken: String },
    #[error("there is no token {0}: to see all tokens, run `release-links token list`")]
    NoToken(String),
    #[error("there is no token with this secret")]
    NoTokenOfSecret,
    #[error("more than one token has the ID {0}: use the token's secret instead")]
    AmbiguousToken(String),
    // The text is not repeated: it may be a secret that was copied badly.
    #[error(
        "that is neither the ID of a token, twelve hexadecimal digits, nor a token's secret: to see the \
         IDs, run `release-links token list`"
    )]
    NotAToken,
    #[error("token {0} is revoked: create a new one with `release-links token create`")]
    TokenRevoked(String),
    #[error(
        "token {id} was created, but its secret could not be written: {cause}. Revoke the token with \
         `release-links token revoke {id}`"
    )]
    SecretLost { id: String, cause: io::Error },
    #[error("there is no issuer {0}: to add it, run `release-links issuer add {0} --audience URL`")]
    NoIssuer(String),
    #[error(
        "issuer {0} exists with other settings: to change them, run `release-links issuer remove {0}` \
         first"
    )]
    IssuerExists(String),
    #[error("cannot fetch the keys of {url}: {cause}")]
    IssuerKeys { url: String, cause: String },
    #[error("issuers whose keys could not be fetched: {0}")]
    NotRefreshed(usize),
    #[error(
        "project {project} has no publisher {id}: to see its publishers, run `release-links publisher \
         list {project}`"
    )]
    NoPublisher { project: String, id: String },
    #[error("project {project} already has {most} publishers, the most that a project can have")]
    TooManyPublishers { project: String, most: usize },
    #[error("the publisher was not added: {0}")]
    Publisher(#[from] InvalidPublisher),
    #[error("the user's name {0}")]
    Username(#[from] InvalidUsername),
    #[error("the tables are not consistent, violations: {0}")]
    Violations(usize),
    #[error("this deletes {0}: to confirm, add --yes")]
    Unconfirmed(String),
    #[error("nothing was deleted")]
    Declined,
    #[error(
        "no AWS region is set, and {0} chooses AWS: set AWS_REGION, or choose a --profile that has a \
         region"
    )]
    NoRegion(&'static str),
    #[error(
        "no database found. Start a local server with `release-links serve`, or name one: \
         --connection PATH for a local server's connection file, --endpoint-url URL for another \
         DynamoDB, or AWS_REGION (or --profile) for AWS"
    )]
    NoDatabase,
    /// An error of the database, with its place and the next step.
    #[error("{0}")]
    Database(String),
    #[error(transparent)]
    Connection(#[from] ConnectionError),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("{}", with_causes(.0))]
    Store(#[from] StoreError),
    #[error("{0}")]
    Serve(crate::serve_error::ServeError),
    #[error("cannot start the HTTP client: {}", with_causes(.0))]
    Client(reqwest::Error),
    #[error("files that are dead or differ: {0}")]
    Unverified(usize),
    #[error("cannot write the output: {0}")]
    Output(#[from] io::Error),
}
