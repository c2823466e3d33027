//! `GET /projects/:id/releases/:tag_name/assets/links/:link_id`

use harness::errors::{RECORD_NOT_FOUND, ROUTE_NOT_FOUND};
use harness::test_app::{LINKS, TestApp, project};

#[tokio::test]
async fn a_link_is_found_by_its_number_within_its_release_only() {
    let (app, api) = TestApp::hello().await;
    app.release(20, "v2").await;
    let made = api.post(LINKS, r#"{"name":"a","url":"https://e.com/a"}"#).await;
    assert_eq!(made.id(), 1);
    for spelling in ["1", "001", "+1", "%201", "0_1", "1/", "1?", "1.json", "1.5"] {
        api.get(&format!("{LINKS}/{spelling}")).await.is(200, &made.body);
    }
    for missing in ["2", "0", "-1", "99999999999999999999"] {
        api.get(&format!("{LINKS}/{missing}")).await.is(404, RECORD_NOT_FOUND);
    }
    for invalid in ["abc", "0x1", "1__0", "%C3%A9"] {
        let reply = api.get(&format!("{LINKS}/{invalid}")).await;
        reply.is(400, r#"{"error":"link_id is invalid"}"#);
        assert_eq!(reply.header("cache-control"), "no-cache");
    }
    api.get("/projects/20/releases/v2/assets/links/1").await.is(404, RECORD_NOT_FOUND);
}

#[tokio::test]
async fn head_answers_as_get_without_the_body() {
    let (_world, api) = TestApp::hello().await;
    api.post(LINKS, r#"{"name":"a","url":"https://e.com/a"}"#).await;
    for path in [LINKS.to_owned(), format!("{LINKS}/1"), format!("{LINKS}/2")] {
        let (get, head) = (api.get(&path).await, api.send("HEAD", &path, "", b"").await);
        assert_eq!(head.status, get.status);
        assert_eq!(head.body, "");
        for name in ["content-type", "link", "x-total", "etag", "cache-control"] {
            assert_eq!(head.headers.get(name), get.headers.get(name), "{path} {name}");
        }
    }
}

#[tokio::test]
async fn an_answer_that_the_client_has_is_not_sent_again() {
    let (_world, api) = TestApp::hello().await;
    api.post(LINKS, r#"{"name":"a","url":"https://e.com/a"}"#).await;
    let path = format!("{LINKS}/1");
    let etag = api.get(&path).await.header("etag").to_owned();
    assert!(etag.starts_with("W/\""), "{etag}");
    let known = api.with("if-none-match", &etag);
    known.get(&path).await.is(304, "");
    // Weakly compared: a proxy that compresses answers makes a strong validator of a weak one, or
    // the client's cache a list.
    let strong = etag.strip_prefix("W/").unwrap();
    for header in [strong, "*", &format!("\"a,b\", {strong}"), &format!("W/\"a\" ,{etag},\"b\"")] {
        api.with("if-none-match", header).get(&path).await.is(304, "");
        api.with("if-none-match", header).head(&path).await.is(304, "");
    }
    for first in ["\"a\"", "\"a b\"", "a"] {
        let lines = api.with("if-none-match", first).with("if-none-match", strong);
        lines.get(&path).await.is(304, "");
    }
    for header in [strong.trim_matches('"'), "\"a\"", "\"a b\"", "W/", "\"", "w/\"a\"", "é", ""] {
        assert_eq!(api.with("if-none-match", header).get(&path).await.status, 200, "{header}");
    }
    api.put(&path, r#"{"name":"b"}"#).await;
    assert_eq!(known.get(&path).await.status, 200);
}

#[tokio::test]
async fn each_segment_of_the_path_is_decoded_once() {
    let (app, api) = TestApp::hello().await;
    app.project(project(21, "Group/sub.group/my_project-1")).await;
    let tags = [
        ("release/1.0", "release%2F1.0"),
        ("release/1.0", "release%2F1%2E0"),
        ("release/1.0", "release%2f1.0"),
        ("v1.0.0+build 1", "v1.0.0%2Bbuild%201"),
        ("v1.0.0+build 1", "v1.0.0+build%201"),
        ("a%2Fb", "a%252Fb"),
        ("größe", "gr%C3%B6%C3%9Fe"),
        ("v1.0.json", "v1.0.json"),
    ];
    for tag in ["release/1.0", "v1.0.0+build 1", "a%2Fb", "größe", "v1.0.json"] {
        app.release(20, tag).await;
    }
    for (number, (tag, encoded)) in tags.into_iter().enumerate() {
        for project in ["20", "mynamespace%2Fhello", "MyNamespace%2fHELLO", "mynamespace%2Fh%65llo"]
        {
            let links = format!("/projects/{project}/releases/{encoded}/assets/links");
            let body = format!(
                r#"{{"name":"{number} {project}","url":"https://e.com/{number}/{project}"}}"#
            );
            let made = api.post(&links, &body).await;
            assert_eq!(made.status, 201, "{tag} as {encoded}: {made:?}");
            api.get(&format!("{links}/{}", made.id())).await.is(200, &made.body);
        }
    }
    let not_found = RECORD_NOT_FOUND;
    for tag in ["%20", "a/b", "RELEASE%2F1.0", "v9", &"x".repeat(300)] {
        let reply = api.get(&format!("/projects/20/releases/{tag}/assets/links")).await;
        match tag {
            "a/b" => reply.is(404, ROUTE_NOT_FOUND),
            _ => reply.is(404, not_found),
        }
    }
    for bytes in ["%FF", "%00", "a%C3"] {
        for path in [
            format!("/projects/{bytes}/releases/v1/assets/links"),
            format!("/projects/20/releases/{bytes}/assets/links"),
            format!("{LINKS}/{bytes}"),
        ] {
            api.get(&path).await.is(400, "Bad Request");
        }
    }
}

#[tokio::test]
async fn direct_asset_urls_are_encoded_as_rails_does() {
    let (app, api) = TestApp::hello().await;
    for (tag, encoded, shown) in [
        ("debian/2.4.0-1", "debian%2F2.4.0-1", "debian%2F2.4.0-1"),
        ("a b#c%d", "a%20b%23c%25d", "a%20b%23c%25d"),
        ("v1+2@3;4=5&6", "v1+2@3;4=5&6", "v1+2@3;4=5&6"),
        ("é", "%C3%A9", "%C3%A9"),
    ] {
        app.release(20, tag).await;
        let links = format!("/projects/20/releases/{encoded}/assets/links");
        let reply =
            api.post(&links, r#"{"name":"x","url":"https://e.com","filepath":"/@in/x"}"#).await;
        assert_eq!(
            reply.json()["direct_asset_url"],
            format!(
                "http://{}/mynamespace/hello/-/releases/{shown}/downloads/@in/x",
                app.server.address
            ),
            "{tag}"
        );
    }
    let reply =
        api.post(LINKS, r#"{"name":"y","url":"https://e.com/y","filepath":"/\nabc"}"#).await;
    assert!(reply.json()["direct_asset_url"].as_str().unwrap().ends_with("/downloads/%0Aabc"));
}
