//! The sample: one public project, whose release has links to small files that this server serves.

use std::time::Duration;

use axum::Router;
use axum::handler::Handler;
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use shared::app::App;
use shared::domain::access_level::AccessLevel;
use shared::domain::link::{LinkFields, LinkType, UncheckedLink};
use shared::domain::link_url::LinkUrl;
use shared::domain::policies::Policies;
use shared::domain::project::{
    BranchName, Project, ProjectId, ProjectPath, ProjectRef, ReleasesAccess, Visibility,
};
use shared::domain::release::{Author, Description, NewLinks, ReleaseName};
use shared::domain::release_key::ReleaseKey;
use shared::domain::secret::Secret;
use shared::domain::tag_name::TagName;
use shared::domain::time::Timestamp;
use shared::domain::token::{Grant, GrantTarget, Scope};
use shared::domain::token_kind::TokenKind;
use shared::domain::username::{InvalidUsername, Username};
use shared::store::Store;
use shared::store::deadline::Deadline;
use shared::store::projects::{NewProject, ProjectCreated};
use shared::store::query::ReleaseWithLinks;
use shared::store::releases::{NewRelease, ReleaseCreated};
use shared::store::tokens::NewToken;
use url::Url;

use crate::duration::parse_lifetime;
use crate::serve_error::ServeError;
use crate::token::{DEFAULT_LIFETIME, bot};

/// The project's full path.
pub(super) const PROJECT: &str = "demo/hello";
/// The path as a part of an API URL.
pub(super) const ENCODED_PROJECT: &str = "demo%2Fhello";
const TAG: &str = "v1.0.0";
const NOTES: &str = "A sample release. Its two files come from this server.";
/// Name of the token.
const TOKEN: &str = "sample";

struct File {
    name: &'static str,
    /// The path that stays the same when the file moves.
    direct_asset_path: &'static str,
    link_type: LinkType,
    content_type: &'static str,
    content: &'static str,
}

const FOLDER: &str = "/-/sample/";

const FILES: [File; 2] = [
    File {
        name: "hello.sh",
        direct_asset_path: "/bin/hello",
        link_type: LinkType::Package,
        content_type: "text/x-shellscript",
        content: "#!/bin/sh\necho 'Hello from release-links'\n",
    },
    File {
        name: "README.txt",
        direct_asset_path: "/README.txt",
        link_type: LinkType::Other,
        content_type: "text/plain; charset=utf-8",
        content: "This file belongs to the sample release v1.0.0 of demo/hello.\n\
                  A release stores links to files like this one, not the files.\n",
    },
];

/// How long the tables and the examples may take.
pub(super) const PREPARATION: Duration = Duration::from_secs(30);

/// The routes of the sample's files; `answer` takes other methods.
pub(super) fn routes<T: 'static>(answer: &impl Handler<T, &'static App>) -> Router<&'static App> {
    FILES.iter().fold(Router::new(), |router, File { name, content_type, content, .. }| {
        let file = move || async move {
            ([(CONTENT_TYPE, HeaderValue::from_static(content_type))], *content)
        };
        router.route(&format!("{FOLDER}{name}"), get(file).fallback(answer.clone()))
    })
}

/// Creates the sample on the first start, and returns its token. On later starts, makes the links to
/// its files name `url`, the server's current URL.
pub(super) async fn prepare(store: &Store, url: &str) -> Result<Option<Secret>, ServeError> {
    let deadline = Deadline::after(PREPARATION);
    // The token comes last: without it, the next start completes an interrupted one.
    let is_first_start = !store.has_tokens(deadline).await?;
    if is_first_start {
        create_project(store, deadline).await?;
    }
    let path = ProjectRef::Path(ProjectPath::parse(PROJECT)?);
    let Some(Project { id, .. }) = store.find_project(&path, deadline).await? else {
        return Ok(None);
    };
    if is_first_start {
        create_release(store, id, url, deadline).await?;
    }
    let release = ReleaseKey { project: id, tag: TagName::parse(TAG)? };
    point_links_to(url, &release, store, deadline).await?;
    if !is_first_start {
        return Ok(None);
    }
    let token = NewToken {
        kind: TokenKind::Access,
        name: TOKEN.to_owned(),
        user: store.ensure_user(&bot(id)?, None, deadline).await?,
        scope: Scope::Api,
        grants: vec![Grant { target: GrantTarget::Project(id), level: AccessLevel::Maintainer }],
        job_project: None,
        expires_in: Some(parse_lifetime(DEFAULT_LIFETIME)?),
        on_duplicate: None,
    };
    let (secret, _) = store.create_token(token, Timestamp::now(), deadline).await?;
    Ok(Some(secret))
}

