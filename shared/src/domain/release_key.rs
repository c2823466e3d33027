//! Which release, and which generation of it.

use serde::{Deserialize, Serialize};

use super::project::ProjectId;
use super::random::random_u128;
use super::tag_name::TagName;

/// Which release: a project and a tag.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ReleaseKey {
    pub project: ProjectId,
    pub tag: TagName,
}

/// One generation of a release: a new one for each release that is created under a tag.
///
/// Links and claims carry it. Items of a deleted release are therefore invisible in a later release of
/// the same tag, and do not block it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ReleaseUid(String);

impl ReleaseUid {
    /// A new uid: 128 random bits.
    #[must_use]
    pub fn generate() -> Self {
        Self(format!("{:032x}", random_u128()))
    }

    /// The uid as it stands in keys: 32 hexadecimal digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
