//! `token`: who may do what. A secret is printed once, when it is made, and kept nowhere.

use std::time::Duration;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Subcommand};
use serde::Serialize;
use shared::domain::project::NamespacePath;
use shared::domain::time::Timestamp;
use shared::domain::token::{
    AccessLevel, Dead, Grant, GrantTarget, Scope, Secret, TOKEN_ID_DIGITS, Token, TokenKind,
};
use shared::domain::username::Username;
use shared::store::Store;
use shared::store::tokens::NewToken;

use crate::arguments::{ProjectArgument, parse_lifetime};
use crate::error::Error;
use crate::output::{Output, Printable, Row};
use crate::project::find;
use crate::words::{self, Word};
use crate::{STEP, deadline};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a token and print its secret, this once.
    Create(Create),
    /// List all tokens, the oldest first.
    List,
    /// Withdraw a token.
    Revoke {
        /// Its id, as `token list` shows it, or its secret.
        #[arg(value_name = "ID|SECRET")]
        token: String,
    },
}

#[derive(Args, Debug)]
pub(crate) struct Create {
    /// What the token is for, in your words.
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    name: String,
    /// User the token acts as; created if missing.
    #[arg(long, value_name = "USERNAME", default_value = "root")]
    user: Username,
    /// A project it has a role in, by number or full path. Without any project or namespace it is
    /// the token of a signed-in user who is a member of nothing.
    #[arg(long = "project", value_name = "PROJECT")]
    projects: Vec<ProjectArgument>,
    /// A namespace in all of whose projects it has a role.
    #[arg(long = "namespace", value_name = "NAMESPACE")]
    namespaces: Vec<NamespacePath>,
    /// The role.
    #[arg(long, value_parser = words::parser::<AccessLevel>(), default_value = "developer")]
    access_level: AccessLevel,
    /// How much of the API it opens.
    #[arg(long, value_parser = words::parser::<Scope>(), default_value = "api")]
    scope: Scope,
    /// How long it lives, such as 90d, 12h, 30m or 1s, a hundred years at most; never expires by
    /// default.
    #[arg(long, value_name = "DURATION", value_parser = parse_lifetime)]
    expires_in: Option<Duration>,
    /// Make the token of a CI job in the first of its projects.
    #[arg(long, requires = "projects")]
    job: bool,
    /// Whether the user is external: sees internal projects only as a member. This changes the
    /// user, for this token and later ones; tokens given out before keep what they were given. By
    /// default the user stays as it is, and a new one is not external.
    #[arg(
        long,
        value_name = "true|false",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        hide_possible_values = true
    )]
    external: Option<bool>,
}

/// Carries out a command about tokens.
pub(crate) async fn run(command: Command, store: &Store, output: Output) -> Result<(), Error> {
    match command {
        Command::Create(new) => create(new, store, output).await,
        Command::List => {
            let (tokens, now) = (store.list_tokens(STEP).await?, Timestamp::now());
            let views: Vec<_> = tokens.iter().map(|token| TokenView::new(token, now)).collect();
            Ok(output.list(&views)?)
        }
        Command::Revoke { token } => revoke(&token, store, output).await,
    }
}

async fn create(new: Create, store: &Store, output: Output) -> Result<(), Error> {
    let mut targets = Vec::new();
    let mut job_project = None;
    for name in &new.projects {
        let project = find(name, store).await?;
        targets.push(GrantTarget::Project(project.id));
        if new.job && job_project.is_none() {
            job_project = Some(project.path);
        }
    }
    targets.extend(new.namespaces.into_iter().map(GrantTarget::Namespace));
    let level = new.access_level;
    let token = NewToken {
        kind: if new.job { TokenKind::Job } else { TokenKind::Access },
        name: new.name,
        user: store.ensure_user(&new.user, new.external, deadline()).await?,
        scope: new.scope,
        grants: targets.into_iter().map(|target| Grant { target, level }).collect(),
        job_project,
        expires_in: new.expires_in,
    };
    let now = Timestamp::now();
    let (secret, token) = store.create_token(token, now, deadline()).await?;
    let view = TokenView::new(&token, now);
    match output {
        Output::Table => {
            // Only the secret goes where a script reads it.
            Printable::line(secret.reveal()).print_to_a_reader()?;
            Printable::line(&view.sentence()).print_as_error();
            Ok(())
        }
        Output::Json => {
            let created = Created { token: secret.reveal(), view };
            Ok(Printable::json(&created)?.print_to_a_reader()?)
        }
    }
}

