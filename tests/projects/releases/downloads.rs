//! `GET /projects/:id/releases/:tag_name/downloads/*direct_asset_path`

use std::time::Duration;

use shared::domain::access_level::AccessLevel;
use shared::domain::project::{ReleasesAccess, Visibility};
use shared::store::tokens::NewToken;

use harness::Api;
use harness::errors::{
    FORBIDDEN, PROJECT_NOT_FOUND, RECORD_NOT_FOUND, RELEASE_NOT_FOUND, ROUTE_NOT_FOUND,
    UNAUTHORIZED,
};
use harness::test_app::{LINKS, RELEASE, RELEASES, TestApp, grant, job_token, token};

const DOWNLOAD: &str = "/projects/20/releases/v1.7.0/downloads/bin/app";
const FILE: &str = "https://files.example/app?a=1&b=2#c";
const NOT_A_FILE_PATH: &str = r#"{"error":"direct_asset_path should be a valid file path"}"#;

/// Makes a link with this path and answers with its own path.
async fn make(api: &Api, name: &str, url: &str, path: &str) -> String {
    let body = serde_json::json!({ "name": name, "url": url, "direct_asset_path": path });
    let made = api.post(LINKS, &body.to_string()).await;
    assert_eq!(made.status, 201, "{made:?}");
    format!("{LINKS}/{}", made.id())
}

