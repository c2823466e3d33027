//! Release links, and GitLab's rules for their names, urls, paths and types.

use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray};

use super::digest::{Digest, Size};
use super::link_url::{LinkUrl, UrlViolation, is_blank};
use super::publisher::PublishedBy;
use super::release_key::ReleaseUid;
use super::time::Timestamp;

/// The longest name, in characters.
pub const MAX_NAME_CHARS: usize = 255;
/// The longest direct asset path, in characters.
pub const MAX_PATH_CHARS: usize = 128;

/// A link's number: unique in the installation, not per release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LinkId(pub u64);

/// The type of a link's file.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum LinkType {
    Package,
    /// A container or disk image.
    Image,
    Runbook,
    /// Anything else.
    #[default]
    Other,
}

impl LinkType {
    /// Reads GitLab's word for a type; the comparison is case-sensitive.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    /// GitLab's word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// A link's name: not blank, at most [`MAX_NAME_CHARS`] characters, never trimmed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LinkName(String);

impl LinkName {
    /// Parses a name; nothing counts as blank.
    pub fn parse(text: Option<&str>) -> Result<Self, ValidationError> {
        match text {
            None => Err(ValidationError::NameBlank),
            Some(text) if is_blank(text) => Err(ValidationError::NameBlank),
            Some(text) if text.chars().nth(MAX_NAME_CHARS).is_some() => {
                Err(ValidationError::NameTooLong)
            }
            Some(text) => Ok(Self(text.to_owned())),
        }
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The path by which a link's file is downloaded: GitLab's `direct_asset_path`, once `filepath`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DirectAssetPath(String);

impl DirectAssetPath {
    /// Parses a path by GitLab's expression `\A\/[^\/](?!.*\/\/.*)[\-\.\w\/]+[\da-zA-Z]+\z`.
    pub fn parse(text: &str) -> Result<Self, ValidationError> {
        if text.chars().nth(MAX_PATH_CHARS).is_some() {
            return Err(ValidationError::PathTooLong);
        }
        let mut chars = text.chars();
        let starts = chars.next() == Some('/') && chars.next().is_some_and(|second| second != '/');
        let rest = chars.as_str();
        let parses = starts
            && rest.len() >= 2
            && rest.ends_with(|c: char| c.is_ascii_alphanumeric())
            && !rest.contains("//")
            && rest
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | '/'));
        if parses { Ok(Self(text.to_owned())) } else { Err(ValidationError::PathInvalid) }
    }

    /// The path with its leading slash.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A broken rule of the model. `error_response` has GitLab's words for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValidationError {
    /// There is no url.
    UrlBlank,
    /// The url is longer than [`super::link_url::MAX_URL_CHARS`] or
    /// [`super::link_url::MAX_ENCODED_URL_BYTES`].
    UrlTooLong,
    UrlInvalid,
    /// The url's scheme is not `http`, `https` or `ftp`.
    UrlSchemeNotAllowed,
    /// The url's host cannot be one.
    UrlHostInvalid,
    /// Another link of the release has the url.
    UrlTaken,
    /// There is no name.
    NameBlank,
    /// The name is longer than [`MAX_NAME_CHARS`].
    NameTooLong,
    /// Another link of the release has the name.
    NameTaken,
    /// The path is longer than [`MAX_PATH_CHARS`].
    PathTooLong,
    /// The path does not match GitLab's expression.
    PathInvalid,
    /// Another link of the release has the path.
    PathTaken,
}

impl From<UrlViolation> for ValidationError {
    fn from(violation: UrlViolation) -> Self {
        match violation {
            UrlViolation::Blank => Self::UrlBlank,
            UrlViolation::TooLong => Self::UrlTooLong,
            UrlViolation::Invalid => Self::UrlInvalid,
            UrlViolation::SchemeNotAllowed => Self::UrlSchemeNotAllowed,
            UrlViolation::HostInvalid => Self::UrlHostInvalid,
        }
    }
}

/// The fields of a link that a client chooses, each of them valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkFields {
    /// Its name, unique in the release.
    pub name: LinkName,
    /// Its target, unique in the release.
    pub url: LinkUrl,
    /// Its path, unique in the release.
    pub path: Option<DirectAssetPath>,
    pub link_type: LinkType,
    pub contents: Contents,
}

