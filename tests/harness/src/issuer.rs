//! An issuer of ID tokens: a CI system that signs what its jobs are.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::rsa::{KeyPair, PublicKeyComponents};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256,
};
use serde_json::{Value, json};
use shared::domain::issuer::{Audience, Issuer, IssuerUrl, KeyValue, PublicKey};
use shared::domain::time::Timestamp;

/// The URL of a GitLab whose jobs publish.
pub const GITLAB: &str = "https://gitlab.example.com";
/// The audience that the operator chose.
pub const AUDIENCE: &str = "https://releases.example.com";

/// Keys made for these tests, in PKCS #1.
const RSA: [&[u8]; 2] =
    [include_bytes!("../testdata/rsa_1.der"), include_bytes!("../testdata/rsa_2.der")];

/// A key pair of an issuer.
pub enum Key {
    Rsa(Box<KeyPair>),
    P256(Box<EcdsaKeyPair>),
}

impl Key {
    /// One of two RSA keys of 2,048 bits.
    pub fn rsa(which: usize) -> Self {
        Self::Rsa(Box::new(KeyPair::from_der(RSA[which]).unwrap()))
    }

    /// A new key on the curve P-256.
    pub fn p256() -> Self {
        let (kind, random) = (&ECDSA_P256_SHA256_FIXED_SIGNING, SystemRandom::new());
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(kind, &random).unwrap();
        Self::P256(Box::new(EcdsaKeyPair::from_pkcs8(kind, pkcs8.as_ref(), &random).unwrap()))
    }

    /// The algorithm of its signatures.
    pub fn algorithm(&self) -> &'static str {
        match self {
            Self::Rsa(_) => "RS256",
            Self::P256(_) => "ES256",
        }
    }

    /// The public key as an issuer publishes it.
    pub fn public(&self, kid: &str) -> PublicKey {
        let value = match self {
            Self::Rsa(pair) => {
                let PublicKeyComponents { n, e } =
                    PublicKeyComponents::<Vec<u8>>::from(pair.public());
                KeyValue::Rsa { n: base64url(&n), e: base64url(&e) }
            }
            Self::P256(pair) => {
                let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
                KeyValue::P256 { x: base64url(x), y: base64url(y) }
            }
        };
        PublicKey { kid: kid.to_owned(), value }
    }

    /// The same in the form of RFC 7517, with members that are passed over.
    pub fn jwk(&self, kid: &str) -> Value {
        let mut key = json!({ "kid": kid, "use": "sig", "alg": self.algorithm(), "x5t": "AAAA" });
        match self.public(kid).value {
            KeyValue::Rsa { n, e } => {
                (key["kty"], key["n"], key["e"]) = (json!("RSA"), json!(n), json!(e));
            }
            KeyValue::P256 { x, y } => {
                (key["kty"], key["crv"]) = (json!("EC"), json!("P-256"));
                (key["x"], key["y"]) = (json!(x), json!(y));
            }
        }
        key
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Rsa(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                let random = SystemRandom::new();
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).unwrap();
                signature
            }
            Self::P256(pair) => pair.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec(),
        }
    }

    /// A token with this header and these claims, both as they are.
    pub fn token(&self, header: &str, claims: &str) -> String {
        let message = format!("{}.{}", base64url(header.as_bytes()), base64url(claims.as_bytes()));
        format!("{message}.{}", base64url(&self.sign(message.as_bytes())))
    }

    /// A token with the usual header.
    pub fn token_of(&self, kid: &str, claims: &Value) -> String {
        let header = json!({ "alg": self.algorithm(), "typ": "JWT", "kid": kid });
        self.token(&header.to_string(), &claims.to_string())
    }
}

