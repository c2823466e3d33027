//! Repeated slashes inside a path and one at its end: squeezed before routing, as Rails does.

use serde_json::json;

use harness::errors::{
    INVALID_FILEPATH, PROJECT_NOT_FOUND, RECORD_NOT_FOUND, RELEASE_NOT_FOUND, ROUTE_NOT_FOUND,
};
use harness::test_app::TestApp;
use harness::{Api, Reply};

const FILE: &str = "https://files.example/sss";

/// A reply without what is the request's own.
fn compared(reply: &Reply) -> (u16, Vec<(String, String)>, &str) {
    let own = ["date", "x-request-id", "x-gitlab-meta"];
    let headers = reply.headers.iter().filter(|(name, _)| !own.contains(&name.as_str()));
    let text = |value: &hyper::header::HeaderValue| value.to_str().unwrap().to_owned();
    let headers = headers.map(|(name, value)| (name.as_str().to_owned(), text(value)));
    (reply.status, headers.collect(), &reply.body)
}

/// Asserts that a path is answered as the other one is.
async fn same(api: &Api, path: &str, as_of: &str) {
    let (reply, expected) = (api.get(path).await, api.get(as_of).await);
    assert_eq!(compared(&reply), compared(&expected), "{path}");
}

async fn hello() -> (TestApp, Api) {
    let (app, api) = TestApp::hello().await;
    let body = json!({ "name": "sss", "url": FILE, "direct_asset_path": "/bin/sss" });
    let links = "/api/v4//projects/20/releases/v1.7.0//assets/links/";
    assert_eq!(api.post(links, &body.to_string()).await.status, 201);
    (app, api)
}

#[tokio::test]
async fn repeated_and_trailing_slashes_make_no_difference() {
    let (_world, api) = hello().await;
    let api_download = "/api/v4/projects/20/releases/v1.7.0/downloads/bin/sss";
    let page_download = "/mynamespace/hello/-/releases/v1.7.0/downloads/bin/sss";
    for download in [api_download, page_download] {
        api.get(download).await.leads_to(FILE);
    }
    for (path, as_of) in [
        ("/api/v4/projects/20/releases/v1.7.0/downloads//bin/sss", api_download),
        ("/api/v4/projects/20/releases/v1.7.0/downloads/bin///sss//", api_download),
        ("//mynamespace//hello/-//releases/v1.7.0/downloads/bin/sss", page_download),
        ("/mynamespace/hello/-/releases/v1.7.0/downloads/bin/sss/", page_download),
        ("/mynamespace/hello/-/releases/v1.7.0/downloads//bin/sss", page_download),
        ("/api/v4//projects/20/releases", "/api/v4/projects/20/releases"),
        ("/api/v4/projects/20//releases", "/api/v4/projects/20/releases"),
        ("//api/v4/projects/20/releases/?per_page=1", "/api/v4/projects/20/releases?per_page=1"),
        (
            "/api/v4/projects/20/releases/permalink//latest//assets//links",
            "/api/v4/projects/20/releases/permalink/latest/assets/links",
        ),
        (
            "/mynamespace/hello/-/releases//permalink/latest//",
            "/mynamespace/hello/-/releases/permalink/latest",
        ),
        ("/api//v3//projects", "/api/v3/projects"),
        ("//", "/"),
    ] {
        same(&api, path, as_of).await;
    }
    let expected = format!(
        "<http://{}/api/v4/projects/20/releases?id=20&order_by=released_at&page=1&per_page=1&sort=desc>",
        api.address
    );
    let reply = api.get("//api//v4/projects/20/releases//?per_page=1").await;
    assert!(reply.header("link").starts_with(&expected), "{reply:?}");
}

#[tokio::test]
async fn writes_reach_their_endpoint_through_repeated_slashes() {
    let (_world, api) = hello().await;
    let release = "/api/v4//projects/mynamespace%2Fhello//releases/v2/";
    let made = api.post("/api/v4/projects/20//releases//", r#"{"tag_name":"v2"}"#).await;
    assert_eq!(made.status, 201, "{made:?}");
    let changed = api.put(release, r#"{"name":"zwei"}"#).await;
    assert_eq!((changed.status, &changed.json()["name"]), (200, &json!("zwei")));
    assert_eq!(api.delete(release).await.status, 200);
    let options = api.send("OPTIONS", release, "", b"").await;
    assert_eq!(options.header("allow"), "OPTIONS, GET, PUT, DELETE, HEAD");
}

#[tokio::test]
async fn encoded_slashes_are_never_squeezed() {
    let (_world, api) = hello().await;
    for path in [
        "/api/v4/projects/mynamespace%2F%2Fhello/releases",
        "/api/v4/projects/mynamespace%2Fhello%2F/releases",
    ] {
        api.get(path).await.is(404, PROJECT_NOT_FOUND);
    }
    api.get("/api/v4/projects/20/releases/v1.7.0%2F").await.is(404, RELEASE_NOT_FOUND);
    // No path that a link can have holds two slashes in a row, so nothing is found by them.
    api.get("/api/v4/projects/20/releases/v1.7.0/downloads/bin%2F%2Fsss")
        .await
        .is(404, RECORD_NOT_FOUND);
    api.get("/mynamespace/hello/-/releases/v1.7.0/downloads/bin%2F%2Fsss")
        .await
        .is(404, ROUTE_NOT_FOUND);
    let body = json!({ "name": "b", "url": "https://e.com/b", "direct_asset_path": "/bin//b" });
    api.post("/projects/20/releases/v1.7.0/assets/links", &body.to_string())
        .await
        .is(400, INVALID_FILEPATH);
}
