//! Sizes and digests on the pages, and `SHA256SUMS`.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use harness::errors::ROUTE_NOT_FOUND;
use harness::test_app::{LINKS, RELEASES, grant, test_deadline, token};
use harness::{Api, TestApp};
use serde_json::json;
use shared::domain::access_level::AccessLevel;
use shared::domain::digest::Digest;
use shared::domain::link::{Contents, LinkType, UncheckedLink};
use shared::domain::project::Visibility;
use shared::domain::release::NewLinks;
use shared::domain::time::Timestamp;
use shared::store::tokens::NewToken;
use tempfile::TempDir;

use super::{browser, new_release, shows};

const PAGE: &str = "/mynamespace/hello/-/releases/v1.7.0";
const SUMS: &str = "/mynamespace/hello/-/releases/v1.7.0/SHA256SUMS";
const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

async fn public() -> (TestApp, Api) {
    let (app, api) = TestApp::hello().await;
    app.change_project(20, |project| project.visibility = Visibility::Public).await;
    (app, api)
}

async fn make(api: &Api, link: serde_json::Value) {
    let made = api.post(LINKS, &link.to_string()).await;
    assert_eq!(made.status, 201, "{made:?}");
}

/// Runs coreutils on this text.
fn sha256sum(folder: &Path, arguments: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new("sha256sum")
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    child.wait_with_output().unwrap()
}

#[tokio::test]
async fn sha256sum_checks_the_downloaded_files_of_a_release() {
    let (app, api) = public().await;
    let here = format!("http://{}", app.server.address);
    let names = ["app", "two words", "bin/tool", r"back\slash", "line\nfeed", "return\r", "ünï 📦"];
    let folder = TempDir::new().unwrap();
    for (n, name) in names.into_iter().enumerate() {
        let target = format!("/mynamespace/hello/-/badges/release.svg?key_text={n}");
        let file = app.anonymous().get(&target).await.body;
        let digest = sha256sum(folder.path(), &["-"], file.as_bytes()).stdout;
        let digest = format!("sha256:{}", std::str::from_utf8(&digest[..64]).unwrap());
        let path = format!("/files/{n:03}");
        make(
            &api,
            json!({ "name": name, "url": format!("{here}{target}"), "direct_asset_path": path, "digest": digest }),
        )
        .await;
    }
    make(&api, json!({ "name": "no digest", "url": "https://e.com/none" })).await;

    let anonymous = app.anonymous();
    for (n, name) in names.into_iter().enumerate() {
        let download = anonymous.get(&format!("{PAGE}/downloads/files/{n:03}")).await;
        let file = folder.path().join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, anonymous.follow(&download).await.body).unwrap();
    }
    let sums = anonymous.get(SUMS).await;
    assert_eq!(sums.status, 200, "{sums:?}");
    for (name, value) in
        [("content-type", "text/plain; charset=utf-8"), ("cache-control", "public, max-age=60")]
    {
        assert_eq!(sums.header(name), value);
    }
    assert_eq!(sums.body.lines().count(), names.len());
    let checked = sha256sum(folder.path(), &["--check", "--strict"], sums.body.as_bytes());
    assert!(checked.status.success(), "{checked:?} {}", sums.body);
    // It is what coreutils would have written.
    let mut sorted = names;
    sorted.sort_unstable();
    let written = sha256sum(folder.path(), &sorted, b"").stdout;
    assert_eq!(sums.body, String::from_utf8(written).unwrap());
    fs::write(folder.path().join("two words"), "other").unwrap();
    let checked = sha256sum(folder.path(), &["--check", "--strict"], sums.body.as_bytes());
    assert_eq!(checked.status.code(), Some(1), "{checked:?}");

    let head = anonymous.head(SUMS).await;
    assert_eq!((head.status, head.header("etag")), (200, sums.header("etag")));
    let known = anonymous.with("if-none-match", sums.header("etag")).get(SUMS).await;
    assert_eq!(known.status, 304);
    let latest = anonymous.get("/mynamespace/hello/-/releases/permalink/latest/SHA256SUMS").await;
    anonymous.follow(&latest).await.is(200, &sums.body);
}

