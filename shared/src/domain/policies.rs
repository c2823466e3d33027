//! Policies of a project: how duplicates are handled, and when releases become immutable.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

use super::time::Timestamp;

/// How the creation of a link or release handles an existing one.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr, VariantArray,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum OnDuplicate {
    /// Fails, as in GitLab.
    #[default]
    Reject,
    /// Succeeds if the existing one has all requested values.
    Accept,
    /// Succeeds, and gives the existing one the requested values.
    Replace,
}

/// The effect of a successful creation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "lowercase")]
pub enum Outcome {
    Created,
    /// An existing one had all requested values.
    Unchanged,
    /// An existing one got the requested values.
    Replaced,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Policies {
    /// The default, which a token and a request can override.
    pub on_duplicate: OnDuplicate,
    /// How long after its creation a release becomes immutable, in whole seconds. `None` is never.
    pub immutable_after: Option<Duration>,
    /// Whether only trusted publishers may write, and no stored token.
    pub only_trusted: bool,
}

impl Policies {
    /// Whether a release that was created at `created_at` is immutable at `now`: its links stay, and it
    /// cannot be deleted.
    #[must_use]
    pub fn is_immutable(&self, created_at: Timestamp, now: Timestamp) -> bool {
        self.immutable_after.is_some_and(|grace| created_at.plus(grace) <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_is_immutable_from_the_end_of_the_grace_on() {
        let created: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let hour = Duration::from_hours(1);
        let policies = Policies { immutable_after: Some(hour), ..Policies::default() };
        let end = created.plus(hour);
        assert!(!policies.is_immutable(created, end.minus(Duration::from_millis(1))));
        assert!(policies.is_immutable(created, end));
        assert!(!Policies::default().is_immutable(created, end));
    }
}
