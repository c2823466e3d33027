//! What a release is: a tag of a project, and one life of it.

use std::collections::HashMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::commit::CommitSha;
use super::link::{Change, LinkFields, Violation};
use super::project::ProjectId;
use super::time::Timestamp;
use super::token::User;

/// The longest tag name that is stored, in bytes: it stands as it is in the keys.
pub const MAX_TAG_BYTES: usize = 255;

/// The name of the Git tag a release stands for; compared byte for byte.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TagName(String);

/// No release can have this tag name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is not a tag name that GitLab accepts, of at most {MAX_TAG_BYTES} bytes")]
pub struct InvalidTagName;

impl TagName {
    /// Parses the tag of a new release by the rules of GitLab's `GitRefValidator`.
    pub fn parse_new(text: &str) -> Result<Self, InvalidTagName> {
        if is_new_ref_name(text) { Ok(Self(text.to_owned())) } else { Err(InvalidTagName) }
    }

    /// Parses a tag that a release can be stored with. Earlier versions also accepted spaces inside a
    /// tag, `HEAD`, `refs/heads/x` and `refs/remotes/x`: such releases can still be read, changed and
    /// deleted.
    pub fn parse(text: &str) -> Result<Self, InvalidTagName> {
        let parses = text.len() <= MAX_TAG_BYTES && is_earlier_ref_name(text);
        if parses { Ok(Self(text.to_owned())) } else { Err(InvalidTagName) }
    }

