//! `PUT /projects/:id/releases/:tag_name/assets/links/:link_id`

use harness::LinkBody;
use harness::errors::RECORD_NOT_FOUND;
use harness::test_app::{LINKS, TestApp};

const LINK: &str = "/projects/20/releases/v1.7.0/assets/links/1";

#[tokio::test]
async fn sent_fields_change_and_the_type_is_reset() {
    let (app, api) = TestApp::hello().await;
    let downloads =
        format!("http://{}/mynamespace/hello/-/releases/v1.7.0/downloads", app.server.address);
    let shown = |name: &str, url: &str, path: Option<&str>, link_type: &str| {
        let direct_asset_url =
            &path.map_or_else(|| url.to_owned(), |path| format!("{downloads}{path}"));
        LinkBody { direct_asset_url, link_type, ..LinkBody::new(1, name, url) }.json()
    };
    let body =
        r#"{"name":"a","url":"http://e.com/a","direct_asset_path":"/bin/a","link_type":"image"}"#;
    api.post(LINKS, body).await.is(201, &shown("a", "http://e.com/a", Some("/bin/a"), "image"));
    for (body, expected) in [
        // A PUT without link_type resets it: GitLab's quirk, kept.
        (r#"{"name":"b"}"#, shown("b", "http://e.com/a", Some("/bin/a"), "other")),
        (
            r#"{"name":"b","link_type":"package"}"#,
            shown("b", "http://e.com/a", Some("/bin/a"), "package"),
        ),
        (r#"{"name":"b","link_type":null}"#, shown("b", "http://e.com/a", Some("/bin/a"), "other")),
        (r#"{"url":" http://e.com/b "}"#, shown("b", "http://e.com/b", Some("/bin/a"), "other")),
        (r#"{"name":"b","filepath":"/old"}"#, shown("b", "http://e.com/b", Some("/old"), "other")),
        (
            r#"{"name":"b","direct_asset_path":null,"filepath":"/abc"}"#,
            shown("b", "http://e.com/b", Some("/abc"), "other"),
        ),
        (
            r#"{"name":"b","direct_asset_path":"/new","filepath":"/abc"}"#,
            shown("b", "http://e.com/b", Some("/new"), "other"),
        ),
        (r#"{"name":"b","filepath":null}"#, shown("b", "http://e.com/b", None, "other")),
        (
            r#"{"name":"b","filepath":"/again"}"#,
            shown("b", "http://e.com/b", Some("/again"), "other"),
        ),
        (r#"{"name":"b","direct_asset_path":null}"#, shown("b", "http://e.com/b", None, "other")),
        (r#"{"name":"b"}"#, shown("b", "http://e.com/b", None, "other")),
    ] {
        api.put(LINK, body).await.is(200, &expected);
        api.get(LINK).await.is(200, &expected);
    }
    let audit = app.assert_sound().await;
    assert_eq!((audit.links, audit.claims, audit.unreachable), (1, 2, 0));
}

#[tokio::test]
async fn an_update_needs_a_name_or_a_url() {
    let (_world, api) = TestApp::hello().await;
    api.post(LINKS, r#"{"name":"a","url":"http://e.com/a"}"#).await;
    let neither = "name, url are missing, at least one parameter must be provided";
    for body in [
        "",
        "{}",
        r#"{"link_type":"image"}"#,
        r#"{"filepath":"/abc"}"#,
        r#"{"direct_asset_path":"/abc"}"#,
    ] {
        api.put(LINK, body).await.is(400, &format!(r#"{{"error":"{neither}"}}"#));
    }
    api.put(LINK, r#"{"link_type":"zzz"}"#)
        .await
        .is(400, &format!(r#"{{"error":"link_type does not have a valid value, {neither}"}}"#));
    api.put(&format!("{LINKS}/abc"), "{}")
        .await
        .is(400, &format!(r#"{{"error":"link_id is invalid, {neither}"}}"#));
    api.put(LINK, r#"{"name":null}"#).await.is(400, r#"{"message":["Name can't be blank"]}"#);
    api.put(LINK, r#"{"url":null}"#)
        .await
        .is(400, r#"{"message":["Url can't be blank","Url must be a valid URL"]}"#);
    api.put(LINK, r#"{"name":["a"]}"#).await.is(400, r#"{"error":"name is invalid"}"#);
}

#[tokio::test]
async fn a_value_of_another_link_is_taken_and_ones_own_is_not() {
    let (app, api) = TestApp::hello().await;
    api.post(LINKS, r#"{"name":"a","url":"http://e.com/a","filepath":"/bin/a"}"#).await;
    api.post(LINKS, r#"{"name":"b","url":"http://e.com/b","filepath":"/bin/b"}"#).await;
    let own = r#"{"name":"a","url":"http://e.com/a","filepath":"/bin/a"}"#;
    assert_eq!(api.put(LINK, own).await.status, 200);
    for (body, sentences) in [
        (r#"{"name":"b"}"#, r#""Name has already been taken""#),
        (r#"{"url":"http://e.com/b"}"#, r#""Url has already been taken""#),
        (r#"{"name":"a","filepath":"/bin/b"}"#, r#""Filepath has already been taken""#),
        (
            r#"{"name":"b","url":"http://e.com/b","filepath":"/bin/b"}"#,
            r#""Url has already been taken","Name has already been taken","Filepath has already been taken""#,
        ),
        (
            r#"{"name":"b","url":"nope","filepath":"bad"}"#,
            r#""Url is blocked: Only allowed schemes are http, https, ftp","Name has already been taken","Filepath is in an invalid format""#,
        ),
    ] {
        api.put(LINK, body).await.is(400, &format!(r#"{{"message":[{sentences}]}}"#));
    }
    // The old values of a link are free again.
    assert_eq!(
        api.put(LINK, r#"{"name":"c","url":"http://e.com/c","filepath":"/bin/c"}"#).await.status,
        200
    );
    assert_eq!(api.post(LINKS, own).await.status, 201);
    let audit = app.assert_sound().await;
    assert_eq!((audit.links, audit.claims), (3, 9));
}

#[tokio::test]
async fn a_missing_link_is_not_found_before_rights_are_looked_at() {
    let (_world, api) = TestApp::hello().await;
    api.put(&format!("{LINKS}/9"), r#"{"name":"a"}"#).await.is(404, RECORD_NOT_FOUND);
    api.put("/projects/20/releases/nope/assets/links/1", r#"{"name":"a"}"#)
        .await
        .is(404, RECORD_NOT_FOUND);
}