#[tokio::test]
async fn a_path_leads_to_the_url_of_its_link() {
    let (test_app, api) = TestApp::hello().await;
    make(&api, "a", FILE, "/bin/app").await;
    let body = format!(r#""This resource has been moved temporarily to {FILE}.""#);
    for path in [DOWNLOAD, "/projects/MyNamespace%2FHello/releases/v1.7.0/downloads/bin/app"] {
        let reply = api.get(path).await;
        reply.is(302, &body);
        for (name, value) in [
            ("location", FILE),
            ("content-type", "text/plain"),
            ("cache-control", "private, no-store"),
        ] {
            assert_eq!(reply.header(name), value);
        }
        assert!(!reply.headers.contains_key("etag"));
        let head = api.head(path).await;
        head.is(302, "");
        assert_eq!(head.header("location"), FILE);
    }
    // Public downloads are cacheable for a moment.
    for (visibility, releases_access, expected) in [
        (Visibility::Public, ReleasesAccess::Enabled, "public, max-age=60"),
        (Visibility::Public, ReleasesAccess::Private, "private, no-store"),
        (Visibility::Internal, ReleasesAccess::Enabled, "private, no-store"),
    ] {
        test_app
            .change_project(20, |project| {
                project.visibility = visibility;
                project.releases_access = releases_access;
            })
            .await;
        let reply = api.get(DOWNLOAD).await;
        reply.leads_to(FILE);
        assert_eq!(reply.header("cache-control"), expected, "{visibility:?} {releases_access:?}");
    }
    for method in ["POST", "PUT", "PATCH", "DELETE"] {
        api.send(method, DOWNLOAD, "", b"").await.is(404, ROUTE_NOT_FOUND);
    }
}

#[tokio::test]
async fn tokens_come_as_on_every_other_endpoint() {
    let (test_app, api) = TestApp::hello().await;
    make(&api, "a", FILE, "/bin/app").await;
    let grants = || vec![grant(20, AccessLevel::Reporter)];
    let access = test_app.token(NewToken { grants: grants(), ..token() }).await;
    let job = NewToken { grants: grants(), ..job_token("mynamespace/hello") };
    let job = test_app.token(job).await;
    let [access, job] = [access.reveal(), job.reveal()];
    let nobody = test_app.anonymous();
    for (api, query) in [
        (nobody.with("private-token", access), String::new()),
        (nobody.with("authorization", &format!("Bearer {access}")), String::new()),
        (nobody.with("job-token", job), String::new()),
        (nobody.with("authorization", &format!("Bearer {job}")), String::new()),
        (nobody.clone(), format!("?private_token={access}")),
        (nobody.clone(), format!("?access_token={access}")),
        (nobody.clone(), format!("?job_token={job}")),
        (nobody.clone(), format!("?token={job}&a=b")),
    ] {
        let reply = api.get(&format!("{DOWNLOAD}{query}")).await;
        // A token goes no further than this.
        reply.leads_to(FILE);
        assert!(!format!("{reply:?}").contains(access), "{reply:?}");
    }
    let no_project = PROJECT_NOT_FOUND;
    let unauthorized = UNAUTHORIZED;
    nobody.get(DOWNLOAD).await.is(404, no_project);
    test_app.api_with(token()).await.get(DOWNLOAD).await.is(404, no_project);
    let expired = NewToken { expires_in: Some(Duration::ZERO), grants: grants(), ..token() };
    test_app.api_with(expired).await.get(DOWNLOAD).await.is(
        401,
        r#"{"error":"invalid_token","error_description":"Token is expired. You can either do re-authorization or token refresh."}"#,
    );
    test_app.change_project(20, |project| project.visibility = Visibility::Public).await;
    nobody.get(DOWNLOAD).await.leads_to(FILE);
    for query in ["?private_token=glpat-x", "?job_token=glcbt-x"] {
        nobody.get(&format!("{DOWNLOAD}{query}")).await.is(401, unauthorized);
    }
    nobody.with("private-token", "x").get(DOWNLOAD).await.is(401, unauthorized);
}

#[tokio::test]
async fn callers_who_may_read_code_learn_what_is_missing() {
    let (test_app, api) = TestApp::hello().await;
    make(&api, "a", FILE, "/bin/app").await;
    let guest = test_app.member(AccessLevel::Guest).await;
    for (path, status, expected) in [
        (DOWNLOAD, 302, None),
        ("/projects/99/releases/v1.7.0/downloads/bin/app", 404, Some(PROJECT_NOT_FOUND)),
        ("/projects/20/releases/none/downloads/bin/app", 404, Some(RELEASE_NOT_FOUND)),
        ("/projects/20/releases/a..b/downloads/bin/app", 404, Some(RELEASE_NOT_FOUND)),
        ("/projects/20/releases/none/downloads/x", 404, Some(RELEASE_NOT_FOUND)),
        ("/projects/20/releases/v1.7.0/downloads/bin/ap", 404, Some(RECORD_NOT_FOUND)),
        ("/projects/20/releases/v1.7.0/downloads/bin/App", 404, Some(RECORD_NOT_FOUND)),
        ("/projects/20/releases/v1.7.0/downloads/x", 404, Some(RECORD_NOT_FOUND)),
        ("/projects/20/releases/v1.7.0/downloads/a?b", 404, Some(RECORD_NOT_FOUND)),
        ("/projects/20/releases/v1.7.0/downloads", 404, Some(ROUTE_NOT_FOUND)),
        ("/projects/20/releases/v1.7.0/downloads/", 404, Some(ROUTE_NOT_FOUND)),
        (
            "/projects/mynamespace/hello/releases/v1.7.0/downloads/bin/app",
            404,
            Some(ROUTE_NOT_FOUND),
        ),
    ] {
        let reply = api.get(path).await;
        assert_eq!(reply.status, status, "{path}: {reply:?}");
        if let Some(expected) = expected {
            assert_eq!(reply.body, expected, "{path}");
        }
        // A guest of a private project learns only what the path alone tells.
        let reply = guest.get(path).await;
        match expected {
            Some(expected) if expected == ROUTE_NOT_FOUND || path.contains("/99/") => {
                reply.is(404, expected);
            }
            _ => reply.is(403, FORBIDDEN),
        }
    }
    guest.get("/projects/20/releases/none/downloads/../x").await.is(400, NOT_A_FILE_PATH);
    test_app.change_project(20, |project| project.visibility = Visibility::Internal).await;
    guest.get(DOWNLOAD).await.leads_to(FILE);
}

#[tokio::test]
async fn a_path_is_decoded_once_and_may_not_leave_its_folder() {
    let (test_app, api) = TestApp::hello().await;
    let paths = [
        "/bin/app",
        "/app.json",
        "/.ab",
        "/@in/x",
        "/%in/x",
        "/ in/x",
        "/\u{e9}bc",
        "/a/b/c/d/e/f",
        "/123",
        "/../ab",
        "/a/../b",
    ];
    for (number, path) in paths.iter().enumerate() {
        make(&api, path, &format!("https://files.example/{number}"), path).await;
    }
    for (path, number) in [
        ("bin/app", 0),
        ("bin%2Fapp", 0),
        ("bin%2fap%70", 0),
        ("app.json", 1),
        (".ab", 2),
        ("%2Eab", 2),
        ("@in/x", 3),
        ("%40in/x", 3),
        ("%25in/x", 4),
        ("%20in/x", 5),
        ("%C3%A9bc", 6),
        ("a/b/c/d/e/f", 7),
        ("a%2Fb/c/d%2Fe/f", 7),
        ("123", 8),
    ] {
        let reply = api.get(&format!("{RELEASE}/downloads/{path}")).await;
        reply.leads_to(&format!("https://files.example/{number}"));
    }
    for path in [
        "..",
        "../ab",
        "a/../b",
        "a/..",
        "%2e%2e/ab",
        "%2E./ab",
        "a/%2e%2e/b",
        "..%2Fab",
        "a%2f..%2fb",
        "..%5Cab",
        "a\\..\\b",
        "a%0Ab",
        ".",
    ] {
        api.get(&format!("{RELEASE}/downloads/{path}")).await.is(400, NOT_A_FILE_PATH);
    }
    for path in ["bin%2F%2Fapp", "bin/app.", "bin%252Fapp", "...", "..ab", "a..b/c", "b+n", "b%20n"]
    {
        api.get(&format!("{RELEASE}/downloads/{path}")).await.is(404, RECORD_NOT_FOUND);
    }
    for bytes in ["%FF", "a%00b", "%C3"] {
        api.get(&format!("{RELEASE}/downloads/{bytes}")).await.is(400, "Bad Request");
    }

    for (tag, encoded) in [("r/1 \u{fc}", "r%2F1%20%C3%BC"), ("v1.0.json", "v1.0.json")] {
        test_app.release(20, tag).await;
        let links = format!("{RELEASES}/{encoded}/assets/links");
        let body = r#"{"name":"a","url":"https://files.example/of-tag","filepath":"/bin/app"}"#;
        assert_eq!(api.post(&links, body).await.status, 201);
        let path = format!("{RELEASES}/{encoded}/downloads/bin/app");
        api.get(&path).await.leads_to("https://files.example/of-tag");
    }
}

#[tokio::test]
async fn every_change_of_a_link_counts_at_once() {
    let (test_app, api) = TestApp::hello().await;
    test_app.change_project(20, |project| project.visibility = Visibility::Public).await;
    let nobody = test_app.anonymous();
    let link = make(&api, "a", "https://files.example/1", "/bin/app").await;
    let other = format!("{RELEASE}/downloads/bin/other");
    nobody.get(DOWNLOAD).await.leads_to("https://files.example/1");
    nobody.get(&other).await.is(404, RECORD_NOT_FOUND);

    let change = async |body: &str| assert_eq!(api.put(&link, body).await.status, 200, "{body}");
    change(r#"{"url":"https://files.example/2"}"#).await;
    nobody.get(DOWNLOAD).await.leads_to("https://files.example/2");
    change(r#"{"name":"b"}"#).await;
    nobody.get(DOWNLOAD).await.leads_to("https://files.example/2");
    change(r#"{"name":"b","direct_asset_path":"/bin/other"}"#).await;
    nobody.get(DOWNLOAD).await.is(404, RECORD_NOT_FOUND);
    nobody.get(&other).await.leads_to("https://files.example/2");
    // The path that was left may be another link's.
    make(&api, "c", "https://files.example/3", "/bin/app").await;
    nobody.get(DOWNLOAD).await.leads_to("https://files.example/3");
    change(r#"{"name":"b","direct_asset_path":null}"#).await;
    nobody.get(&other).await.is(404, RECORD_NOT_FOUND);
    change(r#"{"url":"https://files.example/4","direct_asset_path":"/bin/other"}"#).await;
    nobody.get(&other).await.leads_to("https://files.example/4");
    assert_eq!(api.delete(&link).await.status, 200);
    nobody.get(&other).await.is(404, RECORD_NOT_FOUND);
    assert_eq!(api.delete(RELEASE).await.status, 200);
    nobody.get(DOWNLOAD).await.is(404, RELEASE_NOT_FOUND);
    assert_eq!(api.post(RELEASES, r#"{"tag_name":"v1.7.0"}"#).await.status, 201);
    nobody.get(DOWNLOAD).await.is(404, RECORD_NOT_FOUND);
    make(&api, "a", "https://files.example/5", "/bin/app").await;
    nobody.get(DOWNLOAD).await.leads_to("https://files.example/5");
    test_app.assert_sound().await;
}
