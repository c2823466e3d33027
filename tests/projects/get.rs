//! `GET /projects/:id`

use shared::domain::access_level::AccessLevel;
use shared::domain::project::{NamespacePath, ReleasesAccess, Visibility};
use shared::domain::token::{Grant, GrantTarget, Scope};
use shared::store::projects::NewProject;
use shared::store::tokens::NewToken;

use harness::errors::{PROJECT_NOT_FOUND, ROUTE_NOT_FOUND, UNAUTHORIZED};
use harness::test_app::{TestApp, grant, job_token, project, token};

/// A grant in a namespace.
fn in_namespace(path: &str, level: AccessLevel) -> Grant {
    Grant { target: GrantTarget::Namespace(NamespacePath::parse(path).unwrap()), level }
}

#[tokio::test]
async fn a_project_is_shown_whole_with_what_the_caller_may_do() {
    let app = TestApp::empty();
    let new = NewProject {
        default_branch: "release/ü".parse().unwrap(),
        ..project(20, "Top/sub.group/my_project-1")
    };
    let created_at = app.project(new).await.created_at;
    let shown = |branch: bool, rest: &str, permissions: Option<[Option<u8>; 2]>| {
        let access = |level: Option<u8>| {
            level.map_or("null".to_owned(), |level| {
                format!(r#"{{"access_level":{level},"notification_level":3}}"#)
            })
        };
        let permissions = permissions.map(|levels| levels.map(access)).map(|[project, group]| {
            format!(r#","permissions":{{"project_access":{project},"group_access":{group}}}"#)
        });
        [
            r#"{"id":20,"name":"my_project-1","name_with_namespace":"Top / sub.group / my_project-1","#.to_owned(),
            r#""path":"my_project-1","path_with_namespace":"Top/sub.group/my_project-1","#.to_owned(),
            format!(r#""created_at":"{created_at}","#),
            if branch { r#""default_branch":"release/ü","#.to_owned() } else { String::new() },
            format!(r#""web_url":"http://{}/Top/sub.group/my_project-1","#, app.server.address),
            rest.to_owned(),
            permissions.unwrap_or_default(),
            "}".to_owned(),
        ]
        .concat()
    };
    let private = r#""archived":false,"visibility":"private","releases_access_level":"enabled""#;
    let group = |level| in_namespace("top/SUB.group", level);
    let mut callers = Vec::new();
    for (case, grants, branch, levels) in [
        ("developer", vec![grant(20, AccessLevel::Developer)], true, [Some(30), None]),
        ("reporter", vec![grant(20, AccessLevel::Reporter)], true, [Some(20), None]),
        ("guest", vec![grant(20, AccessLevel::Guest)], false, [Some(10), None]),
        ("planner", vec![grant(20, AccessLevel::Planner)], false, [Some(15), None]),
        ("group owner", vec![group(AccessLevel::Owner)], true, [None, Some(50)]),
        (
            "both",
            vec![grant(20, AccessLevel::Guest), group(AccessLevel::Maintainer)],
            true,
            [Some(10), Some(40)],
        ),
        (
            "the highest of several groups",
            vec![in_namespace("Top", AccessLevel::Reporter), group(AccessLevel::Guest)],
            true,
            [None, Some(20)],
        ),
    ] {
        let api = app.api_with(NewToken { grants, ..token() }).await;
        for path in ["/projects/20", "/projects/top%2Fsub.group%2FMY_project-1", "/projects/020/"] {
            let reply = api.get(path).await;
            reply.is(200, &shown(branch, private, Some(levels)));
            let head = api.head(path).await;
            head.is(200, "");
            assert_eq!(head.header("etag"), reply.header("etag"), "{case}");
        }
        callers.push((api, branch, levels));
    }
    // A read-only token is still told the user's roles.
    let reader =
        NewToken { scope: Scope::ReadApi, grants: vec![grant(20, AccessLevel::Owner)], ..token() };
    let reader = app.api_with(reader).await;
    reader.get("/projects/20").await.is(200, &shown(true, private, Some([Some(50), None])));

    app.change_project(20, |project| {
        project.visibility = Visibility::Public;
        project.archived = true;
        project.releases_access = ReleasesAccess::Private;
    })
    .await;
    let public = r#""archived":true,"visibility":"public","releases_access_level":"private""#;
    for (api, _, levels) in &callers {
        api.get("/projects/20").await.is(200, &shown(true, public, Some(*levels)));
    }
    let stranger = app.api_with(token()).await;
    stranger.get("/projects/20").await.is(200, &shown(true, public, Some([None, None])));
    app.anonymous().get("/projects/20").await.is(200, &shown(true, public, None));
}

#[tokio::test]
async fn a_project_that_may_not_be_seen_is_not_there() {
    let (app, api) = TestApp::hello().await;
    let internal =
        NewProject { visibility: Visibility::Internal, ..project(21, "mynamespace/internal") };
    app.project(internal).await;
    for missing in [
        "99",
        "0",
        "-1",
        "foo",
        "hello",
        "no%2Fsuch",
        "mynamespace%2Fhell",
        "%20",
        "20%2F20",
        "mynamespace%2Fhello%2F",
        "99999999999999999999",
    ] {
        api.get(&format!("/projects/{missing}")).await.is(404, PROJECT_NOT_FOUND);
    }
    for path in ["/projects/mynamespace/hello", "/projects/20/nothing"] {
        api.get(path).await.is(404, ROUTE_NOT_FOUND);
    }
    for bytes in ["%FF", "%00"] {
        api.get(&format!("/projects/{bytes}")).await.is(400, "Bad Request");
    }
    for method in ["POST", "PUT", "DELETE"] {
        api.send(method, "/projects/20", "", b"").await.is(404, ROUTE_NOT_FOUND);
    }
    let stranger = app.api_with(token()).await;
    let unknown = app.anonymous().with("private-token", "glpat-x");
    stranger.get("/projects/20").await.is(404, PROJECT_NOT_FOUND);
    assert_eq!(stranger.get("/projects/21").await.status, 200);
    for id in ["20", "21", "99"] {
        let path = format!("/projects/{id}");
        app.anonymous().get(&path).await.is(404, PROJECT_NOT_FOUND);
        unknown.get(&path).await.is(401, UNAUTHORIZED);
    }
}

#[tokio::test]
async fn a_jobs_token_is_not_looked_at() {
    let (app, _) = TestApp::hello().await;
    let public = NewProject { visibility: Visibility::Public, ..project(21, "mynamespace/open") };
    app.project(public).await;
    let grants = [20, 21].map(|id| grant(id, AccessLevel::Owner)).to_vec();
    let job = app.token(NewToken { grants, ..job_token("mynamespace/hello") }).await;
    let nobody = app.anonymous();
    let shown = nobody.get("/projects/21").await;
    assert!(!shown.body.contains("permissions"), "{shown:?}");
    for secret in [job.reveal(), "glcbt-nonsense"] {
        for (api, query) in [
            (nobody.with("job-token", secret), String::new()),
            (nobody.with("authorization", &format!("Bearer {secret}")), String::new()),
            (nobody.clone(), format!("?job_token={secret}")),
            (nobody.clone(), format!("?token={secret}")),
        ] {
            api.get(&format!("/projects/21{query}")).await.is(200, &shown.body);
            api.get(&format!("/projects/20{query}")).await.is(404, PROJECT_NOT_FOUND);
        }
    }
}
