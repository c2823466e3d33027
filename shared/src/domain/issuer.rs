//! Issuers of ID tokens: CI systems whose jobs prove their identity with a signed token.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use url::{Host, Url};

use super::time::Timestamp;

/// The longest URL of an issuer, in characters.
pub const MAX_ISSUER_CHARS: usize = 255;
/// The longest audience, in characters.
pub const MAX_AUDIENCE_CHARS: usize = 255;
/// The most public keys that an issuer can have: every request with an ID token reads them.
pub const MAX_KEYS: usize = 20;

/// The URL of an issuer, exactly as it is in the `iss` claim: a slash at the end makes another issuer.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IssuerUrl(String);

impl IssuerUrl {
    /// Parses an https URL without user, query and fragment. On loopback, http is allowed.
    pub fn parse(text: &str) -> Result<Self, InvalidIssuerUrl> {
        let url = Url::parse(text).map_err(|_| InvalidIssuerUrl::NotAUrl)?;
        if text.chars().nth(MAX_ISSUER_CHARS).is_some() {
            return Err(InvalidIssuerUrl::TooLong);
        }
        match url.scheme() {
            "https" => {}
            "http" if is_loopback(&url) => {}
            _ => return Err(InvalidIssuerUrl::NotHttps),
        }
        let is_plain = url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none()
            && text.bytes().all(|byte| byte.is_ascii_graphic());
        if is_plain { Ok(Self(text.to_owned())) } else { Err(InvalidIssuerUrl::NotPlain) }
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The URL of the issuer's discovery document, by `OpenID` Connect Discovery.
    #[must_use]
    pub fn discovery_url(&self) -> String {
        format!("{}/.well-known/openid-configuration", self.0.trim_end_matches('/'))
    }

    /// The host, without the port.
    #[must_use]
    pub fn host(&self) -> String {
        let url = Url::parse(&self.0).ok();
        url.as_ref().and_then(Url::host_str).unwrap_or_default().to_owned()
    }
}

impl fmt::Display for IssuerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
        None => false,
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidIssuerUrl {
    #[error("not a URL")]
    NotAUrl,
    #[error("longer than {MAX_ISSUER_CHARS} characters")]
    TooLong,
    #[error("not https: over http, anyone on the way could replace the issuer's keys")]
    NotHttps,
    #[error("has a user, query, fragment, space or non-ASCII character")]
    NotPlain,
}

/// The `aud` claim of the tokens that an issuer makes for this installation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Audience(String);

impl Audience {
    /// Parses up to [`MAX_AUDIENCE_CHARS`] printable ASCII characters without spaces.
    pub fn parse(text: &str) -> Result<Self, InvalidAudience> {
        let fits = (1..=MAX_AUDIENCE_CHARS).contains(&text.len());
        let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic());
        if fits && is_plain { Ok(Self(text.to_owned())) } else { Err(InvalidAudience) }
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not 1 to {MAX_AUDIENCE_CHARS} printable ASCII characters")]
pub struct InvalidAudience;

/// A public key of an issuer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicKey {
    /// The id that tokens name the key by.
    pub kid: String,
    #[serde(flatten)]
    pub value: KeyValue,
}

/// The numbers of a public key, each in base64url as in RFC 7518.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kty")]
pub enum KeyValue {
    /// For RS256.
    #[serde(rename = "RSA")]
    Rsa { n: String, e: String },
    /// On the curve P-256, for ES256.
    #[serde(rename = "EC")]
    P256 { x: String, y: String },
}

/// An issuer that the operator trusts, with its public keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issuer {
    pub url: IssuerUrl,
    pub audience: Audience,
    /// The greatest age of a token, in whole seconds.
    pub max_age: Duration,
    /// Whether its host may have a private, loopback or link-local address.
    pub allows_private_addresses: bool,
    pub keys: Vec<PublicKey>,
    /// When the keys were last fetched.
    pub refreshed_at: Timestamp,
    pub created_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn issuers_are_plain_https_urls_or_on_loopback() {
        for good in [
            "https://gitlab.example.com",
            "https://gitlab.example.com/",
            "https://example.com:8443/gitlab",
            "http://127.0.0.1:8080",
            "http://localhost:1/x",
            "http://[::1]:3000",
        ] {
            assert_eq!(IssuerUrl::parse(good).unwrap().as_str(), good);
        }
        let long = format!("https://example.com/{}", "a".repeat(MAX_ISSUER_CHARS));
        for (bad, error) in [
            ("", InvalidIssuerUrl::NotAUrl),
            ("gitlab.example.com", InvalidIssuerUrl::NotAUrl),
            ("http://gitlab.example.com", InvalidIssuerUrl::NotHttps),
            ("http://127.0.0.1.example.com", InvalidIssuerUrl::NotHttps),
            ("ftp://127.0.0.1", InvalidIssuerUrl::NotHttps),
            ("file:///etc/passwd", InvalidIssuerUrl::NotHttps),
            ("https://a@example.com", InvalidIssuerUrl::NotPlain),
            ("https://example.com?a", InvalidIssuerUrl::NotPlain),
            ("https://example.com#a", InvalidIssuerUrl::NotPlain),
            ("https://exämple.com", InvalidIssuerUrl::NotPlain),
            ("https://example.com/ a", InvalidIssuerUrl::NotPlain),
            (&long, InvalidIssuerUrl::TooLong),
        ] {
            assert_eq!(IssuerUrl::parse(bad), Err(error), "{bad}");
        }
    }

    #[test]
    fn the_discovery_document_is_below_the_issuers_url() {
        for (issuer, url) in [
            ("https://a.example", "https://a.example/.well-known/openid-configuration"),
            ("https://a.example/b/", "https://a.example/b/.well-known/openid-configuration"),
        ] {
            assert_eq!(IssuerUrl::parse(issuer).unwrap().discovery_url(), url);
        }
    }

    #[test]
    fn an_audience_is_short_and_printable() {
        assert!(Audience::parse("https://releases.example.com").is_ok());
        for bad in ["", "a b", "é", &"a".repeat(MAX_AUDIENCE_CHARS + 1)] {
            assert_eq!(Audience::parse(bad), Err(InvalidAudience), "{bad}");
        }
    }
}
