//! The public keys of an issuer, as it publishes them: its discovery document leads to them.

use std::ops::RangeInclusive;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse};
use reqwest::redirect::{Attempt, Policy};
use reqwest::{Client, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use shared::domain::issuer::{IssuerUrl, KeyValue, MAX_KEYS, PublicKey};
use url::{Host, Url};

use crate::addresses::{PublicOnly, is_public};

/// How long each of the two documents may take, redirects included.
const TIMEOUT: Duration = Duration::from_secs(5);
/// The most bytes of a document.
const MOST_BYTES: usize = 256 * 1024;
const MOST_REDIRECTS: usize = 3;
/// The bits of RSA moduli that are verified.
const MODULUS_BITS: RangeInclusive<usize> = 2_048..=8_192;
/// The bytes of a coordinate on P-256.
const COORDINATE_BYTES: usize = 32;
/// The longest id of a key, in bytes. GitLab's have 43, GitHub's 36.
const MOST_KID_BYTES: usize = 255;
/// The longest text of an issuer that is repeated, in bytes.
const MOST_REPEATED: usize = 255;

/// Why an issuer's keys cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    #[error("cannot start the HTTP client")]
    Client(#[source] reqwest::Error),
    #[error("{0} is inside the network: --private allows it")]
    PrivateAddress(String),
    #[error("no answer from {url}")]
    NoAnswer { url: String, source: reqwest::Error },
    #[error("{url} answers {status}")]
    Status { url: String, status: StatusCode },
    #[error("{0} is longer than 256 KB")]
    TooLong(String),
    #[error("{url} is not the expected JSON, at line {line}, column {column}")]
    NotJson { url: String, line: usize, column: usize },
    #[error("its discovery document is of another issuer, {0}")]
    OtherIssuer(String),
    #[error("its keys are at {0}, which is not https")]
    KeysNotHttps(String),
    #[error("it has no key for RS256 or ES256 with an id")]
    NoKeys,
    #[error("it has more than {MAX_KEYS} keys")]
    TooManyKeys,
    #[error("two of its keys have the id {0}")]
    SameId(String),
}

#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    jwks_uri: String,
}

/// Each key by itself: an issuer may add kinds of keys that are not known here.
#[derive(Deserialize)]
struct KeySet {
    keys: Vec<serde_json::Value>,
}

/// Fetches the keys of the issuer with this URL.
///
/// Redirects are followed within the same origin only. Without `allows_private_addresses`, an address
/// inside the network is an error.
pub async fn fetch_keys(
    issuer: &IssuerUrl,
    allows_private_addresses: bool,
) -> Result<Vec<PublicKey>, FetchError> {
    let fetcher = Fetcher::new(allows_private_addresses)?;
    let url = Url::parse(&issuer.discovery_url()).map_err(|_| FetchError::NoKeys)?;
    let discovery: Discovery = fetcher.get(&url).await?;
    if discovery.issuer != issuer.as_str() {
        return Err(FetchError::OtherIssuer(beginning(&discovery.issuer)));
    }
    let not_https = || FetchError::KeysNotHttps(beginning(&discovery.jwks_uri));
    let keys = Url::parse(&discovery.jwks_uri).map_err(|_| not_https())?;
    // An issuer on loopback may serve its keys over http, from the same place.
    let is_safe = keys.scheme() == "https" || keys.origin() == url.origin();
    if !is_safe {
        return Err(not_https());
    }
    let KeySet { keys } = fetcher.get(&keys).await?;
    usable(keys)
}

struct Fetcher {
    client: Client,
    allows_private_addresses: bool,
}

impl Fetcher {
    fn new(allows_private_addresses: bool) -> Result<Self, FetchError> {
        // Without a default, the client cannot choose between the kinds of cryptography. An error means
        // that one is chosen already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut client = Client::builder()
            .timeout(TIMEOUT)
            .redirect(Policy::custom(within_the_origin))
            // A proxy would connect in our place, to whatever address.
            .no_proxy()
            .user_agent(concat!("release-links/", env!("CARGO_PKG_VERSION")));
        if !allows_private_addresses {
            client = client.dns_resolver(PublicOnly);
        }
        let client = client.build().map_err(FetchError::Client)?;
        Ok(Self { client, allows_private_addresses })
    }

