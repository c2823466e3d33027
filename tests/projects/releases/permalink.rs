//! `GET /projects/:id/releases/permalink/latest(/*suffix_path)`

use serde_json::json;
use shared::domain::access_level::AccessLevel;
use shared::domain::project::{ReleasesAccess, Visibility};
use shared::store::tokens::NewToken;

use harness::errors::{
    FORBIDDEN, PROJECT_NOT_FOUND, RELEASE_NOT_FOUND, ROUTE_NOT_FOUND, TAG_NAME_INVALID,
};
use harness::test_app::{RELEASES, TestApp, grant, project, token};
use harness::{Server, test_app};

const LATEST: &str = "/projects/20/releases/permalink/latest";
const NOT_A_FILE_PATH: &str = r#"{"error":"suffix_path should be a valid file path"}"#;

#[tokio::test]
async fn the_latest_release_is_a_path_with_the_projects_number() {
    let (test_app, api) = TestApp::hello().await;
    let release = "/api/v4/projects/20/releases/v1.7.0";
    let body = format!(r#""This resource has been moved temporarily to {release}.""#);
    for path in [
        LATEST.to_owned(),
        format!("{LATEST}/"),
        "/projects/MYnamespace%2Fhello/releases/permalink/latest".to_owned(),
    ] {
        let reply = api.get(&path).await;
        reply.is(302, &body);
        reply.leads_to(release);
        assert_eq!(reply.header("content-type"), "text/plain");
        assert_eq!(reply.header("cache-control"), "private, no-store");
        let head = api.head(&path).await;
        head.is(302, "");
        assert_eq!(head.header("location"), release);
    }
    for (asked, location) in [
        ("/assets/links", "/assets/links"),
        ("/assets/links/7", "/assets/links/7"),
        ("/downloads/bin/app.json", "/downloads/bin/app.json"),
        ("/assets%2Flinks", "/assets/links"),
        ("/%C3%A9%20%23%3F%25", "/%C3%A9%20%23%3F%25"),
        ("/a+b@c:d;e=f", "/a+b@c:d;e=f"),
        ("?a=b", "?a=b"),
        ("?order_by=released_at", ""),
        ("?order_by=x&b=1&a=2&order_by=y", "?a=2&b=1"),
        ("/assets/links?per_page=1&order_by=z&page=2", "/assets/links?page=2&per_page=1"),
        ("?a[]=1&a[]=2&b[c]=d%26", "?a%5B%5D=1&a%5B%5D=2&b%5Bc%5D=d%26"),
        ("?include_html_description=true&x=%C3%A9+1", "?include_html_description=true&x=%C3%A9+1"),
    ] {
        api.get(&format!("{LATEST}{asked}")).await.leads_to(&format!("{release}{location}"));
    }
    test_app.change_project(20, |project| project.visibility = Visibility::Public).await;
    let reply = test_app.anonymous().get(LATEST).await;
    reply.leads_to(release);
    assert_eq!(reply.header("cache-control"), "public, max-age=60");
    let members = ReleasesAccess::Private;
    test_app.change_project(20, |project| project.releases_access = members).await;
    assert_eq!(api.get(LATEST).await.header("cache-control"), "private, no-store");
    test_app.anonymous().get(LATEST).await.is(403, FORBIDDEN);
}

#[tokio::test]
async fn the_latest_is_the_one_of_the_latest_time_even_to_come() {
    let test_app = TestApp::empty();
    test_app.project(project(20, "mynamespace/hello")).await;
    let api = test_app.developer().await;
    for path in [LATEST.to_owned(), format!("{LATEST}/assets/links"), format!("{LATEST}?a=b")] {
        api.get(&path).await.is(404, RELEASE_NOT_FOUND);
    }
    for (tag, released_at, latest) in [
        ("a", "1960-01-01", "a"),
        ("b/1", "1970-01-01", "b%2F1"),
        ("c", "1969-12-31", "b%2F1"),
        ("d-\u{e9}#?", "2020-01-01", ""),
        ("d-\u{e9}#", "2020-01-01", "d-%C3%A9%23"),
        ("e", "2999-01-01", "e"),
        ("f", "2019-01-01", "e"),
    ] {
        let body = json!({ "tag_name": tag, "released_at": released_at }).to_string();
        let made = api.post(RELEASES, &body).await;
        if latest.is_empty() {
            made.is(400, TAG_NAME_INVALID);
            continue;
        }
        assert_eq!(made.status, 201, "{made:?}");
        api.get(LATEST).await.leads_to(&format!("/api/v4/projects/20/releases/{latest}"));
    }
    for (tag, latest) in [("e", "d-%C3%A9%23"), ("d-%C3%A9%23", "f")] {
        assert_eq!(api.delete(&format!("{RELEASES}/{tag}")).await.status, 200);
        api.get(LATEST).await.leads_to(&format!("/api/v4/projects/20/releases/{latest}"));
    }
}

#[tokio::test]
async fn the_way_can_be_gone_to_its_end() {
    let (test_app, api) = TestApp::hello().await;
    test_app.release(20, "r/2 \u{e9}").await;
    let links = format!("{RELEASES}/r%2F2%20%C3%A9/assets/links");
    let body = r#"{"name":"a","url":"https://files.example/app","filepath":"/bin/app"}"#;
    let link = api.post(&links, body).await;

    let release = api.follow(&api.get(LATEST).await).await;
    assert_eq!((release.status, &release.json()["tag_name"]), (200, &"r/2 \u{e9}".into()));
    let listed = api.follow(&api.get(&format!("{LATEST}/assets/links?per_page=1")).await).await;
    listed.is(200, &format!("[{}]", link.body));
    assert_eq!(listed.header("x-per-page"), "1");
    let one = api.get(&format!("{LATEST}/assets/links/{}", link.id())).await;
    api.follow(&one).await.is(200, &link.body);
    let file = api.follow(&api.get(&format!("{LATEST}/downloads/bin/app")).await).await;
    file.leads_to("https://files.example/app");
    let nothing = api.follow(&api.get(&format!("{LATEST}/nothing")).await).await;
    nothing.is(404, ROUTE_NOT_FOUND);

    // A token in the query is needed at the end too.
    let grants = vec![grant(20, AccessLevel::Reporter)];
    let secret = test_app.token(NewToken { grants, ..token() }).await;
    let query = format!("private_token={}", secret.reveal());
    let nobody = test_app.anonymous();
    let first = nobody.get(&format!("{LATEST}/downloads/bin/app?{query}&order_by=x")).await;
    let path = "/api/v4/projects/20/releases/r%2F2%20%C3%A9/downloads/bin/app";
    first.leads_to(&format!("{path}?{query}"));
    assert_eq!(first.header("cache-control"), "private, no-store");
    nobody.follow(&first).await.leads_to("https://files.example/app");
}

#[tokio::test]
async fn a_suffix_may_not_leave_the_release() {
    let (test_app, api) = TestApp::hello().await;
    for suffix in [
        "..",
        "../x",
        "a/../b",
        "a/..",
        "%2e%2e/x",
        "%2E.",
        "..%2Fx",
        "..%5Cx",
        "a%5c..%5Cb",
        "a\\..\\b",
        "a%0Ab",
        "%0A",
        ".",
    ] {
        api.get(&format!("{LATEST}/{suffix}")).await.is(400, NOT_A_FILE_PATH);
    }
    for bytes in ["%FF", "a%00b"] {
        api.get(&format!("{LATEST}/{bytes}")).await.is(400, "Bad Request");
    }
    // The form of a suffix is looked at before the right to read code, and after the project.
    let guest = test_app.member(AccessLevel::Guest).await;
    guest.get(&format!("{LATEST}/../x")).await.is(400, NOT_A_FILE_PATH);
    guest.get(LATEST).await.is(403, FORBIDDEN);
    let no_project = PROJECT_NOT_FOUND;
    test_app.anonymous().get(&format!("{LATEST}/../x")).await.is(404, no_project);
    test_app.change_project(20, |project| project.visibility = Visibility::Internal).await;
    guest.get(LATEST).await.leads_to("/api/v4/projects/20/releases/v1.7.0");
    for method in ["POST", "PUT", "DELETE"] {
        api.send(method, LATEST, "", b"").await.is(404, ROUTE_NOT_FOUND);
    }
}

#[tokio::test]
async fn an_installation_below_a_path_is_not_left() {
    let test_app =
        TestApp::over(Server::start_empty(&["--public-url", "https://releases.example/gitlab/"]));
    let api = test_app.populate().await;
    let release = "/gitlab/api/v4/projects/20/releases/v1.7.0";
    api.get(LATEST).await.leads_to(release);
    let links = format!("{LATEST}/assets/links?a=b");
    api.get(&links).await.leads_to(&format!("{release}/assets/links?a=b"));
    let body = r#"{"name":"a","url":"https://files.example/a","filepath":"/bin/app"}"#;
    assert_eq!(api.post(test_app::LINKS, body).await.status, 201);
    api.get("/mynamespace/hello/-/releases/permalink/latest/downloads/bin/app").await.leads_to(
        "https://releases.example/gitlab/mynamespace/hello/-/releases/v1.7.0/downloads/bin/app",
    );
}
