//! What a request or a stored value cannot do: lead a redirect away from where it should go, leave
//! a folder, or add a header to an answer.

use std::fmt::Write;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;
use shared::domain::project::Visibility;

use harness::errors::{ROUTE_NOT_FOUND, TAG_NAME_INVALID};
use harness::test_app::{LINKS, RELEASES, TestApp};
use harness::{Api, Reply, Server};

const DOWNLOADS: [&str; 2] = [
    "/projects/20/releases/v1.7.0/downloads/bin/app",
    "/mynamespace/hello/-/releases/v1.7.0/downloads/bin/app",
];
const LATEST: [&str; 2] =
    ["/projects/20/releases/permalink/latest", "/mynamespace/hello/-/releases/permalink/latest"];

/// Makes the link behind [`DOWNLOADS`], and answers with its path where the url is accepted.
async fn store(api: &Api, url: &str) -> Option<String> {
    let body = json!({ "name": "a", "url": url, "direct_asset_path": "/bin/app" }).to_string();
    let made = api.post(LINKS, &body).await;
    assert!(matches!(made.status, 201 | 400), "{url:?}: {made:?}");
    (made.status == 201).then(|| format!("{LINKS}/{}", made.id()))
}

/// Asserts that a redirect to the latest release, if it is one, stays below that release.
fn check_latest(reply: &Reply, root: &str) {
    match reply.status {
        302 => {
            let location = reply.header("location");
            let below = location.strip_prefix(root);
            let below = below.unwrap_or_else(|| panic!("{location}"));
            assert!(below.is_empty() || below.starts_with(['/', '?']), "{location}");
            let path = below.split('?').next().unwrap().to_lowercase();
            let path = path.replace("%2e", ".").replace("%2f", "/").replace("%5c", "/");
            assert!(path.split(['/', '\\']).all(|segment| segment != ".."), "{location}");
        }
        400 => assert!(
            reply.body == "Bad Request"
                || reply.body == r#"{"error":"suffix_path should be a valid file path"}"#,
            "{reply:?}"
        ),
        _ => reply.is(404, ROUTE_NOT_FOUND),
    }
}

fn roots(address: &str) -> [String; 2] {
    let page = format!("http://{address}/mynamespace/hello/-/releases/v1.7.0");
    ["/api/v4/projects/20/releases/v1.7.0".to_owned(), page]
}

#[tokio::test]
async fn a_download_leads_to_the_stored_url_and_nowhere_else() {
    let (_world, api) = TestApp::hello().await;
    for (url, location) in [
        ("https://e.com", None),
        ("http://[::1]:80/x?y#z", None),
        ("https://good.example@evil.example/", None),
        ("https://good.example\\@evil.example/", None),
        ("https://evil.example#@good.example/", None),
        ("https://e.com//evil.example/%2e%2e/../..%2f", None),
        ("https://e.com/%0d%0aX-Evil:%201%00", None),
        ("https://e.com/\"a'<b>`{c}|\\d^", None),
        ("https://e.com/?to=https://evil.example#//evil.example", None),
        ("https://e.com/%zz%", None),
        ("https:///p", None),
        ("http:foo", None),
        ("ftp://user:pass@f.example/x;type=a", None),
        (" https://e.com/trimmed\r\n", Some("https://e.com/trimmed")),
        // Characters that no header carries are encoded.
        ("https://e.com/a b", Some("https://e.com/a%20b")),
        (
            "https://e.com/\u{e9}%20?\u{fc}=1#\u{65e5}",
            Some("https://e.com/%C3%A9%20?%C3%BC=1#%E6%97%A5"),
        ),
        ("https://b\u{fc}cher.example/x", Some("https://xn--bcher-kva.example/x")),
        ("https://u:p\u{e4}@e.com/", Some("https://u:p%C3%A4@e.com/")),
        ("https://e.com:99999/\u{e9}", Some("https://e.com:99999/%C3%A9")),
        ("http:foo b", Some("http:foo%20b")),
        ("https:///p q", Some("https:///p%20q")),
        ("https://e.com/\u{85}\u{2028}\u{7f}", Some("https://e.com/%C2%85%E2%80%A8%7F")),
        ("https://e.com/a\u{1}b", Some("https://e.com/a%01b")),
    ] {
        let link = store(&api, url).await.unwrap_or_else(|| panic!("{url} is refused"));
        for path in DOWNLOADS {
            let reply = api.get(path).await;
            reply.leads_to(location.unwrap_or(url));
            // No client takes what the url says for a page.
            assert_eq!(reply.header("content-type"), "text/plain");
        }
        assert_eq!(api.delete(&link).await.status, 200);
    }
}