impl LinkFields {
    /// These fields, with the digest and size of `existing` as far as they have none, the URL is the same,
    /// and the other one does not differ.
    #[must_use]
    pub fn with_known_contents(mut self, existing: &Self) -> Self {
        if self.url == existing.url {
            self.contents = self.contents.completed_by(&existing.contents);
        }
        self
    }
}

/// The client's knowledge of a link's file. The server takes its word: the file is elsewhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    pub digest: Option<Digest>,
    pub size: Option<Size>,
}

impl Contents {
    /// The missing values from `known`.
    fn completed_by(self, known: &Self) -> Self {
        if self.contradicts(known) {
            return self;
        }
        let Self { digest, size } = self;
        Self { digest: digest.or_else(|| known.digest.clone()), size: size.or(known.size) }
    }

    /// Whether both cannot be of one file. Then a value of the one says nothing about the other.
    fn contradicts(&self, other: &Self) -> bool {
        let digests = self.digest.as_ref().zip(other.digest.as_ref());
        let sizes = self.size.zip(other.size);
        digests.is_some_and(|(one, other)| one != other)
            || sizes.is_some_and(|(one, other)| one != other)
    }

    /// The knowledge after an update. A new url leads to another file, for which no old value holds; so
    /// does a new digest or size for the other one of them.
    #[must_use]
    pub fn after(&self, changes: &ContentsChanges, is_moved: bool) -> Self {
        let ContentsChanges { digest, size } = changes;
        let kept = if is_moved { &Self::default() } else { self };
        let after = Self { digest: digest.over(&kept.digest), size: size.over(&kept.size) };
        if after.contradicts(kept) {
            return Self { digest: digest.over(&None), size: size.over(&None) };
        }
        after
    }
}

/// The changes of an update to [`Contents`]; setting nothing clears a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContentsChanges {
    pub digest: Change<Option<Digest>>,
    pub size: Change<Option<Size>>,
}

/// For each value of a link, the other link of the release that already has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Conflicts {
    pub url: Option<LinkId>,
    pub name: Option<LinkId>,
    pub path: Option<LinkId>,
}

impl Conflicts {
    #[must_use]
    pub fn any(self) -> bool {
        self.holders().next().is_some()
    }

    /// The link that has all taken values. `None` if several links have them, or none are taken.
    #[must_use]
    pub fn only_holder(self) -> Option<LinkId> {
        let first = self.holders().next()?;
        self.holders().all(|other| other == first).then_some(first)
    }

    /// Adds the holders in `others` of values without one here.
    #[must_use]
    pub fn or(self, others: Self) -> Self {
        Self {
            url: self.url.or(others.url),
            name: self.name.or(others.name),
            path: self.path.or(others.path),
        }
    }

    fn holders(self) -> impl Iterator<Item = LinkId> {
        let Self { url, name, path } = self;
        [url, name, path].into_iter().flatten()
    }
}

/// The fields of a link as sent, each parsed on its own: one answer names every error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UncheckedLink {
    pub name: Result<LinkName, ValidationError>,
    pub url: Result<LinkUrl, ValidationError>,
    /// Its path, if one was sent.
    pub path: Option<Result<DirectAssetPath, ValidationError>>,
    pub link_type: LinkType,
    /// Values of a wrong form were refused before.
    pub contents: Contents,
}

impl UncheckedLink {
    /// Reads the fields of a new link. Its contents are unknown.
    #[must_use]
    pub fn new(
        name: Option<&str>,
        url: Option<&str>,
        path: Option<&str>,
        link_type: LinkType,
    ) -> Self {
        Self {
            name: LinkName::parse(name),
            url: parse_url(url),
            path: path.map(DirectAssetPath::parse),
            link_type,
            contents: Contents::default(),
        }
    }

    /// The same link, with these contents.
    #[must_use]
    pub fn with_contents(self, contents: Contents) -> Self {
        Self { contents, ..self }
    }

