//! Tokens: a secret that is never stored, and the rights of its bearer.

use std::fmt;

use super::access_level::{AccessLevel, Membership};
use super::random::random_u128;
use super::sha256::sha256_hex;
use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

use super::policies::OnDuplicate;
use super::project::{NamespacePath, ProjectId, ProjectPath};
use super::time::Timestamp;

/// The purpose of a token. The prefix of its secret shows it.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr, VariantArray,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum TokenKind {
    /// A personal, project or group access token.
    Access,
    Job,
}

impl TokenKind {
    /// GitLab's own prefixes: clients and secret scanners know them.
    const fn prefix(self) -> &'static str {
        match self {
            Self::Access => "glpat-",
            Self::Job => "glcbt-",
        }
    }

    /// The kind a text claims to be by its prefix, whether or not such a token exists.
    #[must_use]
    pub fn claimed_by(text: &str) -> Option<Self> {
        Self::VARIANTS.iter().copied().find(|kind| text.starts_with(kind.prefix()))
    }
}

const RANDOM_DIGITS: usize = 22;
const CHECKSUM_DIGITS: usize = 6;
const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A token's secret, as its bearer sends it: prefix, 22 random base-62 digits (131 bits), and six
/// digits of CRC-32 by which rubbish is refused without asking the database.
///
/// `Debug` hides it, and nothing else prints it but [`Secret::reveal`].
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    kind: TokenKind,
    text: String,
}

impl Secret {
    /// A new secret of this kind.
    #[must_use]
    pub fn generate(kind: TokenKind) -> Self {
        let mut text = String::from(kind.prefix());
        push_base62(&mut text, random_u128(), RANDOM_DIGITS);
        let checksum = crc32fast::hash(text.as_bytes());
        push_base62(&mut text, checksum.into(), CHECKSUM_DIGITS);
        Self { kind, text }
    }

    /// Parses what a request carries; nothing that was never given out parses, but for one text in
    /// four thousand million.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let kind = TokenKind::claimed_by(text)?;
        let length = kind.prefix().len() + RANDOM_DIGITS + CHECKSUM_DIGITS;
        if text.len() != length || !text.is_ascii() {
            return None;
        }
        let (body, checksum) = text.split_at(length - CHECKSUM_DIGITS);
        let mut expected = String::new();
        push_base62(&mut expected, crc32fast::hash(body.as_bytes()).into(), CHECKSUM_DIGITS);
        (checksum == expected).then(|| Self { kind, text: text.to_owned() })
    }

    /// The text to hand to its bearer, once.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.text
    }

    /// The hash, which is all that is stored of a secret.
    #[must_use]
    pub fn hash(&self) -> SecretHash {
        SecretHash(sha256_hex(&self.text))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secret").field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// SHA-256 of a secret in hexadecimal: enough to find a token, not to use it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SecretHash(String);

impl SecretHash {
    /// 64 hexadecimal digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn push_base62(text: &mut String, mut number: u128, digits: usize) {
    for _ in 0..digits {
        text.push(char::from(BASE62[(number % 62) as usize]));
        number /= 62;
    }
}

/// How much of the API a token opens.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr, VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Scope {
    /// Reading and writing.
    Api,
    /// GET and HEAD.
    ReadApi,
}

/// The project or namespace of a grant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantTarget {
    /// In one project.
    Project(ProjectId),
    /// In every project of a namespace and of those below it, present and future.
    Namespace(NamespacePath),
}

/// A role in a project or namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// Where.
    pub target: GrantTarget,
    pub level: AccessLevel,
}

/// The user a token acts for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    pub id: u64,
    pub username: String,
    /// External users see internal projects only as members.
    pub external: bool,
}

/// A CI job, as far as its token tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    pub id: u64,
    pub project: ProjectPath,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// By what it is found; its secret is not kept.
    pub hash: SecretHash,
    pub kind: TokenKind,
    pub name: String,
    pub user: User,
    /// How much of the API it opens.
    pub scope: Scope,
    /// Roles, wherever it has one.
    pub grants: Vec<Grant>,
    /// The job, for a job token.
    pub job: Option<Job>,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it is refused.
    pub expires_at: Option<Timestamp>,
    /// Whether it was withdrawn.
    pub revoked: bool,
    /// Overrides the project's policy.
    pub on_duplicate: Option<OnDuplicate>,
}

