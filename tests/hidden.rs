//! Callers who may not see a project cannot tell it from one that does not exist: neither by what
//! they are answered nor by what that takes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use shared::domain::issuer::IssuerUrl;
use shared::domain::project::{ProjectId, Visibility};
use shared::domain::publisher::Publisher;
use shared::domain::secret::Secret;
use shared::domain::time::Timestamp;
use shared::domain::token::{Scope, User};
use shared::domain::token_kind::TokenKind;
use shared::routes::{ROUTES, Verb};
use shared::store::issuers::PublisherAdded;
use shared::store::projects::NewProject;
use shared::store::releases::NewRelease;
use shared::store::tokens::NewToken;
use tokio::task::JoinSet;

use crate::db_request_counts::{Cost, cost};
use harness::issuer::{GITLAB, Key, gitlab_claims, issuer};
use harness::test_app::{
    Proxied, RELEASES, TestApp, grant, job_token, links, new_release, project, test_deadline, token,
};
use harness::{Api, Reply};
use shared::domain::access_level::AccessLevel;

/// A project's release with files, whose numbers and paths requests name.
async fn provide(app: &TestApp, id: u64, path: &str, visibility: Visibility, files: usize) {
    app.project(NewProject { visibility, ..project(id, path) }).await;
    let new = NewRelease { links: links("file", files), ..new_release(id, "v1") };
    app.store.create_release(new, Timestamp::now(), test_deadline()).await.unwrap();
}

/// A request to a project, whose name is left out.
#[derive(Clone, Copy, Debug)]
struct Target {
    method: &'static str,
    /// With `{id}` for a project of the API, or `{page}` for one of the pages.
    path: &'static str,
    query: &'static str,
    body: &'static str,
}

impl Target {
    /// Every route and method of a project, and its pages.
    fn all() -> Vec<Self> {
        let on_routes = ROUTES.iter().filter(|route| route.verb != Verb::Any);
        let on_routes = on_routes.filter(|route| route.path.contains("{id}"));
        let on_pages =
            ["{page}/-/releases/v1/downloads/bin/file-00000", "{page}/-/releases/permalink/latest"];
        let on_pages = on_pages.into_iter().flat_map(|path| [("GET", path), ("HEAD", path)]);
        let places = on_routes.map(|route| (route.verb.as_str(), route.path)).chain(on_pages);
        places
            .map(|(method, path)| Self { method, path, query: "", body: Self::body(method) })
            .collect()
    }

    /// The same, with parameters that are wrong.
    fn spoilt(self) -> Self {
        let body = if self.body.is_empty() { "" } else { "{}" };
        Self { query: "?per_page=0", body, ..self }
    }

    fn body(method: &str) -> &'static str {
        match method {
            "POST" => r#"{"tag_name":"v9","name":"a","url":"https://e.com/a"}"#,
            "PUT" => r#"{"name":"b"}"#,
            _ => "",
        }
    }

    fn reads(&self) -> bool {
        matches!(self.method, "GET" | "HEAD")
    }

    fn takes_a_path_alone(&self) -> bool {
        self.path.starts_with("{page}")
    }

    /// Sends it to the project of this number or path.
    async fn send(&self, api: &Api, project: &str) -> Reply {
        let page = format!("/{}", project.replace("%2F", "/"));
        let mut path = self.path.replace("{page}", &page).replace("{id}", project);
        for (parameter, value) in
            [("{link_id}", "1"), ("{user_id}", "1"), ("{direct_asset_path+}", "bin/file-00000")]
        {
            path = path.replace(parameter, value);
        }
        // Other parameters get the name of the tag that exists.
        let segment = |segment| if str::starts_with(segment, '{') { "v1" } else { segment };
        let path = path.split('/').map(segment).collect::<Vec<_>>().join("/") + self.query;
        let content_type = if self.body.is_empty() { "" } else { "application/json" };
        api.send(self.method, &path, content_type, self.body.as_bytes()).await
    }
}

/// All of an answer but what each request has for its own.
fn without_its_own(reply: Reply) -> (u16, BTreeMap<String, String>, String) {
    let own = ["date", "x-request-id", "x-gitlab-meta"];
    let headers = reply.headers.iter().filter(|(name, _)| !own.contains(&name.as_str()));
    let headers =
        headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
    (reply.status, headers.collect(), reply.body)
}

/// The ID token of a job whose project no publisher pins, of an issuer that is known.
async fn unknown_job(app: &TestApp) -> String {
    let key = Key::rsa(0);
    let gitlab = issuer(GITLAB, vec![key.public("k")]);
    assert!(app.store.add_issuer(&gitlab, test_deadline()).await.unwrap());
    key.token_of("k", &gitlab_claims())
}