    /// The valid link this is, if it is one.
    #[must_use]
    pub fn fields(&self) -> Option<LinkFields> {
        Some(LinkFields {
            name: self.name.clone().ok()?,
            url: self.url.clone().ok()?,
            path: self.path.clone().transpose().ok()?,
            link_type: self.link_type,
            contents: self.contents.clone(),
        })
    }

    /// All that is wrong, in GitLab's order: url, name, path, and within each the form before
    /// uniqueness.
    #[must_use]
    pub fn validation_errors(&self, taken: Conflicts) -> Vec<ValidationError> {
        let url = match &self.url {
            Err(violation) => Some(*violation),
            Ok(_) => taken.url.map(|_| ValidationError::UrlTaken),
        };
        let name = match &self.name {
            Err(violation) => Some(*violation),
            Ok(_) => taken.name.map(|_| ValidationError::NameTaken),
        };
        let path = match &self.path {
            Some(Err(violation)) => Some(*violation),
            Some(Ok(_)) => taken.path.map(|_| ValidationError::PathTaken),
            None => None,
        };
        [url, name, path].into_iter().flatten().collect()
    }
}

impl From<&LinkFields> for UncheckedLink {
    fn from(fields: &LinkFields) -> Self {
        Self {
            name: Ok(fields.name.clone()),
            url: Ok(fields.url.clone()),
            path: fields.path.clone().map(Ok),
            link_type: fields.link_type,
            contents: fields.contents.clone(),
        }
    }
}

fn parse_url(text: Option<&str>) -> Result<LinkUrl, ValidationError> {
    Ok(LinkUrl::parse(text.unwrap_or_default())?)
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change<T> {
    /// Nothing: it stays.
    Keep,
    /// It becomes this.
    Set(T),
}

impl<T: Clone> Change<T> {
    /// The value of the field after the change.
    #[must_use]
    pub fn over(&self, current: &T) -> T {
        match self {
            Self::Keep => current.clone(),
            Self::Set(new) => new.clone(),
        }
    }
}

/// The changes of an update.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkChanges {
    /// The name; setting nothing is an error of the model.
    pub name: Change<Option<String>>,
    /// The url; setting nothing is an error of the model.
    pub url: Change<Option<String>>,
    /// The path; setting nothing clears it.
    pub path: Change<Option<String>>,
    /// The type: always given, since GitLab resets it to `other` where the request has none.
    pub link_type: LinkType,
    pub contents: ContentsChanges,
}

