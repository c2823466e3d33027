//! A server with projects, releases and tokens, made the way the operator makes them.

use std::time::Duration;

use shared::aws_client;
use shared::domain::access_level::AccessLevel;
use shared::domain::link::{Link, LinkType, UncheckedLink};
use shared::domain::policies::Policies;
use shared::domain::project::{
    BranchName, Project, ProjectId, ProjectPath, ProjectRef, ProtectedTag, ReleasesAccess,
    Visibility,
};
use shared::domain::release::{Author, NewLinks, Release};
use shared::domain::release_key::ReleaseKey;
use shared::domain::secret::Secret;
use shared::domain::tag_name::TagName;
use shared::domain::time::Timestamp;
use shared::domain::token::{Grant, GrantTarget, Scope};
use shared::domain::token_kind::TokenKind;
use shared::store::Store;
use shared::store::audit::Audit;
use shared::store::deadline::Deadline;
use shared::store::fitting::{Choice, Room, Weigh};
use shared::store::projects::{NewProject, ProjectChanges, ProjectCreated};
use shared::store::releases::{NewRelease, ReleaseCreated};
use shared::store::table_names::TableNames;
use shared::store::tokens::NewToken;

use super::client::Api;
use super::connection;
use super::proxy::Proxy;
use super::server::Server;

/// The paths of the examples: project 20 and its release.
pub const LINKS: &str = "/projects/20/releases/v1.7.0/assets/links";
/// The releases of project 20.
pub const RELEASES: &str = "/projects/20/releases";
/// Its release of the examples.
pub const RELEASE: &str = "/projects/20/releases/v1.7.0";

pub struct TestApp {
    pub server: Server,
    pub store: Store,
}

/// A store over this database.
pub fn store(dynamodb_url: &str) -> Store {
    let client = aws_client::client(connection::of(dynamodb_url).database()).unwrap();
    Store::new(client, TableNames::default())
}

pub fn test_deadline() -> Deadline {
    Deadline::after(Duration::from_secs(30))
}

/// A private project with releases for everybody who sees it.
pub fn project(id: u64, path: &str) -> NewProject {
    NewProject {
        id: Some(ProjectId(id)),
        path: ProjectPath::parse(path).unwrap(),
        visibility: Visibility::Private,
        releases_access: ReleasesAccess::Enabled,
        protected_tags: Vec::new(),
        default_branch: BranchName::default(),
        source_url: None,
        policies: Policies::default(),
    }
}

/// Changes that give a project these settings, whatever it had.
pub fn all_settings(project: &Project) -> ProjectChanges {
    ProjectChanges {
        visibility: Some(project.visibility),
        releases_access: Some(project.releases_access),
        archived: Some(project.archived),
        protected_tags: Some(project.protected_tags.clone()),
        default_branch: Some(project.default_branch.clone()),
        source_url: Some(project.source_url.clone()),
        on_duplicate: Some(project.policies.on_duplicate),
        immutable_after: Some(project.policies.immutable_after.map(|grace| grace.as_secs())),
        only_trusted: Some(project.policies.only_trusted),
    }
}

/// A token of a user without any role.
pub fn token() -> NewToken {
    NewToken {
        kind: TokenKind::Access,
        name: "test".to_owned(),
        user: shared::domain::token::User { id: 1, username: "root".to_owned(), external: false },
        scope: Scope::Api,
        grants: Vec::new(),
        job_project: None,
        expires_in: None,
        on_duplicate: None,
    }
}

/// A job's token, in a project of this path, of a user without any role.
pub fn job_token(path: &str) -> NewToken {
    let job_project = Some(ProjectPath::parse(path).unwrap());
    NewToken { kind: TokenKind::Job, job_project, ..token() }
}

/// A token of somebody of this role in project 20.
fn member(level: AccessLevel) -> NewToken {
    NewToken { grants: vec![grant(20, level)], ..token() }
}

/// A role in one project.
pub fn grant(project: u64, level: AccessLevel) -> Grant {
    Grant { target: GrantTarget::Project(ProjectId(project)), level }
}

