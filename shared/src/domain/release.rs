//! Releases: a tag of a project, and one generation of it.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::commit::CommitSha;
use super::link::{Change, LinkFields, ValidationError};
use super::publisher::PublishedBy;
use super::release_key::{ReleaseKey, ReleaseUid};
use super::time::Timestamp;
use super::token::User;

/// The longest name of a release, in characters.
pub const MAX_RELEASE_NAME_CHARS: usize = 255;
/// The longest description, in bytes: an item of the database holds 400 KB.
pub const MAX_DESCRIPTION_BYTES: usize = 256 * 1024;
/// The most links one request makes a release with: they are written before it can be seen, and in
/// the time of that request.
pub const MAX_NEW_LINKS: usize = 1_000;

/// A release's name, at most [`MAX_RELEASE_NAME_CHARS`] characters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ReleaseName(String);

impl ReleaseName {
    /// Parses a name; fails only on its length.
    pub fn parse(text: &str) -> Result<Self, ReleaseValidationError> {
        if text.chars().nth(MAX_RELEASE_NAME_CHARS).is_some() {
            return Err(ReleaseValidationError::NameTooLong);
        }
        Ok(Self(text.to_owned()))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A release's notes, at most [`MAX_DESCRIPTION_BYTES`] bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Description(String);

impl Description {
    /// Parses a description; fails only on its length.
    pub fn parse(text: &str) -> Result<Self, ReleaseValidationError> {
        if text.len() > MAX_DESCRIPTION_BYTES {
            return Err(ReleaseValidationError::DescriptionTooLong);
        }
        Ok(Self(text.to_owned()))
    }

    /// The description as it was sent.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Drops all but the characters that end at this byte or before.
    pub fn truncate(&mut self, end: usize) {
        self.0.truncate(self.0.floor_char_boundary(end));
    }
}

/// A broken rule about releases. `error_response` has GitLab's words for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReleaseValidationError {
    /// The name is longer than [`MAX_RELEASE_NAME_CHARS`].
    NameTooLong,
    /// The description is longer than [`MAX_DESCRIPTION_BYTES`].
    DescriptionTooLong,
    /// There are more than [`MAX_NEW_LINKS`] links.
    TooManyLinks,
    /// One of the links breaks a rule about links.
    Link(ValidationError),
    /// Two of the links have these names, urls or paths.
    DuplicateLinks(Vec<String>),
}

/// Links that a release can be made with: no two share a name, url or path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewLinks(Vec<LinkFields>);

impl NewLinks {
    /// Parses the links of a new release; fails with all that is wrong.
    pub fn parse(links: Vec<LinkFields>) -> Result<Self, Vec<ReleaseValidationError>> {
        let values = [
            duplicates(links.iter().map(|link| link.name.as_str())),
            duplicates(links.iter().map(|link| link.url.as_str())),
            duplicates(links.iter().filter_map(|link| Some(link.path.as_ref()?.as_str()))),
        ];
        let errors: Vec<_> = values
            .into_iter()
            .filter(|values| !values.is_empty())
            .map(ReleaseValidationError::DuplicateLinks)
            .collect();
        if errors.is_empty() { Ok(Self(links)) } else { Err(errors) }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The links, in the order in which they were sent.
    #[must_use]
    pub fn into_fields(self) -> Vec<LinkFields> {
        self.0
    }
}

/// The values that occur more than once, each named once, in the order in which they first occur.
fn duplicates<'a>(values: impl Iterator<Item = &'a str> + Clone) -> Vec<String> {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for value in values.clone() {
        *counts.entry(value).or_default() += 1;
    }
    let repeated = values.filter(|value| counts.remove(value).is_some_and(|count| count > 1));
    repeated.map(str::to_owned).collect()
}

/// The creator of a release, as that user was then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Author {
    pub id: u64,
    pub username: String,
}

impl From<&User> for Author {
    fn from(user: &User) -> Self {
        Self { id: user.id, username: user.username.clone() }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    pub key: ReleaseKey,
    /// Which life of the tag it is.
    pub uid: ReleaseUid,
    /// Its title; the tag's name where none was given.
    pub name: Option<ReleaseName>,
    pub description: Option<Description>,
    pub author: Author,
    /// The commit its tag was said to be at.
    pub commit: Option<CommitSha>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was, or will be, released.
    pub released_at: Timestamp,
    /// When it was last changed itself. Each change makes this later: it identifies a state of the
    /// release.
    pub updated_at: Timestamp,
    /// The job that made it. `None` if a stored token or the operator did.
    pub published_by: Option<Box<PublishedBy>>,
}

/// The changes of an update. Other fields keep their values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleaseChanges {
    /// Its new title, or none.
    pub name: Change<Option<ReleaseName>>,
    /// Its new notes, or none.
    pub description: Change<Option<Description>>,
    /// When it was, or will be, released.
    pub released_at: Option<Timestamp>,
}

impl ReleaseChanges {
    /// The release after the change, made at `now`.
    #[must_use]
    pub fn apply(&self, release: &Release, now: Timestamp) -> Release {
        Release {
            name: self.name.over(&release.name),
            description: self.description.over(&release.description),
            released_at: self.released_at.unwrap_or(release.released_at),
            updated_at: now.max(release.updated_at.next()),
            ..release.clone()
        }
    }
}
