//! The projects and tokens of the matrix, and a request for each cell.

use std::sync::Arc;
use std::time::Duration;

use harness::test_app::{
    TestApp, create_release, grant, job_token, links, new_release, project, protected,
    test_deadline, token, with_all_links,
};
use harness::{Api, Reply};
use serde_json::{Value, json};
use shared::domain::access_level::AccessLevel;
use shared::domain::link::Link;
use shared::domain::project::{NamespacePath, ProjectId};
use shared::domain::release::Release;
use shared::domain::time::Timestamp;
use shared::domain::token::{Grant, GrantTarget, Scope, Secret, TokenKind, User};
use shared::routes::{Route, find};
use shared::store::links::CreateLinkResult;
use shared::store::projects::NewProject;
use shared::store::releases::{NewRelease, ReleaseCreated};
use shared::store::tokens::NewToken;

use super::cell::{Action, Caller, Carrier, Cell, Given, Protection, Setting};
use super::oracle::{Answer, expected};
use crate::Error;

/// A release that is read, and the latest of each project.
const READ: &str = "v1";
/// A release that refused writes name: it has to stay as it is.
const KEPT: &str = "kept";
/// A release whose links come and go.
const OWN: &str = "own";
const FILE: &str = "bin/file-00000";
const FILE_URL: &str = "https://e.com/file/0";
/// The prefix of tags that no role may create.
const REFUSED: &str = "refused-";
/// The path of the project whose jobs are strangers everywhere else.
const ELSEWHERE: &str = "elsewhere/project";
const DAY: Duration = Duration::from_hours(24);

/// A project of the matrix.
struct Place {
    id: u64,
    path: String,
    setting: Setting,
    /// The link of the release that is read.
    link: u64,
    /// The releases of a project that exists.
    releases: Option<Releases>,
    job: Secret,
}

struct Releases {
    kept: (Release, Vec<Link>),
    own: Release,
}

struct Bearer {
    caller: Caller,
    user: u64,
    secret: Secret,
}

pub(crate) struct Scene {
    app: Arc<TestApp>,
    places: Vec<Place>,
    bearers: Vec<Bearer>,
}

pub(crate) struct Outcome {
    pub(crate) caller: Caller,
    /// The one its request took.
    pub(crate) route: &'static Route,
    pub(crate) allowed: bool,
    pub(crate) disagreement: Option<String>,
}

impl Place {
    /// The number of a link that has to stay as it is; any number if the project does not exist.
    fn kept_link(&self) -> u64 {
        let kept = self.releases.as_ref().and_then(|releases| releases.kept.1.first());
        kept.map_or(1, |link| link.id.0)
    }
}

impl Scene {
    pub(crate) async fn set(app: Arc<TestApp>, settings: &[Setting]) -> Result<Self, Error> {
        let mut places = Vec::new();
        for (id, setting) in (1..).zip(settings) {
            places.push(Box::pin(place(&app, id, *setting)).await?);
        }
        let mut bearers = Vec::new();
        for (user, caller) in (100..).zip(Caller::all()) {
            let Some(new) = new_token(caller, user, &places)? else { continue };
            let secret = if caller == Caller::Unknown {
                Secret::generate(TokenKind::Access)
            } else {
                app.token(new).await
            };
            if matches!(caller, Caller::Revoked | Caller::RevokedJob) {
                app.revoke(&secret).await;
            }
            bearers.push(Bearer { caller, user, secret });
        }
        Ok(Self { app, places, bearers })
    }

    /// Asks for what a cell says, and compares the answer with the one foretold.
    pub(crate) async fn check(&self, cell: Cell, number: usize) -> Result<Outcome, Error> {
        let place = &self.places[cell.place];
        let foretold = expected(
            cell.action,
            cell.caller,
            cell.carrier,
            place.setting,
            (ELSEWHERE, &place.path),
        );
        let allowed = matches!(foretold, Answer::Good(_));
        let asked = self.ask(place, cell, number, allowed).await?;
        let whole = if asked.path.starts_with("/projects") {
            format!("/api/v4{}", asked.path)
        } else {
            asked.path.clone()
        };
        let route = find(&cell.method().parse()?, &whole).route;
        let reply = self.send(place, cell, &asked).await;
        let agrees = match &foretold {
            Answer::Good(status) => {
                // GitLab only says whether a branch exists.
                let is_bare = cell.head && cell.action == Action::Branch;
                let status = if is_bare { &204 } else { status };
                reply.status == *status && (cell.head || self.holds(place, cell, &asked, &reply))
            }
            Answer::Refused(status, body) => {
                let challenges = body.contains("invalid_token");
                reply.status == *status
                    && (cell.head || reply.body == *body)
                    && reply.headers.contains_key("www-authenticate") == challenges
            }
        };
        let disagreement = (!agrees).then(|| {
            format!(
                "{} by {:?}{}: {:?} in {:?}: {} {} instead of {foretold:?}",
                cell.caller,
                cell.carrier,
                if cell.head { ", head" } else { "" },
                cell.action,
                place.setting,
                reply.status,
                reply.body,
            )
        });
        Ok(Outcome { caller: cell.caller, route, allowed, disagreement })
    }

