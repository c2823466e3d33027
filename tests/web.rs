//! What all paths share, such as unknown routes, CORS and the OpenAPI file, and the pages for downloads.

use serde_json::{Value, json};
use shared::domain::access_level::AccessLevel;
use shared::domain::project::{ReleasesAccess, Visibility};
use shared::domain::token::Scope;
use shared::store::projects::NewProject;
use shared::store::tokens::NewToken;

use harness::binaries::workspace;
use harness::errors::{ROUTE_NOT_FOUND, UNAUTHORIZED};
use harness::test_app::{
    LINKS, RELEASE, RELEASES, grant, job_token, new_release, project, test_deadline, token,
};
use harness::{Api, Server, TestApp};

#[tokio::test]
async fn unknown_paths_and_methods_are_gitlabs_404() {
    let (_world, api) = TestApp::hello().await;
    let links = format!("/api/v4{LINKS}");
    for (method, path) in [
        ("POST", "/"),
        ("GET", "/nothing"),
        ("POST", "/mynamespace/hello"),
        ("GET", "/-/nothing"),
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
        ("PUT", "/api/v4/projects/20/releases"),
        ("DELETE", "/api/v4/projects/20/releases"),
        ("POST", "/api/v4/projects/20/releases/v1.7.0"),
        ("PATCH", "/api/v4/projects/20/releases/v1.7.0"),
        ("GET", "/api/v4/projects/20/releases/v1/7/0"),
        ("GET", "/api/v4/projects/20/releases/v1.7.0/assets"),
        ("GET", "/api/v4/projects/20/releases/v1.7.0/evidence"),
        ("POST", "/api/v4/projects"),
        ("GET", "/api/v4/users/1"),
        ("POST", "/api/v4/version"),
    ] {
        api.send(method, path, "", b"").await.is(404, ROUTE_NOT_FOUND);
    }
    assert_eq!(api.send("HEAD", "/api/v4/nothing", "", b"").await.status, 404);
    for path in ["/api/v3", "/api/v3/projects/1"] {
        api.get(path)
            .await
            .is(410, r#"{"error":"API V3 is no longer supported. Use API V4 instead."}"#);
    }
}

#[tokio::test]
async fn uploads_are_told_to_give_the_asset_a_url() {
    let (test_app, developer) = TestApp::hello().await;
    let words = "404 Not Found: this server stores links to files, not files. Upload the file elsewhere and give the asset its `url`.";
    let body = serde_json::json!({ "message": words, "error": words }).to_string();
    // The answer tells nothing about the project or the caller.
    let unknown = test_app.anonymous().with("private-token", "glpat-x");
    for api in [&developer, &test_app.anonymous(), &unknown] {
        for project in ["20", "mynamespace%2Fhello", "99", "none"] {
            for (method, path, content_type) in [
                ("POST", "uploads", "multipart/form-data; boundary=x"),
                ("POST", "uploads/", ""),
                ("PUT", "uploads", "text/plain"),
                ("PUT", "packages/generic/release/1.0.0/app?select=package_file", ""),
                ("PUT", "packages/generic/a%2Fb/1%2E0/app.tar.gz", "application/octet-stream"),
                ("POST", "packages/generic/release/1.0.0/app", "application/json"),
            ] {
                let path = format!("/api/v4/projects/{project}/{path}");
                let reply = api.send(method, &path, content_type, b"{not JSON\xff").await;
                reply.is(404, &body);
                assert_eq!(reply.header("content-type"), "application/json");
            }
        }
    }
    for (method, path) in [
        ("GET", "/api/v4/projects/20/uploads"),
        ("DELETE", "/api/v4/projects/20/uploads"),
        ("POST", "/api/v4/projects/20/uploads/1"),
        ("GET", "/api/v4/projects/20/packages/generic/release/1.0.0/app"),
        ("PUT", "/api/v4/projects/20/packages/npm/app"),
        ("POST", "/api/v4/projects/a/b/uploads"),
        ("POST", "/x/projects/20/uploads"),
    ] {
        developer.send(method, path, "", b"").await.is(404, ROUTE_NOT_FOUND);
    }
}

#[tokio::test]
async fn options_names_the_methods_of_a_path() {
    let (_world, api) = TestApp::hello().await;
    for (path, allow) in [
        (LINKS.to_owned(), "OPTIONS, GET, POST, HEAD"),
        (format!("{LINKS}/1"), "OPTIONS, GET, PUT, DELETE, HEAD"),
        (RELEASES.to_owned(), "OPTIONS, GET, POST, HEAD"),
        (RELEASE.to_owned(), "OPTIONS, GET, PUT, DELETE, HEAD"),
        (format!("{RELEASE}/downloads/a/b"), "OPTIONS, GET, HEAD"),
        (format!("{RELEASES}/permalink/latest"), "OPTIONS, GET, HEAD"),
        (format!("{RELEASES}/permalink/latest/a/b/"), "OPTIONS, GET, HEAD"),
        ("/projects/20".to_owned(), "OPTIONS, GET, HEAD"),
        ("/projects/20/members/all/1".to_owned(), "OPTIONS, GET, HEAD"),
        ("/projects/20/repository/tags/v1".to_owned(), "OPTIONS, GET, DELETE, HEAD"),
        ("/projects/20/repository/commits/a/merge_requests".to_owned(), "OPTIONS, GET, HEAD"),
        ("/api/v4/user".to_owned(), "OPTIONS, GET, HEAD"),
        ("/api/v4/job/".to_owned(), "OPTIONS, GET, HEAD"),
        ("/api/v4/version".to_owned(), "OPTIONS, GET, HEAD"),
    ] {
        let reply = api.send("OPTIONS", &path, "", b"").await;
        reply.is(204, "");
        assert_eq!(reply.header("allow"), allow);
    }
    assert_eq!(api.send("OPTIONS", "/api/v4/nothing", "", b"").await.status, 404);
}

#[tokio::test]
async fn pages_of_any_origin_may_call() {
    let (_world, api) = TestApp::hello().await;
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

/// A world with a public project of a nested path and a release with a file in it.
async fn nested() -> TestApp {
    let test_app = TestApp::empty();
    let public = NewProject { visibility: Visibility::Public, ..project(20, "Top/sub.group/app") };
    test_app.project(public).await;
    test_app.release(20, "v1").await;
    let developer = test_app.developer().await;
    let body = r#"{"name":"a","url":"https://files.example/app","filepath":"/bin/app"}"#;
    let links = "/projects/20/releases/v1/assets/links";
    assert_eq!(developer.post(links, body).await.status, 201);
    test_app
}

#[tokio::test]
async fn a_page_whose_own_path_looks_like_the_api_is_a_page() {
    let test_app = TestApp::empty();
    let public = NewProject { visibility: Visibility::Public, ..project(20, "acme/api/v4/docs") };
    test_app.project(public).await;
    test_app.release(20, "v1").await;
    let developer = test_app.developer().await;
    let nobody = test_app.anonymous();
    for path in ["/dist/api/v4/openapi.yaml", "/api/v3/old.yaml", "/api/v4/projects/20"] {
        let url = format!("https://files.example{path}");
        let body = format!(r#"{{"name":"{path}","url":"{url}","direct_asset_path":"{path}"}}"#);
        let made = developer.post("/projects/20/releases/v1/assets/links", &body).await;
        assert_eq!(made.status, 201, "{made:?}");
        let shown = made.json()["direct_asset_url"].as_str().unwrap().to_owned();
        let page = shown.strip_prefix(&format!("http://{}", nobody.address)).unwrap();
        nobody.get(page).await.leads_to(&url);
        let latest = format!("/acme/api/v4/docs/-/releases/permalink/latest/downloads{path}");
        nobody.get(&latest).await.leads_to(&shown);
    }
}

#[tokio::test]
async fn the_contract_is_served_with_the_url_of_the_installation() {
    let source = std::fs::read_to_string(workspace().join("infra/openapi.yaml")).unwrap();
    let mut contract: Value = serde_yaml_ng::from_str(&source).unwrap();
    contract.as_object_mut().unwrap().retain(|name, _| !name.starts_with("x-"));
    let direct = Server::start();
    let url = "https://releases.example.com/base";
    let behind_a_proxy = Server::start_empty(&["--public-url", url]);
    for (server, url) in
        [(&direct, format!("http://{}", direct.address)), (&behind_a_proxy, url.into())]
    {
        let api = Api::anonymous(&server.address);
        contract["servers"] = json!([{ "url": url }]);
        let reply = api.get("/openapi.json").await;
        assert_eq!((reply.status, reply.json()), (200, contract.clone()));
        assert_eq!(reply.header("content-type"), "application/json");
        assert_eq!(reply.header("cache-control"), "public, max-age=60");
        api.head("/openapi.json").await.is(200, "");
        for path in ["/-/openapi.json", "/api/v4/openapi.json", "/openapi.yaml"] {
            api.get(path).await.is(404, ROUTE_NOT_FOUND);
        }
        api.post("/openapi.json", "{}").await.is(404, ROUTE_NOT_FOUND);
    }
}

#[tokio::test]
async fn the_page_of_a_download_leads_to_the_file() {
    let test_app = nested().await;
    let nobody = test_app.anonymous();
    let body = r#""This resource has been moved temporarily to https://files.example/app.""#;
    for path in [
        "/Top/sub.group/app/-/releases/v1/downloads/bin/app",
        "/top/SUB.GROUP/App/-/releases/v1/downloads/bin/app",
        "/Top/sub.group/app/-/releases/%761/downloads/bin%2Fapp",
        "/Top/sub.group/app/-/releases/v1/downloads/bin/app?a=b",
    ] {
        let reply = nobody.get(path).await;
        reply.is(302, body);
        reply.leads_to("https://files.example/app");
        assert_eq!(reply.header("cache-control"), "public, max-age=60");
        assert_eq!(reply.header("content-type"), "text/plain");
        let head = nobody.head(path).await;
        head.is(302, "");
        assert_eq!(head.header("location"), "https://files.example/app");
    }
    for path in [
        "/Top/sub.group/app/-/releases/V1/downloads/bin/app",
        "/Top/sub.group/app/-/releases/none/downloads/bin/app",
        "/Top/sub.group/app/-/releases/a..b/downloads/bin/app",
        "/Top/sub.group/app/-/releases/v1/downloads/bin/App",
        "/Top/sub.group/app/-/releases/v1/downloads/x",
        "/Top/sub.group/app/-/releases/v1/downloads/../bin/app",
        "/Top/sub.group/app/-/releases/v1/downloads/%2e%2e/bin/app",
        "/Top/sub.group/app/-/releases/v1/downloads/bin%2F%2Fapp",
        "/Top/sub.group/app/-/releases/v1/downloads/",
        "/Top/sub.group/app/-/releases/v1/downloads",
        "/Top/sub.group/app/-/releases/v1/bin/app",
        "/sub.group/app/-/releases/v1/downloads/bin/app",
        "/app/-/releases/v1/downloads/bin/app",
        "/-/releases/v1/downloads/bin/app",
        "//-/releases/v1/downloads/bin/app",
        "/20/-/releases/v1/downloads/bin/app",
        "/Top/sub.group/app/x/-/releases/v1/downloads/bin/app",
    ] {
        nobody.get(path).await.is(404, ROUTE_NOT_FOUND);
    }
    let path = "/Top/sub.group/app/-/releases/v1/downloads/bin/app";
    for method in ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
        nobody.send(method, path, "", b"").await.is(404, ROUTE_NOT_FOUND);
    }
    let page = nobody.with("origin", "https://page.example");
    let preflight =
        page.with("access-control-request-method", "GET").send("OPTIONS", path, "", b"").await;
    preflight.is(200, "");
    assert_eq!(page.get(path).await.header("access-control-allow-origin"), "*");
    for bytes in ["%FF", "a%00b"] {
        let path = format!("/Top/sub.group/app/-/releases/v1/downloads/{bytes}");
        nobody.get(&path).await.is(400, "Bad Request");
        let path = format!("/Top/sub.group/app/-/releases/{bytes}/downloads/bin/app");
        nobody.get(&path).await.is(400, "Bad Request");
    }
}

#[tokio::test]
async fn a_page_that_may_not_be_seen_is_not_there() {
    let test_app = nested().await;
    let download = "/Top/sub.group/app/-/releases/v1/downloads/bin/app";
    let latest = "/Top/sub.group/app/-/releases/permalink/latest";
    let nobody = test_app.anonymous();
    let stranger = test_app.api_with(token()).await;
    // GitLab shows the files of a release to everyone who sees the release.
    let guest = test_app.member(AccessLevel::Guest).await;
    let grants = || vec![grant(20, AccessLevel::Developer)];
    let reader = NewToken { scope: Scope::ReadApi, grants: grants(), ..token() };
    let reader = test_app.token(reader).await;
    let job = NewToken { grants: grants(), ..job_token("Top/sub.group/app") };
    let job = test_app.token(job).await;
    let elsewhere = test_app.token(job_token("other/project")).await;
    let elsewhere = nobody.with("job-token", elsewhere.reveal());
    let unknown = nobody.with("private-token", "glpat-x");
    let [reader, job] = [reader.reveal(), job.reveal()];
    let members = [
        (guest, String::new()),
        (nobody.with("private-token", reader), String::new()),
        (nobody.with("authorization", &format!("Bearer {reader}")), String::new()),
        (nobody.clone(), format!("?private_token={reader}")),
        (nobody.with("job-token", job), String::new()),
    ];
    for (visibility, releases_access, to_nobody, to_stranger, to_members) in [
        (Visibility::Public, ReleasesAccess::Enabled, true, true, true),
        (Visibility::Internal, ReleasesAccess::Enabled, false, true, true),
        (Visibility::Private, ReleasesAccess::Enabled, false, false, true),
        (Visibility::Public, ReleasesAccess::Private, false, false, true),
        (Visibility::Internal, ReleasesAccess::Private, false, false, true),
        (Visibility::Public, ReleasesAccess::Disabled, false, false, false),
    ] {
        test_app
            .change_project(20, |project| {
                project.visibility = visibility;
                project.releases_access = releases_access;
            })
            .await;
        let open = (visibility, releases_access) == (Visibility::Public, ReleasesAccess::Enabled);
        for path in [download, latest] {
            let case = format!("{path} {visibility:?} {releases_access:?}");
            let others = [(&nobody, to_nobody), (&stranger, to_stranger), (&elsewhere, false)];
            let members = members.iter().map(|(api, query)| (api, query.as_str(), to_members));
            for (api, query, shown) in
                others.into_iter().map(|(api, shown)| (api, "", shown)).chain(members)
            {
                let reply = api.get(&format!("{path}{query}")).await;
                if shown {
                    assert_eq!(reply.status, 302, "{case}: {reply:?}");
                    // A URL with a token in it is nothing for anybody's cache.
                    let holds = if open && query.is_empty() {
                        "public, max-age=60"
                    } else {
                        "private, no-store"
                    };
                    assert_eq!(reply.header("cache-control"), holds, "{case}");
                } else {
                    reply.is(404, ROUTE_NOT_FOUND);
                }
            }
            unknown.get(path).await.is(401, UNAUTHORIZED);
        }
    }
}

#[tokio::test]
async fn latest_permalink_redirects_to_an_absolute_url() {
    let test_app = nested().await;
    let latest = "/top/sub.group/APP/-/releases/permalink/latest";
    let api = test_app.developer().await;
    let root = format!("http://{}/Top/sub.group/app/-/releases", api.address);
    for (asked, location) in [
        ("", "/v1"),
        ("/", "/v1"),
        ("/downloads/bin/app", "/v1/downloads/bin/app"),
        ("/downloads/bin%2Fapp", "/v1/downloads/bin/app"),
        ("/a%20b%23%3F?c=d", "/v1/a%20b%23%3F?c=d"),
        ("?order_by=released_at&b=1&a[]=2", "/v1?a%5B%5D=2&b=1"),
        ("?order_by=released_at", "/v1"),
    ] {
        let reply = api.get(&format!("{latest}{asked}")).await;
        reply.leads_to(&format!("{root}{location}"));
        assert_eq!(reply.header("cache-control"), "public, max-age=60");
    }
    for parameter in ["private_token", "access_token", "bearer_token", "job_token", "token"] {
        let reply = test_app.anonymous().get(&format!("{latest}?{parameter}=")).await;
        reply.leads_to(&format!("{root}/v1?{parameter}="));
        assert_eq!(reply.header("cache-control"), "private, no-store");
    }
    for suffix in ["/..", "/../x", "/a/%2e%2e/b", "/..%2Fx", "/a%0Ab", "x", ".json"] {
        api.get(&format!("{latest}{suffix}")).await.is(404, ROUTE_NOT_FOUND);
    }
    for path in [
        "/top/sub.group/none/-/releases/permalink/latest",
        "/top/sub.group/app/-/releases/permalink",
    ] {
        api.get(path).await.is(404, ROUTE_NOT_FOUND);
    }

    let file = api.get(&format!("{latest}/downloads/bin/app")).await;
    api.follow(&file).await.leads_to("https://files.example/app");
    let mut later = new_release(20, "r/2 \u{e9}");
    later.released_at = "2999-01-01T00:00:00Z".parse().unwrap();
    let now = shared::domain::time::Timestamp::now();
    test_app.store.create_release(later, now, test_deadline()).await.unwrap();
    api.get(latest).await.leads_to(&format!("{root}/r%2F2%20%C3%A9"));
    for tag in ["v1", "r%2F2%20%C3%A9"] {
        assert_eq!(api.delete(&format!("/projects/20/releases/{tag}")).await.status, 200);
    }
    api.get(latest).await.is(404, ROUTE_NOT_FOUND);
}

#[tokio::test]
async fn the_direct_asset_url_of_a_link_leads_to_its_url() {
    let (test_app, api) = TestApp::hello().await;
    let secret = NewToken { grants: vec![grant(20, AccessLevel::Guest)], ..token() };
    let secret = test_app.token(secret).await;
    let mut number = 0;
    for tag in ["v1", "r/1", "a@b", "100%", "a#b", "gr\u{f6}\u{df}e", "a+b&c=d;e@f", "%2F"] {
        let sent = serde_json::json!({ "tag_name": tag });
        let made = api.post(RELEASES, &sent.to_string()).await;
        let page = made.json()["_links"]["self"].as_str().unwrap().to_owned();
        let segment = page.rsplit_once('/').unwrap().1;
        for path in ["/bin/app", "/app.tar.gz", "/%in", "/@in/x", "/\u{e9}bc", "/ a/b", "/?ab"] {
            number += 1;
            let url = format!("https://files.example/{number}?a=b&c#d");
            let sent = serde_json::json!({ "name": path, "url": url, "filepath": path });
            let links = format!("{RELEASES}/{segment}/assets/links");
            let link = api.post(&links, &sent.to_string()).await;
            assert_eq!(link.status, 201, "{tag} {path}: {link:?}");
            let direct = link.json()["direct_asset_url"].as_str().unwrap().to_owned();
            let direct = direct.strip_prefix(&format!("http://{}", api.address)).unwrap();
            api.get(direct).await.leads_to(&url);
            let with_token = format!("{direct}?private_token={}", secret.reveal());
            test_app.anonymous().get(&with_token).await.leads_to(&url);
            test_app.anonymous().get(direct).await.is(404, ROUTE_NOT_FOUND);
        }
    }
}
