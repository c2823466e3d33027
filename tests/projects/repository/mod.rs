//! `/projects/:id/repository`: what release tools ask of a repository that is elsewhere.

mod branches;
mod commits;
mod jreleaser;
mod tags;

use serde_json::json;
use shared::domain::project::Visibility;
use shared::domain::release::Release;

use super::{UNKNOWN_COMMIT, commit};
use harness::DEFAULT_PER_PAGE;
use harness::Reply;
use harness::errors::{PROJECT_NOT_FOUND, ROUTE_NOT_FOUND};
use harness::test_app::{TestApp, token};

const MERGE_REQUESTS_OF_COMMIT: &str = "/projects/20/repository/commits/abc/merge_requests";
const RELEASES: &str = "/projects/20/releases";

#[tokio::test]
async fn a_commit_has_one_empty_page_of_merge_requests() {
    let (app, api) = TestApp::hello().await;
    let reply = api.get(MERGE_REQUESTS_OF_COMMIT).await;
    reply.is(200, "[]");
    for (name, value) in [
        ("x-per-page", DEFAULT_PER_PAGE),
        ("x-page", "1"),
        ("x-next-page", ""),
        ("x-prev-page", ""),
        ("x-total", "0"),
        ("x-total-pages", "1"),
    ] {
        assert_eq!(reply.header(name), value, "{name}");
    }
    let query = format!("id=20&page=1&per_page={DEFAULT_PER_PAGE}&sha=abc");
    let url = format!("http://{}/api/v4{MERGE_REQUESTS_OF_COMMIT}?{query}", api.address);
    assert_eq!(reply.header("link"), format!(r#"<{url}>; rel="first", <{url}>; rel="last""#));
    let head = api.head(MERGE_REQUESTS_OF_COMMIT).await;
    head.is(200, "");
    assert_eq!(head.header("link"), reply.header("link"));

    let path = "/projects/mynamespace%2Fhello/repository/commits/a%2Fb/merge_requests";
    let reply = api.get(&format!("{path}?per_page=100&page=2&state=merged")).await;
    reply.is(200, "[]");
    assert_eq!((reply.header("x-page"), reply.header("x-per-page")), ("2", "100"));
    let query = "id=mynamespace%2Fhello&page=1&per_page=100&sha=a%2Fb&state=merged";
    let url = format!("http://{}/api/v4{path}?{query}", api.address);
    assert_eq!(reply.header("link"), format!(r#"<{url}>; rel="first", <{url}>; rel="last""#));
    for (query, error) in [
        ("page=x", "page is invalid"),
        ("per_page=0", "per_page has a value not allowed"),
        ("per_page=y&page=x", "page is invalid, per_page is invalid"),
    ] {
        let path = format!("{MERGE_REQUESTS_OF_COMMIT}?{query}");
        api.get(&path).await.is(400, &format!(r#"{{"error":"{error}"}}"#));
    }

    for api in [app.anonymous(), app.job().await, app.api_with(token()).await] {
        api.get(MERGE_REQUESTS_OF_COMMIT).await.is(404, PROJECT_NOT_FOUND);
    }
    api.get("/projects/99/repository/commits/abc/merge_requests").await.is(404, PROJECT_NOT_FOUND);
    app.change_project(20, |project| project.visibility = Visibility::Public).await;
    app.anonymous().get(MERGE_REQUESTS_OF_COMMIT).await.is(200, "[]");
    api.get("/projects/20/repository/commits").await.is(404, ROUTE_NOT_FOUND);
}

/// The tag of a release without title and commit as whole JSON.
fn tag(address: &str, release: &Release, is_protected: bool) -> String {
    shown_tag(address, release.key.tag.as_str(), &release.created_at.to_string(), is_protected)
}

fn shown_tag(address: &str, name: &str, created_at: &str, is_protected: bool) -> String {
    let commit = commit(address, UNKNOWN_COMMIT, name, created_at, (1, "root"));
    let name = json!(name);
    [
        format!(r#"{{"name":{name},"message":null,"target":"{UNKNOWN_COMMIT}","#),
        format!(r#""commit":{commit},"release":{{"tag_name":{name},"description":null}},"#),
        format!(r#""protected":{is_protected},"created_at":"{created_at}"}}"#),
    ]
    .concat()
}

/// The values of this name of the entries in the body, in order.
fn values(reply: &Reply, name: &str) -> Vec<String> {
    let json = reply.json();
    let entries = json.as_array().unwrap_or_else(|| panic!("no list: {reply:?}"));
    entries.iter().map(|entry| entry[name].as_str().unwrap().to_owned()).collect()
}
