//! The pages for people: their content, access to them, and attacks on their readers.

mod sha256sums;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use shared::domain::access_level::AccessLevel;
use shared::domain::link::{LinkType, UncheckedLink};
use shared::domain::project::{SourceUrl, Visibility};
use shared::domain::release::{Description, NewLinks, ReleaseName};
use shared::domain::secret::Secret;
use shared::domain::tag_name::TagName;
use shared::domain::time::Timestamp;
use shared::store::projects::NewProject;
use shared::store::tokens::NewToken;
use url::form_urlencoded;

use crate::clients::{self, install, node, python};
use harness::DEFAULT_PER_PAGE;
use harness::client::Reply;
use harness::errors::ROUTE_NOT_FOUND;
use harness::proxy::Proxy;
use harness::test_app::{RELEASE, grant, links, new_release, project, test_deadline, token};
use harness::{Api, Fault, Server, TestApp};

const HTML: &str = "text/html,application/xhtml+xml,*/*;q=0.8";
const POLICY: &str =
    "; img-src 'self' https:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// A browser, with a session if it has a token.
fn browser(app: &TestApp, session: Option<&str>) -> Api {
    let api = app.anonymous().with("accept", HTML);
    match session {
        Some(token) => api.with("cookie", &format!("a=b; release_links_token={token}; c=d")),
        None => api,
    }
}

#[track_caller]
fn shows(reply: &Reply, parts: &[&str]) {
    assert_eq!(reply.status, 200, "{reply:?}");
    let mut rest = reply.body.as_str();
    for part in parts {
        let at = rest.find(part).unwrap_or_else(|| panic!("no {part} in order in {}", reply.body));
        rest = &rest[at + part.len()..];
    }
}

/// A world with a public project that has a release with one link of each type.
async fn public() -> TestApp {
    let app = TestApp::empty();
    let page = SourceUrl::parse("https://gitlab.com/g/p").unwrap();
    app.project(NewProject {
        visibility: Visibility::Public,
        source_url: Some(page),
        ..project(20, "g/p")
    })
    .await;
    let mut release = new_release(20, "v1.2.0");
    release.name = ReleaseName::parse("One & <two>").ok();
    release.description = Description::parse("# New\n\n- **fast** <b>raw</b>\n").ok();
    let link = |name: &str, url: &str, path, link_type| {
        UncheckedLink::new(Some(name), Some(url), path, link_type).fields().unwrap()
    };
    release.links = NewLinks::parse(vec![
        link("other \"x\"", "https://user:pw@other.example:8443/a?b&c", None, LinkType::Other),
        link("app", "https://files.example/app", Some("/bin/app"), LinkType::Package),
        link("image", "https://images.example/i", None, LinkType::Image),
        link("book", "https://wiki.example/", None, LinkType::Runbook),
    ])
    .unwrap();
    let past = Timestamp::now();
    app.store.create_release(release, past, test_deadline()).await.unwrap();
    app
}