    async fn get<T: DeserializeOwned>(&self, url: &Url) -> Result<T, FetchError> {
        // No name is resolved for an address.
        let address = match url.host() {
            Some(Host::Ipv4(address)) => Some(address.into()),
            Some(Host::Ipv6(address)) => Some(address.into()),
            Some(Host::Domain(_)) | None => None,
        };
        if !self.allows_private_addresses && address.is_some_and(|address| !is_public(address)) {
            return Err(FetchError::PrivateAddress(url.host_str().unwrap_or_default().to_owned()));
        }
        let no_answer = |source| FetchError::NoAnswer { url: url.to_string(), source };
        let mut response = self.client.get(url.clone()).send().await.map_err(no_answer)?;
        if !response.status().is_success() {
            return Err(FetchError::Status { url: url.to_string(), status: response.status() });
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(no_answer)? {
            body.extend_from_slice(&chunk);
            if body.len() > MOST_BYTES {
                return Err(FetchError::TooLong(url.to_string()));
            }
        }
        // Without the parser's words, which repeat the text.
        serde_json::from_slice(&body).map_err(|error| FetchError::NotJson {
            url: url.to_string(),
            line: error.line(),
            column: error.column(),
        })
    }
}

fn within_the_origin(attempt: Attempt<'_>) -> reqwest::redirect::Action {
    let from = attempt.previous().last().map(Url::origin);
    if from != Some(attempt.url().origin()) {
        let to = format!("it redirects to another host, {}", attempt.url());
        return attempt.error(to);
    }
    if attempt.previous().len() > MOST_REDIRECTS {
        return attempt.error("it redirects too often");
    }
    attempt.follow()
}

/// The keys that ID tokens can be verified with. Keys for other uses and algorithms are passed over.
fn usable(published: Vec<serde_json::Value>) -> Result<Vec<PublicKey>, FetchError> {
    let mut keys: Vec<PublicKey> = Vec::new();
    let known = published.into_iter().filter_map(|key| serde_json::from_value(key).ok());
    for key in known.filter_map(public_key) {
        if keys.iter().any(|known| known.kid == key.kid) {
            return Err(FetchError::SameId(key.kid));
        }
        keys.push(key);
    }
    match keys.len() {
        0 => Err(FetchError::NoKeys),
        1..=MAX_KEYS => Ok(keys),
        _ => Err(FetchError::TooManyKeys),
    }
}

fn public_key(Jwk { common, algorithm }: Jwk) -> Option<PublicKey> {
    if common.public_key_use.is_some_and(|purpose| purpose != PublicKeyUse::Signature) {
        return None;
    }
    let is_for = |algorithm| common.key_algorithm.is_none_or(|own| own == algorithm);
    let value = match algorithm {
        AlgorithmParameters::RSA(key) if is_for(KeyAlgorithm::RS256) => {
            let bits = significant_bits(&decoded(&key.n)?);
            let exponent = significant_bits(&decoded(&key.e)?);
            // An exponent has two to 33 bits, as the verification demands.
            if !MODULUS_BITS.contains(&bits) || !(2..=33).contains(&exponent) {
                return None;
            }
            KeyValue::Rsa { n: key.n, e: key.e }
        }
        AlgorithmParameters::EllipticCurve(key)
            if is_for(KeyAlgorithm::ES256) && key.curve == EllipticCurve::P256 =>
        {
            let is_coordinate =
                |text: &str| decoded(text).is_some_and(|bytes| bytes.len() == COORDINATE_BYTES);
            if !is_coordinate(&key.x) || !is_coordinate(&key.y) {
                return None;
            }
            KeyValue::P256 { x: key.x, y: key.y }
        }
        _ => return None,
    };
    let kid = common.key_id.filter(|kid| (1..=MOST_KID_BYTES).contains(&kid.len()))?;
    Some(PublicKey { kid, value })
}

fn decoded(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// The bits of a number. None for one that begins with a zero, which verification refuses.
fn significant_bits(number: &[u8]) -> usize {
    match number.first() {
        None | Some(0) => 0,
        Some(first) => number.len() * 8 - first.leading_zeros() as usize,
    }
}

fn beginning(text: &str) -> String {
    text[..text.floor_char_boundary(MOST_REPEATED)].to_owned()
}