/// A rule that protects a tag with a lowest role.
pub fn protected(pattern: &str, create_level: Option<AccessLevel>) -> ProtectedTag {
    ProtectedTag { pattern: pattern.to_owned(), create_level }
}

impl TestApp {
    /// A server with nothing in it.
    pub fn empty() -> Self {
        Self::over(Server::start())
    }

    /// The world of a server that runs.
    pub fn over(server: Server) -> Self {
        let store = store(&server.dynamodb_url);
        Self { server, store }
    }

    /// A server with private project 20, `mynamespace/hello`, its release `v1.7.0`, and the API
    /// as a developer of it uses it.
    pub async fn hello() -> (Self, Api) {
        let test_app = Self::empty();
        let api = test_app.populate().await;
        (test_app, api)
    }

    /// Makes what [`TestApp::hello`] has.
    pub async fn populate(&self) -> Api {
        self.project(project(20, "mynamespace/hello")).await;
        self.release(20, "v1.7.0").await;
        self.developer().await
    }

    /// The API as a developer of project 20 uses it.
    pub async fn developer(&self) -> Api {
        self.member(AccessLevel::Developer).await
    }

    /// The API as somebody of this role in project 20 uses it.
    pub async fn member(&self, level: AccessLevel) -> Api {
        self.api_with(member(level)).await
    }

    /// A token of a developer of project 20.
    pub async fn developers_token(&self) -> Secret {
        self.token(member(AccessLevel::Developer)).await
    }

    /// The API as a job of project 20 uses it, whose user is a developer there.
    pub async fn job(&self) -> Api {
        let grants = vec![grant(20, AccessLevel::Developer)];
        let secret = self.token(NewToken { grants, ..job_token("mynamespace/hello") }).await;
        self.anonymous().with("job-token", secret.reveal())
    }

    /// The API without a token.
    pub fn anonymous(&self) -> Api {
        Api::anonymous(&self.server.address)
    }

    /// The API with a new token in `PRIVATE-TOKEN`.
    pub async fn api_with(&self, new: NewToken) -> Api {
        let secret = self.token(new).await;
        self.anonymous().with("private-token", secret.reveal())
    }

    pub async fn token(&self, new: NewToken) -> Secret {
        self.store.create_token(new, Timestamp::now(), test_deadline()).await.unwrap().0
    }

    pub async fn project(&self, new: NewProject) -> Project {
        match self.store.create_project(new, Timestamp::now(), test_deadline()).await.unwrap() {
            ProjectCreated::Project(project) => project,
            other @ (ProjectCreated::IdUsed
            | ProjectCreated::IdHasReleases
            | ProjectCreated::PathTaken) => panic!("{other:?}"),
        }
    }

    /// Changes a project as its owner would.
    pub async fn change_project(&self, id: u64, change: impl FnOnce(&mut Project)) {
        let named = ProjectRef::Id(ProjectId(id));
        let mut project = self.store.find_project(&named, test_deadline()).await.unwrap().unwrap();
        change(&mut project);
        let changes = all_settings(&project);
        assert!(
            self.store
                .update_project(project.id, &changes, test_deadline())
                .await
                .unwrap()
                .is_some()
        );
    }

    /// Withdraws a token.
    pub async fn revoke(&self, secret: &Secret) {
        let token = self.store.find_token(&secret.hash(), test_deadline()).await.unwrap().unwrap();
        assert!(self.store.revoke_token(&token, test_deadline()).await.unwrap());
    }

    /// A release made in project 20 at a moment, and released at another.
    pub async fn release_at(&self, tag: &str, created_at: &str, released_at: &str) {
        let released_at = released_at.parse().unwrap();
        let new = NewRelease { released_at, ..new_release(20, tag) };
        let created_at: Timestamp = created_at.parse().unwrap();
        let made = self.store.create_release(new, created_at, test_deadline()).await;
        assert!(matches!(made.unwrap(), ReleaseCreated::Release(..)), "{tag} exists");
    }