#[tokio::test]
async fn a_release_page_shows_notes_files_and_commands_in_order() {
    let app = public().await;
    let here = format!("http://{}", app.server.address);
    let page = browser(&app, None).get("/g/p/-/releases/v1.2.0").await;
    let download = format!("{here}/g/p/-/releases/v1.2.0/downloads/bin/app");
    let latest = format!("{here}/g/p/-/releases/permalink/latest/downloads/bin/app");
    shows(
        &page,
        &[
            "<!DOCTYPE html>",
            "<html lang=\"en\">",
            "<title>One &amp; &lt;two&gt; · g/p</title>",
            "href=\"/-/sign_in\"",
            "<h1>One &amp; &lt;two&gt;</h1>",
            "<span class=\"tag\">v1.2.0</span>",
            "Latest",
            "<time datetime=\"",
            " by root",
            "<h2>New</h2>",
            "<strong>fast</strong> &lt;b&gt;raw&lt;/b&gt;",
            "Assets <span class=\"count\">8</span>",
            "<h3>Packages</h3>",
            &format!("href=\"{download}\" rel=\"nofollow noopener noreferrer\">app</a>"),
            "files.example",
            &format!("curl -fLo app {download}<"),
            "Images",
            "images.example",
            "Runbooks",
            "Other",
            "other &quot;x&quot;",
            "<span class=\"host\">other.example:8443</span>",
            "Source code",
            "https://gitlab.com/g/p/-/archive/v1.2.0/p-v1.2.0.tar.gz",
            "Links to the latest release",
            &format!("curl -fLo app {latest}<"),
            &format!("[![Latest release]({here}/g/p/-/badges/release.svg)]"),
        ],
    );
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert_eq!(page.header("cache-control"), "public, max-age=60");
    assert_eq!(page.header("referrer-policy"), "same-origin");
    let policy = page.header("content-security-policy");
    assert!(
        policy.starts_with("default-src 'none'; style-src 'sha256-") && policy.ends_with(POLICY),
        "{policy}"
    );
    assert!(!page.body.contains("<script") && !page.body.contains(" style="), "{}", page.body);

    // The URLs that the API gives lead here.
    let api = app.anonymous();
    let shown = api.get("/projects/20/releases/v1.2.0").await.json();
    assert_eq!(shown["_links"]["self"], format!("{here}/g/p/-/releases/v1.2.0"));
    api.get("/g/p/-/releases/permalink/latest")
        .await
        .leads_to(&format!("{here}/g/p/-/releases/v1.2.0"));

    for path in ["/g/p", "/G/p", "/g/p/-/releases", "/g/p/"] {
        shows(
            &browser(&app, None).get(path).await,
            &[
                "<h1>g/p</h1>",
                "1 release<",
                "/g/p/-/releases/v1.2.0\">One &amp; &lt;two&gt;",
                "Assets <span class=\"count\">4</span>",
                "other &quot;x&quot;",
            ],
        );
    }
}

#[tokio::test]
async fn many_links_are_folded_and_labels_follow_tag_and_time() {
    let app = public().await;
    let packages = |count: usize| {
        let link = |n| {
            let name = format!("file {n}");
            UncheckedLink::new(
                Some(&name),
                Some(&format!("https://e.com/{n}")),
                None,
                LinkType::Package,
            )
            .fields()
            .unwrap()
        };
        NewLinks::parse((0..count).map(link).collect()).unwrap()
    };
    let mut many = new_release(20, "2.0.0-rc.1");
    many.links = packages(1_000);
    many.released_at = Timestamp::now().plus(std::time::Duration::from_hours(48));
    app.store.create_release(many, Timestamp::now(), test_deadline()).await.unwrap();
    let api = browser(&app, None);
    let page = api.get("/g/p/-/releases/2.0.0-rc.1").await;
    shows(
        &page,
        &[
            "Upcoming",
            "Pre-release",
            "Packages <span class=\"count\">1000</span>",
            "<details><summary>Show 950 more",
        ],
    );
    assert_eq!(page.body.matches("https://e.com/").count(), 1_000);
    assert!(!page.body.contains("label latest"));
    // Only the newest is the latest, and that is the one to come.
    assert!(!api.get("/g/p/-/releases/v1.2.0").await.body.contains("label latest"));

    for n in 0..25 {
        app.release(20, &format!("v0.{n}")).await;
    }
    let first = api.get("/g/p").await;
    shows(&first, &["27 releases", "rel=\"next\" href=\"http", "/g/p/-/releases?page=2\">Older"]);
    let shown = |page: &Reply| page.body.matches("<article>").count();
    assert_eq!(shown(&first).to_string(), DEFAULT_PER_PAGE);
    let second = api.get("/g/p?page=2").await;
    shows(&second, &["/g/p/-/releases?page=1\">Newer"]);
    assert_eq!(shown(&first) + shown(&second), 27);
}