    /// The leftovers of refused writes, in words: there must be none.
    pub(crate) async fn traces(&self) -> Result<Vec<String>, Error> {
        let mut traces = Vec::new();
        let store = &self.app.store;
        for Place { id, releases, setting, .. } in &self.places {
            if let Some(Releases { kept, .. }) = releases
                && with_all_links(store, &kept.0.key).await.as_ref() != Some(kept)
            {
                traces.push(format!("the release that is kept changed in {setting:?}"));
            }
            for other in store.list_releases(ProjectId(*id), test_deadline()).await? {
                if other.key.tag.as_str().starts_with(REFUSED) {
                    traces.push(format!("{} was made in project {id}", other.key.tag.as_str()));
                }
            }
        }
        Ok(traces)
    }

    fn bearer(&self, caller: Caller) -> Option<&Bearer> {
        self.bearers.iter().find(|bearer| bearer.caller == caller)
    }

    fn user(&self, caller: Caller) -> u64 {
        self.bearer(caller).map_or(1, |bearer| bearer.user)
    }

    /// The request of a cell. The item to change or delete is created first: other cells do
    /// not use it.
    async fn ask(
        &self,
        place: &Place,
        cell: Cell,
        number: usize,
        allowed: bool,
    ) -> Result<Asked, Error> {
        let name = if number.is_multiple_of(2) {
            place.id.to_string()
        } else {
            place.path.replace('/', "%2F")
        };
        let project = format!("/projects/{name}");
        let releases = format!("{project}/releases");
        let pages = format!("/{}/-/releases", place.path);
        let links = |tag: &str| format!("{releases}/{tag}/assets/links");
        let fresh = format!("cell {number}");
        let tag = if allowed { OWN } else { KEPT };
        let mut asked = Asked::default();
        asked.path = match cell.action {
            Action::ListLinks => links(READ),
            Action::GetLink => format!("{}/{}", links(READ), place.link),
            Action::CreateLink => {
                asked.body = json!({ "name": fresh, "url": format!("https://e.com/{number}") });
                links(tag)
            }
            Action::UpdateLink | Action::DeleteLink => {
                asked.id =
                    if allowed { self.new_link(place, number).await? } else { place.kept_link() };
                if cell.action == Action::UpdateLink {
                    asked.body = json!({ "name": fresh });
                }
                format!("{}/{}", links(tag), asked.id)
            }
            Action::ListReleases => releases,
            Action::GetRelease => format!("{releases}/{READ}"),
            Action::CreateRelease => {
                let tag = format!("{}{number}", if allowed { "made-" } else { REFUSED });
                asked.body = json!({ "tag_name": tag });
                releases
            }
            Action::UpdateRelease | Action::DeleteRelease | Action::DeleteTag => {
                asked.tag = if allowed { format!("target-{number}") } else { KEPT.to_owned() };
                if allowed {
                    create_release(&self.app.store, place.id, &asked.tag).await;
                }
                if cell.action == Action::UpdateRelease {
                    asked.body = json!({ "name": fresh });
                }
                if cell.action == Action::DeleteTag {
                    format!("{project}/repository/tags/{}", asked.tag)
                } else {
                    format!("{releases}/{}", asked.tag)
                }
            }
            Action::Download => format!("{releases}/{READ}/downloads/{FILE}"),
            Action::Latest => format!("{releases}/permalink/latest"),
            Action::BelowLatest => format!("{releases}/permalink/latest/assets/links"),
            Action::Project => project,
            Action::Member => format!("{project}/members/all/{}", self.user(cell.caller)),
            Action::MergeRequests => format!("{project}/repository/commits/abc/merge_requests"),
            Action::Tags => format!("{project}/repository/tags"),
            Action::Tag => format!("{project}/repository/tags/{READ}"),
            Action::Commit => format!("{project}/repository/commits/{READ}"),
            Action::Branches => format!("{project}/repository/branches"),
            Action::Branch => format!("{project}/repository/branches/main"),
            Action::User => "/api/v4/user".to_owned(),
            Action::Job => "/api/v4/job".to_owned(),
            Action::Version => "/api/v4/version".to_owned(),
            Action::DownloadPage => format!("{pages}/{READ}/downloads/{FILE}"),
            Action::LatestPage => format!("{pages}/permalink/latest"),
            Action::BelowLatestPage => format!("{pages}/permalink/latest/downloads/{FILE}"),
        };
        Ok(asked)
    }

