//! GitLab's matrix of roles and visibilities, credentials and their precedence.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use shared::domain::access_level::AccessLevel;
use shared::domain::project::{
    NamespacePath, Project, ProjectId, ProjectPath, ReleasesAccess, Visibility,
};
use shared::domain::publisher::Publisher;
use shared::domain::token::{Grant, GrantTarget, Scope, User};
use shared::domain::token_kind::TokenKind;
use shared::routes::{PROJECT, ROUTES, Verb};
use shared::store::issuers::PublisherAdded;
use shared::store::projects::NewProject;
use shared::store::tokens::NewToken;

use harness::errors::{self, RECORD_NOT_FOUND, ROUTE_NOT_FOUND};
use harness::issuer::{GITLAB, Key, gitlab_claims, issuer};
use harness::test_app::{
    LINKS, TestApp, all_settings, grant, job_token, project, protected, test_deadline, token,
};
use harness::{Api, Reply};

const P404: (u16, &str) = (404, errors::PROJECT_NOT_FOUND);
const FORBIDDEN: (u16, &str) = (403, errors::FORBIDDEN);
const UNAUTHORIZED: (u16, &str) = (401, errors::UNAUTHORIZED);
const SCOPE: (u16, &str) = (403, errors::INSUFFICIENT_SCOPE);

const ANOTHER_PROJECT: (u16, &str) = (
    403,
    r#"{"error":"insufficient_scope","error_description":"The ID token's claim project_id is \"43\", and it has to be \"42\"."}"#,
);

fn owned((name, value): (&str, &str)) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