async fn take_jobs_of_another_project(app: &TestApp, project: u64) {
    let claims = [("project_id".to_owned(), "43".to_owned())].into();
    let publisher = Publisher::new(IssuerUrl::parse(GITLAB).unwrap(), claims, false).unwrap();
    let project = ProjectId(project);
    let added = app.store.add_publisher(project, &publisher, test_deadline()).await;
    assert_eq!(added.unwrap(), PublisherAdded::Done);
}

/// Everybody who has no role in a project but in another one.
async fn strangers(app: &TestApp) -> Vec<(&'static str, Api)> {
    let external = User { external: true, ..token().user };
    let ended = Some(Duration::ZERO);
    let job = job_token("g/seen");
    let private = async |new| app.api_with(new).await;
    let revoked = app.token(token()).await;
    app.revoke(&revoked).await;
    let with = |header: &str, secret: &Secret| app.anonymous().with(header, secret.reveal());
    let bearer = format!("Bearer {}", app.token(job.clone()).await.reveal());
    let id_token = unknown_job(app).await;
    for id in [1, 2] {
        take_jobs_of_another_project(app, id).await;
    }
    vec![
        ("nobody", app.anonymous()),
        ("unknown job", app.anonymous().with("private-token", &id_token)),
        ("rubbish", app.anonymous().with("private-token", "glpat-x")),
        ("unknown token", with("private-token", &Secret::generate(TokenKind::Access))),
        ("expired token", private(NewToken { expires_in: ended, ..token() }).await),
        ("revoked token", with("private-token", &revoked)),
        ("external user", private(NewToken { user: external, ..token() }).await),
        ("stranger", private(token()).await),
        ("stranger, read_api", private(NewToken { scope: Scope::ReadApi, ..token() }).await),
        (
            "developer elsewhere",
            private(NewToken { grants: vec![grant(3, AccessLevel::Developer)], ..token() }).await,
        ),
        ("job elsewhere", with("job-token", &app.token(job.clone()).await)),
        ("job elsewhere, bearer", app.anonymous().with("authorization", &bearer)),
        ("ended job", with("job-token", &app.token(NewToken { expires_in: ended, ..job }).await)),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_without_access_get_the_answer_of_no_project() {
    let app = TestApp::empty();
    provide(&app, 1, "g/hidden", Visibility::Private, 1).await;
    provide(&app, 2, "g/within", Visibility::Internal, 1).await;
    provide(&app, 3, "g/seen", Visibility::Public, 1).await;
    let mut comparing = JoinSet::new();
    for (caller, api) in strangers(&app).await {
        comparing.spawn(async move {
            let mut statuses: BTreeMap<u16, usize> = BTreeMap::new();
            let all = Target::all().into_iter().map(|target| (target, 2));
            let spoilt = Target::all().into_iter().map(|target| (target.spoilt(), 1));
            for (target, times) in all.chain(spoilt) {
                let none_by_path = without_its_own(target.send(&api, "g%2Fabsent").await);
                let none_by_number = without_its_own(target.send(&api, "9").await);
                let mut hidden = vec![("1", "g%2Fhidden")];
                if matches!(caller, "nobody" | "external user") {
                    hidden.push(("2", "g%2Fwithin"));
                }
                for (number, path) in hidden {
                    // A second time, since the first has put the path into the cache.
                    for _ in 0..times {
                        let answer = without_its_own(target.send(&api, path).await);
                        assert_eq!(answer, none_by_path, "{caller}: {target:?}");
                    }
                    if !target.takes_a_path_alone() {
                        let answer = without_its_own(target.send(&api, number).await);
                        assert_eq!(answer, none_by_number, "{caller}: {target:?}");
                    }
                }
                *statuses.entry(none_by_path.0).or_default() += 1;
            }
            (caller, statuses)
        });
    }
    let mut seen: BTreeMap<u16, usize> = BTreeMap::new();
    while let Some(compared) = comparing.join_next().await {
        let (caller, statuses) = compared.unwrap();
        println!("{caller}: {statuses:?}");
        for (status, count) in statuses {
            *seen.entry(status).or_default() += count;
        }
    }
    for status in [400, 401, 403, 404] {
        assert!(seen[&status] >= 10, "{seen:?}");
    }
    // And what they may see they do.
    let stranger = app.api_with(token()).await;
    assert_eq!(stranger.get("/projects/g%2Fseen/releases/v1").await.status, 200);
    assert_eq!(stranger.get("/projects/g%2Fwithin/releases/v1").await.status, 200);
}

/// The most that a refused request may take: requests to the database, and read units. A round trip
/// is two requests.
fn bar(status: u16, is_by_path: bool) -> (usize, f64) {
    match (status, is_by_path) {
        // The token is bad, or not enough for any project.
        (401 | 403, _) => (2, 4.0),
        // An ID token takes two reads: the issuer and the publishers.
        (_, false) => (2, 5.0),
        (_, true) => (4, 8.0),
    }
}

/// Sends a request to a hidden project and to none, by number, by a path that is not cached and by
/// one that is; all have to take the same.
async fn compare_costs(proxied: &Proxied, api: &Api, target: Target, number: u64) {
    let (path, none) = (format!("g%2Fp{number:04}"), format!("g%2Fn{number:04}"));
    let of = async |project: &str| {
        let (reply, cost) = cost(proxied, async |_: &Api| target.send(api, project).await).await;
        assert!(cost.write_units < 1.0, "{target:?}: {cost:?}");
        // How many round trips that were is a matter of time, which a busy machine stretches.
        (reply.status, Cost { sequential: 0, ..cost })
    };
    let check = |(status, cost): &(u16, Cost), is_by_path| {
        assert!(matches!(status, 401 | 403 | 404), "{status}: {target:?}");
        let (requests, read_units) = bar(*status, is_by_path);
        let fits = cost.requests.len() <= requests && cost.read_units <= read_units;
        assert!(fits, "{status} {cost:?}: {target:?}");
    };
    let missing = of(&none).await;
    check(&missing, true);
    assert_eq!(of(&path).await, missing, "a path that is not cached: {target:?}");
    assert_eq!(of(&path).await, missing, "a path that is cached: {target:?}");
    if !target.takes_a_path_alone() {
        let missing = of("999999").await;
        check(&missing, false);
        assert_eq!(of(&number.to_string()).await, missing, "a number: {target:?}");
    }
}

/// The process takes numbers for links in blocks; this takes its first.
async fn take_numbers(proxied: &Proxied) {
    let links = format!("{RELEASES}/v1.7.0/assets/links");
    let first = r#"{"name":"one","url":"https://e.com/one"}"#;
    assert_eq!(proxied.api.post(&links, first).await.status, 201);
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_callers_cost_the_same_for_a_hidden_project_and_for_none() {
    let mut comparing = JoinSet::new();
    for caller in ["unknown", "api", "read_api", "job"] {
        let proxied = Proxied::hello().await;
        take_numbers(&proxied).await;
        comparing.spawn(async move {
            let app = &proxied.app;
            let of_scope = async |scope| app.token(NewToken { scope, ..token() }).await;
            let token = match caller {
                "unknown" => Secret::generate(TokenKind::Access).reveal().to_owned(),
                "api" => of_scope(Scope::Api).await.reveal().to_owned(),
                "read_api" => of_scope(Scope::ReadApi).await.reveal().to_owned(),
                _ => unknown_job(app).await,
            };
            let api = Api::anonymous(&proxied.api.address).with("private-token", &token);
            // Scopes are about writing.
            let targets = Target::all().into_iter();
            let targets = targets.filter(|target| caller != "read_api" || !target.reads());
            for (number, target) in (100..).zip(targets) {
                let path = format!("g/p{number:04}");
                provide(app, number, &path, Visibility::Private, 2).await;
                if caller == "job" {
                    take_jobs_of_another_project(app, number).await;
                }
                compare_costs(&proxied, &api, target, number).await;
            }
        });
    }
    while let Some(compared) = comparing.join_next().await {
        compared.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn malformed_tokens_cost_no_database_request() {
    let proxied = Proxied::hello().await;
    take_numbers(&proxied).await;
    let api = Api::anonymous(&proxied.api.address).with("private-token", "glpat-x");
    for target in Target::all() {
        let send = async |_: &Api| target.send(&api, "mynamespace%2Fhello").await;
        let (reply, cost) = cost(&proxied, send).await;
        assert_eq!(reply.status, 401, "{target:?}");
        assert_eq!(cost.requests, Vec::<String>::new(), "{target:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_callers_make_us_read_the_first_links_only() {
    let proxied = Arc::new(Proxied::hello().await);
    provide(&proxied.app, 21, "g/long", Visibility::Private, 1_000).await;
    let owner = NewToken { grants: vec![grant(21, AccessLevel::Owner)], ..token() };
    let at = |api: Api| api.at(&proxied.api.address);
    let (owner, stranger) =
        (at(proxied.app.api_with(owner).await), at(proxied.app.api_with(token()).await));
    for path in ["/projects/21/releases/v1", "/projects/21/releases/v1/assets/links"] {
        let ask = async |api: &Api| {
            let (reply, cost) = cost(&proxied, async |_: &Api| api.get(path).await).await;
            (reply.status, cost)
        };
        let (status, refused) = ask(&stranger).await;
        assert_eq!((status, refused.sequential), (404, 1), "{refused:?}");
        let (status, admitted) = ask(&owner).await;
        assert_eq!((status, admitted.sequential), (200, 2), "{admitted:?}");
        println!("{path}: {} units of {}", refused.read_units, admitted.read_units);
        // The token, the project, and a hundred links of the thousand.
        assert!(refused.read_units < 15.0, "{refused:?}");
        assert!(admitted.read_units > 60.0, "{admitted:?}");
    }
}
