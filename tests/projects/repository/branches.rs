//! `/projects/:id/repository/branches`

use serde_json::{Value, json};
use shared::domain::access_level::AccessLevel;
use shared::domain::project::Visibility;
use shared::store::projects::NewProject;

use super::values;
use crate::projects::{UNKNOWN_COMMIT, commit};
use harness::DEFAULT_PER_PAGE;
use harness::errors::{FORBIDDEN, PROJECT_NOT_FOUND, ROUTE_NOT_FOUND};
use harness::test_app::{TestApp, project, token};

const BRANCHES: &str = "/projects/20/repository/branches";
const NO_BRANCH: &str = r#"{"message":"404 Branch Not Found"}"#;

/// The default branch of project 20 as JSON.
fn branch(address: &str, name: &str, created_at: &str, can_push: bool) -> Value {
    let commit = commit(address, UNKNOWN_COMMIT, "", created_at, (0, ""));
    let mut commit: Value = serde_json::from_str(&commit).unwrap();
    (commit["author_email"], commit["committer_email"]) = (json!(""), json!(""));
    json!({
        "name": name,
        "commit": commit,
        "merged": false,
        "protected": true,
        "developers_can_push": false,
        "developers_can_merge": false,
        "can_push": can_push,
        "default": true,
        "web_url": format!("http://{address}/mynamespace/hello/-/tree/{name}"),
    })
}

#[tokio::test]
async fn the_default_branch_is_the_only_one() {
    let app = TestApp::empty();
    let new = NewProject {
        default_branch: "release/Main".parse().unwrap(),
        ..project(20, "mynamespace/hello")
    };
    let made = app.project(new).await.created_at.to_string();
    let api = app.developer().await;
    let expected = branch(&api.address, "release/Main", &made, false);
    let reply = api.get(BRANCHES).await;
    assert_eq!((reply.status, reply.json()), (200, json!([expected])));
    // Key by key in GitLab's order.
    let keys = [
        "name",
        "commit",
        "merged",
        "protected",
        "developers_can_push",
        "developers_can_merge",
        "can_push",
        "default",
        "web_url",
    ];
    let places: Vec<_> = keys.iter().map(|key| reply.body.rfind(&format!("\"{key}\":"))).collect();
    assert!(places.is_sorted() && places[0].is_some(), "{reply:?}");
    assert_eq!((reply.header("x-total"), reply.header("x-next-page")), ("1", ""));
    let query = format!("id=20&page=1&per_page={DEFAULT_PER_PAGE}");
    let url = format!("http://{}/api/v4{BRANCHES}?{query}", api.address);
    assert_eq!(reply.header("link"), format!(r#"<{url}>; rel="first", <{url}>; rel="last""#));
    let head = api.head(BRANCHES).await;
    head.is(200, "");
    assert_eq!(head.header("etag"), reply.header("etag"));

    let one = format!("{BRANCHES}/release%2FMain");
    let reply = api.get(&one).await;
    assert_eq!((reply.status, reply.json()), (200, expected));
    api.head(&one).await.is(204, "");
    for missing in ["main", "release%2Fmain", "Main", "HEAD", "%20", "a..b"] {
        let path = format!("{BRANCHES}/{missing}");
        api.get(&path).await.is(404, NO_BRANCH);
        api.head(&path).await.is(404, "");
    }
    let maintainer = app.member(AccessLevel::Maintainer).await;
    assert_eq!(maintainer.get(&one).await.json()["can_push"], true);
    app.change_project(20, |project| project.archived = true).await;
    assert_eq!(maintainer.get(&one).await.json()["can_push"], false);

    for (query, found) in [
        ("search=main", 1),
        ("search=%5Erelease", 1),
        ("search=%5EMain", 0),
        ("search=*%2F*", 1),
        ("search=x", 0),
        ("page=2", 0),
        ("sort=updated_desc&page_token=x", 1),
    ] {
        let reply = api.get(&format!("{BRANCHES}?{query}")).await;
        assert_eq!((reply.status, values(&reply, "name").len()), (200, found), "{query}");
    }
    for (query, error) in [
        ("sort=desc", "sort does not have a valid value"),
        ("search[a]=b&page=x", "page is invalid, search is invalid"),
    ] {
        let path = format!("{BRANCHES}?{query}");
        api.get(&path).await.is(400, &format!(r#"{{"error":"{error}"}}"#));
    }
    for path in [BRANCHES, &one] {
        for method in ["POST", "PUT", "DELETE"] {
            api.send(method, path, "", b"").await.is(404, ROUTE_NOT_FOUND);
        }
    }
}

#[tokio::test]
async fn branches_are_shown_to_callers_who_may_read_code() {
    let (app, _) = TestApp::hello().await;
    let guest = app.member(AccessLevel::Guest).await;
    let (nobody, stranger, job) = (app.anonymous(), app.api_with(token()).await, app.job().await);
    let paths = [BRANCHES.to_owned(), format!("{BRANCHES}/main"), format!("{BRANCHES}/none")];
    for path in &paths {
        guest.get(path).await.is(403, FORBIDDEN);
        for api in [&nobody, &stranger, &job] {
            api.get(path).await.is(404, PROJECT_NOT_FOUND);
        }
    }
    app.change_project(20, |project| project.visibility = Visibility::Public).await;
    for api in [&nobody, &stranger, &job, &guest] {
        let statuses =
            [api.get(&paths[0]).await, api.get(&paths[1]).await, api.get(&paths[2]).await];
        assert_eq!(statuses.map(|reply| reply.status), [200, 200, 404]);
    }
}