impl LinkChanges {
    /// The link as it would be after this update.
    #[must_use]
    pub fn apply(&self, current: &LinkFields) -> UncheckedLink {
        let url = match &self.url {
            Change::Keep => Ok(current.url.clone()),
            Change::Set(url) => parse_url(url.as_deref()),
        };
        let is_moved = url.as_ref() != Ok(&current.url);
        UncheckedLink {
            name: match &self.name {
                Change::Keep => Ok(current.name.clone()),
                Change::Set(name) => LinkName::parse(name.as_deref()),
            },
            url,
            path: match &self.path {
                Change::Keep => current.path.clone().map(Ok),
                Change::Set(path) => path.as_deref().map(DirectAssetPath::parse),
            },
            link_type: self.link_type,
            contents: current.contents.after(&self.contents, is_moved),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    pub id: LinkId,
    /// The life of the release it belongs to.
    pub release: ReleaseUid,
    /// The fields that its creator chose.
    pub fields: LinkFields,
    /// When it was made; lists are ordered by it, newest first, then by number.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// The job that published its values. `None` if a stored token or the operator did.
    pub published_by: Option<Box<PublishedBy>>,
}

/// The file that a path leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkedFile {
    pub url: LinkUrl,
    /// Its digest, if that is known.
    pub digest: Option<Digest>,
}

/// Newest first: by time, then by number, as GitLab lists links.
pub fn sort_newest_first(links: &mut [Link]) {
    links.sort_unstable_by_key(|link| std::cmp::Reverse((link.created_at, link.id)));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// GitLab's expression, a step at a time: `\A\/[^\/](?!.*\/\/.*)[\-\.\w\/]+[\da-zA-Z]+\z`.
    fn gitlab_takes(path: &str) -> bool {
        let chars: Vec<char> = path.chars().collect();
        let [first, second, rest @ ..] = chars.as_slice() else { return false };
        let line: String = rest.iter().take_while(|c| **c != '\n').collect();
        let middle = |c: &char| c.is_ascii_alphanumeric() || "-._/".contains(*c);
        let split = |at| {
            let (before, after) = rest.split_at(at);
            before.iter().all(middle) && after.iter().all(char::is_ascii_alphanumeric)
        };
        *first == '/' && *second != '/' && !line.contains("//") && (1..rest.len()).any(split)
    }

    proptest! {
        #[test]
        fn paths_are_those_that_gitlabs_expression_matches(
            path in "/?[-._/a1é\n ]{0,8}[a/]{0,2}|\\PC{0,6}|/[-._a-c]{1,140}",
        ) {
            let short = path.chars().count() <= MAX_PATH_CHARS;
            let parsed = DirectAssetPath::parse(&path);
            prop_assert_eq!(parsed.is_ok(), short && gitlab_takes(&path), "{:?}", path);
            if let Ok(parsed) = parsed {
                prop_assert_eq!(parsed.as_str(), path);
            }
        }

        #[test]
        fn a_name_is_kept_or_refused(name in "\\PC{0,300}|[ \t\u{3000}]{0,3}") {
            match LinkName::parse(Some(&name)) {
                Ok(parsed) => prop_assert_eq!(parsed.as_str(), name),
                Err(ValidationError::NameBlank) => prop_assert_eq!(name.trim(), ""),
                Err(violation) => {
                    prop_assert_eq!(violation, ValidationError::NameTooLong);
                    prop_assert!(name.chars().count() > MAX_NAME_CHARS);
                }
            }
        }
    }

    #[test]
    fn paths_gitlab_accepts_are_accepted() {
        for path in [
            "/abc", "/a/b", "/a.b", "/bin/x", "/123", "/.ab", "/../ab", "/a/../b", "/x--1", "/@ab",
            "/%ab", "/ ab", "/ébc",
        ] {
            assert_eq!(DirectAssetPath::parse(path).unwrap().as_str(), path);
        }
        assert!(DirectAssetPath::parse(&format!("/{}", "a".repeat(127))).is_ok());
    }

    #[test]
    fn paths_gitlab_refuses_are_refused() {
        for path in [
            "", "/", "/a", "/ab", "/12", "abc", "//ab", "/a//b", "/ab/", "/a.", "/ab_", "/ab-",
            "/a b", "/a?b=c", "/a#b", "/a:b", "/a+b", "/a~b", "/a%20b", "/aéc", "/ab\n",
        ] {
            assert_eq!(DirectAssetPath::parse(path), Err(ValidationError::PathInvalid), "{path:?}");
        }
        let long = format!("/{}", "a".repeat(128));
        assert_eq!(DirectAssetPath::parse(&long), Err(ValidationError::PathTooLong));
    }

    #[test]
    fn names_are_kept_as_they_are_and_blank_or_long_ones_refused() {
        assert_eq!(LinkName::parse(Some(" a ")).unwrap().as_str(), " a ");
        assert!(LinkName::parse(Some(&"é".repeat(MAX_NAME_CHARS))).is_ok());
        assert_eq!(
            LinkName::parse(Some(&"é".repeat(MAX_NAME_CHARS + 1))),
            Err(ValidationError::NameTooLong)
        );
        for blank in [None, Some(""), Some(" \t\n"), Some("\u{a0}\u{3000}")] {
            assert_eq!(LinkName::parse(blank), Err(ValidationError::NameBlank), "{blank:?}");
        }
    }

    #[test]
    fn violations_are_in_gitlabs_order() {
        let unchecked = UncheckedLink::new(Some("n"), Some("hoge"), Some("bad"), LinkType::Other);
        let taken = Some(LinkId(1));
        assert_eq!(
            unchecked.validation_errors(Conflicts { url: taken, name: taken, path: taken }),
            [
                ValidationError::UrlSchemeNotAllowed,
                ValidationError::NameTaken,
                ValidationError::PathInvalid
            ]
        );
    }
}