#[tokio::test]
async fn signed_out_a_private_page_and_none_lead_to_the_same_form() {
    let app = TestApp::empty();
    app.project(project(20, "g/p")).await;
    app.release(20, "v1").await;
    let api = browser(&app, None);
    let here = format!("http://{}", app.server.address);
    for path in
        ["/g/p", "/g/p/-/releases/v1", "/g/none", "/g/p/-/releases/none", "/G/none/-/releases/v1"]
    {
        let reply = api.get(path).await;
        let encoded = path.replace('/', "%2F");
        assert_eq!(reply.status, 303, "{path}");
        assert_eq!(reply.header("location"), format!("{here}/-/sign_in?return_to={encoded}"));
        assert!(!reply.headers.contains_key("set-cookie"));
    }
    let form = api.get("/-/sign_in?return_to=%2Fg%2Fp").await;
    shows(&form, &["<h1>Sign in</h1>", "type=\"password\"", "value=\"/g/p\""]);
    assert_eq!(form.header("cache-control"), "private, no-store");

    // Downloads ask browsers to sign in, and programs get what they got before.
    let missing = ROUTE_NOT_FOUND;
    for path in ["/g/p/-/releases/v1/downloads/bin/a", "/g/p/-/releases/permalink/latest"] {
        assert_eq!(api.get(path).await.status, 303, "{path}");
        app.anonymous().get(path).await.is(404, missing);
    }
    for path in ["/g/p/-/releases.atom", "/g/p/-/badges/release.svg"] {
        assert_eq!(api.get(path).await.status, 404, "{path}");
        app.anonymous().get(path).await.is(404, missing);
    }
}

async fn member(app: &TestApp, level: AccessLevel) -> Secret {
    app.token(NewToken { grants: vec![grant(20, level)], ..token() }).await
}

async fn post(app: &TestApp, path: &str, form: &str, site: &str) -> Reply {
    let api = browser(app, None).with("sec-fetch-site", site);
    api.send("POST", path, "application/x-www-form-urlencoded", form.as_bytes()).await
}

#[tokio::test]
async fn a_session_opens_private_pages_until_its_token_ends() {
    let app = TestApp::empty();
    app.project(project(20, "g/p")).await;
    let mut release = new_release(20, "v1");
    release.links = links("a", 1);
    app.store.create_release(release, Timestamp::now(), test_deadline()).await.unwrap();
    let guest = member(&app, AccessLevel::Guest).await;
    let secret = member(&app, AccessLevel::Reporter).await;
    let here = format!("http://{}", app.server.address);

    for (return_to, leads) in [
        ("%2Fg%2Fp", "/g/p"),
        ("", "/"),
        ("%2F%2Fevil.example", "/"),
        ("https%3A%2F%2Fevil.example", "/"),
        ("%2F%5Cevil.example", "/"),
        ("%2F%09%2Fevil.example", "/"),
        ("evil", "/"),
    ] {
        let form = format!("access_token={}&return_to={return_to}", secret.reveal());
        let reply = post(&app, "/-/sign_in", &form, "same-origin").await;
        assert_eq!((reply.status, reply.header("location")), (303, &*format!("{here}{leads}")));
        assert_eq!(
            reply.header("set-cookie"),
            format!("release_links_token={}; Path=/; HttpOnly; SameSite=Lax", secret.reveal())
        );
    }
    for (form, words) in [
        ("access_token=glpat-wrong&return_to=%2Fx", "This is not an access token of this server."),
        ("return_to=%2Fx", "This is not an access token of this server."),
    ] {
        let reply = post(&app, "/-/sign_in", form, "same-origin").await;
        assert_eq!(reply.status, 422);
        assert!(reply.body.contains(words) && reply.body.contains("value=\"/x\""), "{reply:?}");
        assert!(!reply.body.contains("glpat-wrong") && !reply.headers.contains_key("set-cookie"));
    }

    let signed_in = browser(&app, Some(secret.reveal()));
    let page = signed_in.get("/g/p/-/releases/v1").await;
    let curl = "curl -fLO -H &quot;Authorization: Bearer $RELEASE_LINKS_TOKEN&quot; http";
    shows(&page, &["action=\"/-/sign_out\"", "root</span>", "<h1>v1</h1>", curl]);
    assert_eq!(page.header("cache-control"), "private, no-store");
    shows(&signed_in.get("/g/p").await, &["<h1>g/p</h1>"]);
    assert_eq!(signed_in.get("/g/p/-/releases.atom").await.status, 200);
    assert_eq!(signed_in.get("/g/none").await.status, 404);
    // Guests see that there are releases, and no more.
    let guest = browser(&app, Some(guest.reveal()));
    shows(&guest.get("/g/p").await, &["<h1>g/p</h1>", "<h2>v1</h2>"]);
    for page in ["releases/v1", "releases.atom", "badges/release.svg"] {
        assert_eq!(guest.get(&format!("/g/p/-/{page}")).await.status, 404, "{page}");
    }
    shows(&signed_in.get("/").await, &["Sign out", "g/p"]);

    let out = post(&app, "/-/sign_out", "", "same-origin").await;
    assert_eq!((out.status, out.header("location")), (303, &*format!("{here}/")));
    let cleared = "release_links_token=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0";
    assert_eq!(out.header("set-cookie"), cleared);

    // Forms of other sites are refused.
    for site in ["cross-site", "same-site"] {
        let form = format!("access_token={}", secret.reveal());
        for path in ["/-/sign_in", "/-/sign_out"] {
            let reply = post(&app, path, &form, site).await;
            assert_eq!(reply.status, 403, "{path} {site}");
            assert!(!reply.headers.contains_key("set-cookie"));
        }
    }

    app.revoke(&secret).await;
    let ended = signed_in.get("/g/p").await;
    assert_eq!(ended.status, 303);
    assert_eq!(ended.header("location"), format!("{here}/-/sign_in?return_to=%2Fg%2Fp&ended="));
    assert_eq!(ended.header("set-cookie"), cleared);
    shows(&signed_in.get("/-/sign_in?ended=").await, &["Your session has ended"]);
}