    async fn new_link(&self, place: &Place, number: usize) -> Result<u64, Error> {
        let name = format!("target {number}");
        let url = format!("https://e.com/target/{number}");
        let draft = shared::domain::link::UncheckedLink::new(
            Some(&name),
            Some(&url),
            None,
            shared::domain::link::LinkType::Other,
        );
        let fields = draft.fields().ok_or("the link breaks the rules")?;
        let Some(Releases { own, .. }) = &place.releases else { return Err("no project".into()) };
        match self.app.store.create_link(own, fields, Timestamp::now(), test_deadline()).await? {
            CreateLinkResult::Link(link) => Ok(link.id.0),
            CreateLinkResult::Conflicts(_) => Err(format!("{name} is taken").into()),
        }
    }

    async fn send(&self, place: &Place, cell: Cell, asked: &Asked) -> Reply {
        let secret = match cell.caller {
            Caller::JobHere => place.job.reveal(),
            other => self.bearer(other).map_or("", |bearer| bearer.secret.reveal()),
        };
        let mut api = self.app.anonymous().allowing_failures();
        let (mut path, mut body) = (asked.path.clone(), asked.body.clone());
        if cell.caller != Caller::Nobody {
            match cell.carrier {
                Carrier::PrivateToken => api = api.with("private-token", secret),
                Carrier::JobToken => api = api.with("job-token", secret),
                Carrier::Bearer => api = api.with("authorization", &format!("Bearer {secret}")),
                Carrier::PrivateQuery => path = format!("{path}?private_token={secret}"),
                Carrier::AccessQuery => path = format!("{path}?access_token={secret}"),
                Carrier::BearerQuery => path = format!("{path}?bearer_token={secret}"),
                Carrier::TokenQuery => path = format!("{path}?token={secret}"),
                Carrier::JobQuery => path = format!("{path}?job_token={secret}"),
                Carrier::PrivateBody => body["private_token"] = secret.into(),
                Carrier::AccessBody => body["access_token"] = secret.into(),
                Carrier::JobBody => body["job_token"] = secret.into(),
            }
        }
        ask(&api, cell, &path, &body).await
    }

    /// Whether a good answer is about what was asked for.
    fn holds(&self, place: &Place, cell: Cell, asked: &Asked, reply: &Reply) -> bool {
        let body = if reply.body.is_empty() { Value::Null } else { reply.json() };
        let caller = cell.caller;
        let is = |key: &str, value: &Value| body[key] == *value;
        let leads_to = |target: &str| {
            let location = reply.headers.get("location").and_then(|value| value.to_str().ok());
            location.and_then(|location| location.split('?').next()) == Some(target)
        };
        let api = format!("/api/v4/projects/{}/releases/{READ}", place.id);
        let page =
            || format!("http://{}/{}/-/releases/{READ}", self.app.server.address, place.path);
        match cell.action {
            Action::ListLinks => body.as_array().is_some_and(|rows| {
                rows.len() == 1 && rows[0]["id"] == place.link && rows[0]["url"] == FILE_URL
            }),
            Action::GetLink => is("id", &place.link.into()) && is("url", &FILE_URL.into()),
            Action::CreateLink => is("name", &asked.body["name"]),
            Action::UpdateLink => is("id", &asked.id.into()) && is("name", &asked.body["name"]),
            Action::DeleteLink => is("id", &asked.id.into()),
            Action::ListReleases => body[0]["tag_name"] == READ,
            Action::GetRelease => {
                is("tag_name", &READ.into()) && body["assets"]["links"][0]["id"] == place.link
            }
            Action::CreateRelease => is("tag_name", &asked.body["tag_name"]),
            Action::UpdateRelease => {
                is("tag_name", &asked.tag.as_str().into()) && is("name", &asked.body["name"])
            }
            Action::DeleteRelease => is("tag_name", &asked.tag.as_str().into()),
            Action::Download | Action::DownloadPage => leads_to(FILE_URL),
            Action::Latest => leads_to(&api),
            Action::BelowLatest => leads_to(&format!("{api}/assets/links")),
            Action::LatestPage => leads_to(&page()),
            Action::BelowLatestPage => leads_to(&format!("{}/downloads/{FILE}", page())),
            Action::Project => is("id", &place.id.into()),
            Action::Member => {
                let level = match caller {
                    Caller::Member(level, _) => level,
                    _ => AccessLevel::Developer,
                };
                is("id", &self.user(caller).into()) && is("access_level", &level.number().into())
            }
            Action::MergeRequests => body == json!([]),
            // Callers who may not see the releases are shown no tags.
            Action::Tags => body
                .as_array()
                .is_some_and(|tags| tags.is_empty() || tags.iter().any(|tag| tag["name"] == READ)),
            Action::Tag => is("name", &READ.into()),
            Action::DeleteTag => body.is_null(),
            Action::Commit => is("title", &READ.into()),
            Action::Branches => body[0]["name"] == "main",
            Action::Branch => is("name", &"main".into()),
            Action::User => is("id", &self.user(caller).into()),
            Action::Job => body["user"]["id"] == self.user(caller),
            Action::Version => body["version"].is_string(),
        }
    }
}