/// Why a token that exists opens nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InactiveReason {
    /// It was withdrawn.
    Revoked,
    Expired,
}

/// How many digits of a token's hash are its public id.
pub const TOKEN_ID_DIGITS: usize = 12;

impl Token {
    /// The id by which operators tell tokens apart: the start of the hash, which opens nothing.
    #[must_use]
    pub fn id(&self) -> &str {
        let hash = self.hash.as_str();
        hash.get(..TOKEN_ID_DIGITS).unwrap_or(hash)
    }

    /// Whether it still opens anything at `now`; a token that is both revoked and expired is
    /// called expired, GitLab's order.
    pub fn check_active(&self, now: Timestamp) -> Result<(), InactiveReason> {
        if self.expires_at.is_some_and(|at| at <= now) {
            Err(InactiveReason::Expired)
        } else if self.revoked {
            Err(InactiveReason::Revoked)
        } else {
            Ok(())
        }
    }

    /// The roles its grants give in the project with this number and path.
    #[must_use]
    pub fn membership(&self, project: ProjectId, path: &ProjectPath) -> Membership {
        let mut membership = Membership::default();
        for Grant { target, level } in &self.grants {
            let held = match target {
                GrantTarget::Project(id) if *id == project => &mut membership.project,
                GrantTarget::Namespace(namespace) if namespace.contains(path) => {
                    &mut membership.group
                }
                GrantTarget::Project(_) | GrantTarget::Namespace(_) => continue,
            };
            *held = (*held).max(Some(*level));
        }
        membership
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn text_that_was_not_generated_is_no_secret(
            text in prop_oneof![
                "gl(pat|cbt)-[0-9A-Za-z]{28}", "gl(pat|cbt)-\\PC{0,28}",
                "[0-9A-Za-zé-]{34}", "\\PC{0,40}",
            ],
        ) {
            prop_assert_eq!(Secret::parse(&text), None);
        }

        #[test]
        fn a_drawn_secret_is_none_with_anything_before_behind_or_cut_off(
            job: bool, more in "\\PC{1,3}", cut in 1..34_usize,
        ) {
            let secret = Secret::generate(if job { TokenKind::Job } else { TokenKind::Access });
            let text = secret.reveal();
            prop_assert_eq!(Secret::parse(text), Some(secret.clone()));
            prop_assert_eq!(Secret::parse(&format!("{more}{text}")), None);
            prop_assert_eq!(Secret::parse(&format!("{text}{more}")), None);
            prop_assert_eq!(Secret::parse(&text[..cut]), None);
            prop_assert_eq!(Secret::parse(&text[text.len() - cut..]), None);
        }
    }

    #[test]
    fn a_drawn_secret_parses_and_no_text_one_character_away_does() {
        for kind in TokenKind::VARIANTS.iter().copied() {
            let secret = Secret::generate(kind);
            assert_eq!(Secret::parse(secret.reveal()), Some(secret.clone()));
            for at in 0..secret.reveal().len() {
                let mut bytes = secret.reveal().as_bytes().to_vec();
                bytes[at] = if bytes[at] == b'x' { b'y' } else { b'x' };
                assert_eq!(Secret::parse(std::str::from_utf8(&bytes).unwrap()), None);
            }
        }
    }

    #[test]
    fn rubbish_is_no_secret() {
        for text in ["", "glpat-", "glcbt-é", "glpat-0000000000000000000000000000", "bogus"] {
            assert_eq!(Secret::parse(text), None, "{text}");
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        let secret = Secret::generate(TokenKind::Access);
        assert!(!format!("{secret:?}").contains(&secret.reveal()[6..]));
    }

    #[test]
    fn the_hash_is_sha_256() {
        assert_eq!(
            sha256_hex("abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
