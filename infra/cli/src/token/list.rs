//! The filters of `token list`.

use std::time::Duration;

use clap::{Args, ValueEnum};
use shared::domain::project::ProjectRef;
use shared::domain::time::Timestamp;
use shared::domain::token::{GrantTarget, InactiveReason, Token};
use shared::store::Store;

use crate::deadline;
use crate::duration::parse_duration;
use crate::error::Error;
use crate::project_argument::ProjectArgument;

#[derive(Args, Debug)]
pub(crate) struct Filter {
    /// Only tokens of this user, for example ann.
    #[arg(long, value_name = "USERNAME")]
    user: Option<String>,
    /// Only tokens with a role in this project, for example mygroup/app; also by a namespace.
    #[arg(long, value_name = "PROJECT")]
    project: Option<ProjectArgument>,
    /// Only tokens in this state.
    #[arg(long, value_enum)]
    state: Option<State>,
    /// Only active tokens that expire within this time, for example 30d.
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    expiring_within: Option<Duration>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum State {
    Active,
    Expired,
    Revoked,
}

impl State {
    /// The state of a token at `now`.
    pub(super) fn of(token: &Token, now: Timestamp) -> Self {
        match token.check_active(now) {
            Ok(()) => Self::Active,
            Err(InactiveReason::Expired) => Self::Expired,
            Err(InactiveReason::Revoked) => Self::Revoked,
        }
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        }
    }
}

impl Filter {
    /// Returns the tokens that pass.
    pub(super) async fn apply(
        self,
        mut tokens: Vec<Token>,
        now: Timestamp,
        store: &Store,
    ) -> Result<Vec<Token>, Error> {
        let Self { user, project, state, expiring_within } = self;
        if let Some(user) = user {
            tokens.retain(|token| token.user.username.eq_ignore_ascii_case(&user));
        }
        if let Some(state) = state {
            tokens.retain(|token| State::of(token, now) == state);
        }
        if let Some(within) = expiring_within {
            let end = now.plus(within);
            tokens.retain(|token| {
                token.check_active(now).is_ok() && token.expires_at.is_some_and(|at| at <= end)
            });
        }
        if let Some(name) = project {
            let found = store.find_project(&name.project, deadline()).await?;
            match (found, &name.project) {
                (Some(project), _) => {
                    tokens.retain(|token| {
                        token.membership(project.id, &project.path).level().is_some()
                    });
                }
                // Tokens outlive their project.
                (None, ProjectRef::Id(id)) => tokens.retain(|token| {
                    token.grants.iter().any(|grant| grant.target == GrantTarget::Project(*id))
                }),
                (None, _) => return Err(Error::NoProject(name.to_string())),
            }
        }
        Ok(tokens)
    }
}
