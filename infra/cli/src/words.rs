//! The words for values of the domain, on the command line and in its output.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use shared::domain::access_level::AccessLevel;
use shared::domain::link::LinkType;
use shared::domain::project::{ReleasesAccess, Visibility};
use shared::domain::token::{Scope, TokenKind};

/// One of a few values, each of which has a word.
pub(crate) trait Word: Clone + Copy + Send + Sync + 'static {
    /// The values, in the order in which they are offered.
    const ALL: &'static [Self];

    /// The word for this value.
    fn word(self) -> &'static str;
}

/// Reads a value by its word. Help and errors list the words.
pub(crate) fn parser<T: Word>() -> impl TypedValueParser<Value = T> {
    PossibleValuesParser::new(T::ALL.iter().map(|value| value.word()))
        .try_map(|word| find(&word).ok_or("expected one of the words"))
}

/// The value of this word.
pub(crate) fn find<T: Word>(word: &str) -> Option<T> {
    T::ALL.iter().copied().find(|value| value.word() == word)
}

impl Word for Visibility {
    const ALL: &'static [Self] = &[Self::Private, Self::Internal, Self::Public];

    fn word(self) -> &'static str {
        self.as_str()
    }
}

impl Word for ReleasesAccess {
    const ALL: &'static [Self] = &[Self::Enabled, Self::Private, Self::Disabled];

    fn word(self) -> &'static str {
        self.as_str()
    }
}

impl Word for AccessLevel {
    const ALL: &'static [Self] = &[
        Self::Guest,
        Self::Planner,
        Self::Reporter,
        Self::Developer,
        Self::Maintainer,
        Self::Owner,
    ];

    fn word(self) -> &'static str {
        match self {
            Self::Guest => "guest",
            Self::Planner => "planner",
            Self::Reporter => "reporter",
            Self::Developer => "developer",
            Self::Maintainer => "maintainer",
            Self::Owner => "owner",
        }
    }
}

impl Word for Scope {
    const ALL: &'static [Self] = &[Self::Api, Self::ReadApi];

    fn word(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::ReadApi => "read_api",
        }
    }
}

impl Word for TokenKind {
    const ALL: &'static [Self] = &[Self::Access, Self::Job];

    fn word(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::Job => "job",
        }
    }
}

impl Word for LinkType {
    const ALL: &'static [Self] = &[Self::Package, Self::Image, Self::Runbook, Self::Other];

    fn word(self) -> &'static str {
        self.as_str()
    }
}
