//! `GET /projects/:id`: a project, as far as release tools ask for it.

use lambda_http::http::StatusCode;
use lambda_http::{Body, Request, Response};
use serde::Serialize;
use shared::access::Admission;
use shared::app::App;
use shared::domain::token::AccessLevel;
use shared::http::admit::enter_project;
use shared::http::render::project_url;
use shared::http::respond::respond;
use shared::http::{Answer, ApiError, Call};
use shared::store::read::Selection;

/// Answers with the project.
pub async fn handle(app: &App, request: Request) -> Response<Body> {
    respond(app, request, get).await
}

async fn get(app: &App, call: Call) -> Result<Answer, ApiError> {
    let entered = enter_project(app, &call, Selection::Project).await?;
    Answer::json(StatusCode::OK, &ProjectBody::new(&call, &entered.admission))
}

#[derive(Serialize)]
struct ProjectBody<'a> {
    id: u64,
    name: &'a str,
    name_with_namespace: String,
    path: &'a str,
    path_with_namespace: &'a str,
    created_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    default_branch: Option<&'a str>,
    web_url: String,
    archived: bool,
    visibility: &'static str,
    releases_access_level: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    permissions: Option<Permissions>,
}

/// What a caller with a token may do: semantic-release stops where this is missing.
#[derive(Serialize)]
struct Permissions {
    project_access: Option<Access>,
    group_access: Option<Access>,
}

#[derive(Serialize)]
struct Access {
    access_level: u8,
    notification_level: u8,
}

impl<'a> ProjectBody<'a> {
    fn new(call: &Call, admission: &'a Admission) -> Self {
        let project = admission.project();
        let (namespace, path) = project.path.split();
        let reads_code = admission.may_read_code().is_ok();
        Self {
            id: project.id.0,
            name: path,
            name_with_namespace: format!("{} / {path}", namespace.replace('/', " / ")),
            path,
            path_with_namespace: project.path.as_str(),
            created_at: project.created_at.to_string(),
            default_branch: reads_code.then(|| project.default_branch.as_str()),
            web_url: project_url(&call.base, project),
            archived: project.archived,
            visibility: project.visibility.as_str(),
            releases_access_level: project.releases_access.as_str(),
            permissions: admission.token().map(|_| Permissions::new(admission)),
        }
    }
}

impl Permissions {
    fn new(admission: &Admission) -> Self {
        // GitLab's "global" level of notifications: nothing here sends any.
        let access = |level: Option<AccessLevel>| {
            level.map(|level| Access { access_level: level.number(), notification_level: 3 })
        };
        let membership = admission.membership();
        Self { project_access: access(membership.project), group_access: access(membership.group) }
    }
}