#[tokio::test]
async fn sums_are_for_those_who_see_the_release() {
    let (app, api) = TestApp::hello().await;
    api.get(SUMS).await.is(200, "");
    make(&api, json!({ "name": "a", "url": "https://e.com/a", "digest": format!("sha256:{ABC}") }))
        .await;
    let line = format!("{ABC}  a\n");
    let reply = api.get(SUMS).await;
    reply.is(200, &line);
    assert_eq!(reply.header("cache-control"), "private, no-store");
    // A slash of the tag is encoded.
    app.release(20, "r/1").await;
    api.get("/mynamespace/hello/-/releases/r%2F1/SHA256SUMS").await.is(200, "");

    let here = format!("http://{}", app.server.address);
    let guest = app.member(AccessLevel::Guest).await;
    for path in [
        SUMS.to_owned(),
        SUMS.replace("v1.7.0", "none"),
        SUMS.replace("hello", "none"),
        SUMS.replace("v1.7.0", "r/1"),
        format!("{SUMS}/x"),
        SUMS.to_lowercase(),
    ] {
        app.anonymous().get(&path).await.is(404, ROUTE_NOT_FOUND);
        guest.get(&path).await.is(404, ROUTE_NOT_FOUND);
        if path != SUMS {
            api.get(&path).await.is(404, ROUTE_NOT_FOUND);
        }
        assert_eq!(api.send("POST", &path, "", b"").await.status, 404);
    }
    let form = browser(&app, None).get(SUMS).await;
    assert_eq!(form.status, 303);
    let return_to = SUMS.replace('/', "%2F");
    assert_eq!(form.header("location"), format!("{here}/-/sign_in?return_to={return_to}"));
    let grants = vec![grant(20, AccessLevel::Reporter)];
    let session = app.token(NewToken { grants, ..token() }).await;
    browser(&app, Some(session.reveal())).get(SUMS).await.is(200, &line);
}

/// A release of links with long URLs, whose names begin with a number.
async fn long_release(app: &TestApp, tag: &str, count: usize, url_chars: usize) {
    let contents = Contents { digest: Digest::parse(&format!("sha256:{ABC}")), size: None };
    let link = |n| {
        let url = format!("https://e.com/{n:04}/{}", "\"".repeat(url_chars));
        UncheckedLink::new(Some(&format!("{n:04}")), Some(&url), None, LinkType::Other)
            .with_contents(contents.clone())
            .fields()
            .unwrap()
    };
    let mut release = new_release(20, tag);
    release.links = NewLinks::parse((0..count).map(link).collect()).unwrap();
    app.store.create_release(release, Timestamp::now(), test_deadline()).await.unwrap();
}

#[tokio::test]
async fn sums_have_all_links_or_none() {
    let (app, _) = public().await;
    let api = app.anonymous();
    // More than the release's page has room for.
    long_release(&app, "long", 1_000, 400).await;
    let page = api.get("/mynamespace/hello/-/releases/long").await;
    shows(&page, &[" more links do not fit on this page", "/-/releases/long/SHA256SUMS\""]);
    let expected: Vec<String> = (0..1_000).map(|n| format!("{ABC}  {n:04}\n")).collect();
    api.get("/mynamespace/hello/-/releases/long/SHA256SUMS").await.is(200, &expected.concat());
    long_release(&app, "longer", 1_000, 1_900).await;
    api.get("/mynamespace/hello/-/releases/longer/SHA256SUMS").await.is(
        422,
        r#"{"message":"422 Unprocessable Entity - The release has more links than fit into one answer"}"#,
    );
}

#[tokio::test]
async fn pages_show_sizes_and_digests_where_they_are_known() {
    let (app, api) = public().await;
    let page = browser(&app, None);
    make(&api, json!({ "name": "unknown", "url": "https://e.com/u", "size": null })).await;
    for path in [PAGE, "/mynamespace/hello"] {
        let shown = page.get(path).await.body;
        for word in ["SHA256SUMS", "SHA-256", "class=\"size\"", "sha256"] {
            assert!(!shown.replace("sha256-", "").contains(word), "{word} in {shown}");
        }
    }
    make(&api, json!({ "name": "empty", "url": "https://e.com/e", "digest": format!("sha256:{EMPTY}"), "size": 0 }))
        .await;
    make(&api, json!({ "name": "app", "url": "https://e.com/a", "direct_asset_path": "/bin/app", "digest": format!("sha256:{ABC}"), "size": 1_234_567 }))
        .await;
    let here = format!("http://{}", app.server.address);
    let host = "<span class=\"host\">e.com</span>";
    shows(
        &page.get(PAGE).await,
        &[
            &format!(
                ">app</a> {host} <span class=\"size\">1.2 MB</span><details class=\"command\"><summary>curl"
            ),
            &format!("</code></pre><pre><code>sha256:{ABC}</code></pre></details></li>"),
            &format!(
                ">empty</a> {host} <span class=\"size\">0 bytes</span><details class=\"command\"><summary>SHA-256<span class=\"hidden\"> of empty</span></summary><pre><code>sha256:{EMPTY}</code></pre></details></li>"
            ),
            &format!(">unknown</a> {host}</li>"),
            &format!("<a href=\"{here}{SUMS}\">SHA256SUMS</a>"),
        ],
    );
    let project = page.get("/mynamespace/hello").await;
    shows(
        &project,
        &[
            &format!(">app</a> {host} <span class=\"size\">1.2 MB</span></li>"),
            &format!(">empty</a> {host} <span class=\"size\">0 bytes</span></li>"),
            &format!(">unknown</a> {host}</li>"),
        ],
    );
    assert!(!project.body.contains(ABC) && !project.body.contains("SHA256SUMS"));
    assert_eq!(api.delete(&format!("{RELEASES}/v1.7.0")).await.status, 200);
    app.anonymous().get(SUMS).await.is(404, ROUTE_NOT_FOUND);
}