#[tokio::test]
async fn characters_that_no_header_carries_are_encoded_and_others_stay() {
    let (_world, api) = TestApp::hello().await;
    for (url, location) in [
        ("https://e.com/a\tb", "https://e.com/a%09b"),
        ("https://e.com/x/../y z", "https://e.com/x/../y%20z"),
        ("https://e.com/x/%2e%2e/\u{e9}", "https://e.com/x/%2e%2e/%C3%A9"),
        ("https://e.com/a\\b c", "https://e.com/a\\b%20c"),
        ("https://E.com:443/\u{e9}", "https://E.com:443/%C3%A9"),
        ("https://e.com?a b", "https://e.com?a%20b"),
    ] {
        let link = store(&api, url).await.unwrap_or_else(|| panic!("{url} is refused"));
        for path in DOWNLOADS {
            api.get(path).await.leads_to(location);
        }
        assert_eq!(api.delete(&link).await.status, 200);
    }
}

#[tokio::test]
async fn line_breaks_end_no_header_wherever_they_come_from() {
    let (_world, api) = TestApp::hello().await;
    let link = store(&api, "https://e.com/a").await.unwrap();
    for field in ["name", "url"] {
        api.put(&link, &json!({ field: "https://e.com/\0" }).to_string())
            .await
            .is(400, "Bad Request");
    }
    for inner in ["\r\n", "\n", "\r"] {
        let url = format!("https://e.com/{inner}x-evil: 1");
        let body = json!({ "url": url }).to_string();
        let refused = r#"{"message":["Url is blocked: URI is invalid"]}"#;
        api.put(&link, &body).await.is(400, refused);
        let body = json!({ "name": "b", "url": url }).to_string();
        api.post(LINKS, &body).await.is(400, refused);
        let links = json!([{ "name": "b", "url": url }]);
        let body = json!({ "tag_name": "v2", "assets": { "links": links } }).to_string();
        api.post(RELEASES, &body)
            .await
            .is(400, r#"{"message":"Validation failed: Links url is blocked: URI is invalid"}"#);
        let body = json!({ "tag_name": format!("v2{inner}x-evil: 1") }).to_string();
        api.post(RELEASES, &body).await.is(400, TAG_NAME_INVALID);

        // Texts that stand in bodies only are kept as they are.
        let text = format!("a{inner}x-evil: 1{inner}{inner}<script>");
        assert_eq!(api.put(&link, &json!({ "name": text }).to_string()).await.status, 200);
        assert_eq!(api.get(&link).await.json()["name"], text.as_str());
        let body = json!({ "name": text, "description": text }).to_string();
        let release = api.put("/projects/20/releases/v1.7.0", &body).await.json();
        assert_eq!(
            (&release["name"], &release["description"]),
            (&text.as_str().into(), &text.as_str().into())
        );
        let tag = api.get("/projects/20/repository/tags/v1.7.0").await.json();
        assert_eq!(tag["release"]["description"], text.as_str());
    }
    for path in DOWNLOADS {
        api.get(path).await.leads_to("https://e.com/a");
    }

    for (latest, root) in LATEST.iter().zip(roots(&api.address)) {
        for evil in
            ["%0d%0ax-evil:%201", "%0ax-evil:1", "%0dx-evil:1", "%E5%98%8D%E5%98%8Ax-evil:1"]
        {
            check_latest(&api.get(&format!("{latest}/{evil}")).await, &root);
            let reply = api.get(&format!("{latest}?a={evil}&{evil}=b")).await;
            assert_eq!(reply.status, 302, "{reply:?}");
            check_latest(&reply, &root);
        }
        api.get(&format!("{latest}/%0dx-evil:1")).await.leads_to(&format!("{root}/%0Dx-evil:1"));
        api.get(&format!("{latest}?a=%0d%0ax-evil:1"))
            .await
            .leads_to(&format!("{root}?a=%0D%0Ax-evil%3A1"));
    }
    for list in [RELEASES, LINKS, "/projects/20/repository/commits/%0d%0ax-evil:1/merge_requests"] {
        let reply = api.get(&format!("{list}?a=%0d%0ax-evil:1&%0d%0ax-evil:1=%3E;")).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        // Only what the list knows is repeated, encoded.
        let sha = if list.ends_with("merge_requests") { "&sha=%0D%0Ax-evil%3A1>" } else { "" };
        assert!(reply.header("link").contains("?id=20&"), "{reply:?}");
        assert!(reply.header("link").contains(sha), "{reply:?}");
        assert!(!reply.header("link").contains("&a="), "{reply:?}");
    }
    for path in [
        "/projects/20/releases/v1%0d%0ax-evil:1",
        "/projects/%0d%0ax-evil:1",
        "/projects/20/members/all/%0d%0a1%0d%0ax",
        "/projects/20/releases/v1.7.0/downloads/%0d%0ax-evil:1",
        "/mynamespace%0d%0a/hello/-/releases/v1.7.0/downloads/bin/app",
        "/%0d%0ax-evil:1",
    ] {
        assert!(matches!(api.get(path).await.status, 400 | 404), "{path}");
    }
}

/// Suffixes of the permalink of the latest release.
const SUFFIXES: &str = r"
    //evil.example ///evil.example /\evil.example /\\evil.example /@evil.example
    /%2f%2fevil.example /%2f/evil.example /%5c%5cevil.example /%40evil.example /%23@evil.example
    /%3f@evil.example /:@evil.example /;@evil.example /https://evil.example
    /https:%2f%2fevil.example /%09//evil.example /%20/evil.example /.. /../.. /../../../../evil
    /%2e%2e/evil /%2E%2E/evil /.%2e/evil /%2e./evil /..%2fevil /..%2f..%2fevil /..%5cevil /a/..
    /a/../.. /a/..%2f /a\..\b /%252e%252e/evil /%252e%252e%252fevil /..%252fevil /..%255cevil
    /..;/evil /.../evil /./evil /. /%c0%ae%c0%ae/evil /%ef%bc%8e%ef%bc%8e/evil /%00 /a%00b
    /%EF%BC%8Fevil.example /%22%3E%3Cx%3E ?//evil.example ?x=//evil.example
    ?url=https://evil.example&order_by=https://evil.example ?%23=/.. ?=//evil
";
/// Texts before a page of `mynamespace/hello` that name no project.
const PROJECTS: &str = r"
    //evil.example /\evil.example /@evil.example //evil.example/mynamespace/hello
    /evil.example/../mynamespace/hello /evil.example/%2e%2e/mynamespace/hello /./mynamespace/hello
    /mynamespace/hello/.. /mynamespace%5chello /.. / /mynamespace/hello%3f@evil.example
    /mynamespace/hello%23 /mynamespace/hello%00
";

#[tokio::test]
async fn no_path_leads_a_permalink_to_another_host_or_out_of_the_release() {
    let (_world, api) = TestApp::hello().await;
    for suffix in SUFFIXES.split_whitespace() {
        for (latest, root) in LATEST.iter().zip(roots(&api.address)) {
            check_latest(&api.get(&format!("{latest}{suffix}")).await, &root);
        }
    }
}

#[tokio::test]
async fn the_path_before_a_page_names_a_project_or_nothing() {
    let (_world, api) = TestApp::hello().await;
    store(&api, "https://e.com/a").await.unwrap();
    for project in PROJECTS.split_whitespace() {
        for page in ["permalink/latest", "v1.7.0/downloads/bin/app"] {
            let reply = api.get(&format!("{project}/-/releases/{page}")).await;
            assert!(matches!(reply.status, 400 | 404), "{project}: {reply:?}");
        }
    }
}

#[tokio::test]
async fn a_tag_is_one_segment_whatever_it_looks_like() {
    let (_world, api) = TestApp::hello().await;
    for (tag, encoded) in [
        ("@evil.example", "@evil.example"),
        ("evil.example/x", "evil.example%2Fx"),
        ("%2e%2e", "%252e%252e"),
        ("%2f%2fevil.example", "%252f%252fevil.example"),
        ("#evil", "%23evil"),
        ("a;b", "a;b"),
        ("\u{2025}", "%E2%80%A5"),
    ] {
        let body = json!({ "tag_name": tag, "released_at": "2999-01-01" }).to_string();
        assert_eq!(api.post(RELEASES, &body).await.status, 201, "{tag}");
        for (latest, root) in LATEST.iter().zip(roots(&api.address)) {
            let root = root.strip_suffix("v1.7.0").unwrap();
            api.get(latest).await.leads_to(&format!("{root}{encoded}"));
        }
        let release = api.follow(&api.get(LATEST[0]).await).await;
        assert_eq!((release.status, &release.json()["tag_name"]), (200, &tag.into()));
        assert_eq!(api.delete(&format!("{RELEASES}/{encoded}")).await.status, 200);
    }
    for tag in ["..", "../..", "//evil.example", "\\evil.example", "a/../b", ".", "a//b", "\0"] {
        let made = api.post(RELEASES, &json!({ "tag_name": tag }).to_string()).await;
        assert_eq!(made.status, 400, "{tag:?}: {made:?}");
    }
}

#[tokio::test]
async fn no_header_of_a_request_changes_where_a_redirect_leads() {
    let headers = [
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-port", "666"),
        ("x-forwarded-prefix", "//evil.example"),
        ("forwarded", "host=evil.example;proto=https"),
        ("x-host", "evil.example"),
        ("x-original-url", "//evil.example"),
        ("x-rewrite-url", "//evil.example"),
        ("x-http-method-override", "DELETE"),
        ("origin", "https://evil.example"),
        ("referer", "https://evil.example"),
    ];
    let (app, api) = TestApp::hello().await;
    for (name, value) in headers {
        let api = api.with(name, value);
        for (latest, root) in LATEST.iter().zip(roots(&api.address)) {
            api.get(&format!("{latest}/a")).await.leads_to(&format!("{root}/a"));
        }
    }
    drop(app);

    let app = TestApp::over(Server::start_empty(&["--public-url", "https://releases.example"]));
    let api = app.populate().await;
    let page = "https://releases.example/mynamespace/hello/-/releases/v1.7.0";
    for (name, value) in headers.into_iter().chain([("host", "releases.example:666")]) {
        let api = api.with(name, value);
        api.get(LATEST[0]).await.leads_to("/api/v4/projects/20/releases/v1.7.0");
        api.get(LATEST[1]).await.leads_to(page);
        let list = api.get(RELEASES).await;
        assert!(!format!("{list:?}").contains("evil.example"), "{list:?}");
        assert!(!format!("{list:?}").contains(":666"), "{list:?}");
    }
    // Requests for a whole url, as a proxy gets them.
    let whole = |host: &str| format!("http://{host}{}", LATEST[1]);
    api.get(&whole("releases.example:666")).await.leads_to(page);
    assert_eq!(api.get(&whole("evil.example")).await.status, 403);
}

fn runner(cases: u32) -> TestRunner {
    TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() })
}

fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        let _ = write!(encoded, "%{byte:02X}");
        encoded
    })
}

/// The end of a path or query of what attackers try, some of it encoded once or twice.
fn attack() -> impl Strategy<Value = String> {
    let parts = prop::sample::select(vec![
        "/",
        "//",
        "\\",
        ".",
        "..",
        "../",
        "/..",
        "@",
        "evil.example",
        "https:",
        ":",
        ";",
        "?",
        "#",
        "&",
        "=",
        "%",
        "\r",
        "\n",
        "\t",
        " ",
        "\0",
        "a",
        "bin/app",
        "order_by=x",
        "\u{e9}",
        "\u{2025}",
        "\u{ff0f}",
        "<",
        "\"",
        "'",
        "{",
        "|",
    ]);
    let spelled = (parts, 0..3_u8).prop_map(|(part, times)| match times {
        // Bytes that no client can send are sent encoded.
        0 if part.bytes().all(|byte| byte.is_ascii_graphic() && !b"<\"".contains(&byte)) => {
            part.to_owned()
        }
        0 | 1 => encoded(part),
        _ => encoded(&encoded(part)),
    });
    prop::collection::vec(spelled, 0..8).prop_map(|parts| parts.concat())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_redirect_leads_to_the_stored_url_or_below_the_release() {
    let (app, api) = TestApp::hello().await;
    app.change_project(20, |project| project.visibility = Visibility::Public).await;
    let url = "https://files.example/app?a=b#c";
    store(&api, url).await.unwrap();
    let api = app.anonymous();
    let handle = tokio::runtime::Handle::current();
    tokio::task::spawn_blocking(move || {
        let seen = std::cell::Cell::new(0);
        runner(300)
            .run(&(attack(), attack()), |(path, query)| {
                for (latest, root) in LATEST.iter().zip(roots(&api.address)) {
                    let asked = format!("{latest}/{path}?{query}");
                    let reply = handle.block_on(api.get(&asked));
                    seen.set(seen.get() + u32::from(reply.status == 302));
                    check_latest(&reply, &root);
                }
                for download in DOWNLOADS {
                    let folder = download.strip_suffix("bin/app").unwrap();
                    let reply = handle.block_on(api.get(&format!("{folder}{path}?{query}")));
                    match reply.status {
                        302 => reply.leads_to(url),
                        status => prop_assert!(matches!(status, 400 | 404), "{reply:?}"),
                    }
                }
                Ok(())
            })
            .unwrap();
        assert!(seen.get() > 100, "{seen:?}");
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_stored_url_redirects_to_its_host() {
    let (_world, api) = TestApp::hello().await;
    let handle = tokio::runtime::Handle::current();
    tokio::task::spawn_blocking(move || {
        let port = proptest::option::of(0..65_536_u32);
        let rest = "[/?#]([ -~]{0,30}|[\\x01-\\x7f\u{e9}\u{65e5}\u{85}]{0,30}|(//|\\.\\./|@|\\\\|%0d%0a|%2e){0,6})";
        let seen = std::cell::Cell::new(0);
        runner(200)
            .run(&(port, rest), |(port, rest)| {
                let port = port.map(|port| format!(":{port}")).unwrap_or_default();
                let url = format!("https://e.com{port}{rest}");
                let Some(link) = handle.block_on(store(&api, &url)) else { return Ok(()) };
                let stored = handle.block_on(api.get(&link)).json()["url"].clone();
                let stored = stored.as_str().unwrap();
                for path in DOWNLOADS {
                    let reply = handle.block_on(api.get(path));
                    prop_assert_eq!(reply.status, 302);
                    let location = reply.header("location");
                    if stored.bytes().all(|byte| byte.is_ascii_graphic()) {
                        prop_assert_eq!(location, stored);
                    }
                    let after = location.strip_prefix("https://e.com");
                    prop_assert!(after.is_some_and(|after| {
                        after.is_empty() || after.starts_with(['/', '?', '#', ':'])
                    }), "{location}");
                }
                seen.set(seen.get() + 1);
                prop_assert_eq!(handle.block_on(api.delete(&link)).status, 200);
                Ok(())
            })
            .unwrap();
        assert!(seen.get() > 100, "{seen:?}");
    })
    .await
    .unwrap();
}
