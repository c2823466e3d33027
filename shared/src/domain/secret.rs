//! The secret of a token: what its bearer sends, and the hash that is stored.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::random::random_u128;
use super::sha256::sha256_hex;
use super::token_kind::TokenKind;

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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use strum::VariantArray;

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
