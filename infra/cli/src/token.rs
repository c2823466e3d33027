//! `token`: access tokens. A secret is printed once, by the command that creates it, and stored
//! nowhere.

pub(crate) mod bot;
mod create;
mod list;
mod view;

use std::collections::HashMap;

use clap::{Args, Subcommand};
use shared::domain::project::ProjectId;
use shared::domain::project::ProjectState;
use shared::domain::secret::Secret;
use shared::domain::time::Timestamp;
use shared::domain::token::{GrantTarget, TOKEN_ID_DIGITS, Token};
use shared::domain::token_kind::TokenKind;
use shared::store::Store;

use crate::duration::Lifetime;
use crate::error::Error;
use crate::output::Output;
use crate::{STEP, deadline};
pub(crate) use create::DEFAULT_LIFETIME;
use create::{Create, check_job};
use list::Filter;
use view::{TokenView, print_created};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Create a token and print its secret. The secret is not shown again.
    Create(Create),
    /// List tokens, the oldest first.
    List(Filter),
    /// Show a token, without its secret.
    Show(Target),
    /// Replace a token by one with a new secret and the same roles. The old secret stops working.
    Rotate {
        #[command(flatten)]
        target: Target,
        /// Lifetime of the new token, for example 90d, 12h or 30m; or never.
        #[arg(long, value_name = "DURATION|never", default_value = DEFAULT_LIFETIME)]
        expires_in: Lifetime,
    },
    /// Revoke a token. Its secret stops working at once.
    Revoke(Target),
}

#[derive(Args, Debug)]
pub(crate) struct Target {
    /// ID of the token, for example 0a1b2c3d4e5f (see `token list`), or its secret.
    #[arg(value_name = "ID|SECRET")]
    token: Named,
}

/// How the operator names a token. `Debug` does not show it: it may be a secret.
#[derive(Clone)]
struct Named(String);

impl std::str::FromStr for Named {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.to_owned()))
    }
}

impl std::fmt::Debug for Named {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Named")
    }
}

/// Carries out a command about tokens.
pub(crate) async fn run(command: Command, store: &Store, output: Output) -> Result<(), Error> {
    let now = Timestamp::now();
    match command {
        Command::Create(new) => create::run(new, store, output).await,
        Command::List(filter) => {
            let tokens = filter.apply(store.list_tokens(STEP).await?, now, store).await?;
            let projects = projects_of(&tokens, store).await?;
            let views: Vec<_> =
                tokens.iter().map(|token| TokenView::new(token, now, &projects)).collect();
            Ok(output.list(&views)?)
        }
        Command::Show(Target { token }) => {
            let token = find(&token, store).await?;
            let projects = projects_of(std::slice::from_ref(&token), store).await?;
            Ok(output.one(&TokenView::new(&token, now, &projects))?)
        }
        Command::Rotate { target: Target { token }, expires_in } => {
            rotate(&token, expires_in, store, output).await
        }
        Command::Revoke(Target { token }) => revoke(&token, store, output).await,
    }
}

async fn rotate(
    name: &Named,
    expires_in: Lifetime,
    store: &Store,
    output: Output,
) -> Result<(), Error> {
    let old = find(name, store).await?;
    if old.kind == TokenKind::Job {
        check_job(expires_in)?;
    }
    let now = Timestamp::now();
    let rotated = store.rotate_token(&old, expires_in.duration(), now, deadline()).await?;
    let Some((secret, token)) = rotated else {
        return Err(Error::TokenRevoked(old.id().to_owned()));
    };
    let lost = |cause| Error::SecretLost { id: token.id().to_owned(), cause };
    let projects = projects_of(std::slice::from_ref(&token), store).await;
    // The secret is printed first: an error in naming the projects must not lose it.
    let view = TokenView::new(&token, now, projects.as_ref().unwrap_or(&HashMap::new()));
    print_created(&secret, view, Some(old.id()), output).map_err(lost)
}

async fn revoke(name: &Named, store: &Store, output: Output) -> Result<(), Error> {
    let token = find(name, store).await?;
    if !store.revoke_token(&token, deadline()).await? {
        return Err(Error::NoToken(token.id().to_owned()));
    }
    let is_new = !token.revoked;
    let token = Token { revoked: true, ..token };
    let projects = match output {
        Output::Table => HashMap::new(),
        Output::Json => projects_of(std::slice::from_ref(&token), store).await?,
    };
    let view = TokenView::new(&token, Timestamp::now(), &projects);
    let what = format!("oken {} ({}) of user {}", view.id, view.name, view.user);
    let sentence =
        if is_new { format!("Revoked t{what}.") } else { format!("T{what} was already revoked.") };
    Ok(output.done(&sentence, &view)?)
}

async fn find(Named(text): &Named, store: &Store) -> Result<Token, Error> {
    if let Some(secret) = Secret::parse(text) {
        let token = store.find_token(&secret.hash(), deadline()).await?;
        return token.ok_or(Error::NoTokenOfSecret);
    }
    if text.len() != TOKEN_ID_DIGITS || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(Error::NotAToken);
    }
    let wanted = text.to_ascii_lowercase();
    let mut found = store.find_tokens(&wanted, deadline()).await?;
    match (found.pop(), found.is_empty()) {
        (Some(token), true) => Ok(token),
        (None, _) => Err(Error::NoToken(wanted)),
        (Some(_), false) => Err(Error::AmbiguousToken(wanted)),
    }
}

/// The projects in which these tokens have roles.
async fn projects_of(
    tokens: &[Token],
    store: &Store,
) -> Result<HashMap<ProjectId, ProjectState>, Error> {
    let grants = tokens.iter().flat_map(|token| &token.grants);
    let ids: Vec<_> = grants
        .filter_map(|grant| match &grant.target {
            GrantTarget::Project(id) => Some(*id),
            GrantTarget::Namespace(_) => None,
        })
        .collect();
    Ok(store.find_projects(&ids, STEP).await?)
}