/// The user of the token, and the author of the release.
fn bot(project: ProjectId) -> Result<Username, InvalidUsername> {
    bot::username(&GrantTarget::Project(project), TOKEN)
}

async fn create_project(store: &Store, deadline: Deadline) -> Result<(), ServeError> {
    let project = NewProject {
        id: None,
        path: ProjectPath::parse(PROJECT)?,
        visibility: Visibility::Public,
        releases_access: ReleasesAccess::Enabled,
        protected_tags: Vec::new(),
        default_branch: BranchName::default(),
        source_url: None,
        policies: Policies::default(),
    };
    match store.create_project(project, Timestamp::now(), deadline).await? {
        ProjectCreated::Project(_)
        | ProjectCreated::IdUsed
        | ProjectCreated::IdHasReleases
        | ProjectCreated::PathTaken => Ok(()),
    }
}

async fn create_release(
    store: &Store,
    project: ProjectId,
    url: &str,
    deadline: Deadline,
) -> Result<(), ServeError> {
    let now = Timestamp::now();
    let links = FILES.iter().map(|file| file.link(url)).collect::<Option<Vec<_>>>();
    let links = links.and_then(|links| NewLinks::parse(links).ok());
    let new = NewRelease {
        key: ReleaseKey { project, tag: TagName::parse(TAG)? },
        name: ReleaseName::parse("Hello 1.0.0").ok(),
        description: Description::parse(NOTES).ok(),
        author: Author::from(&store.ensure_user(&bot(project)?, None, deadline).await?),
        commit: None,
        released_at: now,
        links: links.ok_or("a link of the sample breaks the rules of links")?,
    };
    match store.create_release(new, now, deadline).await? {
        ReleaseCreated::Release(..) | ReleaseCreated::Exists => Ok(()),
    }
}

/// Changes the host and port of the links to this server's files.
async fn point_links_to(
    url: &str,
    release: &ReleaseKey,
    store: &Store,
    deadline: Deadline,
) -> Result<(), ServeError> {
    let query = ReleaseWithLinks(release.tag.clone());
    let found = store.ask(release.project, &query, deadline).await?;
    let Some((release, links)) = &found else { return Ok(()) };
    for link in links.clone().into_links() {
        let is_ours = |file: &&File| {
            Url::parse(link.fields.url.as_str()).is_ok_and(|url| url.path() == file.path())
        };
        let Some(file) = FILES.iter().find(is_ours) else { continue };
        let moved = LinkUrl::parse(&format!("{url}{}", file.path()));
        let fields = LinkFields {
            url: moved.map_err(|_| "this server's URL cannot be in a link")?,
            ..link.fields.clone()
        };
        // Another writer's change wins: it may have pointed the link elsewhere.
        store.update_link(release, &link, fields, Timestamp::now(), deadline).await?;
    }
    Ok(())
}

impl File {
    fn path(&self) -> String {
        format!("{FOLDER}{}", self.name)
    }

    fn link(&self, server: &str) -> Option<LinkFields> {
        let url = format!("{server}{}", self.path());
        let path = Some(self.direct_asset_path);
        UncheckedLink::new(Some(self.name), Some(&url), path, self.link_type).fields()
    }
}

/// Commands to try, which can be repeated.
pub(super) fn first_commands(token: &Secret, url: &str) -> String {
    let token = token.reveal();
    let api = format!("{url}/api/v4/projects/{ENCODED_PROJECT}/releases");
    let pages = format!("{url}/{PROJECT}/-/releases");
    format!(
        "The sample project {PROJECT} has one release. Its token is shown only now:\n\n  \
         export RELEASE_LINKS_TOKEN={token}\n\n\
         Try it:\n\n  \
         curl \"{api}/{TAG}\"\n  \
         curl --location {pages}/{TAG}/downloads/bin/hello\n  \
         curl --request PUT --header \"PRIVATE-TOKEN: $RELEASE_LINKS_TOKEN\" --data name=\"Hello, world\" \"{api}/{TAG}\"\n  \
         curl {api}/permalink/latest --location\n"
    )
}
