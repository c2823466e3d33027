//! The names of Git tags, by GitLab's rules.

use std::fmt;

use serde::{Deserialize, Serialize};

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
