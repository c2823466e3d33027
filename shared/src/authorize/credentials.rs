//! The tokens of a request, by where they were sent.

use crate::domain::secret::{Secret, SecretHash};
use crate::domain::token_kind::TokenKind;

/// The tokens of a request, in the roles that decide which of them counts.
#[derive(Clone, Debug, Default)]
pub struct Credentials {
    /// `Authorization: Bearer` or the parameters that stand for it: any kind of token.
    pub bearer: Option<Presented>,
    /// `private_token` or `PRIVATE-TOKEN`: an access token.
    pub private: Option<Presented>,
    /// `job_token`, `token` or `JOB-TOKEN`: a job token.
    pub job: Option<Presented>,
}

/// A token as it was sent.
#[derive(Clone, Debug)]
pub struct Presented {
    /// The kind that its prefix stands for.
    pub prefix_kind: Option<TokenKind>,
    /// The secret, if the text can be one.
    pub secret: Option<Secret>,
}

impl Presented {
    /// Reads a token as it was sent.
    #[must_use]
    pub fn read(text: &str) -> Self {
        Self { prefix_kind: TokenKind::claimed_by(text), secret: Secret::parse(text) }
    }
}

impl Credentials {
    /// The same without job tokens, for endpoints at which GitLab does not look for them. A caller who
    /// sends nothing else is anonymous there.
    #[must_use]
    pub fn without_job_tokens(&self) -> Self {
        let kept = |presented: &Option<Presented>| {
            presented.clone().filter(|one| one.prefix_kind != Some(TokenKind::Job))
        };
        Self { bearer: kept(&self.bearer), private: kept(&self.private), job: None }
    }

    /// The hashes of all secrets that may have to be looked up, each once.
    #[must_use]
    pub fn hashes(&self) -> Vec<SecretHash> {
        let mut hashes = Vec::new();
        for presented in [&self.bearer, &self.private, &self.job].into_iter().flatten() {
            if let Some(hash) = presented.secret.as_ref().map(Secret::hash)
                && !hashes.contains(&hash)
            {
                hashes.push(hash);
            }
        }
        hashes
    }
}