    pub async fn release(&self, project: u64, tag: &str) -> Release {
        match create_release(&self.store, project, tag).await {
            ReleaseCreated::Release(release, _) => release,
            ReleaseCreated::Exists => panic!("{tag} exists"),
        }
    }

    /// The audit of a quiet database.
    pub async fn audit(&self) -> Audit {
        self.store.audit(Duration::from_secs(30)).await.unwrap()
    }

    /// Asserts that no rule of the tables is broken.
    pub async fn assert_sound(&self) -> Audit {
        let audit = self.audit().await;
        assert!(audit.violations.is_empty(), "{audit:#?}");
        audit
    }
}

/// A world whose API reaches its database through a proxy; its store does not.
pub struct Proxied {
    pub app: TestApp,
    pub proxy: Proxy,
    /// The API as a developer of project 20 uses it.
    pub api: Api,
    /// Ends before the database does.
    server: Server,
}

impl Proxied {
    /// The data of [`TestApp::hello`], behind a proxy that passes everything.
    pub async fn hello() -> Self {
        let (test_app, direct) = TestApp::hello().await;
        let proxy = Proxy::start(&test_app.server.dynamodb_url).await;
        let server = Server::start_with(&["--no-sample", "--endpoint-url", &proxy.url]);
        let api = direct.at(&server.address);
        proxy.take_seen();
        Self { app: test_app, proxy, api, server }
    }

    /// Ends the server behind the proxy as a crash would.
    pub fn kill_server(&mut self) {
        self.server.kill();
    }

    /// The server behind the proxy, alone.
    pub fn into_server(self) -> Server {
        self.server
    }
}

pub async fn create_release(store: &Store, project: u64, tag: &str) -> ReleaseCreated {
    store
        .create_release(new_release(project, tag), Timestamp::now(), test_deadline())
        .await
        .unwrap()
}

/// Links whose names begin with `word`, each with a path.
pub fn links(word: &str, count: usize) -> NewLinks {
    let link = |n| {
        let (name, url) = (format!("{word} {n}"), format!("https://e.com/{word}/{n}"));
        let path = format!("/bin/{word}-{n:05}");
        UncheckedLink::new(Some(&name), Some(&url), Some(&path), LinkType::Other).fields().unwrap()
    };
    NewLinks::parse((0..count).map(link).collect()).unwrap()
}

/// Links of 2 KB each, of which each takes 16 KB in an answer on its way from a function.
pub fn large_links(count: usize) -> NewLinks {
    let link = |n| {
        let url = format!("https://e.com/{n:04}/{}", "\"".repeat(2_000));
        UncheckedLink::new(Some(&format!("large {n}")), Some(&url), None, LinkType::Other)
            .fields()
            .unwrap()
    };
    NewLinks::parse((0..count).map(link).collect()).unwrap()
}

/// All weights are zero: every link fits.
struct Weightless;

impl Weigh for Weightless {
    fn release(&self, _: &Release) -> usize {
        0
    }

    fn link(&self, _: &Release, _: &Link) -> usize {
        0
    }

    fn room_for_links(&self, _: &Release, share: usize) -> usize {
        share
    }
}

/// A release and all its links, newest first.
pub async fn with_all_links(store: &Store, release: &ReleaseKey) -> Option<(Release, Vec<Link>)> {
    let room = Room::new(&Weightless, usize::MAX, 1);
    let found =
        store.release_with_links(release, Choice::Newest, &room, test_deadline()).await.unwrap();
    found.map(|(release, links)| (release, links.links))
}

/// A release without links, released now.
pub fn new_release(project: u64, tag: &str) -> NewRelease {
    NewRelease {
        key: ReleaseKey { project: ProjectId(project), tag: TagName::parse(tag).unwrap() },
        name: None,
        description: None,
        author: Author { id: 1, username: "root".to_owned() },
        commit: None,
        released_at: Timestamp::now(),
        links: NewLinks::default(),
    }
}