    /// The name as Git has it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether a new tag or branch can have this name, by the rules of GitLab's `GitRefValidator`.
pub(super) fn is_new_ref_name(text: &str) -> bool {
    let is_expanded = ["refs/heads/", "refs/remotes/"].iter().any(|one| text.starts_with(one));
    text.len() <= MAX_TAG_BYTES
        && !text.starts_with('-')
        && !is_expanded
        && text != "HEAD"
        && is_ref_name(text)
}

/// Whether a tag or branch can have this name, by the rules of `git check-ref-format`. Like GitLab,
/// it asks about the name below `refs/heads/`, so a single `@` is a name.
fn is_ref_name(text: &str) -> bool {
    let forbidden = |c: char| {
        c.is_ascii_control() || matches!(c, ' ' | '~' | '^' | ':' | '?' | '*' | '[' | '\\')
    };
    let component = |part: &str| {
        !part.is_empty() && !part.starts_with('.') && part.strip_suffix(".lock").is_none()
    };
    !text.ends_with('.')
        && !text.contains("..")
        && !text.contains("@{")
        && !text.contains(forbidden)
        && text.split('/').all(component)
}

/// Whether any version accepted this name for a tag or branch: a space could stand inside.
pub(super) fn is_earlier_ref_name(text: &str) -> bool {
    let spaces_are_inside = text.trim_matches(' ') == text;
    spaces_are_inside && !text.starts_with('-') && is_ref_name(&text.replace(' ', "_"))
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
    pub fn generate() -> Self {
        Self(format!("{:032x}", super::token::random_u128()))
    }

    /// The uid as it stands in keys: 32 hexadecimal digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

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
    pub fn parse(text: &str) -> Result<Self, ReleaseViolation> {
        if text.chars().nth(MAX_RELEASE_NAME_CHARS).is_some() {
            return Err(ReleaseViolation::NameTooLong);
        }
        Ok(Self(text.to_owned()))
    }

    /// The name as it was sent.
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
    pub fn parse(text: &str) -> Result<Self, ReleaseViolation> {
        if text.len() > MAX_DESCRIPTION_BYTES {
            return Err(ReleaseViolation::DescriptionTooLong);
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

/// What breaks a rule about releases. Their words are GitLab's, and stand with the other error
/// bodies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReleaseViolation {
    /// The name is longer than [`MAX_RELEASE_NAME_CHARS`].
    NameTooLong,
    /// The description is longer than [`MAX_DESCRIPTION_BYTES`].
    DescriptionTooLong,
    /// There are more than [`MAX_NEW_LINKS`] links.
    TooManyLinks,
    /// One of the links breaks a rule about links.
    Link(Violation),
    /// Two of the links have these names, urls or paths.
    DuplicateLinks(Vec<String>),
}

/// Links that a release can be made with: no two share a name, url or path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewLinks(Vec<LinkFields>);

impl NewLinks {
    /// Parses the links of a new release; fails with all that is wrong.
    pub fn parse(links: Vec<LinkFields>) -> Result<Self, Vec<ReleaseViolation>> {
        let values = [
            duplicates(links.iter().map(|link| link.name.as_str())),
            duplicates(links.iter().map(|link| link.url.as_str())),
            duplicates(links.iter().filter_map(|link| Some(link.path.as_ref()?.as_str()))),
        ];
        let violations: Vec<_> = values
            .into_iter()
            .filter(|values| !values.is_empty())
            .map(ReleaseViolation::DuplicateLinks)
            .collect();
        if violations.is_empty() { Ok(Self(links)) } else { Err(violations) }
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

/// Who made a release: as that user was then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Author {
    /// The user's number.
    pub id: u64,
    /// The user's name.
    pub username: String,
}

impl From<&User> for Author {
    fn from(user: &User) -> Self {
        Self { id: user.id, username: user.username.clone() }
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
    pub name: Option<ReleaseName>,
    /// Its notes.
    pub description: Option<Description>,
    /// Who made it.
    pub author: Author,
    /// The commit its tag was said to be at.
    pub commit: Option<CommitSha>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was, or will be, released.
    pub released_at: Timestamp,
    /// When it was last changed itself. Each change makes this later, so that it also tells one
    /// state of the release from another.
    pub updated_at: Timestamp,
}

/// What an update says of a release. What it does not speak of stays.
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

#[cfg(test)]
mod tests {
    use percent_encoding::percent_decode_str;
    use proptest::prelude::*;

    use super::*;

    /// The rules of git-check-ref-format's manual for `refs/heads/` and the text, one after the other.
    fn git_takes(text: &str) -> bool {
        let parts: Vec<&str> = text.split('/').collect();
        let rules = [
            parts.iter().any(|part| part.starts_with('.') || part.strip_suffix(".lock").is_some()),
            text.contains(".."),
            text.bytes().any(|byte| byte < 0x20 || byte == 0x7f || b" ~^:".contains(&byte)),
            text.bytes().any(|byte| b"?*[".contains(&byte)),
            parts.iter().any(|part| part.is_empty()),
            text.ends_with('.'),
            text.contains("@{"),
            text.contains('\\'),
        ];
        !rules.contains(&true)
    }

    /// GitLab's rules on top of Git's.
    fn gitlab_takes(text: &str) -> bool {
        let ours = text.len() <= MAX_TAG_BYTES;
        let prefixes = ["-", "refs/heads/", "refs/remotes/"];
        ours && text != "HEAD" && !prefixes.iter().any(|one| text.starts_with(one))
    }

    proptest! {
        #[test]
        fn tag_names_are_those_that_git_takes(
            text in prop_oneof![
                "[-v1./@{ ]{0,6}", "[a.]{0,3}(\\.lock)?(/[a.]{0,2})?", "(refs/)?(heads|tags)?/?HEAD?",
                "\\PC{0,6}", "[ -\x7f\0]{0,4}", "é{126,129}",
            ],
        ) {
            let expected = gitlab_takes(&text) && git_takes(&text);
            prop_assert_eq!(TagName::parse_new(&text).is_ok(), expected, "{:?}", text);
            // A release that can be created can be looked up.
            prop_assert!(!expected || TagName::parse(&text).is_ok(), "{:?}", text);
        }
    }

    #[test]
    fn tag_names_are_judged_as_in_gitlabs_table() {
        let table: &str = include_str!("../../testdata/ref_names.tsv");
        let mut counts = [0, 0];
        for row in table.lines().filter(|line| !line.starts_with("# ")) {
            let (verdict, name) = row.split_once('\t').unwrap();
            let name = percent_decode_str(name).decode_utf8().unwrap();
            let is_valid = verdict == "valid";
            assert_eq!(TagName::parse_new(&name).is_ok(), is_valid, "{name:?}");
            counts[usize::from(is_valid)] += 1;
        }
        assert!(counts[0] > 60 && counts[1] > 20, "{counts:?}");
        assert!(TagName::parse_new(&"x".repeat(MAX_TAG_BYTES)).is_ok());
        assert!(TagName::parse_new(&"x".repeat(MAX_TAG_BYTES + 1)).is_err());
    }

    #[test]
    fn tag_names_of_earlier_versions_are_still_read() {
        for stored in ["v 1", "a b/c d", "HEAD", "refs/heads/x", "refs/remotes/x/y", "v1", "größe"]
        {
            assert!(TagName::parse(stored).is_ok(), "{stored}");
        }
        for refused in ["", " ", " v1", "v1 ", "-a", "a..b", "a~1", "@{", "a b.lock", "a /. b"] {
            assert!(TagName::parse(refused).is_err(), "{refused:?}");
        }
    }
}
