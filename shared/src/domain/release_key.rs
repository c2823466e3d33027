//! Which release, and which generation of it.

use serde::{Deserialize, Serialize};

use super::project::ProjectId;
use super::random::random_u128;
use super::tag_name::TagName;

/// Which release: a project and a tag.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ReleaseKey {
    /// The project's number.
    pub project: ProjectId,
    /// The tag.
    pub tag: TagName,
}

/// One life of a release, drawn anew each time a release is made under a tag.
///
/// Links and claims carry it, so that what belonged to a deleted release can neither be seen in
/// nor block a later one of the same tag.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ReleaseUid(String);

impl ReleaseUid {
    /// A uid nobody has had: 128 random bits.
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
