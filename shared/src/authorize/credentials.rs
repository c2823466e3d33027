//! The tokens of a request, by where they were sent.

use super::id_token::IdToken;
use crate::domain::secret::Secret;
use crate::domain::token_kind::TokenKind;
use crate::store::read::Wanted;

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
pub enum Presented {
    /// One whose hash may be stored.
    Stored {
        /// The kind that its prefix stands for.
        prefix_kind: Option<TokenKind>,
        /// The secret, if the text can be one.
        secret: Option<Secret>,
    },
    /// The ID token of a job, if the text can be one.
    Id(Option<IdToken>),
}

impl Presented {
    /// Reads a token as it was sent.
    #[must_use]
    pub fn read(text: &str) -> Self {
        if IdToken::is_meant_by(text) {
            return Self::Id(IdToken::parse(text));
        }
        Self::Stored { prefix_kind: TokenKind::claimed_by(text), secret: Secret::parse(text) }
    }

    /// Whether it looks like the stored token of a job.
    #[must_use]
    pub fn claims_job(&self) -> bool {
        match self {
            Self::Stored { prefix_kind, .. } => *prefix_kind == Some(TokenKind::Job),
            Self::Id(_) => false,
        }
    }
}

impl Credentials {
    /// The same without stored job tokens, for endpoints at which GitLab does not look for them. A caller
    /// who sends nothing else is anonymous there. An ID token counts wherever it is sent.
    #[must_use]
    pub fn without_job_tokens(&self) -> Self {
        let kept =
            |presented: &Option<Presented>| presented.clone().filter(|one| !one.claims_job());
        let job = self.job.clone().filter(|one| matches!(one, Presented::Id(_)));
        Self { bearer: kept(&self.bearer), private: kept(&self.private), job }
    }

    /// The tokens and issuers to look up, each once.
    #[must_use]
    pub fn wanted(&self) -> Wanted {
        let mut wanted = Wanted::default();
        for presented in [&self.bearer, &self.private, &self.job].into_iter().flatten() {
            match presented {
                Presented::Stored { secret: Some(secret), .. } => {
                    push_once(&mut wanted.tokens, secret.hash());
                }
                Presented::Id(Some(token)) => {
                    push_once(&mut wanted.issuers, token.issuer().clone());
                }
                Presented::Stored { secret: None, .. } | Presented::Id(None) => {}
            }
        }
        wanted
    }
}

fn push_once<T: PartialEq>(all: &mut Vec<T>, one: T) {
    if !all.contains(&one) {
        all.push(one);
    }
}
