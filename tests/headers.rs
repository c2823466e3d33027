//! No header of an answer is longer than 8 KB, however long what it repeats is.

use serde_json::json;
use shared::domain::access_level::AccessLevel;
use shared::domain::link::DirectAssetPath;
use shared::domain::project::Visibility;
use shared::domain::tag_name::TagName;
use shared::store::keys::ReleasesKey;
use shared::store::projects::NewProject;
use shared::store::tokens::NewToken;

use harness::proxy::ask;
use harness::test_app::{LINKS, RELEASES, TestApp, grant, project, token};

const TOO_LONG: &str =
    r#"{"message":"422 Unprocessable Entity - The redirect is longer than 8192 bytes"}"#;

#[tokio::test]
async fn a_url_too_long_for_a_header_is_refused() {
    let (_world, api) = TestApp::hello().await;
    for (n, letter, fits) in [(0, "🦀", 681), (1, "é", 1_363), (2, "x", 2_034)] {
        for (count, status) in [(fits, 201), (fits + 1, 400)] {
            let url = format!("https://e.com/{}", letter.repeat(count));
            let (name, path) = (format!("{n} {count}"), format!("/bin/app-{count}"));
            let body = json!({ "name": name, "url": url, "filepath": path }).to_string();
            let made = api.post(LINKS, &body).await;
            assert_eq!(made.status, status, "{made:?}");
            if status == 400 {
                let sentence = "Url is too long (maximum is 2048 characters)";
                assert_eq!(made.json(), json!({ "message": [sentence] }));
            }
        }
        let download = api.get(&format!("{RELEASES}/v1.7.0/downloads/bin/app-{fits}")).await;
        assert_eq!(download.status, 302);
    }
}

#[tokio::test]
async fn a_redirect_too_long_for_a_header_is_an_error() {
    let (test_app, api) = TestApp::hello().await;
    let release = test_app.release(20, "v2").await;
    let link = r#"{"name":"a","url":"https://e.com","filepath":"/bin/app"}"#;
    assert_eq!(api.post(&format!("{RELEASES}/v2/assets/links"), link).await.status, 201);
    // As an earlier version accepted it.
    let path = DirectAssetPath::parse("/bin/app").unwrap();
    let key = ReleasesKey::path_claim(&release.key, &path, &release.uid);
    let update = json!({
        "TableName": "release-links-releases",
        "Key": { "pk": { "S": key.pk }, "sk": { "S": key.sk } },
        "UpdateExpression": "SET #url = :url",
        "ExpressionAttributeNames": { "#url": "url" },
        "ExpressionAttributeValues": {
            ":url": { "S": format!("https://e.com/{}", "🦀".repeat(2_034)) },
        },
    });
    let url = &test_app.server.dynamodb_url;
    assert_eq!(ask(url, "DynamoDB_20120810.UpdateItem", &update).await.0, 200);
    api.get(&format!("{RELEASES}/v2/downloads/bin/app")).await.is(422, TOO_LONG);
    api.get("/mynamespace/hello/-/releases/v2/downloads/bin/app").await.is(422, TOO_LONG);

    let query = "x".repeat(8_192);
    for latest in
        [&format!("{RELEASES}/permalink/latest"), "/mynamespace/hello/-/releases/permalink/latest"]
    {
        assert_eq!(api.get(&format!("{latest}?a=x")).await.status, 302);
        api.get(&format!("{latest}?a={query}")).await.is(422, TOO_LONG);
    }
}

#[tokio::test]
async fn a_link_header_keeps_the_next_page_as_long_as_it_can() {
    let test_app = TestApp::empty();
    let path = format!("{0}/{0}", "g".repeat(126));
    let public = NewProject { visibility: Visibility::Public, ..project(21, &path) };
    test_app.project(public).await;
    let tag = "é".repeat(127);
    test_app.release(21, TagName::parse(&tag).unwrap().as_str()).await;
    let owner = NewToken { grants: vec![grant(21, AccessLevel::Owner)], ..token() };
    let api = test_app.api_with(owner).await;
    let encoded = (path.replace('/', "%2F"), "%C3%A9".repeat(127));
    let links = format!("/projects/{}/releases/{}/assets/links", encoded.0, encoded.1);
    for n in 0..3 {
        let link = json!({ "name": n.to_string(), "url": format!("https://e.com/{n}") });
        assert_eq!(api.post(&links, &link.to_string()).await.status, 201);
    }
    let reply = api.get(&format!("{links}?per_page=1&page=2&x={}", "x".repeat(9_000))).await;
    let relations: Vec<&str> =
        reply.header("link").split("; rel=").skip(1).map(|rest| &rest[..6]).collect();
    assert_eq!(relations, ["\"prev\"", "\"next\"", "\"first"]);
    assert_eq!((reply.header("x-total"), reply.header("x-next-page")), ("3", "3"));
}

#[tokio::test]
async fn a_preflight_does_not_repeat_more_than_a_header_holds() {
    let (test_app, _) = TestApp::hello().await;
    let page = test_app.anonymous().with("origin", "https://page.example");
    let page = page.with("access-control-request-method", "PUT");
    for (length, is_repeated) in [(8_192, true), (8_193, false)] {
        let asking = page.with("access-control-request-headers", &"x".repeat(length));
        let reply = asking.send("OPTIONS", LINKS, "", b"").await;
        assert_eq!(reply.status, 200);
        assert_eq!(reply.headers.contains_key("access-control-allow-headers"), is_repeated);
    }
}
