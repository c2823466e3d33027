//! The name of a user, by GitLab's rules for new users.
//!
//! Source: <https://docs.gitlab.com/user/reserved_names/>, "Rules for usernames, project and group
//! names, and slugs". All characters are ASCII, so no two names look alike.

use std::fmt;
use std::str::FromStr;

/// The longest username, in characters.
pub const MAX_USERNAME_CHARS: usize = 255;

/// Endings that GitLab reserves: `/ada.git` and `/ada.atom` are other pages.
const RESERVED_ENDINGS: [&str; 2] = [".git", ".atom"];

/// A username that GitLab accepts for a new user.
///
/// Names that older versions stored may break these rules. They stay plain text where they are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Username(String);

/// The text is not a GitLab username.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "is not a GitLab username: letters a-z and A-Z, digits, and single '_', '-' or '.' between them; \
     not ending in .git or .atom; at most {MAX_USERNAME_CHARS} characters"
)]
pub struct InvalidUsername;

impl Username {
    /// Parses a username.
    pub fn parse(text: &str) -> Result<Self, InvalidUsername> {
        let is_word =
            |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let parses = text.len() <= MAX_USERNAME_CHARS
            && text.split(['_', '-', '.']).all(is_word)
            && !RESERVED_ENDINGS.iter().any(|ending| text.ends_with(ending));
        if parses { Ok(Self(text.to_owned())) } else { Err(InvalidUsername) }
    }

    /// The name as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form that is unique: GitLab's usernames are case-insensitive.
    #[must_use]
    pub fn lowercase_key(&self) -> String {
        self.0.to_ascii_lowercase()
    }

    /// Whether `stored` is this name, in any case.
    #[must_use]
    pub fn names(&self, stored: &str) -> bool {
        self.0.eq_ignore_ascii_case(stored)
    }
}

impl FromStr for Username {
    type Err = InvalidUsername;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl fmt::Display for Username {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn gitlab_usernames_parse() {
        for text in
            ["a", "7", "root", "A_Garcia", "a_garcia_1", "zhang.wei-2024", "project_24_bot_0f"]
        {
            assert_eq!(Username::parse(text).map(|name| name.to_string()), Ok(text.to_owned()));
        }
        let longest = "a".repeat(MAX_USERNAME_CHARS);
        assert!(Username::parse(&longest).is_ok());
        assert_eq!(Username::parse(&format!("{longest}a")), Err(InvalidUsername));
    }

    #[test]
    fn other_texts_are_no_usernames() {
        for text in [
            "",
            " root",
            "root ",
            "ro ot",
            "ro\u{202e}ot",
            "victim\u{212a}",
            "r\u{f6}\u{f6}t",
            "r\u{43e}\u{43e}t",
            "ro\0ot",
            "root\n",
            "-root",
            "root-",
            "_root",
            "root_",
            ".root",
            "root.",
            "ro--ot",
            "ro._ot",
            "root.git",
            "root.atom",
            "a/b",
            "a@b",
            "a+b",
            "\u{1f600}",
        ] {
            assert_eq!(Username::parse(text), Err(InvalidUsername), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn names_that_differ_only_in_case_have_one_folded_form(text in "[A-Za-z0-9]{1,6}([._-][A-Za-z0-9]{1,6}){0,3}") {
            let Ok(name) = Username::parse(&text) else { return Ok(()) };
            let shouted = Username::parse(&text.to_ascii_uppercase()).unwrap();
            prop_assert_eq!(name.lowercase_key(), shouted.lowercase_key());
            prop_assert!(name.names(shouted.as_str()));
        }

        #[test]
        fn every_username_is_ascii(text in "[a-zA-Z0-9_.\u{212a}\u{130}\u{202e}-]{1,8}|\\PC{1,8}") {
            prop_assert!(Username::parse(&text).is_err() || text.is_ascii());
        }
    }
}
