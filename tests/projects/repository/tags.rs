//! `/projects/:id/repository/tags`

use serde_json::{Value, json};
use shared::domain::access_level::AccessLevel;
use shared::domain::project::{ReleasesAccess, Visibility};
use shared::domain::release::Description;
use shared::domain::release_key::ReleaseKey;
use shared::domain::time::Timestamp;
use shared::domain::token::Scope;
use shared::store::tokens::NewToken;

use super::{RELEASES, values};
use crate::projects::{UNKNOWN_COMMIT, commit};
use harness::Api;
use harness::errors::{FORBIDDEN, PROJECT_NOT_FOUND, ROUTE_NOT_FOUND, TAG_NOT_FOUND};
use harness::test_app::{
    RELEASE, TestApp, grant, job_token, links, new_release, protected, test_deadline, token,
};

const TAGS: &str = "/projects/20/repository/tags";
const SHA: &str = "6104942438c14ec7bd21c6cd5bd995272b3faff6";

#[tokio::test]
async fn a_tag_is_known_by_its_release() {
    let (app, api) = TestApp::hello().await;
    let rules = vec![protected("p*", Some(AccessLevel::Owner)), protected("*/frozen", None)];
    app.change_project(20, |project| project.protected_tags = rules).await;
    for (tag, encoded, is_protected) in [
        ("v1", "v1", false),
        ("p1", "p1", true),
        ("a/frozen", "a%2Ffrozen", true),
        ("frozen", "frozen", false),
        ("v1.0.json", "v1.0.json", false),
        ("gr\u{f6}\u{df}e 1", "gr%C3%B6%C3%9Fe%201", false),
        ("a%2Fb", "a%252Fb", false),
    ] {
        let release = app.release(20, tag).await;
        let path = format!("{TAGS}/{encoded}");
        let expected = super::tag(&api.address, &release, is_protected);
        let reply = api.get(&path).await;
        reply.is(200, &expected);
        let head = api.head(&path).await;
        head.is(200, "");
        assert_eq!(head.header("etag"), reply.header("etag"));
    }
    assert_eq!(api.put(RELEASE, r##"{"description":"# \"x\"","name":"y"}"##).await.status, 200);
    let shown = api.get(&format!("{TAGS}/v1.7.0")).await.json();
    assert_eq!(shown["release"], json!({ "tag_name": "v1.7.0", "description": "# \"x\"" }));
    assert_eq!(shown["commit"]["title"], "y");
    let long = "x".repeat(300);
    for missing in ["none", "V1", "a..b", "%20", &long] {
        api.get(&format!("{TAGS}/{missing}")).await.is(404, TAG_NOT_FOUND);
    }
    api.get(&format!("{TAGS}/a/b")).await.is(404, ROUTE_NOT_FOUND);
}

#[tokio::test]
async fn a_tag_is_for_who_may_read_code() {
    let (app, developer) = TestApp::hello().await;
    let path = format!("{TAGS}/v1.7.0");
    let guest = app.member(AccessLevel::Guest).await;
    for tag in ["v1.7.0", "none"] {
        guest.get(&format!("{TAGS}/{tag}")).await.is(403, FORBIDDEN);
    }
    let reporter = app.member(AccessLevel::Reporter).await;
    assert_eq!(reporter.get(&path).await.status, 200);
    let nobody = app.anonymous();
    nobody.get(&path).await.is(404, PROJECT_NOT_FOUND);
    app.api_with(token()).await.get(&path).await.is(404, PROJECT_NOT_FOUND);
    // A job's token is not looked at here.
    let grants = vec![grant(20, AccessLevel::Owner)];
    let job = app.token(NewToken { grants, ..job_token("mynamespace/hello") }).await;
    let job = nobody.with("job-token", job.reveal());
    job.get(&path).await.is(404, PROJECT_NOT_FOUND);

    app.change_project(20, |project| project.visibility = Visibility::Public).await;
    for api in [&nobody, &job, &guest] {
        assert_eq!(api.get(&path).await.status, 200);
    }
    // The tag is known by its release alone, and so to who may see that.
    let members = ReleasesAccess::Private;
    app.change_project(20, |project| project.releases_access = members).await;
    nobody.get(&path).await.is(404, TAG_NOT_FOUND);
    assert_eq!(guest.get(&path).await.status, 200);
    let disabled = ReleasesAccess::Disabled;
    app.change_project(20, |project| project.releases_access = disabled).await;
    developer.get(&path).await.is(404, TAG_NOT_FOUND);
}

#[tokio::test]
async fn a_tag_is_at_the_commit_its_release_was_created_with() {
    let (_world, api) = TestApp::hello().await;
    for (tag, git_ref, id) in [
        ("sha", json!(SHA), SHA),
        ("upper", json!(SHA.to_uppercase()), SHA),
        ("branch", json!("main"), UNKNOWN_COMMIT),
        ("short", json!(SHA[..8]), UNKNOWN_COMMIT),
        ("null", json!(UNKNOWN_COMMIT), UNKNOWN_COMMIT),
        ("none", Value::Null, UNKNOWN_COMMIT),
    ] {
        let body = json!({ "tag_name": tag, "ref": git_ref, "name": "a\nb" });
        let made = api.post(RELEASES, &body.to_string()).await;
        assert_eq!(made.status, 201, "{made:?}");
        let at = made.json()["created_at"].as_str().unwrap().to_owned();
        let mut expected: Value =
            serde_json::from_str(&commit(&api.address, id, "a\nb", &at, (1, "root"))).unwrap();
        // The title is the first line of the message.
        expected["title"] = json!("a");
        let shown = api.get(&format!("{TAGS}/{tag}")).await.json();
        assert_eq!((&shown["commit"], &shown["target"]), (&expected, &json!(id)), "{tag}");
        assert_eq!(shown["created_at"], at.as_str());
        // The release shows it, too, and keeps it when it is changed.
        let path = format!("{RELEASES}/{tag}");
        for reply in [
            made,
            api.get(&path).await,
            api.put(&path, r#"{"released_at":"2019-01-01T00:00:00Z"}"#).await,
        ] {
            let release = reply.json();
            assert_eq!(release["commit"], expected, "{tag}");
            let pages = "/mynamespace/hello/-";
            assert_eq!(release["commit_path"], format!("{pages}/commit/{id}"));
            assert_eq!(release["tag_path"], format!("{pages}/tags/{tag}"));
        }
    }
}

#[tokio::test]
async fn the_tags_of_releases_are_listed_newest_first() {
    let (app, api) = TestApp::hello().await;
    assert_eq!(api.delete(RELEASE).await.status, 200);
    api.get(TAGS).await.is(200, "[]");
    let url = |query: &str| format!("http://{}/api/v4{TAGS}?id=20&{query}", api.address);
    let at = |day: u32| format!("2019-01-{day:02}T00:00:00.000Z");
    // Created in this order. Released in another, which does not count.
    for (day, tag) in [(1, "v1.9"), (2, "v1.10"), (3, "release/v2"), (4, "V1"), (4, "a")] {
        app.release_at(tag, &at(day), &at(30 - day)).await;
    }
    let entry = |tag, day| super::shown_tag(&api.address, tag, &at(day), false);
    let reply = api.get(&format!("{TAGS}?per_page=2")).await;
    reply.is(200, &format!("[{},{}]", entry("V1", 4), entry("a", 4)));
    for (name, value) in [
        ("x-per-page", "2"),
        ("x-page", "1"),
        ("x-next-page", "2"),
        ("x-prev-page", ""),
        ("x-total", "5"),
        ("x-total-pages", "3"),
    ] {
        assert_eq!(reply.header(name), value, "{name}");
    }
    let page = |number| url(&format!("order_by=updated&page={number}&per_page=2&sort=desc"));
    let links = format!(
        r#"<{}>; rel="next", <{}>; rel="first", <{}>; rel="last""#,
        page(2),
        page(1),
        page(3)
    );
    assert_eq!(reply.header("link"), links);
    let head = api.head(&format!("{TAGS}?per_page=2")).await;
    head.is(200, "");
    for name in ["link", "x-total", "etag"] {
        assert_eq!(head.header(name), reply.header(name), "{name}");
    }
    let next = api.get(&format!("{TAGS}?per_page=2&page=2")).await;
    next.is(200, &format!("[{},{}]", entry("release/v2", 3), entry("v1.10", 2)));
    api.with("if-none-match", next.header("etag"))
        .get(&format!("{TAGS}?per_page=2&page=2"))
        .await
        .is(304, "");

    for (query, expected) in [
        ("?sort=asc", &["v1.9", "v1.10", "release/v2", "V1", "a"][..]),
        ("?order_by=updated&sort=desc", &["V1", "a", "release/v2", "v1.10", "v1.9"]),
        ("?order_by=name", &["v1.9", "v1.10", "release/v2", "a", "V1"]),
        ("?order_by=name&sort=asc", &["V1", "a", "release/v2", "v1.10", "v1.9"]),
        ("?order_by=version", &["v1.10", "v1.9", "release/v2", "a", "V1"]),
        ("?order_by=version&sort=asc", &["V1", "a", "release/v2", "v1.9", "v1.10"]),
        ("?search=V1", &["V1", "v1.10", "v1.9"]),
        ("?search=%5Ev1&sort=asc", &["v1.9", "v1.10", "V1"]),
        ("?search=2%24", &["release/v2"]),
        ("?search=%5Ev*9%24", &["v1.9"]),
        ("?search=none", &[]),
        ("?search=", &["V1", "a", "release/v2", "v1.10", "v1.9"]),
        ("?search=v1&per_page=1&page=2", &["v1.10"]),
        ("?page_token=v1.9&page=9", &[]),
    ] {
        let reply = api.get(&format!("{TAGS}{query}")).await;
        assert_eq!(
            (reply.status, values(&reply, "name")),
            (200, expected.iter().map(|tag| (*tag).to_owned()).collect()),
            "{query}"
        );
    }
    for (query, error) in [
        ("sort=up", "sort does not have a valid value"),
        ("order_by=released_at", "order_by does not have a valid value"),
        ("search[]=a", "search is invalid"),
        ("page=x&sort=up", "sort does not have a valid value, page is invalid"),
    ] {
        let path = format!("{TAGS}?{query}");
        api.get(&path).await.is(400, &format!(r#"{{"error":"{error}"}}"#));
    }
    for method in ["POST", "PUT", "DELETE"] {
        api.send(method, TAGS, "", b"").await.is(404, ROUTE_NOT_FOUND);
    }
}

#[tokio::test]
async fn tags_are_listed_for_callers_who_may_read_code() {
    let (app, developer) = TestApp::hello().await;
    let (nobody, stranger) = (app.anonymous(), app.api_with(token()).await);
    let (guest, job) = (app.member(AccessLevel::Guest).await, app.job().await);
    let listed = async |api: &Api| values(&api.get(TAGS).await, "name");
    for (api, status, body) in [
        (&guest, 403, FORBIDDEN),
        (&nobody, 404, PROJECT_NOT_FOUND),
        (&stranger, 404, PROJECT_NOT_FOUND),
        (&job, 404, PROJECT_NOT_FOUND),
    ] {
        api.get(TAGS).await.is(status, body);
    }
    developer.get("/projects/99/repository/tags").await.is(404, PROJECT_NOT_FOUND);
    // Before parameters are read, the caller is authorized.
    guest.get(&format!("{TAGS}?sort=up")).await.is(403, FORBIDDEN);
    let reader = NewToken {
        scope: Scope::ReadApi,
        grants: vec![grant(20, AccessLevel::Reporter)],
        ..token()
    };
    assert_eq!(listed(&app.api_with(reader).await).await, ["v1.7.0"]);

    app.change_project(20, |project| project.visibility = Visibility::Public).await;
    for api in [&nobody, &stranger, &guest, &job] {
        assert_eq!(listed(api).await, ["v1.7.0"]);
    }
    // A tag is known by its release, and so to callers who may see that.
    app.change_project(20, |project| project.releases_access = ReleasesAccess::Private).await;
    assert_eq!((listed(&guest).await.len(), listed(&nobody).await.len()), (1, 0));
    app.change_project(20, |project| project.releases_access = ReleasesAccess::Disabled).await;
    let hidden = developer.get(TAGS).await;
    hidden.is(200, "[]");
    assert_eq!(hidden.header("x-total"), "0");
}

#[tokio::test]
async fn a_page_of_tags_with_long_descriptions_fits_into_an_answer() {
    let (app, api) = TestApp::hello().await;
    let description = Description::parse(&"\u{1}x\"é".repeat(14_000)).unwrap();
    for number in 0..30 {
        let new = new_release(20, &format!("long-{number}"));
        let new =
            shared::store::releases::NewRelease { description: Some(description.clone()), ..new };
        app.store.create_release(new, Timestamp::now(), test_deadline()).await.unwrap();
    }
    let reply = api.get(&format!("{TAGS}?per_page=100&search=long")).await;
    assert_eq!((reply.status, values(&reply, "name").len()), (200, 30));
    let sent = serde_json::to_string(&reply.body).unwrap().len();
    assert!((4_000_000..5 * 1024 * 1024).contains(&sent), "{sent}");
    for tag in reply.json().as_array().unwrap() {
        let shown = tag["release"]["description"].as_str().unwrap();
        assert!(!shown.is_empty() && description.as_str().starts_with(shown));
    }
}

#[tokio::test]
async fn deleting_a_tag_deletes_its_release() {
    let (app, api) = TestApp::hello().await;
    let tag = format!("{TAGS}/v1.7.0");
    let new = shared::store::releases::NewRelease {
        links: links("file", 3),
        ..new_release(20, "release/1.0")
    };
    app.store.create_release(new, Timestamp::now(), test_deadline()).await.unwrap();
    let nested = "/projects/mynamespace%2Fhello/repository/tags/release%2F1.0";
    for path in [tag.as_str(), nested] {
        let deleted = api.delete(path).await;
        deleted.is(204, "");
        assert!(!deleted.headers.contains_key("etag"), "{deleted:?}");
        api.get(path).await.is(404, TAG_NOT_FOUND);
        // Release tools delete the release first. Every tag is taken to exist, then, too.
        api.delete(path).await.is(204, "");
    }
    api.get(TAGS).await.is(200, "[]");
    assert_eq!(api.get(RELEASES).await.body, "[]");
    assert_eq!(app.audit().await.unreachable, 3 * 4);
    let long = "x".repeat(300);
    for invalid in ["a..b", "%20", ".a", "HEAD", "refs%2Fheads%2Fx", "a%20b", &long] {
        api.delete(&format!("{TAGS}/{invalid}")).await.is(404, TAG_NOT_FOUND);
    }
    // The tag is free for another release.
    assert_eq!(api.post(RELEASES, r#"{"tag_name":"v1.7.0"}"#).await.status, 201);
    app.assert_sound().await;
}

#[tokio::test]
async fn a_tag_newer_than_the_request_allows_is_kept() {
    let (app, api) = TestApp::hello().await;
    let at = "2019-01-03T01:56:19.539Z";
    app.release_at("v2", at, at).await;
    let path = format!("{TAGS}/v2");
    let unless_newer = |than: &str| api.with("if-unmodified-since", than);
    let older = unless_newer("Mon, 01 Jan 2018 00:00:00 GMT");
    older.delete(&path).await.is(412, r#"{"message":"412 Precondition Failed"}"#);
    assert_eq!(api.get(&path).await.status, 200);
    unless_newer("Fri, 04 Jan 2019 00:00:00 GMT").delete(&path).await.is(204, "");
    // GitLab ignores a value that is no time.
    app.release_at("v2", at, at).await;
    unless_newer("soon").delete(&path).await.is(204, "");
}

#[tokio::test]
async fn tags_are_deleted_by_developers_and_protected_ones_by_maintainers() {
    let (app, developer) = TestApp::hello().await;
    let maintainer = app.member(AccessLevel::Maintainer).await;
    let guest = app.member(AccessLevel::Guest).await;
    let reporter = app.member(AccessLevel::Reporter).await;
    let path = |tag: &str| format!("{TAGS}/{tag}");
    let kept = path("v1.7.0");
    let grants = vec![grant(20, AccessLevel::Owner)];
    let job =
        app.token(NewToken { grants: grants.clone(), ..job_token("mynamespace/hello") }).await;
    let job = app.anonymous().with("job-token", job.reveal());
    let reader = app.api_with(NewToken { scope: Scope::ReadApi, grants, ..token() }).await;
    for (api, status, body) in [
        (&guest, 403, FORBIDDEN),
        (&reporter, 403, FORBIDDEN),
        (&job, 404, PROJECT_NOT_FOUND),
        (&app.anonymous(), 404, PROJECT_NOT_FOUND),
        (&app.api_with(token()).await, 404, PROJECT_NOT_FOUND),
    ] {
        for tag in [&kept, &path("none")] {
            api.delete(tag).await.is(status, body);
        }
    }
    assert!(reader.delete(&kept).await.body.contains("insufficient_scope"));
    app.change_project(20, |project| project.archived = true).await;
    maintainer.delete(&kept).await.is(403, FORBIDDEN);
    app.change_project(20, |project| project.archived = false).await;
    // A project that hides its releases has no tags.
    app.change_project(20, |project| project.releases_access = ReleasesAccess::Disabled).await;
    maintainer.delete(&kept).await.is(404, TAG_NOT_FOUND);
    app.change_project(20, |project| project.releases_access = ReleasesAccess::Enabled).await;
    let key: ReleaseKey = new_release(20, "v1.7.0").key;
    assert!(app.store.get_release(&key, test_deadline()).await.unwrap().is_some());

    app.change_project(20, |project| {
        project.protected_tags = vec![
            protected("d*", Some(AccessLevel::Developer)),
            protected("m*", Some(AccessLevel::Maintainer)),
            protected("n*", None),
        ];
    })
    .await;
    for (tag, by_developer, by_maintainer) in [
        // Developers may create it, and not delete it.
        ("d", 403, 204),
        ("m", 403, 204),
        ("n", 403, 403),
        ("free", 204, 204),
    ] {
        for (api, status) in [(&developer, by_developer), (&maintainer, by_maintainer)] {
            let made = harness::test_app::create_release(&app.store, 20, tag).await;
            drop(made);
            let reply = api.delete(&path(tag)).await;
            reply.is(status, if status == 403 { FORBIDDEN } else { "" });
            let left =
                app.store.get_release(&new_release(20, tag).key, test_deadline()).await.unwrap();
            assert_eq!(left.is_some(), status == 403, "{tag}");
        }
    }
}
