//! A project as `GET /projects/:id` and `GET /projects` answer it.

use serde::Serialize;

use super::page_urls::project_url;
use super::request::ApiRequest;
use crate::authorize::access::ProjectAccess;
use crate::domain::access_level::AccessLevel;

/// A project as it is answered.
#[derive(Serialize)]
pub struct ProjectBody<'a> {
    id: u64,
    name: &'a str,
    name_with_namespace: String,
    path: &'a str,
    path_with_namespace: &'a str,
    created_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    default_branch: Option<&'a str>,
    web_url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    archived: Option<bool>,
    visibility: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    releases_access_level: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    permissions: Option<Permissions>,
}

/// The roles of a caller with a token. semantic-release stops without them.
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
    /// The project, with what the caller may do there if they sent a token.
    #[must_use]
    pub fn new(request: &ApiRequest, access: &'a ProjectAccess) -> Self {
        let project = access.project();
        Self {
            archived: Some(project.archived),
            releases_access_level: Some(project.releases_access.as_str()),
            permissions: access.user().map(|_| Permissions::new(access)),
            ..Self::simple(request, access)
        }
    }

    /// The few fields that GitLab shows for `simple=true`.
    #[must_use]
    pub fn simple(request: &ApiRequest, access: &'a ProjectAccess) -> Self {
        let project = access.project();
        let (namespace, path) = project.path.split();
        let reads_code = access.may_read_code().is_ok();
        Self {
            id: project.id.0,
            name: path,
            name_with_namespace: format!("{} / {path}", namespace.replace('/', " / ")),
            path,
            path_with_namespace: project.path.as_str(),
            created_at: project.created_at.to_string(),
            default_branch: reads_code.then(|| project.default_branch.as_str()),
            web_url: project_url(&request.base, project),
            archived: None,
            visibility: project.visibility.as_str(),
            releases_access_level: None,
            permissions: None,
        }
    }
}

impl Permissions {
    fn new(access: &ProjectAccess) -> Self {
        // GitLab's "global" level of notifications: nothing here sends any.
        let shown = |level: Option<AccessLevel>| {
            level.map(|level| Access { access_level: level.number(), notification_level: 3 })
        };
        let membership = access.membership();
        Self { project_access: shown(membership.project), group_access: shown(membership.group) }
    }
}
