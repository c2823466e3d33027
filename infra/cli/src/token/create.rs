//! `token create`.

use std::collections::HashMap;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use shared::domain::access_level::AccessLevel;
use shared::domain::policies::OnDuplicate;
use shared::domain::project::NamespacePath;
use shared::domain::project::ProjectState;
use shared::domain::time::Timestamp;
use shared::domain::token::{Grant, GrantTarget, Scope};
use shared::domain::token_kind::TokenKind;
use shared::domain::username::Username;
use shared::store::Store;
use shared::store::tokens::NewToken;

use super::bot;
use super::view::{TokenView, print_created};
use crate::deadline;
use crate::duration::Lifetime;
use crate::error::Error;
use crate::output::Output;
use crate::project_argument::ProjectArgument;
use crate::project_argument::find;
use crate::words;

/// The lifetime of a token, unless another is chosen.
pub(crate) const DEFAULT_LIFETIME: &str = "90d";

#[derive(Args, Debug)]
#[command(group = clap::ArgGroup::new("roles").required(true).multiple(true))]
pub(crate) struct Create {
    /// Name that says what the token is for, for example ci.
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    name: String,
    /// Project in which the token has its role, by number or full path, for example mygroup/app.
    /// Repeat the option for more projects.
    #[arg(long = "project", value_name = "PROJECT", group = "roles")]
    projects: Vec<ProjectArgument>,
    /// Namespace in whose projects the token has its role, for example mygroup. Includes namespaces
    /// below it, and projects that are created later.
    #[arg(long = "namespace", value_name = "NAMESPACE", group = "roles")]
    namespaces: Vec<NamespacePath>,
    /// Role of the token. A developer can create, change and delete releases.
    #[arg(long, value_parser = words::parser::<AccessLevel>(), default_value = "developer")]
    access_level: AccessLevel,
    /// API scope: api (read and write) or `read_api` (read only).
    #[arg(long, value_parser = words::parser::<Scope>(), default_value = "api")]
    scope: Scope,
    /// Lifetime, for example 90d, 12h or 30m; or never. At most 36525d, a hundred years.
    #[arg(long, value_name = "DURATION|never", default_value = DEFAULT_LIFETIME)]
    expires_in: Lifetime,
    /// User the token acts as, for example ann; created if missing. Releases name it as their author.
    ///
    /// Default: a bot user of the first project or namespace, for example `project_42_bot_ci` for the
    /// token ci of project 42.
    #[arg(long, value_name = "USERNAME")]
    user: Option<Username>,
    /// Create the token of a CI job of the first project. Clients send it as JOB-TOKEN.
    #[arg(long, requires = "projects")]
    job: bool,
    /// Make the user external: an external user sees internal projects only as a member.
    ///
    /// The user stays external or not for later tokens too. Earlier tokens do not change.
    #[arg(
        long,
        value_name = "true|false",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        hide_possible_values = true
    )]
    external: Option<bool>,
    /// How to handle a release or link that exists already. Overrides the project's policy, for example
    /// replace.
    #[arg(long, value_parser = words::parser::<OnDuplicate>())]
    on_duplicate: Option<OnDuplicate>,
}

/// Refuses a job token that never expires: jobs end.
pub(super) fn check_job(expires_in: Lifetime) -> Result<(), Error> {
    match expires_in {
        Lifetime::Never => Err(Error::Usage(
            "a job token must expire: give --expires-in a duration, for example 1h",
        )),
        Lifetime::For(_) => Ok(()),
    }
}

/// Creates a token and prints its secret.
pub(super) async fn run(new: Create, store: &Store, output: Output) -> Result<(), Error> {
    if new.job {
        check_job(new.expires_in)?;
    }
    let mut targets = Vec::new();
    let mut job_project = None;
    let mut states = HashMap::new();
    for name in &new.projects {
        let project = find(name, store).await?;
        targets.push(GrantTarget::Project(project.id));
        if new.job && job_project.is_none() {
            job_project = Some(project.path.clone());
        }
        states.insert(project.id, ProjectState::Live(project.path));
    }
    targets.extend(new.namespaces.into_iter().map(GrantTarget::Namespace));
    let username = match (new.user, targets.first()) {
        (Some(username), _) => username,
        (None, Some(target)) => bot::username(target, &new.name)?,
        (None, None) => return Err(Error::Usage("add --project or --namespace")),
    };
    let level = new.access_level;
    let token = NewToken {
        kind: if new.job { TokenKind::Job } else { TokenKind::Access },
        name: new.name,
        user: store.ensure_user(&username, new.external, deadline()).await?,
        scope: new.scope,
        grants: targets.into_iter().map(|target| Grant { target, level }).collect(),
        job_project,
        expires_in: new.expires_in.duration(),
        on_duplicate: new.on_duplicate,
    };
    let now = Timestamp::now();
    let (secret, token) = store.create_token(token, now, deadline()).await?;
    let view = TokenView::new(&token, now, &states);
    print_created(&secret, view, None, output)
        .map_err(|cause| Error::SecretLost { id: token.id().to_owned(), cause })
}
