//! ID tokens: recognized in what a request carries, and verified against their issuer's keys.
//!
//! A token is not trusted, repeated or logged before its signature, issuer and audience are verified. By RFC 8725, the algorithm comes from the kind of the key, never from the token.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;
use std::sync::Once;
use std::time::Duration;

use jsonwebtoken::dangerous::insecure_decode_claims;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;
use serde::de::{self, Deserializer, IgnoredAny, MapAccess, Visitor};

use super::signatures;
use crate::domain::issuer::{Issuer, IssuerUrl, KeyValue, PublicKey};
use crate::domain::publisher::{Claims, Identity};
use crate::domain::time::Timestamp;

/// The longest ID token, in bytes: API Gateway takes ten kilobytes of headers.
const MAX_TOKEN_BYTES: usize = 8 * 1024;
/// How far the clocks of an issuer and of this machine may differ.
const LEEWAY: Duration = Duration::from_mins(1);

/// An ID token as it was sent, not verified.
#[derive(Clone)]
pub struct IdToken {
    text: String,
    /// The issuer that it claims, by which its keys are found.
    issuer: IssuerUrl,
}

/// `Debug` shows no part of a credential.
impl fmt::Debug for IdToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdToken").finish_non_exhaustive()
    }
}

/// Why an ID token does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdTokenError {
    /// It is malformed, or its issuer, key, signature, audience or another claim is wrong.
    Invalid,
    /// It was good once.
    Expired,
}

impl IdToken {
    /// Whether a text has the form of an ID token: three parts in base64url, of which the first starts
    /// with a brace.
    #[must_use]
    pub fn is_meant_by(text: &str) -> bool {
        let is_part = |part: &str| {
            part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        };
        text.starts_with("eyJ") && text.split('.').count() == 3 && text.split('.').all(is_part)
    }

    /// Reads the issuer that a token claims. `None` if no issuer can have made it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        #[derive(Deserialize)]
        struct Claimed {
            iss: String,
        }
        if text.len() > MAX_TOKEN_BYTES || !Self::is_meant_by(text) {
            return None;
        }
        let Claimed { iss } = insecure_decode_claims(text).ok()?;
        Some(Self { text: text.to_owned(), issuer: IssuerUrl::parse(&iss).ok()? })
    }

    /// The issuer that it claims.
    #[must_use]
    pub fn issuer(&self) -> &IssuerUrl {
        &self.issuer
    }

    /// Verifies the token as one of `issuer`, at `now`.
    pub fn verify(&self, issuer: &Issuer, now: Timestamp) -> Result<Identity, IdTokenError> {
        let AllClaims(claims) = self.signed_claims(issuer)?;
        let text = |name: &str| match claims.get(name) {
            Some(Claim::Text(text)) => Some(text.as_str()),
            Some(Claim::Truth(_) | Claim::Whole(_) | Claim::Number(_) | Claim::Other(_)) | None => {
                None
            }
        };
        let is = |name: &str, value: &str| text(name) == Some(value);
        if !is("iss", issuer.url.as_str()) || !is("aud", issuer.audience.as_str()) {
            return Err(IdTokenError::Invalid);
        }
        let has_id = text("jti").is_some_and(|id| !id.is_empty());
        let time =
            |name: &str| claims.get(name).map(|claim| claim.moment().ok_or(IdTokenError::Invalid));
        let expires_at = time("exp").ok_or(IdTokenError::Invalid)??;
        let issued_at = time("iat").ok_or(IdTokenError::Invalid)??;
        let not_before = time("nbf").transpose()?;
        let latest = now.plus(LEEWAY);
        if !has_id || issued_at > latest || not_before.is_some_and(|at| at > latest) {
            return Err(IdTokenError::Invalid);
        }
        let is_old = issued_at.plus(issuer.max_age).plus(LEEWAY) <= now;
        if is_old || expires_at.plus(LEEWAY) <= now {
            return Err(IdTokenError::Expired);
        }
        let claims =
            claims.into_iter().filter_map(|(name, claim)| Some((name, claim.into_text()?)));
        Ok(Identity { issuer: issuer.url.clone(), claims: claims.collect::<Claims>() })
    }

    /// The claims, if a key of the issuer signed them.
    fn signed_claims(&self, issuer: &Issuer) -> Result<AllClaims, IdTokenError> {
        let invalid = |_| IdTokenError::Invalid;
        let header = decode_header(&self.text).map_err(invalid)?;
        let is_jwt = header.typ.as_ref().is_none_or(|typ| typ.eq_ignore_ascii_case("jwt"));
        if !is_jwt || header.crit.is_some() {
            return Err(IdTokenError::Invalid);
        }
        let kid = header.kid.ok_or(IdTokenError::Invalid)?;
        let key = issuer.keys.iter().find(|key| key.kid == kid).ok_or(IdTokenError::Invalid)?;
        let (algorithm, key) = decoding_key(key).map_err(invalid)?;
        // `verify` checks the claims itself, at a given time and by exact types.
        let mut validation = Validation::new(algorithm);
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        validation.validate_aud = false;
        install_signatures();
        Ok(decode::<AllClaims>(&self.text, &key, &validation).map_err(invalid)?.claims)
    }
}

fn install_signatures() {
    static INSTALLED: Once = Once::new();
    // An error means that the library has a provider already: this one.
    INSTALLED.call_once(|| {
        let _ = signatures::PROVIDER.install_default();
    });
}

