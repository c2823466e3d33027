//! `/projects/:id/repository`: what release tools ask of a repository that is elsewhere.

use shared::domain::project::{ReleasesAccess, Visibility};
use shared::domain::token::AccessLevel;
use shared::store::tokens::NewToken;

use harness::world::{RELEASE, World, grant, job_token, protected, token};

const COMMIT: &str = "/projects/20/repository/commits/abc/merge_requests";
const TAGS: &str = "/projects/20/repository/tags";
const P404: &str = r#"{"message":"404 Project Not Found"}"#;

#[tokio::test]
async fn a_commit_has_one_empty_page_of_merge_requests() {
    let (world, api) = World::hello().await;
    let reply = api.get(COMMIT).await;
    reply.is(200, "[]");
    for (name, value) in [
        ("x-per-page", "20"),
        ("x-page", "1"),
        ("x-next-page", ""),
        ("x-prev-page", ""),
        ("x-total", "0"),
        ("x-total-pages", "1"),
    ] {
        assert_eq!(reply.header(name), value, "{name}");
    }
    let url = format!("http://{}/api/v4{COMMIT}?id=20&page=1&per_page=20&sha=abc", api.address);
    assert_eq!(reply.header("link"), format!(r#"<{url}>; rel="first", <{url}>; rel="last""#));
    let head = api.head(COMMIT).await;
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
        let path = format!("{COMMIT}?{query}");
        api.get(&path).await.is(400, &format!(r#"{{"error":"{error}"}}"#));
    }

    for api in [world.anonymous(), world.job().await, world.api_with(token()).await] {
        api.get(COMMIT).await.is(404, P404);
    }
    api.get("/projects/99/repository/commits/abc/merge_requests").await.is(404, P404);
    world.change_project(20, |project| project.visibility = Visibility::Public).await;
    world.anonymous().get(COMMIT).await.is(200, "[]");
    for path in ["/projects/20/repository/commits/abc", "/projects/20/repository/commits"] {
        api.get(path).await.is(404, r#"{"error":"404 Not Found"}"#);
    }
}

#[tokio::test]
async fn a_tag_is_known_by_its_release() {
    let (world, api) = World::hello().await;
    let rules = vec![protected("p*", Some(AccessLevel::Owner)), protected("*/frozen", None)];
    world.change_project(20, |project| project.protected_tags = rules).await;
    for (tag, encoded, is_protected) in [
        ("v1", "v1", false),
        ("p1", "p1", true),
        ("a/frozen", "a%2Ffrozen", true),
        ("frozen", "frozen", false),
        ("v1.0.json", "v1.0.json", false),
        ("gr\u{f6}\u{df}e 1", "gr%C3%B6%C3%9Fe%201", false),
        ("a%2Fb", "a%252Fb", false),
    ] {
        world.release(20, tag).await;
        let path = format!("{TAGS}/{encoded}");
        let expected = format!(
            r#"{{"name":"{tag}","message":null,"release":{{"tag_name":"{tag}","description":null}},"protected":{is_protected}}}"#
        );
        let reply = api.get(&path).await;
        reply.is(200, &expected);
        let head = api.head(&path).await;
        head.is(200, "");
        assert_eq!(head.header("etag"), reply.header("etag"));
    }
    assert_eq!(api.put(RELEASE, r##"{"description":"# \"x\"","name":"y"}"##).await.status, 200);
    api.get(&format!("{TAGS}/v1.7.0")).await.is(
        200,
        r##"{"name":"v1.7.0","message":null,"release":{"tag_name":"v1.7.0","description":"# \"x\""},"protected":false}"##,
    );
    let long = "x".repeat(300);
    for missing in ["none", "V1", "a..b", "%20", &long] {
        api.get(&format!("{TAGS}/{missing}")).await.is(404, r#"{"message":"404 Tag Not Found"}"#);
    }
    for path in [TAGS.to_owned(), format!("{TAGS}/a/b")] {
        api.get(&path).await.is(404, r#"{"error":"404 Not Found"}"#);
    }
}

#[tokio::test]
async fn a_tag_is_for_who_may_read_code() {
    let (world, developer) = World::hello().await;
    let path = format!("{TAGS}/v1.7.0");
    let forbidden = r#"{"message":"403 Forbidden"}"#;
    let missing = r#"{"message":"404 Tag Not Found"}"#;
    let guest = world.member(AccessLevel::Guest).await;
    for tag in ["v1.7.0", "none"] {
        guest.get(&format!("{TAGS}/{tag}")).await.is(403, forbidden);
    }
    let reporter = world.member(AccessLevel::Reporter).await;
    assert_eq!(reporter.get(&path).await.status, 200);
    let nobody = world.anonymous();
    nobody.get(&path).await.is(404, P404);
    world.api_with(token()).await.get(&path).await.is(404, P404);
    // A job's token is not looked at here.
    let grants = vec![grant(20, AccessLevel::Owner)];
    let job = world.token(NewToken { grants, ..job_token("mynamespace/hello") }).await;
    let job = nobody.with("job-token", job.reveal());
    job.get(&path).await.is(404, P404);

    world.change_project(20, |project| project.visibility = Visibility::Public).await;
    for api in [&nobody, &job, &guest] {
        assert_eq!(api.get(&path).await.status, 200);
    }
    // The tag is known by its release alone, and so to who may see that.
    let members = ReleasesAccess::Private;
    world.change_project(20, |project| project.releases_access = members).await;
    nobody.get(&path).await.is(404, missing);
    assert_eq!(guest.get(&path).await.status, 200);
    let disabled = ReleasesAccess::Disabled;
    world.change_project(20, |project| project.releases_access = disabled).await;
    developer.get(&path).await.is(404, missing);
}