pub fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// An issuer as the operator adds it.
pub fn issuer(url: &str, keys: Vec<PublicKey>) -> Issuer {
    let now = Timestamp::now();
    Issuer {
        url: IssuerUrl::parse(url).unwrap(),
        audience: Audience::parse(AUDIENCE).unwrap(),
        max_age: Duration::from_hours(1),
        allows_private_addresses: false,
        keys,
        refreshed_at: now,
        created_at: now,
    }
}

/// Seconds since 1970, so many from now.
pub fn seconds(from_now: i64) -> i64 {
    Timestamp::now().unix_seconds() + from_now
}

/// The claims of a job of GitLab 18, in full.
pub fn gitlab_claims() -> Value {
    json!({
        "iss": GITLAB, "aud": AUDIENCE, "jti": "c82eeb0c-5c6f-4a33-abf5-4c474b92b558",
        "iat": seconds(0), "nbf": seconds(-5), "exp": seconds(300),
        "sub": "project_path:mygroup/app:ref_type:tag:ref:v1.0.0",
        "project_id": "42", "project_path": "mygroup/app",
        "namespace_id": "72", "namespace_path": "mygroup",
        "user_id": "3", "user_login": "sam", "user_email": "sam@example.com",
        "user_access_level": "maintainer",
        "user_identities": [{ "provider": "github", "extern_uid": "2435223452345" }],
        "pipeline_id": "1212", "pipeline_source": "push", "job_id": "302", "job_source": "push",
        "ref": "v1.0.0", "ref_type": "tag", "ref_path": "refs/tags/v1.0.0", "ref_protected": "true",
        "groups_direct": ["mygroup/release-managers"],
        "environment": "production", "environment_protected": "true",
        "deployment_tier": "production", "environment_action": "start",
        "runner_id": 1, "runner_environment": "self-hosted",
        "sha": "714a629c0b401fdce83e847fc9589983fc6f46bc", "project_visibility": "private",
        "ci_config_ref_uri": "gitlab.example.com/mygroup/app//.gitlab-ci.yml@refs/tags/v1.0.0",
        "ci_config_sha": "714a629c0b401fdce83e847fc9589983fc6f46bc",
        "job_project_id": "42", "job_project_path": "mygroup/app",
        "job_namespace_id": "72", "job_namespace_path": "mygroup",
        "job_config": { "url": null, "sha": null },
    })
}

/// The URL of GitHub's issuer.
pub const GITHUB: &str = "https://token.actions.githubusercontent.com";

/// The claims of a job of GitHub Actions, in full.
pub fn github_claims() -> Value {
    json!({
        "iss": GITHUB, "aud": AUDIENCE, "jti": "example-id",
        "iat": seconds(0), "nbf": seconds(-300), "exp": seconds(300),
        "sub": "repo:octo-org@65/octo-repo@74:ref:refs/tags/v1.0.0",
        "repository": "octo-org/octo-repo", "repository_id": "74",
        "repository_owner": "octo-org", "repository_owner_id": "65",
        "repository_visibility": "private",
        "ref": "refs/tags/v1.0.0", "ref_type": "tag", "ref_protected": "true",
        "sha": "5b2f6e0d2c8b1a7f4e3d9c0b8a7f6e5d4c3b2a19",
        "event_name": "push", "workflow": "release",
        "workflow_ref": "octo-org/octo-repo/.github/workflows/release.yml@refs/tags/v1.0.0",
        "workflow_sha": "5b2f6e0d2c8b1a7f4e3d9c0b8a7f6e5d4c3b2a19",
        "job_workflow_ref": "octo-org/octo-repo/.github/workflows/release.yml@refs/tags/v1.0.0",
        "job_workflow_sha": "5b2f6e0d2c8b1a7f4e3d9c0b8a7f6e5d4c3b2a19",
        "environment": "production", "actor": "octocat", "actor_id": "12",
        "run_id": "30433642", "run_number": "10", "run_attempt": "2",
        "runner_environment": "github-hosted", "head_ref": "", "base_ref": "",
        "check_run_id": "4711",
    })
}