fn decoding_key(key: &PublicKey) -> Result<(Algorithm, DecodingKey), jsonwebtoken::errors::Error> {
    Ok(match &key.value {
        KeyValue::Rsa { n, e } => (Algorithm::RS256, DecodingKey::from_rsa_components(n, e)?),
        KeyValue::P256 { x, y } => (Algorithm::ES256, DecodingKey::from_ec_components(x, y)?),
    })
}

/// The value of a claim.
#[derive(Deserialize)]
#[serde(untagged)]
enum Claim {
    Text(String),
    Truth(bool),
    Whole(u64),
    Number(f64),
    /// Null, a list or an object.
    Other(IgnoredAny),
}

impl Claim {
    /// A moment in seconds since 1970, whole or not.
    fn moment(&self) -> Option<Timestamp> {
        let seconds = match self {
            Self::Whole(seconds) => Duration::from_secs(*seconds),
            Self::Number(seconds) => Duration::try_from_secs_f64(*seconds).ok()?,
            Self::Text(_) | Self::Truth(_) | Self::Other(_) => return None,
        };
        Some(Timestamp::from_unix_millis(0).plus(seconds))
    }

    fn into_text(self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text),
            Self::Truth(truth) => Some(truth.to_string()),
            Self::Whole(number) => Some(number.to_string()),
            Self::Number(number) => Some(number.to_string()),
            Self::Other(_) => None,
        }
    }
}

/// All claims of a token. A name that comes twice is an error: readers would differ in which one counts.
struct AllClaims(BTreeMap<String, Claim>);

impl<'de> Deserialize<'de> for AllClaims {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = AllClaims;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object whose names are unique")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<AllClaims, A::Error> {
                let mut claims = BTreeMap::new();
                while let Some((name, value)) = map.next_entry::<String, Claim>()? {
                    match claims.entry(name) {
                        Entry::Vacant(free) => free.insert(value),
                        Entry::Occupied(_) => return Err(de::Error::custom("a claim comes twice")),
                    };
                }
                Ok(AllClaims(claims))
            }
        }

        deserializer.deserialize_map(Object)
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use proptest::prelude::*;

    use super::*;
    use crate::domain::issuer::Audience;

    fn issuer(url: IssuerUrl) -> Issuer {
        let key = |kid: &str, value| PublicKey { kid: kid.to_owned(), value };
        Issuer {
            url,
            audience: Audience::parse("a").unwrap(),
            max_age: Duration::from_hours(1),
            allows_private_addresses: false,
            keys: vec![
                key("1", KeyValue::Rsa { n: "AQ".repeat(172), e: "AQAB".to_owned() }),
                key("2", KeyValue::P256 { x: "AQ".repeat(21), y: "A".to_owned() }),
                key("3", KeyValue::Rsa { n: "not base64".to_owned(), e: String::new() }),
            ],
            refreshed_at: Timestamp::now(),
            created_at: Timestamp::now(),
        }
    }

    fn part() -> impl Strategy<Value = String> {
        let json = prop_oneof![
            r#"\{"alg":"(RS256|ES256|none)","kid":"[1-4]"\}"#,
            r#"\{"iss":"https://(a|b)","aud":"a","exp":[0-9e]{1,12}\}"#,
            "\\{\"[a-z]{1,3}\":[0-9\"\\[{]{0,5}\\}",
            "\\PC{0,30}",
        ];
        prop_oneof![
            json.prop_map(|text| URL_SAFE_NO_PAD.encode(text)),
            "eyJ[A-Za-z0-9_-]{0,40}",
            "[A-Za-z0-9_.=-]{0,20}",
        ]
    }

    proptest! {
        #[test]
        fn any_text_is_refused_that_no_key_signed(parts in prop::collection::vec(part(), 1..5)) {
            let text = parts.join(".");
            if let Some(token) = IdToken::parse(&text) {
                prop_assert!(IdToken::is_meant_by(&text));
                let issuer = issuer(token.issuer().clone());
                prop_assert_eq!(token.verify(&issuer, Timestamp::now()), Err(IdTokenError::Invalid));
            }
        }

        #[test]
        fn any_bytes_are_read_or_passed_over(text in "\\PC{0,80}") {
            prop_assert!(!IdToken::is_meant_by(&text) || text.starts_with("eyJ"));
            let _ = IdToken::parse(&text);
        }
    }

    #[test]
    fn stored_tokens_are_not_taken_for_id_tokens() {
        for text in [
            "glpat-eyJ",
            "glcbt-64_eyJhbGciOiJSUzI1NiJ9.a.b",
            "eyJ",
            "eyJ.a",
            "eyJ.a.b.c",
            "eyJ.a.é",
        ] {
            assert!(!IdToken::is_meant_by(text), "{text}");
        }
        assert!(IdToken::is_meant_by("eyJhbGciOiJSUzI1NiJ9.eyJ9.c2ln"));
    }

    #[test]
    fn debug_shows_nothing_of_a_token() {
        let claims = URL_SAFE_NO_PAD.encode(r#"{"iss":"https://a"}"#);
        let text = format!("eyJhbGciOiJSUzI1NiJ9.{claims}.c2ln");
        let token = IdToken::parse(&text).unwrap();
        assert_eq!(format!("{token:?}"), "IdToken { .. }");
    }
}