async fn revoke(text: &str, store: &Store, output: Output) -> Result<(), Error> {
    let token = find_token(text, store).await?;
    if !store.revoke_token(&token, deadline()).await? {
        return Err(Error::NoToken(token.id().to_owned()));
    }
    let view = TokenView::new(&Token { revoked: true, ..token }, Timestamp::now());
    let sentence = format!("revoked token {} ({}) of {}", view.id, view.name, view.user);
    Ok(output.done(&sentence, &view)?)
}

async fn find_token(text: &str, store: &Store) -> Result<Token, Error> {
    if let Some(secret) = Secret::parse(text) {
        let token = store.find_token(&secret.hash(), deadline()).await?;
        return token.ok_or(Error::NoTokenOfSecret);
    }
    if text.len() != TOKEN_ID_DIGITS || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(Error::NotAToken);
    }
    let wanted = text.to_ascii_lowercase();
    let tokens = store.list_tokens(STEP).await?;
    let mut found = tokens.into_iter().filter(|token| token.id() == wanted);
    match (found.next(), found.next()) {
        (Some(token), None) => Ok(token),
        (None, _) => Err(Error::NoToken(wanted)),
        (Some(_), Some(_)) => Err(Error::AmbiguousToken(wanted)),
    }
}

#[derive(Debug, Serialize)]
struct TokenView {
    id: String,
    name: String,
    user: String,
    external: bool,
    kind: &'static str,
    scope: &'static str,
    grants: Vec<GrantView>,
    job_project: Option<String>,
    state: &'static str,
    created_at: String,
    expires_at: Option<String>,
}

#[derive(Debug, Serialize)]
struct GrantView {
    #[serde(flatten)]
    target: TargetView,
    access_level: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "lowercase")]
enum TargetView {
    Project(u64),
    Namespace(String),
}

/// A token with its secret: the one thing that ever shows it, and so without `Debug`.
#[derive(Serialize)]
struct Created<'a> {
    token: &'a str,
    #[serde(flatten)]
    view: TokenView,
}

impl TokenView {
    fn new(token: &Token, now: Timestamp) -> Self {
        Self {
            id: token.id().to_owned(),
            name: token.name.clone(),
            user: token.user.username.clone(),
            external: token.user.external,
            kind: token.kind.word(),
            scope: token.scope.word(),
            grants: token.grants.iter().map(GrantView::from).collect(),
            job_project: token.job.clone().map(|job| job.project.into()),
            state: match token.alive(now) {
                Ok(()) => "active",
                Err(Dead::Revoked) => "revoked",
                Err(Dead::Expired) => "expired",
            },
            created_at: token.created_at.to_string(),
            expires_at: token.expires_at.map(|at| at.to_string()),
        }
    }

    fn roles(&self) -> String {
        let roles = self.grants.iter().map(|grant| match &grant.target {
            TargetView::Project(id) => format!("{} in {id}", grant.access_level),
            TargetView::Namespace(path) => format!("{} in {path}/*", grant.access_level),
        });
        roles.collect::<Vec<_>>().join(", ")
    }

    fn sentence(&self) -> String {
        let Self { id, name, user, kind, scope, .. } = self;
        let roles = if self.grants.is_empty() { "no role".to_owned() } else { self.roles() };
        let expiry =
            self.expires_at.as_ref().map_or("without end".to_owned(), |at| format!("until {at}"));
        format!(
            "{kind} token {id} ({name}) of {user}: {scope}, {roles}, {expiry}. \
             The secret above is shown this once."
        )
    }
}

impl From<&Grant> for GrantView {
    fn from(grant: &Grant) -> Self {
        let target = match &grant.target {
            GrantTarget::Project(id) => TargetView::Project(id.0),
            GrantTarget::Namespace(path) => TargetView::Namespace(path.as_str().to_owned()),
        };
        Self { target, access_level: grant.level.word() }
    }
}

impl Row for TokenView {
    const HEADER: &'static [&'static str] =
        &["ID", "NAME", "USER", "KIND", "SCOPE", "ROLES", "STATE", "CREATED AT", "EXPIRES AT"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.id.clone(),
            self.name.clone(),
            self.user.clone(),
            self.kind.to_owned(),
            self.scope.to_owned(),
            self.roles(),
            self.state.to_owned(),
            self.created_at.clone(),
            self.expires_at.clone().unwrap_or_default(),
        ]
    }
}