#[tokio::test]
async fn no_route_of_the_api_and_no_other_method_looks_at_the_cookie() {
    let (app, _) = TestApp::hello().await;
    let secret = member(&app, AccessLevel::Owner).await;
    let signed_in = browser(&app, Some(secret.reveal()));
    let anonymous = browser(&app, None);
    let same = |mut reply: Reply| {
        for name in ["x-request-id", "x-gitlab-meta", "date"] {
            reply.headers.remove(name);
        }
        (reply.status, reply.headers, reply.body)
    };
    for route in shared::routes::ROUTES.iter() {
        let path = route
            .path
            .replace("{id}", "20")
            .replace("{tag_name}", "v1.7.0")
            .replace("{link_id}", "1")
            .replace("{proxy+}", "mynamespace/hello")
            .replace("{direct_asset_path+}", "bin/a")
            .replace("{suffix_path+}", "x")
            .replace("{user_id}", "1")
            .replace("{sha}", "v1.7.0")
            .replace("{branch}", "main");
        let is_page = !path.starts_with("/api/");
        for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
            if is_page && matches!(method, "GET" | "HEAD") {
                continue;
            }
            let send = async |api: &Api| same(api.send(method, &path, "", b"").await);
            assert_eq!(send(&signed_in).await, send(&anonymous).await, "{method} {path}");
        }
    }
    let release = app.anonymous().with("private-token", secret.reveal());
    assert_eq!(release.get(RELEASE).await.status, 200);
}

#[tokio::test]
async fn a_cookie_is_secure_unless_the_server_is_on_this_machine() {
    for (url, attributes) in [
        ("https://releases.example/base", Some("Path=/base/; HttpOnly; SameSite=Lax; Secure")),
        ("http://127.0.0.1:1", Some("Path=/; HttpOnly; SameSite=Lax")),
        ("http://releases.example", None),
    ] {
        let app = TestApp::over(Server::start_empty(&["--public-url", url]));
        app.project(project(20, "g/p")).await;
        let secret = member(&app, AccessLevel::Reporter).await;
        let form = browser(&app, None).get("/-/sign_in").await;
        assert_eq!(form.body.contains("needs HTTPS"), attributes.is_none(), "{url}");
        if let Some(attributes) = attributes {
            let form = format!("access_token={}&return_to=%2Fg%2Fp", secret.reveal());
            let reply = post(&app, "/-/sign_in", &form, "none").await;
            assert_eq!(reply.header("location"), format!("{url}/g/p"));
            let cookie = format!("release_links_token={}; {attributes}", secret.reveal());
            assert_eq!(reply.header("set-cookie"), cookie);
        }
    }
}