/// The responses to reading and to writing.
#[derive(Clone, Copy, Debug)]
enum Expected {
    Good,
    Bad((u16, &'static str)),
}

use Expected::{Bad, Good};

const F: Expected = Bad(FORBIDDEN);
const P: Expected = Bad(P404);

#[track_caller]
fn check(reply: &Reply, good: u16, expected: Expected, case: &str) {
    match expected {
        Good => assert_eq!(reply.status, good, "{case}: {reply:?}"),
        Bad((status, body)) => {
            assert_eq!((reply.status, reply.body.as_str()), (status, body), "{case}");
        }
    }
}

/// Every verb of the links endpoints, on a link that `owner` provides.
async fn check_all(
    api: &Api,
    owner: &Api,
    links: &str,
    read: Expected,
    write: Expected,
    case: &str,
) {
    let name = case.replace(['"', '\\'], "");
    let fresh = |kind: &str| {
        format!(
            r#"{{"name":"{name} {kind}","url":"https://e.com/{}"}}"#,
            (name.clone() + kind).replace(' ', "-")
        )
    };
    let provided = owner.post(links, &fresh("provided")).await;
    assert_eq!(provided.status, 201, "{case}: {provided:?}");
    let link = format!("{links}/{}", provided.id());
    check(&api.get(links).await, 200, read, case);
    check(&api.get(&link).await, 200, read, case);
    check(&api.post(links, &fresh("new")).await, 201, write, case);
    check(&api.put(&link, &fresh("changed")).await, 200, write, case);
    check(&api.delete(&link).await, 200, write, case);
}

/// The responses to reading releases, to reading one by its tag, and to writing.
type Rights = [Expected; 3];

/// Every verb of the releases endpoints, on a release with a file at `/bin/app`, and the page by
/// which that is downloaded.
async fn check_releases(
    api: &Api,
    project: &Project,
    tag: &str,
    [read, code, write]: Rights,
    case: &str,
) {
    let releases = format!("/projects/{}/releases", project.id);
    let release = format!("{releases}/{tag}");
    let page = format!("/{}/-/releases", project.path.as_str());
    check(&api.get(&releases).await, 200, read, case);
    check(&api.get(&release).await, 200, code, case);
    check(&api.get(&format!("{release}/downloads/bin/app")).await, 302, code, case);
    check(&api.get(&format!("{releases}/permalink/latest")).await, 302, code, case);
    // A refused page looks like a missing one.
    let shown = match read {
        Good | Bad(UNAUTHORIZED) => read,
        Bad(_) => Bad((404, ROUTE_NOT_FOUND)),
    };
    check(&api.get(&format!("{page}/{tag}/downloads/bin/app")).await, 302, shown, case);
    check(&api.get(&format!("{page}/permalink/latest")).await, 302, shown, case);
    let fresh = format!(r#"{{"tag_name":"{tag}-new"}}"#);
    check(&api.post(&releases, &fresh).await, 201, write, case);
    check(&api.put(&release, r#"{"name":"b"}"#).await, 200, write, case);
    check(&api.delete(&release).await, 200, write, case);
}

/// Makes a release with a file at `/bin/app`. Returns the number of its link.
async fn provide(owner: &Api, id: u64, tag: &str) -> u64 {
    let body = format!(
        r#"{{"tag_name":"{tag}","assets":{{"links":[{{"name":"a","url":"https://e.com","filepath":"/bin/app"}}]}}}}"#
    );
    let made = owner.post(&format!("/projects/{id}/releases"), &body).await;
    assert_eq!(made.status, 201, "{tag}: {made:?}");
    made.json()["assets"]["links"][0]["id"].as_u64().unwrap()
}

/// The response to reading a release by its tag. Callers to whom the project is not open need the role
/// reporter.
fn for_code(caller: &str, visibility: Visibility, read: Expected) -> Expected {
    match (caller, visibility, read) {
        ("guest" | "planner", Visibility::Private, Good) => F,
        _ => read,
    }
}

const VISIBILITIES: [Visibility; 3] =
    [Visibility::Private, Visibility::Internal, Visibility::Public];

#[tokio::test]
async fn roles_and_visibilities_follow_gitlabs_matrix() {
    let test_app = TestApp::empty();
    let ids = [1, 2, 3];
    let mut projects = Vec::new();
    for (id, visibility) in ids.into_iter().zip(VISIBILITIES) {
        let new = NewProject { visibility, ..project(id, &format!("g/p{id}")) };
        projects.push(test_app.project(new).await);
        test_app.release(id, "v1").await;
    }
    let member =
        |level| NewToken { grants: ids.iter().map(|id| grant(*id, level)).collect(), ..token() };
    let owner = test_app.api_with(member(AccessLevel::Owner)).await;
    let external = User { external: true, ..token().user };
    let group = Grant {
        target: GrantTarget::Namespace(NamespacePath::parse("G").unwrap()),
        level: AccessLevel::Developer,
    };
    let reads = |write| [(Good, write); 3];
    let key = Key::rsa(0);
    let gitlab = issuer(GITLAB, vec![key.public("k")]);
    assert!(test_app.store.add_issuer(&gitlab, test_deadline()).await.unwrap());
    let publisher = Publisher::new(gitlab.url, [("project_id", "42")].map(owned).into(), false);
    for id in ids {
        let added = test_app.store.add_publisher(
            ProjectId(id),
            publisher.as_ref().unwrap(),
            test_deadline(),
        );
        assert_eq!(added.await.unwrap(), PublisherAdded::Done);
    }
    let job = |project: &str| {
        let mut claims = gitlab_claims();
        (claims["project_id"], claims["job_project_id"]) = (project.into(), project.into());
        test_app.anonymous().with("private-token", &key.token_of("k", &claims))
    };
    for (caller, api, expected) in [
        ("anonymous", test_app.anonymous(), [(P, P), (P, P), (Good, F)]),
        (
            "invalid",
            test_app.anonymous().with("private-token", "glpat-nonsense"),
            [(Bad(UNAUTHORIZED), Bad(UNAUTHORIZED)); 3],
        ),
        ("non-member", test_app.api_with(token()).await, [(P, P), (Good, F), (Good, F)]),
        (
            "external",
            test_app.api_with(NewToken { user: external, ..token() }).await,
            [(P, P), (P, P), (Good, F)],
        ),
        ("guest", test_app.api_with(member(AccessLevel::Guest)).await, reads(F)),
        ("planner", test_app.api_with(member(AccessLevel::Planner)).await, reads(F)),
        ("reporter", test_app.api_with(member(AccessLevel::Reporter)).await, reads(F)),
        ("developer", test_app.api_with(member(AccessLevel::Developer)).await, reads(Good)),
        ("maintainer", test_app.api_with(member(AccessLevel::Maintainer)).await, reads(Good)),
        ("owner", owner.clone(), reads(Good)),
        (
            "group developer",
            test_app.api_with(NewToken { grants: vec![group], ..token() }).await,
            reads(Good),
        ),
        ("publisher", job("42"), reads(Good)),
        ("job of another project", job("43"), [(P, P), (P, P), (Good, Bad(ANOTHER_PROJECT))]),
        (
            "read_api",
            test_app
                .api_with(NewToken { scope: Scope::ReadApi, ..member(AccessLevel::Developer) })
                .await,
            reads(Bad(SCOPE)),
        ),
        (
            "read_api non-member",
            test_app.api_with(NewToken { scope: Scope::ReadApi, ..token() }).await,
            [(P, Bad(SCOPE)), (Good, Bad(SCOPE)), (Good, Bad(SCOPE))],
        ),
    ] {
        for (project, (read, write)) in projects.iter().zip(expected) {
            let case = format!("{caller} {:?}", project.visibility);
            let links = format!("/projects/{}/releases/v1/assets/links", project.id);
            check_all(&api, &owner, &links, read, write, &case).await;
            let tag = caller.replace(' ', "-");
            provide(&owner, project.id.0, &tag).await;
            let rights = [read, for_code(caller, project.visibility, read), write];
            check_releases(&api, project, &tag, rights, &case).await;
            // As long as releases are for everybody, who sees the one sees the other.
            check(&api.get(&format!("/projects/{}", project.id)).await, 200, read, &case);
        }
    }
}

#[tokio::test]
async fn archived_disabled_and_members_only_projects_withdraw_rights() {
    let test_app = TestApp::empty();
    let mut id = 0;
    for visibility in VISIBILITIES {
        let public = matches!(visibility, Visibility::Public);
        let private = matches!(visibility, Visibility::Private);
        for (kind, releases_access) in [
            ("archived", ReleasesAccess::Enabled),
            ("disabled", ReleasesAccess::Disabled),
            ("members only", ReleasesAccess::Private),
        ] {
            id += 1;
            // Made while it is open, then closed.
            let open = NewProject { visibility, ..project(id, &format!("g/p{id}")) };
            let mut made = test_app.project(open).await;
            let member = |level| NewToken { grants: vec![grant(id, level)], ..token() };
            let owner = test_app.api_with(member(AccessLevel::Owner)).await;
            provide(&owner, id, "v1").await;
            let guest = test_app.api_with(member(AccessLevel::Guest)).await;
            let stranger = test_app.api_with(token()).await;
            let links = format!("/projects/{id}/releases/v1/assets/links");
            let body = r#"{"name":"b","url":"https://e.com/b"}"#;
            let link = format!("{links}/{}", owner.post(&links, body).await.id());

            made.archived = kind == "archived";
            made.releases_access = releases_access;
            let changes = all_settings(&made);
            let updated = test_app.store.update_project(made.id, &changes, test_deadline()).await;
            assert_eq!(updated.unwrap().as_ref(), Some(&made));

            let hidden = |readable: bool| if readable { F } else { P };
            let (of_owner, of_guest, of_stranger, of_anonymous) = match kind {
                "archived" => (
                    (Good, F),
                    (Good, F),
                    if private { (P, P) } else { (Good, F) },
                    if public { (Good, F) } else { (P, P) },
                ),
                "disabled" => (
                    (F, F),
                    (F, F),
                    (hidden(!private), hidden(!private)),
                    (hidden(public), hidden(public)),
                ),
                _ => (
                    (Good, Good),
                    (Good, F),
                    (hidden(!private), hidden(!private)),
                    (hidden(public), hidden(public)),
                ),
            };
            for (caller, api, (read, write)) in [
                ("guest", guest, of_guest),
                ("stranger", stranger, of_stranger),
                ("anonymous", test_app.anonymous(), of_anonymous),
                ("owner", owner, of_owner),
            ] {
                let case = format!("{caller} of {visibility:?} {kind}");
                check(&api.get(&links).await, 200, read, &case);
                check(&api.get(&link).await, 200, read, &case);
                let other = format!(r#"{{"name":"{case}","url":"https://e.com/x"}}"#);
                check(&api.post(&links, &other).await, 201, write, &case);
                check(&api.put(&link, r#"{"name":"c"}"#).await, 200, write, &case);
                check(&api.delete(&link).await, 200, write, &case);
                let rights = [read, for_code(caller, visibility, read), write];
                check_releases(&api, &made, "v1", rights, &case).await;
            }
        }
    }
}

#[tokio::test]
async fn a_protected_tag_keeps_its_release_to_those_who_may_create_it() {
    let test_app = TestApp::empty();
    let rules = vec![
        protected("v*", Some(AccessLevel::Maintainer)),
        protected("*-rc*", Some(AccessLevel::Developer)),
        protected("frozen", None),
    ];
    test_app.project(project(1, "g/p")).await;
    let developer = NewToken { grants: vec![grant(1, AccessLevel::Developer)], ..token() };
    let developer = test_app.api_with(developer).await;
    let tags = ["v1", "free", "v1-rc1", "frozen", "frozen-not"];
    let mut links = Vec::new();
    for tag in tags {
        links.push(provide(&developer, 1, tag).await);
    }
    test_app.change_project(1, |project| project.protected_tags = rules).await;
    for ((tag, link), (developer, maintainer)) in tags.into_iter().zip(links).zip([
        (false, true),
        (true, true),
        // Two rules speak of it, and one allows it.
        (true, true),
        (false, false),
        (true, true),
    ]) {
        let release = format!("/projects/1/releases/{tag}");
        let links = format!("{release}/assets/links");
        for (level, may) in
            [(AccessLevel::Developer, developer), (AccessLevel::Maintainer, maintainer)]
        {
            let new = NewToken { grants: vec![grant(1, level)], ..token() };
            let api = test_app.api_with(new).await;
            let body = format!(r#"{{"name":"{level:?}","url":"https://e.com/{level:?}"}}"#);
            let case = format!("{tag} {level:?}");
            let check =
                |reply: &Reply, success| check(reply, success, if may { Good } else { F }, &case);
            let made = api.post(&links, &body).await;
            check(&made, 201);
            check(
                &api.put(&format!("{links}/{link}"), &format!(r#"{{"name":"{level:?} 2"}}"#)).await,
                200,
            );
            check(&api.put(&release, r#"{"name":"b"}"#).await, 200);
            let to_delete = if may { made.id() } else { link };
            check(&api.delete(&format!("{links}/{to_delete}")).await, 200);
            assert_eq!(api.get(&links).await.status, 200);
        }
    }
}

#[tokio::test]
async fn checks_come_in_gitlabs_order() {
    let (test_app, developer) = TestApp::hello().await;
    let body = r#"{"name":"a","url":"https://e.com"}"#;
    assert_eq!(developer.post(LINKS, body).await.status, 201);
    let reporter = NewToken { grants: vec![grant(20, AccessLevel::Reporter)], ..token() };
    let reporter = test_app.api_with(reporter).await;
    let reader = NewToken {
        scope: Scope::ReadApi,
        grants: vec![grant(20, AccessLevel::Developer)],
        ..token()
    };
    let reader = test_app.api_with(reader).await;
    let bad = test_app.anonymous().with("private-token", "glpat-x");
    let record = (404, RECORD_NOT_FOUND);
    let nowhere = "/projects/99/releases/v1.7.0/assets/links";
    let no_release = "/projects/20/releases/none/assets/links";

    // Parameters before credentials, credentials before projects.
    bad.post(nowhere, "{}").await.is(400, r#"{"error":"name is missing, url is missing"}"#);
    bad.get(&format!("{nowhere}?page=x")).await.is(400, r#"{"error":"page is invalid"}"#);
    bad.post(nowhere, body).await.is(UNAUTHORIZED.0, UNAUTHORIZED.1);
    for project in ["99", "foo", "no%2Fsuch", "-1", "99999999999999999999", "%20"] {
        let links = format!("/projects/{project}/releases/v1.7.0/assets/links");
        developer.get(&links).await.is(P404.0, P404.1);
        bad.get(&links).await.is(UNAUTHORIZED.0, UNAUTHORIZED.1);
    }
    // The scope before the project, or it would tell whether there is one; the project before the
    // record, the record before the role.
    reader.post(nowhere, body).await.is(SCOPE.0, SCOPE.1);
    reader.post(no_release, body).await.is(SCOPE.0, SCOPE.1);
    reporter.post(no_release, body).await.is(record.0, record.1);
    reporter.put(&format!("{LINKS}/99"), body).await.is(record.0, record.1);
    reporter.delete(&format!("{LINKS}/99")).await.is(record.0, record.1);
    // The role before the model.
    reporter.post(LINKS, r#"{"name":"","url":""}"#).await.is(FORBIDDEN.0, FORBIDDEN.1);
    reporter.put(&format!("{LINKS}/1"), r#"{"name":""}"#).await.is(FORBIDDEN.0, FORBIDDEN.1);
}

#[tokio::test]
async fn tokens_are_found_wherever_gitlab_looks_for_them() {
    let (test_app, _) = TestApp::hello().await;
    let grants = || vec![grant(20, AccessLevel::Developer)];
    let access = test_app.token(NewToken { grants: grants(), ..token() }).await;
    let job = test_app
        .token(NewToken {
            kind: TokenKind::Job,
            grants: grants(),
            job_project: Some(ProjectPath::parse("mynamespace/hello").unwrap()),
            ..token()
        })
        .await;
    let (access, job) = (access.reveal(), job.reveal());
    let bearer = |secret: &str| format!("Bearer {secret}");
    let header = |name: &'static str, value: &str| (vec![(name, value.to_owned())], String::new());
    let query = |name: &str, value: &str| (Vec::new(), format!("?{name}={value}"));
    let both = |(mut headers, query): (Vec<(&'static str, String)>, String),
                (more, other): (Vec<(&'static str, String)>, String)| {
        headers.extend(more);
        (headers, if query.is_empty() { other } else { query })
    };
    let hidden = 404;
    for (case, (headers, query), status) in [
        ("private header", header("PRIVATE-TOKEN", access), 200),
        ("private header, lower case", header("private-token", access), 200),
        ("bearer", header("authorization", &bearer(access)), 200),
        ("bearer in lower case", header("authorization", &format!("bearer {access}")), 200),
        ("private parameter", query("private_token", access), 200),
        ("access parameter", query("access_token", access), 200),
        ("bearer parameter", query("bearer_token", access), 200),
        ("job header", header("JOB-TOKEN", job), 200),
        ("job parameter", query("job_token", job), 200),
        ("token parameter", query("token", job), 200),
        ("job as bearer", header("authorization", &bearer(job)), 200),
        // Not carriers.
        ("deploy token", header("deploy-token", access), hidden),
        ("basic", header("authorization", "Basic cm9vdDpyb290"), hidden),
        ("authorization token", header("authorization", &format!("token {access}")), hidden),
        // Blank is absent.
        ("blank header", header("private-token", ""), hidden),
        ("blank parameter", query("private_token", "%20"), hidden),
        ("bearer without a token", header("authorization", "Bearer "), hidden),
        // The wrong kind for the carrier.
        ("job in private", header("private-token", job), hidden),
        ("access in job", header("job-token", access), 401),
        // Precedence.
        (
            "a bad access token ends the request",
            both(header("private-token", "glpat-bad"), header("job-token", job)),
            401,
        ),
        (
            "a bad bearer yields to a private token",
            both(header("authorization", "Bearer glpat-bad"), header("private-token", access)),
            200,
        ),
        (
            "the parameter comes before the header",
            both(query("private_token", "glpat-bad"), header("private-token", access)),
            401,
        ),
        (
            "a job's bearer token comes first",
            both(header("authorization", &bearer(job)), header("private-token", "glpat-bad")),
            200,
        ),
        ("a bad bearer", header("authorization", "Bearer whatever"), 401),
        ("a bad job token", header("job-token", "glcbt-bad"), 401),
        ("a bad job token as bearer", header("authorization", "Bearer glcbt-bad"), 401),
    ] {
        let mut api = test_app.anonymous();
        for (name, value) in headers {
            api = api.with(name, &value);
        }
        let reply = api.get(&format!("{LINKS}{query}")).await;
        assert_eq!(reply.status, status, "{case}: {reply:?}");
    }
    test_app
        .anonymous()
        .with("authorization", &bearer(access))
        .get(&format!("{LINKS}?access_token={access}"))
        .await
        .is(400, r#"{"error":"invalid_request","error_description":"Both Authorization header and payload includes access token."}"#);
    let body = format!(r#"{{"name":"a","url":"https://e.com","private_token":"{access}"}}"#);
    assert_eq!(test_app.anonymous().post(LINKS, &body).await.status, 201);
    let body = format!(r#"{{"name":"c","url":"https://e.com/c","access_token":"{access}"}}"#);
    assert_eq!(test_app.anonymous().post(LINKS, &body).await.status, 201);
    let form = format!("name=b&url=https://e.com/b&job_token={job}");
    let form_type = "application/x-www-form-urlencoded";
    assert_eq!(
        test_app.anonymous().send("POST", LINKS, form_type, form.as_bytes()).await.status,
        201
    );
    let status = test_app.anonymous().with("private-token", "glpat-\u{e9}").get(LINKS).await.status;
    assert_eq!(status, 401);
}

#[tokio::test]
async fn dead_tokens_say_what_became_of_them() {
    let (test_app, _) = TestApp::hello().await;
    let new = |kind, job: bool| NewToken {
        kind,
        grants: vec![grant(20, AccessLevel::Developer)],
        job_project: job.then(|| ProjectPath::parse("mynamespace/hello").unwrap()),
        ..token()
    };
    let expired = NewToken { expires_in: Some(Duration::ZERO), ..new(TokenKind::Access, false) };
    let expired = test_app.token(expired).await;
    let expired_job = NewToken { expires_in: Some(Duration::ZERO), ..new(TokenKind::Job, true) };
    let expired_job = test_app.token(expired_job).await;
    let revoked = test_app.token(new(TokenKind::Access, false)).await;
    test_app.revoke(&revoked).await;
    for (secret, description) in [
        (&expired, "Token is expired. You can either do re-authorization or token refresh."),
        (&revoked, "Token was revoked. You have to re-authorize from the user."),
    ] {
        for api in [
            test_app.anonymous().with("private-token", secret.reveal()),
            test_app.anonymous().with("authorization", &format!("Bearer {}", secret.reveal())),
        ] {
            let reply = api.get(LINKS).await;
            reply.is(
                401,
                &format!(r#"{{"error":"invalid_token","error_description":"{description}"}}"#),
            );
            assert_eq!(
                reply.header("www-authenticate"),
                format!(
                    r#"Bearer realm="Protected by OAuth 2.0", error="invalid_token", error_description="{description}""#
                )
            );
        }
    }
    test_app
        .anonymous()
        .with("job-token", expired_job.reveal())
        .get(LINKS)
        .await
        .is(UNAUTHORIZED.0, UNAUTHORIZED.1);
}

#[tokio::test]
async fn a_job_token_of_one_project_does_not_open_another() {
    let (test_app, _) = TestApp::hello().await;
    let public = NewProject { visibility: Visibility::Public, ..project(21, "other/public") };
    test_app.project(public).await;
    test_app.release(21, "v1").await;
    test_app.project(project(22, "other/private")).await;
    let internal = NewProject { visibility: Visibility::Internal, ..project(23, "other/internal") };
    test_app.project(internal).await;
    test_app.release(23, "v1").await;
    let job = NewToken {
        kind: TokenKind::Job,
        grants: vec![grant(20, AccessLevel::Developer)],
        job_project: Some(ProjectPath::parse("mynamespace/hello").unwrap()),
        ..token()
    };
    let secret = test_app.token(job).await;
    let api = test_app.anonymous().with("job-token", secret.reveal());
    assert_eq!(api.get(LINKS).await.status, 200);
    for (id, name) in [(21, "public"), (23, "internal")] {
        let refused = format!(
            r#"{{"message":"403 Forbidden - Authentication by CI/CD job token not allowed from mynamespace/hello to other/{name}."}}"#
        );
        api.get(&format!("/projects/{id}/releases/v1/assets/links")).await.is(403, &refused);
    }
    // For a job, an invisible project looks like a missing one.
    api.get("/projects/22/releases/v1/assets/links").await.is(P404.0, P404.1);
}

#[tokio::test]
async fn a_path_leads_to_the_project_that_has_it_now() {
    let (test_app, api) = TestApp::hello().await;
    let by_path = "/projects/mynamespace%2Fhello/releases/v1.7.0/assets/links";
    assert_eq!(api.get(by_path).await.status, 200);
    let project_ref = shared::domain::project::ProjectRef::parse("20");
    let old = test_app.store.find_project(&project_ref, test_deadline()).await.unwrap().unwrap();
    assert!(test_app.store.delete_project(&old, test_deadline()).await.unwrap());
    api.get(by_path).await.is(P404.0, P404.1);
    api.get(LINKS).await.is(P404.0, P404.1);

    test_app.project(project(21, "mynamespace/hello")).await;
    test_app.release(21, "v1.7.0").await;
    // The old project's token has no role in the new one.
    api.get(by_path).await.is(P404.0, P404.1);
    let new = NewToken { grants: vec![grant(21, AccessLevel::Developer)], ..token() };
    assert_eq!(test_app.api_with(new).await.get(by_path).await.status, 200);
}

/// The least role for an endpoint of a private project.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Needs {
    /// Any role.
    Guest,
    Reporter,
    Developer,
}

/// Every endpoint of a project: method, path below it, what it needs, and whether GitLab looks for a
/// job's token there.
const ENDPOINTS: [(&str, &str, Needs, bool); 22] = [
    ("GET", "", Needs::Guest, false),
    ("GET", "/members/all/{user_id}", Needs::Guest, false),
    ("GET", "/releases", Needs::Guest, true),
    ("POST", "/releases", Needs::Developer, true),
    ("GET", "/releases/{tag_name}", Needs::Reporter, true),
    ("PUT", "/releases/{tag_name}", Needs::Developer, true),
    ("DELETE", "/releases/{tag_name}", Needs::Developer, true),
    ("GET", "/releases/{tag_name}/assets/links", Needs::Guest, true),
    ("POST", "/releases/{tag_name}/assets/links", Needs::Developer, true),
    ("GET", "/releases/{tag_name}/assets/links/{link_id}", Needs::Guest, true),
    ("PUT", "/releases/{tag_name}/assets/links/{link_id}", Needs::Developer, true),
    ("DELETE", "/releases/{tag_name}/assets/links/{link_id}", Needs::Developer, true),
    ("GET", "/releases/{tag_name}/downloads/{direct_asset_path+}", Needs::Reporter, true),
    ("GET", "/releases/permalink/latest", Needs::Reporter, true),
    ("GET", "/releases/permalink/latest/{suffix_path+}", Needs::Reporter, true),
    ("GET", "/repository/tags", Needs::Reporter, false),
    ("GET", "/repository/tags/{tag_name}", Needs::Reporter, false),
    ("DELETE", "/repository/tags/{tag_name}", Needs::Developer, false),
    ("GET", "/repository/commits/{sha}", Needs::Reporter, false),
    ("GET", "/repository/commits/{sha}/merge_requests", Needs::Reporter, false),
    ("GET", "/repository/branches", Needs::Reporter, false),
    ("GET", "/repository/branches/{branch}", Needs::Reporter, false),
];

#[test]
fn every_endpoint_of_a_project_stands_in_the_table_of_roles() {
    let of_projects = ROUTES.iter().filter(|route| route.path.starts_with(PROJECT));
    let asked = of_projects.filter(|route| !matches!(route.verb, Verb::Head | Verb::Any));
    let asked: BTreeSet<_> =
        asked.map(|route| (route.verb.as_str(), &route.path[PROJECT.len()..])).collect();
    let listed: BTreeSet<_> = ENDPOINTS.iter().map(|(method, path, ..)| (*method, *path)).collect();
    assert_eq!(listed, asked);
}

/// Sends each endpoint's request to project 1, and returns the responses. Each write meets a release and
/// a link of its own, which it leaves as they were if it is refused. Reads meet `v1`.
async fn ask_every_endpoint(app: &TestApp, api: &Api, caller: &str) -> Vec<Reply> {
    let owner =
        app.api_with(NewToken { grants: vec![grant(1, AccessLevel::Owner)], ..token() }).await;
    let mut replies = Vec::new();
    for (at, (method, path, ..)) in ENDPOINTS.iter().enumerate() {
        let (tag, link) = if *method == "GET" {
            ("v1".to_owned(), 1)
        } else {
            let tag = format!("{}-{at}", caller.replace(' ', "-"));
            (tag.clone(), provide(&owner, 1, &tag).await)
        };
        let mut path = format!("/projects/1{path}");
        for (name, value) in [
            ("{tag_name}", tag.as_str()),
            ("{sha}", &tag),
            ("{link_id}", &link.to_string()),
            ("{user_id}", "1"),
            ("{direct_asset_path+}", "bin/app"),
            ("{suffix_path+}", "downloads/bin/app"),
            ("{branch}", "main"),
        ] {
            path = path.replace(name, value);
        }
        let body = match *method {
            "POST" => {
                json!({ "tag_name": format!("{tag}-new"), "name": "b", "url": "https://e.com/b" })
            }
            "PUT" => json!({ "name": "b" }),
            _ => Value::Null,
        };
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let kind = if body.is_empty() { "" } else { "application/json" };
        let release = format!("/projects/1/releases/{tag}");
        let before = owner.get(&release).await.body;
        let reply = api.send(method, &path, kind, body.as_bytes()).await;
        if reply.status >= 400 {
            assert_eq!(owner.get(&release).await.body, before, "{caller}: {method} {path}");
            let new = owner.get(&format!("{release}-new")).await;
            assert_eq!(new.status, 404, "{caller}: {method} {path}");
        }
        replies.push(reply);
    }
    replies
}

#[tokio::test]
async fn every_endpoint_asks_for_its_role() {
    let app = TestApp::empty();
    app.project(project(1, "Group/sub/app")).await;
    let owner = NewToken { grants: vec![grant(1, AccessLevel::Owner)], ..token() };
    provide(&app.api_with(owner).await, 1, "v1").await;
    let in_namespace = |level| Grant {
        // Namespaces are the same in whatever case they are written.
        target: GrantTarget::Namespace(NamespacePath::parse("group").unwrap()),
        level,
    };
    let developer = || vec![grant(1, AccessLevel::Developer)];
    let mut callers = Vec::new();
    for (name, level, grants) in [
        ("guest", AccessLevel::Guest, vec![grant(1, AccessLevel::Guest)]),
        ("planner", AccessLevel::Planner, vec![grant(1, AccessLevel::Planner)]),
        ("reporter", AccessLevel::Reporter, vec![grant(1, AccessLevel::Reporter)]),
        ("developer", AccessLevel::Developer, developer()),
        ("group reporter", AccessLevel::Reporter, vec![in_namespace(AccessLevel::Reporter)]),
        ("group developer", AccessLevel::Developer, vec![in_namespace(AccessLevel::Developer)]),
    ] {
        callers.push((
            name,
            app.api_with(NewToken { grants, ..token() }).await,
            Some(level),
            false,
        ));
    }
    let job = NewToken { grants: developer(), ..job_token("Group/sub/app") };
    let job = app.anonymous().with("job-token", app.token(job).await.reveal());
    callers.push(("job", job, Some(AccessLevel::Developer), true));
    callers.push(("stranger", app.api_with(token()).await, None, false));
    callers.push(("anonymous", app.anonymous(), None, false));
    for (caller, api, level, is_job) in callers {
        let replies = ask_every_endpoint(&app, &api, caller).await;
        for ((method, path, needs, takes_jobs), reply) in ENDPOINTS.iter().zip(replies) {
            let least = match needs {
                Needs::Guest => AccessLevel::Guest,
                Needs::Reporter => AccessLevel::Reporter,
                Needs::Developer => AccessLevel::Developer,
            };
            let case = format!("{caller}: {method} {path}");
            let expected = match level.filter(|_| *takes_jobs || !is_job) {
                None => P,
                Some(level) if level < least => F,
                Some(_) => Good,
            };
            if matches!(expected, Good) {
                assert!(reply.status < 400, "{case}: {reply:?}");
            } else {
                check(&reply, 200, expected, &case);
            }
        }
    }
}
