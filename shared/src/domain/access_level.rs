//! GitLab's roles.

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

/// The roles somebody has in a project, by where they come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Membership {
    /// The one given in the project itself.
    pub project: Option<AccessLevel>,
    /// The highest one given in a namespace above it.
    pub group: Option<AccessLevel>,
}

impl Membership {
    /// The role that counts; none for a non-member.
    #[must_use]
    pub fn level(self) -> Option<AccessLevel> {
        self.project.max(self.group)
    }
}

/// GitLab's roles, in ascending order.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum AccessLevel {
    /// 10 in GitLab's API.
    Guest,
    /// 15 in GitLab's API.
    Planner,
    /// 20 in GitLab's API.
    Reporter,
    /// 30 in GitLab's API.
    Developer,
    /// 40 in GitLab's API.
    Maintainer,
    /// 50 in GitLab's API.
    Owner,
}

impl AccessLevel {
    /// All of them, the lowest first.
    pub const ALL: &'static [Self] = <Self as VariantArray>::VARIANTS;

    /// The number GitLab's API has for it.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Guest => 10,
            Self::Planner => 15,
            Self::Reporter => 20,
            Self::Developer => 30,
            Self::Maintainer => 40,
            Self::Owner => 50,
        }
    }
}
