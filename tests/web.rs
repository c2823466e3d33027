//! Everything that is no endpoint.

use crate::harness::World;
use crate::harness::world::LINKS;

#[tokio::test]
async fn unknown_paths_and_methods_are_gitlabs_404() {
    let (_world, api) = World::hello().await;
    let not_found = r#"{"error":"404 Not Found"}"#;
    let links = format!("/api/v4{LINKS}");
    for (method, path) in [
        ("GET", "/"),
        ("GET", "/api"),
        ("GET", "/api/v4"),
        ("GET", "/api/v4/nothing"),
        ("POST", "/api/v4/projects/20/releases/v1.7.0/assets"),
        ("PATCH", &format!("{links}/1")),
        ("POST", &format!("{links}/1")),
        ("PUT", &links),
        ("DELETE", &links),
        ("GET", "/api/v4/projects/mynamespace/hello/releases/v1.7.0/assets/links"),
        ("GET", &format!("{links}/1/2")),
        ("PROPFIND", &links),
    ] {
        api.send(method, path, "", b"").await.is(404, not_found);
    }
    assert_eq!(api.send("HEAD", "/api/v4/nothing", "", b"").await.status, 404);
    for path in ["/api/v3", "/api/v3/projects/1"] {
        api.get(path)
            .await
            .is(410, r#"{"error":"API V3 is no longer supported. Use API V4 instead."}"#);
    }
}

#[tokio::test]
async fn options_names_the_methods_of_a_path() {
    let (_world, api) = World::hello().await;
    for (path, allow) in [
        (LINKS.to_owned(), "OPTIONS, GET, POST, HEAD"),
        (format!("{LINKS}/1"), "OPTIONS, GET, PUT, DELETE, HEAD"),
    ] {
        let reply = api.send("OPTIONS", &path, "", b"").await;
        reply.is(204, "");
        assert_eq!(reply.header("allow"), allow);
    }
    assert_eq!(api.send("OPTIONS", "/api/v4/nothing", "", b"").await.status, 404);
}

#[tokio::test]
async fn pages_of_any_origin_may_call() {
    let (_world, api) = World::hello().await;
    let page = api.with("origin", "https://page.example");
    let preflight = page
        .with("access-control-request-method", "PUT")
        .with("access-control-request-headers", "private-token, x-custom")
        .send("OPTIONS", &format!("{LINKS}/1"), "", b"")
        .await;
    preflight.is(200, "");
    for (name, value) in [
        ("access-control-allow-origin", "*"),
        ("access-control-allow-methods", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"),
        ("access-control-allow-headers", "private-token, x-custom"),
        ("access-control-max-age", "7200"),
    ] {
        assert_eq!(preflight.header(name), value);
    }
    let reply = page.get(LINKS).await;
    assert_eq!(reply.header("access-control-allow-origin"), "*");
    assert!(reply.header("access-control-expose-headers").contains("X-Next-Page"));
    assert!(!api.get(LINKS).await.headers.contains_key("access-control-allow-origin"));
}
