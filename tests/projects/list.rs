//! `GET /projects`

use serde_json::Value;
use shared::domain::access_level::AccessLevel;
use shared::domain::project::{NamespacePath, ProjectId, ProjectRef, ReleasesAccess, Visibility};
use shared::domain::token::{Grant, GrantTarget, Scope, User};
use shared::store::projects::NewProject;
use shared::store::tokens::NewToken;

use harness::Api;
use harness::DEFAULT_PER_PAGE;
use harness::client::Reply;
use harness::errors::{ROUTE_NOT_FOUND, UNAUTHORIZED};
use harness::test_app::{TestApp, grant, job_token, project, test_deadline, token};

const PROJECTS: &str = "/api/v4/projects";
const VISIBILITIES: [Visibility; 3] =
    [Visibility::Private, Visibility::Internal, Visibility::Public];

fn ids(reply: &Reply) -> Vec<u64> {
    assert_eq!(reply.status, 200, "{reply:?}");
    let list: Vec<Value> = serde_json::from_str(&reply.body).unwrap();
    list.iter().map(|project| project["id"].as_u64().unwrap()).collect()
}

fn in_namespace(path: &str, level: AccessLevel) -> Grant {
    Grant { target: GrantTarget::Namespace(NamespacePath::parse(path).unwrap()), level }
}

/// Projects 1 to 9, three of each visibility, in three namespaces.
async fn nine() -> TestApp {
    let test_app = TestApp::empty();
    let paths = ["g/app", "g/sub/App-two", "other/zeta"];
    let all = VISIBILITIES.into_iter().flat_map(|visibility| paths.map(|path| (visibility, path)));
    for (id, (visibility, path)) in (1..).zip(all) {
        let path = format!("{path}-{}", visibility.as_str());
        test_app.project(NewProject { visibility, ..project(id, &path) }).await;
    }
    test_app
}

async fn callers(test_app: &TestApp) -> Vec<Api> {
    let external = User { id: 2, username: "guest".to_owned(), external: true };
    let member = |grants| NewToken { grants, ..token() };
    let mut callers = vec![test_app.anonymous()];
    for new in [
        token(),
        NewToken { user: external.clone(), ..token() },
        NewToken { user: external, grants: vec![grant(4, AccessLevel::Guest)], ..token() },
        NewToken { scope: Scope::ReadApi, ..member(vec![grant(1, AccessLevel::Owner)]) },
        member(vec![in_namespace("G", AccessLevel::Developer), grant(2, AccessLevel::Guest)]),
        member(vec![in_namespace("g/sub", AccessLevel::Owner)]),
    ] {
        callers.push(test_app.api_with(new).await);
    }
    let grants = vec![grant(1, AccessLevel::Owner)];
    let job = test_app.token(NewToken { grants, ..job_token("g/app-private") }).await;
    callers.push(test_app.anonymous().with("job-token", job.reveal()));
    callers
}

/// Asserts that the list of each caller has exactly the projects that the caller can get one by one,
/// with the same fields.
async fn agree(test_app: &TestApp, callers: &[Api]) {
    for (n, caller) in callers.iter().enumerate() {
        let mut seen = Vec::new();
        for id in (1..=9).rev() {
            let project = caller.get(&format!("/projects/{id}")).await;
            if project.status == 200 {
                seen.push(project.body);
            }
        }
        let list = caller.get(PROJECTS).await;
        assert_eq!(list.body, format!("[{}]", seen.join(",")), "caller {n}");
        assert_eq!(list.header("x-total"), seen.len().to_string(), "caller {n}");
        let head = caller.head(PROJECTS).await;
        head.is(200, "");
        assert_eq!(head.header("etag"), list.header("etag"));
    }
    test_app.assert_sound().await;
}

#[tokio::test]
async fn a_caller_is_told_of_the_projects_that_they_may_see_whatever_happens_to_them() {
    let test_app = nine().await;
    let callers = callers(&test_app).await;
    agree(&test_app, &callers).await;
    assert_eq!(ids(&callers[0].get(PROJECTS).await), [9, 8, 7]);
    assert_eq!(ids(&callers[2].get(PROJECTS).await), [9, 8, 7]);
    assert_eq!(ids(&callers[5].get(PROJECTS).await), [9, 8, 7, 6, 5, 4, 2, 1]);

    // Each way in which the operator changes a project.
    for id in 1..=9 {
        let next = VISIBILITIES[usize::try_from(id).unwrap() % 3];
        test_app
            .change_project(id, |project| {
                project.visibility = next;
                project.archived = id % 2 == 0;
                project.releases_access = ReleasesAccess::Disabled;
            })
            .await;
    }
    agree(&test_app, &callers).await;
    let find = async |id| {
        let named = ProjectRef::Id(ProjectId(id));
        test_app.store.find_project(&named, test_deadline()).await.unwrap().unwrap()
    };
    for (id, path) in [(2, "other/moved"), (3, "g/sub/zeta"), (4, "G/APP-Internal")] {
        test_app
            .store
            .move_project(&find(id).await, path.parse().unwrap(), test_deadline())
            .await
            .unwrap();
    }
    agree(&test_app, &callers).await;
    for id in [1, 5, 9] {
        assert!(test_app.store.delete_project(&find(id).await, test_deadline()).await.unwrap());
    }
    agree(&test_app, &callers).await;
}

