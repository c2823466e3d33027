//! Commits of a project's repository, which is elsewhere: a commit is known if a release names it.

use serde::{Deserialize, Serialize};

/// The length of a whole name.
const DIGITS: usize = 40;
/// The shortest beginning by which Git finds a commit.
const MIN_PREFIX_DIGITS: usize = 4;
/// How many digits GitLab shows where space is short.
const SHORT_DIGITS: usize = 8;

/// A commit's name in Git: 40 hexadecimal digits in lower case, not all of them zero.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CommitSha(String);

/// The text is not the whole name of a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is not the name of a Git commit: 40 hexadecimal digits")]
pub struct InvalidCommitSha;

impl CommitSha {
    /// Parses a whole name in any case. Git's null name, all zeros, stands for no commit and fails.
    pub fn parse(text: &str) -> Result<Self, InvalidCommitSha> {
        let is_null = text.bytes().all(|byte| byte == b'0');
        if text.len() == DIGITS && is_hexadecimal(text) && !is_null {
            Ok(Self(text.to_ascii_lowercase()))
        } else {
            Err(InvalidCommitSha)
        }
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The beginning that GitLab shows where space is short: 8 digits.
    #[must_use]
    pub fn short(&self) -> &str {
        &self.0[..SHORT_DIGITS]
    }
}

impl TryFrom<String> for CommitSha {
    type Error = InvalidCommitSha;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<CommitSha> for String {
    fn from(sha: CommitSha) -> Self {
        sha.0
    }
}

/// The beginning of a commit's name, or all of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitPrefix(String);

impl CommitPrefix {
    /// Parses 4 to 40 hexadecimal digits in any case; anything else names no commit.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let has_length = (MIN_PREFIX_DIGITS..=DIGITS).contains(&text.len());
        (has_length && is_hexadecimal(text)).then(|| Self(text.to_ascii_lowercase()))
    }

    /// Whether the name is whole.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.0.len() == DIGITS
    }

    /// Whether the commit's name begins so.
    #[must_use]
    pub fn matches(&self, sha: &CommitSha) -> bool {
        sha.0.starts_with(&self.0)
    }
}

fn is_hexadecimal(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHA: &str = "6104942438c14ec7bd21c6cd5bd995272b3faff6";

    #[test]
    fn a_commit_is_forty_hexadecimal_digits_in_lower_case() {
        for text in [SHA, &SHA.to_uppercase()] {
            assert_eq!(CommitSha::parse(text).unwrap().as_str(), SHA);
        }
        let (longer, null) = (format!("{SHA}0"), "0".repeat(40));
        for refused in ["", "main", &SHA[1..], &longer, &null, &SHA.replace('6', "g")] {
            assert_eq!(CommitSha::parse(refused), Err(InvalidCommitSha), "{refused}");
        }
    }

    #[test]
    fn a_prefix_has_four_digits_or_more() {
        let sha = CommitSha::parse(SHA).unwrap();
        for at in 0..=SHA.len() {
            let prefix = CommitPrefix::parse(&SHA[..at].to_uppercase());
            assert_eq!(prefix.is_some(), at >= 4, "{at}");
            assert!(prefix.is_none_or(|one| one.matches(&sha) && one.is_whole() == (at == 40)));
        }
        assert!(!CommitPrefix::parse("6104943").unwrap().matches(&sha));
        for none in ["v1.0", "main", &format!("{SHA}0")] {
            assert_eq!(CommitPrefix::parse(none), None, "{none}");
        }
    }
}