#[tokio::test]
async fn the_feed_is_atom_and_the_badge_gitlabs() {
    let app = public().await;
    let api = app.anonymous();
    let here = format!("http://{}", app.server.address);
    let feed = api.get("/g/p/-/releases.atom").await;
    assert_eq!(feed.header("content-type"), "application/atom+xml; charset=utf-8");
    let release = api.get("/projects/20/releases/v1.2.0").await.json();
    let at = release["released_at"].as_str().unwrap();
    let url = format!("{here}/g/p/-/releases/v1.2.0");
    let notes = "&lt;h1&gt;New&lt;/h1&gt;\n&lt;ul&gt;\n&lt;li&gt;&lt;strong&gt;fast&lt;/strong&gt; &amp;lt;b&amp;gt;raw&amp;lt;/b&amp;gt;&lt;/li&gt;\n&lt;/ul&gt;\n";
    let page = format!("{here}/g/p/-/releases");
    let updated = &feed.body[feed.body.find("<updated>").unwrap() + 9..][..at.len()];
    assert_eq!(
        feed.body,
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\"><id>{page}</id><title>p releases</title><subtitle>g/p</subtitle><link rel=\"alternate\" type=\"text/html\" href=\"{page}\"></link><link rel=\"self\" type=\"application/atom+xml\" href=\"{page}.atom\"></link><updated>{updated}</updated><entry><id>{url}</id><title>One &amp; &lt;two&gt;</title><link rel=\"alternate\" type=\"text/html\" href=\"{url}\"></link><published>{at}</published><updated>{updated}</updated><author><name>root</name></author><content type=\"html\">{notes}</content></entry></feed>"
        )
    );

    for (query, parts) in [
        ("", ["aria-label=\"Latest Release: v1.2.0\"", "width=\"144\"", "#3076af"]),
        (
            "?key_text=a%3Cb&key_width=30&value_width=200",
            ["aria-label=\"a&lt;b: v1.2.0\"", "width=\"230\"", ">a&lt;b</text>"],
        ),
        (
            "?key_width=0&value_width=201&order_by=created_at",
            ["Latest Release: v1.2.0", "width=\"144\"", "rx=\"3\""],
        ),
        ("?style=flat-square", ["width=\"144\"", "rx=\"0\"", ">v1.2.0</text>"]),
    ] {
        let badge = api.get(&format!("/g/p/-/badges/release.svg{query}")).await;
        assert_eq!(badge.header("content-type"), "image/svg+xml");
        shows(&badge, &parts);
    }
    app.project(NewProject { visibility: Visibility::Public, ..project(21, "g/empty") }).await;
    shows(&api.get("/g/empty/-/badges/release.svg").await, &["Latest Release: none", "#e05d44"]);
    shows(&browser(&app, None).get("/g/empty").await, &["This project has no releases yet."]);
    assert_eq!(api.get("/g/empty/-/releases.atom").await.status, 200);
}

/// A page of this world as a file, for programs that check it.
async fn saved(app: &TestApp, folder: &Path, path: &str) -> PathBuf {
    let reply = app.anonymous().get(path).await;
    assert_eq!(reply.status, 200, "{path}: {reply:?}");
    let file = folder.join(path.replace('/', "_"));
    std::fs::write(&file, &reply.body).unwrap();
    file
}

