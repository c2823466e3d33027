//! The kinds of tokens.

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

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
    pub(super) const fn prefix(self) -> &'static str {
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