#[tokio::test]
async fn filters_and_orders_are_gitlabs() {
    let test_app = nine().await;
    test_app.change_project(5, |project| project.archived = true).await;
    let grants = vec![
        in_namespace("g", AccessLevel::Developer),
        grant(1, AccessLevel::Owner),
        grant(3, AccessLevel::Guest),
    ];
    let api = test_app.api_with(NewToken { grants, ..token() }).await;
    let nobody = test_app.anonymous();
    for (query, found) in [
        ("", &[9, 8, 7, 6, 5, 4, 3, 2, 1][..]),
        ("sort=asc", &[1, 2, 3, 4, 5, 6, 7, 8, 9]),
        ("order_by=id&sort=asc", &[1, 2, 3, 4, 5, 6, 7, 8, 9]),
        ("order_by=last_activity_at", &[9, 8, 7, 6, 5, 4, 3, 2, 1]),
        ("order_by=path&sort=asc", &[4, 1, 7, 5, 2, 8, 6, 3, 9]),
        ("order_by=name", &[9, 3, 6, 8, 2, 5, 7, 1, 4]),
        ("visibility=private", &[3, 2, 1]),
        ("visibility=internal", &[6, 5, 4]),
        ("visibility=public", &[9, 8, 7]),
        ("search=APP", &[8, 7, 5, 4, 2, 1]),
        ("search=app+private", &[2, 1]),
        ("search=sub", &[]),
        ("search=sub&search_namespaces=true", &[8, 5, 2]),
        ("search=g%2Fapp&search_namespaces=True", &[7, 4, 1]),
        ("search=+", &[9, 8, 7, 6, 5, 4, 3, 2, 1]),
        ("membership=true", &[8, 7, 5, 4, 3, 2, 1]),
        ("membership=false", &[9, 8, 7, 6, 5, 4, 3, 2, 1]),
        ("membership=true&archived=true", &[5]),
        ("archived=false", &[9, 8, 7, 6, 4, 3, 2, 1]),
        ("owned=true", &[1]),
        ("min_access_level=30", &[8, 7, 5, 4, 2, 1]),
        ("min_access_level=10&owned=yes", &[1]),
        ("id_after=7", &[9, 8]),
        ("id_before=3&id_after=1", &[2]),
        ("id_after=-1&id_before=2", &[1]),
        ("per_page=2&page=2", &[7, 6]),
        ("per_page=2&page=9", &[]),
        ("starred=true&pagination=keyset&with_shared=no", &[9, 8, 7, 6, 5, 4, 3, 2, 1]),
    ] {
        assert_eq!(ids(&api.get(&format!("{PROJECTS}?{query}")).await), found, "{query}");
    }
    for (query, found) in
        [("", &[9, 8, 7][..]), ("membership=true", &[]), ("visibility=private", &[])]
    {
        assert_eq!(ids(&nobody.get(&format!("{PROJECTS}?{query}")).await), found, "{query}");
    }
    for (query, error) in [
        ("order_by=size", "order_by does not have a valid value"),
        (
            "sort=up&order_by=x",
            "order_by does not have a valid value, sort does not have a valid value",
        ),
        ("visibility=secret", "visibility does not have a valid value"),
        ("membership=perhaps", "membership is invalid"),
        ("min_access_level=31", "min_access_level does not have a valid value"),
        ("min_access_level=x", "min_access_level is invalid"),
        ("id_after=x", "id_after is invalid"),
        ("simple=2", "simple is invalid"),
        ("per_page=0", "per_page has a value not allowed"),
    ] {
        let reply = api.get(&format!("{PROJECTS}?{query}")).await;
        reply.is(400, &format!(r#"{{"error":"{error}"}}"#));
    }
    let unknown = nobody.with("private-token", "glpat-x");
    unknown.get(PROJECTS).await.is(401, UNAUTHORIZED);
    for method in ["POST", "PUT", "DELETE"] {
        api.send(method, PROJECTS, "", b"").await.is(404, ROUTE_NOT_FOUND);
    }
}

#[tokio::test]
async fn a_page_is_whole_with_its_headers_and_a_simple_one_shorter() {
    let test_app = TestApp::empty();
    let created_at = test_app.project(project(20, "g/app")).await.created_at;
    let grants = vec![in_namespace("g", AccessLevel::Owner)];
    let api = test_app.api_with(NewToken { grants, ..token() }).await;
    let here = format!("http://{}", test_app.server.address);
    let simple = format!(
        r#"{{"id":20,"name":"app","name_with_namespace":"g / app","path":"app","path_with_namespace":"g/app","created_at":"{created_at}","default_branch":"main","web_url":"{here}/g/app""#
    );
    let reply = api.get(&format!("{PROJECTS}?simple=true&search=app&token_like=1")).await;
    reply.is(200, &format!(r#"[{simple},"visibility":"private"}}]"#));
    let url = format!(
        "<{here}/api/v4/projects?membership=false&order_by=created_at&owned=false&page=1&per_page={DEFAULT_PER_PAGE}&search=app&simple=true&sort=desc>"
    );
    assert_eq!(reply.header("link"), format!(r#"{url}; rel="first", {url}; rel="last""#));
    for (name, value) in [
        ("x-total", "1"),
        ("x-total-pages", "1"),
        ("x-page", "1"),
        ("x-per-page", DEFAULT_PER_PAGE),
        ("x-next-page", ""),
        ("x-prev-page", ""),
    ] {
        assert_eq!(reply.header(name), value, "{name}");
    }
    api.get(PROJECTS).await.is(
        200,
        &format!(
            r#"[{simple},"archived":false,"visibility":"private","releases_access_level":"enabled","permissions":{{"project_access":null,"group_access":{{"access_level":50,"notification_level":3}}}}}}]"#
        ),
    );
}