#[cfg_attr(not(clients), ignore = "needs RELEASE_LINKS_TEST_CLIENTS=1")]
#[tokio::test]
async fn feed_readers_take_any_feed() {
    let app = public().await;
    for id in 21..=23 {
        let path = format!("g/p{id}");
        app.project(NewProject { visibility: Visibility::Public, ..project(id, &path) }).await;
    }
    let past = |n: i64| Timestamp::from_unix_millis(1_500_000_000_000 + n * 1_000);
    let payloads = include_str!("pages/payloads.txt");
    let payloads: Vec<_> = payloads.lines().filter(|line| !line.is_empty()).collect();
    for (n, attack) in (0..).zip(payloads.chunks(8)) {
        let mut release = new_release(21, &format!("v{n}"));
        release.name = ReleaseName::parse(&format!("{}\u{1}\u{fffe}", attack[0])).ok();
        release.description = Description::parse(&attack.join("\n\n")).ok();
        app.store.create_release(release, past(n), test_deadline()).await.unwrap();
    }
    // More notes than a feed has room for.
    for n in 0..25 {
        let mut release = new_release(22, &format!("v{n}"));
        release.description = Description::parse(&"long ".repeat(50_000)).ok();
        release.released_at = past(n);
        app.store.create_release(release, past(n), test_deadline()).await.unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let mut files = Vec::new();
    for project in ["p", "p21", "p22", "p23"] {
        files.push(saved(&app, folder.path(), &format!("/g/{project}/-/releases.atom")).await);
    }
    let python = python::programs().join("python");
    let (program, schema) = (clients::file("feed.py"), clients::file("atom.rng"));
    let printed = install::run(Command::new(python).args([program, schema]).args(&files)).stdout;
    let read: Vec<Value> = String::from_utf8(printed)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let entries: Vec<_> = read.iter().map(|feed| feed["entries"].as_array().unwrap()).collect();
    assert_eq!(entries.iter().map(|entries| entries.len()).collect::<Vec<_>>(), [1, 18, 20, 0]);
    assert!(read.iter().all(|feed| feed["version"] == "atom10"), "{read:?}");

    let first = &entries[0][0];
    let here = format!("http://{}", app.server.address);
    assert_eq!(first["title"], "One & <two>");
    assert_eq!(first["link"], format!("{here}/g/p/-/releases/v1.2.0"));
    assert_eq!(first["author"], "root");
    assert!(first["content"].as_str().unwrap().starts_with("<h1>New</h1>"), "{first}");
    let (newest, oldest) = (&entries[2][0], &entries[2][19]);
    assert_eq!(newest["title"], "v24");
    assert_eq!(newest["published"], past(24).to_string());
    assert!(newest["content"].is_string() && oldest["content"].is_null(), "{oldest}");
}

#[tokio::test]
async fn home_lists_what_the_viewer_may_see_and_searches_it() {
    let app = TestApp::empty();
    let nobody = browser(&app, None);
    let home = nobody.get("/").await;
    shows(&home, &["<h1>Projects</h1>", "There is no project here that you may see."]);
    assert_eq!(home.header("cache-control"), "public, max-age=60");

    for id in 1..=45 {
        let visibility = if id % 2 == 0 { Visibility::Public } else { Visibility::Private };
        let path = if id < 41 { format!("many/p{id:02}") } else { format!("few/q{id}") };
        app.project(NewProject { visibility, ..project(id, &path) }).await;
    }
    app.release(42, "v1").await;
    app.release_at("x", "2020-01-01T00:00:00Z", "2020-01-02T00:00:00Z").await;
    let hidden = shared::domain::project::ReleasesAccess::Private;
    app.release(44, "v-hidden").await;
    app.change_project(44, |project| project.releases_access = hidden).await;
    let here = format!("http://{}", app.server.address);
    let first = nobody.get("/").await;
    let release = format!("href=\"{here}/few/q42/-/releases/v1\">v1</a><time");
    shows(
        &first,
        &[">few/q44</a>", "No releases", ">few/q42</a>", &release, ">many/p40<", ">many/p06<"],
    );
    assert!(!first.body.contains("v-hidden") && !first.body.contains("q43"), "{first:?}");
    shows(&first, &["<a rel=\"next\" href=\"/?before=6\">Older projects</a>"]);
    let second = nobody.get("/?before=6").await;
    shows(&second, &[">many/p04<", ">many/p02<", "href=\"/\">Newest projects</a>"]);
    assert!(!second.body.contains("Older") && !second.body.contains("p06"), "{second:?}");

    // The time of the release, not of its creation.
    shows(
        &nobody.get("/?search=P20+MANY").await,
        &[
            "value=\"P20 MANY\"",
            ">many/p20</a>",
            ">x</a><time datetime=\"2020-01-02T00:00:00.000Z\"",
        ],
    );
    for search in ["q43", "many/p99", "%22%3E%3Cb%3E"] {
        let none = nobody.get(&format!("/?search={search}")).await;
        shows(&none, &["No project that you may see has all of these words in its path."]);
        assert!(!none.body.contains("<b>"), "{none:?}");
    }
    let pages = nobody.get("/?search=many").await;
    assert!(!pages.body.contains("Older"), "{pages:?}");

    let grants = vec![grant(43, AccessLevel::Guest)];
    let member = app.token(NewToken { grants, ..token() }).await;
    let signed_in = browser(&app, Some(member.reveal()));
    let found = signed_in.get("/?search=q43").await;
    shows(&found, &["Sign out", ">few/q43</a>", "private"]);
    assert_eq!(found.header("cache-control"), "private, no-store");
    app.revoke(&member).await;
    let ended = signed_in.get("/").await;
    assert_eq!(ended.header("location"), format!("{here}/-/sign_in?return_to=%2F&ended="));

    let missing = nobody.get("/-/nothing").await;
    assert_eq!(missing.status, 404);
    assert!(missing.body.contains("<h1>Page not found</h1>"), "{missing:?}");
    nobody.get("/api/v4/nothing").await.is(404, ROUTE_NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn health_checks_are_gitlabs_and_readiness_follows_the_database() {
    let app = TestApp::empty();
    let proxy = Proxy::start(&app.server.dynamodb_url).await;
    let behind = Server::start_with(&["--no-sample", "--endpoint-url", &proxy.url]);
    let api = Api::anonymous(&behind.address).allowing_failures();
    api.get("/-/health").await.is(200, "GitLab OK");
    api.get("/-/liveness").await.is(200, r#"{"status":"ok"}"#);
    let ready = r#"{"db_check":[{"status":"ok"}],"master_check":[{"status":"ok"}],"status":"ok"}"#;
    api.get("/-/readiness").await.is(200, ready);
    proxy.decide(|_, _| Fault::Throttle);
    let unready =
        r#"{"db_check":[{"status":"failed"}],"master_check":[{"status":"ok"}],"status":"failed"}"#;
    api.get("/-/readiness").await.is(503, unready);
    api.get("/-/liveness").await.is(200, r#"{"status":"ok"}"#);
    proxy.decide(|_, _| Fault::Pass);
    api.get("/-/readiness").await.is(200, ready);
}

/// Runs the pages' browser program against this server.
fn in_a_browser(app: &TestApp, task: &str, arguments: &[&str]) {
    // Copied once: another test may be reading it.
    static PROGRAM: LazyLock<PathBuf> =
        LazyLock::new(|| clients::program(&node::folder(), "pages.mjs"));

    install::require("chromium", &["--version"]);
    let url = format!("http://{}", app.server.address);
    install::run(Command::new("node").arg(&*PROGRAM).args([task, &url]).args(arguments));
}

async fn open_and_closed() -> TestApp {
    let app = TestApp::empty();
    let open = NewProject { visibility: Visibility::Public, ..project(20, "g/open") };
    app.project(open).await;
    app.project(project(21, "g/closed")).await;
    app.release(20, "v1").await;
    app.release(21, "v1").await;
    let mut second = new_release(20, "v2");
    second.name = ReleaseName::parse("Second").ok();
    second.description = Description::parse(include_str!("pages/notes.md")).ok();
    let file = |n: usize| {
        let (name, url) = (format!("file {n}"), format!("https://e.com/{n}"));
        let path = format!("/bin/a-rather-long-name-of-a-file-for-a-phone-{n}");
        let kind = [LinkType::Package, LinkType::Image, LinkType::Runbook, LinkType::Other][n % 4];
        UncheckedLink::new(Some(&name), Some(&url), Some(&path), kind).fields().unwrap()
    };
    second.links = NewLinks::parse((0..300).map(file).rev().collect()).unwrap();
    app.store.create_release(second, Timestamp::now(), test_deadline()).await.unwrap();
    app
}

#[cfg_attr(not(clients), ignore = "needs RELEASE_LINKS_TEST_CLIENTS=1")]
#[tokio::test]
async fn people_find_files_and_sign_in_and_out() {
    let app = open_and_closed().await;
    let grants = vec![grant(21, AccessLevel::Reporter)];
    let token = app.token(NewToken { grants, ..token() }).await;
    in_a_browser(&app, "walk", &[token.reveal()]);
}

#[cfg_attr(not(clients), ignore = "needs RELEASE_LINKS_TEST_CLIENTS=1")]
#[tokio::test]
async fn each_page_is_accessible_on_phones_and_in_the_dark() {
    let app = open_and_closed().await;
    let pages =
        ["/", "/g/open", "/g/open/-/releases/v2", "/-/sign_in", "/-/sign_in?ended=", "/-/none"];
    in_a_browser(&app, "check", &pages);
}

#[cfg_attr(not(clients), ignore = "needs RELEASE_LINKS_TEST_CLIENTS=1")]
#[tokio::test]
async fn no_stored_text_acts_in_a_browser() {
    let app = TestApp::empty();
    app.project(NewProject { visibility: Visibility::Public, ..project(20, "g/p") }).await;
    let payloads = include_str!("pages/payloads.txt");
    let payloads: Vec<_> = payloads.lines().filter(|line| !line.is_empty()).collect();
    assert!(payloads.len() >= 100, "{}", payloads.len());
    let mut pages = vec!["/g/p".to_owned(), "/g/p?page=2".to_owned(), "/g/p?page=3".to_owned()];
    for (n, attack) in payloads.chunks(4).enumerate() {
        let text = attack.join("\n\n");
        let tag = format!("v{n}");
        let mut release = new_release(20, &tag);
        release.name = ReleaseName::parse(attack[0]).ok();
        release.author.username = attack[0].to_owned();
        release.description = Description::parse(&text).ok();
        let fields = attack.iter().enumerate().filter_map(|(at, payload)| {
            let url = format!("https://e.com/{at}/{payload}");
            UncheckedLink::new(Some(payload), Some(&url), None, LinkType::Other).fields()
        });
        release.links = NewLinks::parse(fields.collect()).unwrap();
        app.store.create_release(release, Timestamp::now(), test_deadline()).await.unwrap();
        pages.push(format!("/g/p/-/releases/{tag}"));
        let query: String = form_urlencoded::Serializer::new(String::new())
            .append_pair("key_text", attack[0])
            .append_pair("project", attack[0])
            .append_pair("return_to", &format!("/{}", attack[0]))
            .finish();
        for path in ["/g/p/-/badges/release.svg", "/", "/-/sign_in"] {
            pages.push(format!("{path}?{query}"));
        }
    }
    // Tags are narrower than texts.
    for attack in
        ["<b>x</b>", "\"onload=attacked=1", "'><svg/onload=attacked=1>", "a&amp;b", "$(x)", "';x;'"]
    {
        if let Ok(tag) = TagName::parse_new(attack) {
            app.release(20, tag.as_str()).await;
            pages
                .push(format!("/g/p/-/releases/{}", utf8_percent_encode(attack, NON_ALPHANUMERIC)));
        }
    }
    in_a_browser(&app, "attack", &pages.iter().map(String::as_str).collect::<Vec<_>>());
}