#[derive(Default)]
struct Asked {
    path: String,
    body: Value,
    /// The link that is to be changed or deleted.
    id: u64,
    /// The release that is to be.
    tag: String,
}

async fn ask(api: &Api, cell: Cell, path: &str, body: &Value) -> Reply {
    let method = cell.method();
    if body.is_null() {
        api.send(method, path, "", b"").await
    } else {
        api.send(method, path, "application/json", body.to_string().as_bytes()).await
    }
}

async fn place(app: &TestApp, id: u64, setting: Setting) -> Result<Place, Error> {
    let path = format!("Top/sub/p{id}");
    let protected_tags = match setting.protection {
        Protection::None => Vec::new(),
        Protection::Developers => vec![protected("*", Some(AccessLevel::Developer))],
        Protection::Maintainers => vec![protected("*", Some(AccessLevel::Maintainer))],
        Protection::Nobody => vec![protected("*", None)],
    };
    let new = NewProject {
        visibility: setting.visibility,
        releases_access: setting.access,
        protected_tags,
        ..project(id, &path)
    };
    let job = NewToken {
        user: user(job_user(), false),
        grants: vec![grant(id, AccessLevel::Developer)],
        ..job_token(&path)
    };
    let job = app.token(job).await;
    if !setting.exists {
        return Ok(Place { id, path, setting, link: 1, releases: None, job });
    }
    app.project(new).await;
    if setting.archived {
        app.change_project(id, |project| project.archived = true).await;
    }
    let read = release(app, id, READ, 1).await?;
    let kept = release(app, id, KEPT, 1).await?;
    let (own, _) = release(app, id, OWN, 0).await?;
    let link = read.1.first().ok_or("no link")?.id.0;
    Ok(Place { id, path, setting, link, releases: Some(Releases { kept, own }), job })
}

/// A release with so many files. The release that is read is the latest.
async fn release(
    app: &TestApp,
    project: u64,
    tag: &str,
    files: usize,
) -> Result<(Release, Vec<Link>), Error> {
    let now = Timestamp::now();
    let new = NewRelease {
        links: links("file", files),
        released_at: if tag == READ { now.plus(DAY) } else { now },
        ..new_release(project, tag)
    };
    match app.store.create_release(new, now, test_deadline()).await? {
        ReleaseCreated::Release(release, links) => Ok((release, links)),
        ReleaseCreated::Exists => Err(format!("{tag} is there already").into()),
    }
}

fn user(id: u64, external: bool) -> User {
    User { id, username: format!("user-{id}"), external }
}

/// The user of all jobs that are at home: their tokens are made with their projects.
fn job_user() -> u64 {
    (100..)
        .zip(Caller::all())
        .find_map(|(user, caller)| (caller == Caller::JobHere).then_some(user))
        .unwrap_or_default()
}

/// The token a caller has; none for who has none.
fn new_token(caller: Caller, id: u64, places: &[Place]) -> Result<Option<NewToken>, Error> {
    let everywhere =
        |level| places.iter().map(|place| grant(place.id, level)).collect::<Vec<Grant>>();
    let of = |grants| NewToken { user: user(id, false), grants, ..token() };
    let job = |grants| NewToken { grants, user: user(id, false), ..job_token("Top/sub/p1") };
    let developers = || everywhere(AccessLevel::Developer);
    let ended = Some(Duration::ZERO);
    Ok(Some(match caller {
        Caller::Nobody => return Ok(None),
        Caller::Expired => NewToken { expires_in: ended, ..of(developers()) },
        Caller::Unknown | Caller::Revoked => of(developers()),
        Caller::External => NewToken { user: user(id, true), ..of(Vec::new()) },
        Caller::Stranger => of(Vec::new()),
        Caller::Member(level, Given::InProject) => of(everywhere(level)),
        Caller::Member(level, Given::InNamespace) => {
            // Namespaces are the same in whatever case they are written.
            let target = GrantTarget::Namespace(NamespacePath::parse("top")?);
            of(vec![Grant { target, level }])
        }
        Caller::StrangeReader => NewToken { scope: Scope::ReadApi, ..of(Vec::new()) },
        Caller::Reader => NewToken { scope: Scope::ReadApi, ..of(developers()) },
        Caller::JobHere | Caller::RevokedJob => job(developers()),
        Caller::JobElsewhere => NewToken { user: user(id, false), ..job_token(ELSEWHERE) },
        Caller::EndedJob => NewToken { expires_in: ended, ..job(developers()) },
    }))
}
