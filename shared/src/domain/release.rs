//! What a release is: a tag of a project, and one life of it.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::project::ProjectId;
use super::time::Timestamp;

/// The longest tag name that is stored, in bytes: it stands as it is in the keys.
pub const MAX_TAG_BYTES: usize = 255;

/// The name of the Git tag a release stands for; compared byte for byte.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TagName(String);

/// No release can have this tag name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is not a Git tag name of at most {MAX_TAG_BYTES} bytes")]
pub struct InvalidTagName;

impl TagName {
    /// Parses a tag name by the rules of `git check-ref-format`; fails where Git refuses it.
    ///
    /// One rule is relaxed: a space may stand inside. Clients are known to send such tags, and no
    /// repository is here to refuse them.
    pub fn parse(text: &str) -> Result<Self, InvalidTagName> {
        let forbidden =
            |c: char| c.is_ascii_control() || matches!(c, '~' | '^' | ':' | '?' | '*' | '[' | '\\');
        let component = |part: &str| {
            !part.is_empty()
                && !part.starts_with('.')
                && std::path::Path::new(part).extension().is_none_or(|end| end != "lock")
        };
        let parses = (1..=MAX_TAG_BYTES).contains(&text.len())
            && text != "@"
            && text.trim() == text
            && !text.starts_with('-')
            && !text.ends_with('.')
            && !text.contains("..")
            && !text.contains("@{")
            && !text.contains(forbidden)
            && text.split('/').all(component);
        if parses { Ok(Self(text.to_owned())) } else { Err(InvalidTagName) }
    }

    /// The name as Git has it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for TagName {
    type Error = InvalidTagName;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<TagName> for String {
    fn from(tag: TagName) -> Self {
        tag.0
    }
}

impl fmt::Display for TagName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Which release: a project and a tag.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ReleaseKey {
    /// The project's number.
    pub project: ProjectId,
    /// The tag.
    pub tag: TagName,
}

/// One life of a release, drawn anew each time a release is made under a tag.
///
/// Links and claims carry it, so that what belonged to a deleted release can neither be seen in
/// nor block a later one of the same tag.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ReleaseUid(String);

impl ReleaseUid {
    /// A uid nobody has had: 128 random bits.
    #[must_use]
    pub fn draw() -> Self {
        Self(format!("{:032x}", super::token::random_u128()))
    }

    /// The uid as it stands in keys: 32 hexadecimal digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// Its project and tag.
    pub key: ReleaseKey,
    /// Which life of the tag it is.
    pub uid: ReleaseUid,
    /// Its title; the tag's name where none was given.
    pub name: Option<String>,
    /// Its notes.
    pub description: Option<String>,
    /// The user who made it.
    pub author: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was, or will be, released.
    pub released_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tag_names_follow_git_check_ref_format() {
        for accepted in ["v1.0.0", "release/1.0", "v1+2", "größe", "a@b", "v 1", "x.locks", "v1%2F"]
        {
            assert!(TagName::parse(accepted).is_ok(), "{accepted}");
        }
        let long = "x".repeat(MAX_TAG_BYTES + 1);
        for refused in [
            "", " ", " v1", "v1 ", "a..b", ".a", "a/.b", "a.", "a//b", "/a", "a/", "a.lock", "a~1",
            "a^", "a:b", "a?", "a*", "a[", "a\\b", "@", "a@{b", "-a", "a\u{7f}", "a\nb", &long,
        ] {
            assert!(TagName::parse(refused).is_err(), "{refused:?}");
        }
    }
}
