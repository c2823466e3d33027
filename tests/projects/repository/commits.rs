//! `GET /projects/:id/repository/commits/:sha`

use serde_json::{Value, json};
use shared::domain::access_level::AccessLevel;
use shared::domain::project::ReleasesAccess;

use super::RELEASES;
use crate::projects::{UNKNOWN_COMMIT, commit};
use harness::Api;
use harness::errors::{COMMIT_NOT_FOUND, FORBIDDEN, PROJECT_NOT_FOUND, ROUTE_NOT_FOUND};
use harness::test_app::{TestApp, token};

const COMMITS: &str = "/projects/20/repository/commits";
const STATS: &str = r#""stats":{"additions":0,"deletions":0,"total":0},"#;

/// Makes a release at a commit; how that commit is shown on its own.
async fn release(api: &Api, tag: &str, sha: &str) -> String {
    let body = json!({ "tag_name": tag, "ref": sha });
    let made = api.post(RELEASES, &body.to_string()).await;
    assert_eq!(made.status, 201, "{made:?}");
    let at = made.json()["created_at"].as_str().unwrap().to_owned();
    shown(&commit(&api.address, sha, tag, &at, (1, "root")), STATS)
}

fn shown(commit: &str, stats: &str) -> String {
    let rest = format!(r#",{stats}"status":null,"project_id":20,"last_pipeline":null}}"#);
    commit.strip_suffix('}').unwrap().to_owned() + &rest
}

#[tokio::test]
async fn a_commit_is_found_by_its_tag_its_id_and_the_beginning_of_that() {
    let (app, api) = TestApp::hello().await;
    let first = format!("abcd1{}", "0".repeat(35));
    let second = format!("abcd2{}", "f".repeat(35));
    let one = release(&api, "v1", &first).await;
    let two = release(&api, "release/2", &second).await;
    // A tag of hexadecimal digits comes before the beginning of an id, and after a whole one.
    let named = release(&api, "abcd2", &format!("1234{}", "0".repeat(36))).await;
    let upper = second.to_uppercase();
    for (name, expected) in [
        ("v1", &one),
        (&first, &one),
        (&first[..5], &one),
        ("release%2F2", &two),
        (&second, &two),
        (&upper, &two),
        (&second[..6], &two),
        ("abcd2", &named),
        ("1234", &named),
    ] {
        let reply = api.get(&format!("{COMMITS}/{name}")).await;
        reply.is(200, expected);
        let head = api.head(&format!("{COMMITS}/{name}")).await;
        head.is(200, "");
        assert_eq!(head.header("etag"), reply.header("etag"));
    }
    for stats in ["false", "False", "0"] {
        let bare = one.replace(STATS, "");
        api.get(&format!("{COMMITS}/v1?stats={stats}")).await.is(200, &bare);
    }
    api.get(&format!("{COMMITS}/v1?stats=x")).await.is(400, r#"{"error":"stats is invalid"}"#);
    // Several tags may be at one commit.
    release(&api, "v1-again", &first).await;
    let again = api.get(&format!("{COMMITS}/{first}")).await.json();
    assert_eq!(again["id"], first.as_str());
    let unknown = api.get(&format!("{COMMITS}/v1.7.0")).await.json();
    assert_eq!((&unknown["id"], &unknown["title"]), (&json!(UNKNOWN_COMMIT), &json!("v1.7.0")));
    let long = "a".repeat(41);
    for missing in ["none", "abc", "abcd", "abcd3", "%20", "a..b", UNKNOWN_COMMIT, &long] {
        api.get(&format!("{COMMITS}/{missing}")).await.is(404, COMMIT_NOT_FOUND);
    }
    for path in [format!("{COMMITS}/a/b"), COMMITS.to_owned()] {
        api.get(&path).await.is(404, ROUTE_NOT_FOUND);
    }
    assert_eq!(api.delete(&format!("{RELEASES}/v1")).await.status, 200);
    assert_eq!(api.delete(&format!("{RELEASES}/v1-again")).await.status, 200);
    api.get(&format!("{COMMITS}/{first}")).await.is(404, COMMIT_NOT_FOUND);
    app.assert_sound().await;
}

#[tokio::test]
async fn the_default_branch_is_at_a_commit_that_is_not_known() {
    let (app, api) = TestApp::hello().await;
    let made = api.get("/projects/20").await.json()["created_at"].as_str().unwrap().to_owned();
    let mut expected: Value = serde_json::from_str(&shown(
        &commit(&api.address, UNKNOWN_COMMIT, "", &made, (0, "")),
        STATS,
    ))
    .unwrap();
    (expected["author_email"], expected["committer_email"]) = (json!(""), json!(""));
    for name in ["main", "HEAD"] {
        let reply = api.get(&format!("{COMMITS}/{name}")).await;
        assert_eq!((reply.status, reply.json()), (200, expected.clone()), "{name}");
    }
    // Git looks among tags first.
    app.release(20, "main").await;
    assert_eq!(api.get(&format!("{COMMITS}/main")).await.json()["title"], "main");
}

#[tokio::test]
async fn commits_are_shown_to_callers_who_may_read_code() {
    let (app, api) = TestApp::hello().await;
    let sha = format!("abcd1{}", "0".repeat(35));
    release(&api, "v1", &sha).await;
    let guest = app.member(AccessLevel::Guest).await;
    let (nobody, stranger, job) = (app.anonymous(), app.api_with(token()).await, app.job().await);
    for name in ["v1", "abcd1", "main", "none"] {
        let path = format!("{COMMITS}/{name}");
        guest.get(&path).await.is(403, FORBIDDEN);
        for api in [&nobody, &stranger, &job] {
            api.get(&path).await.is(404, PROJECT_NOT_FOUND);
        }
    }
    app.change_project(20, |project| project.releases_access = ReleasesAccess::Disabled).await;
    for name in ["v1", "abcd1", &sha] {
        api.get(&format!("{COMMITS}/{name}")).await.is(404, COMMIT_NOT_FOUND);
    }
    assert_eq!(api.get(&format!("{COMMITS}/main")).await.status, 200);
}
