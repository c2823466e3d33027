//! Tokens in the output.

use std::collections::HashMap;
use std::io;
use std::time::Duration;

use serde::Serialize;
use shared::domain::project::ProjectId;
use shared::domain::project::ProjectState;
use shared::domain::secret::Secret;
use shared::domain::time::Timestamp;
use shared::domain::token::{Grant, GrantTarget, Token};
use shared::domain::token_kind::TokenKind;

use super::list::State;
use crate::output::{Details, Output, Printable, Row};
use crate::words;

#[derive(Debug, Serialize)]
pub(super) struct TokenView {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) user: String,
    external: bool,
    kind: &'static str,
    scope: &'static str,
    grants: Vec<GrantView>,
    job_project: Option<String>,
    on_duplicate: Option<&'static str>,
    state: &'static str,
    created_at: String,
    expires_at: Option<String>,
    /// In words, for the sentence.
    #[serde(skip)]
    expiry: String,
}

#[derive(Debug, Serialize)]
struct GrantView {
    #[serde(flatten)]
    target: TargetView,
    access_level: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum TargetView {
    Project {
        project: u64,
        /// Absent if the directory does not know the number.
        project_path: Option<String>,
        project_deleted: bool,
    },
    Namespace {
        namespace: String,
    },
}

/// A token with its secret, which no other output has. It has no `Debug`, to keep the secret out of
/// logs.
#[derive(Serialize)]
pub(super) struct Created<'a> {
    pub(super) token: &'a str,
    /// The ID of the token in whose place it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) replaces: Option<&'a str>,
    #[serde(flatten)]
    pub(super) view: TokenView,
}

impl TokenView {
    /// `projects` has the projects in which the token has roles.
    pub(super) fn new(
        token: &Token,
        now: Timestamp,
        projects: &HashMap<ProjectId, ProjectState>,
    ) -> Self {
        let grants = token.grants.iter().map(|grant| GrantView::new(grant, projects));
        Self {
            id: token.id().to_owned(),
            name: token.name.clone(),
            user: token.user.username.clone(),
            external: token.user.external,
            kind: words::word(token.kind),
            scope: words::word(token.scope),
            grants: grants.collect(),
            job_project: token.job.clone().map(|job| job.project.into()),
            on_duplicate: token.on_duplicate.map(words::word),
            state: State::of(token, now).word(),
            created_at: token.created_at.to_string(),
            expires_at: token.expires_at.map(|at| at.to_string()),
            expiry: token.expires_at.map_or("never expires".to_owned(), |at| expiry(at, now)),
        }
    }

    fn roles(&self) -> String {
        self.grants.iter().map(GrantView::text).collect::<Vec<_>>().join(", ")
    }

    /// The sentence on the creation of a token, maybe in place of the one with the ID `replaces`.
    pub(super) fn sentence(&self, replaces: Option<&str>) -> String {
        let Self { id, name, user, scope, expiry, .. } = self;
        let token = if self.kind == words::word(TokenKind::Job) { "job token" } else { "token" };
        let replaces = replaces
            .map(|old| format!(" It replaces token {old}, which is revoked."))
            .unwrap_or_default();
        format!(
            "Created {token} {id} ({name}) for user {user}: scope {scope}, {}, {expiry}.{replaces} \
             Save it now: it is not shown again.",
            self.roles()
        )
    }
}

/// The expiry as a date, with the time if it is near.
fn expiry(at: Timestamp, now: Timestamp) -> String {
    let text = at.to_string();
    let is_near = at <= now.plus(Duration::from_hours(48));
    let date = text.split_once('T').map(|(date, _)| date).filter(|_| !is_near);
    format!("expires {}", date.unwrap_or(&text))
}

impl GrantView {
    fn new(grant: &Grant, projects: &HashMap<ProjectId, ProjectState>) -> Self {
        let target = match &grant.target {
            GrantTarget::Project(id) => {
                let (path, project_deleted) = match projects.get(id) {
                    Some(ProjectState::Live(path)) => (Some(path), false),
                    Some(ProjectState::Deleted(path)) => (Some(path), true),
                    Some(ProjectState::Unknown) | None => (None, false),
                };
                let project_path = path.map(|path| path.as_str().to_owned());
                TargetView::Project { project: id.0, project_path, project_deleted }
            }
            GrantTarget::Namespace(path) => {
                TargetView::Namespace { namespace: path.as_str().to_owned() }
            }
        };
        Self { target, access_level: words::word(grant.level) }
    }

    fn text(&self) -> String {
        let level = self.access_level;
        match &self.target {
            TargetView::Project { project_path: Some(path), project_deleted: false, .. } => {
                format!("{level} in {path}")
            }
            TargetView::Project { project, project_path: Some(path), .. } => {
                format!("{level} in deleted project {project} ({path})")
            }
            TargetView::Project { project, project_path: None, .. } => {
                format!("{level} in unknown project {project}")
            }
            TargetView::Namespace { namespace } => format!("{level} in {namespace}/*"),
        }
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
            self.expires_at.clone().unwrap_or_else(|| "never".to_owned()),
        ]
    }
}

impl Details for TokenView {
    fn fields(&self) -> Vec<(&'static str, String)> {
        let mut fields = vec![
            ("ID", self.id.clone()),
            ("Name", self.name.clone()),
            ("User", self.user.clone()),
            ("External user", if self.external { "yes" } else { "no" }.to_owned()),
            ("Kind", self.kind.to_owned()),
            ("Scope", self.scope.to_owned()),
            ("Roles", self.roles()),
        ];
        fields.extend(self.job_project.clone().map(|path| ("Job's project", path)));
        fields.extend(self.on_duplicate.map(|word| ("On duplicate", word.to_owned())));
        fields.extend([
            ("State", self.state.to_owned()),
            ("Created at", self.created_at.clone()),
            ("Expires at", self.expires_at.clone().unwrap_or_else(|| "never".to_owned())),
        ]);
        fields
    }
}

/// Prints the secret of a new token for scripts, and a sentence about it for people.
pub(super) fn print_created(
    secret: &Secret,
    view: TokenView,
    replaces: Option<&str>,
    output: Output,
) -> io::Result<()> {
    match output {
        Output::Table => {
            Printable::line(secret.reveal()).print_to_a_reader()?;
            Printable::line(&view.sentence(replaces)).print_as_error();
            Ok(())
        }
        Output::Json => {
            let created = Created { token: secret.reveal(), replaces, view };
            Printable::json(&created)?.print_to_a_reader()
        }
    }
}
