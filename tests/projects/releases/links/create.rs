//! `POST /projects/:id/releases/:tag_name/assets/links`

use harness::LinkBody;
use harness::errors::INVALID_FILEPATH;
use harness::test_app::{LINKS, TestApp};
use shared::domain::link::{MAX_NAME_CHARS, MAX_PATH_CHARS};
use shared::domain::link_url::MAX_URL_CHARS;

#[tokio::test]
async fn a_link_is_made_and_shown() {
    let (app, api) = TestApp::hello().await;
    let host = format!("http://{}", app.server.address);

    let reply = api.post(LINKS, r#"{"name":"a","url":"https://e.com/a"}"#).await;
    reply.is(201, &LinkBody::new(1, "a", "https://e.com/a").json());
    assert_eq!(reply.header("cache-control"), "max-age=0, private, must-revalidate");

    let body = format!(
        r#"{{"name":"b","url":"{host}/mynamespace/hello/x","direct_asset_path":"/bin/b","link_type":"package"}}"#
    );
    let url = format!("{host}/mynamespace/hello/x");
    let link = LinkBody {
        direct_asset_url: &format!("{host}/mynamespace/hello/-/releases/v1.7.0/downloads/bin/b"),
        external: false,
        link_type: "package",
        ..LinkBody::new(2, "b", &url)
    };
    api.post(LINKS, &body).await.is(201, &link.json());
    app.assert_sound().await;
}

#[tokio::test]
async fn parameters_come_from_json_form_multipart_and_query() {
    let (_world, api) = TestApp::hello().await;
    let shown = |id: u64, name: &str, link_type: &str| {
        let url = format!("https://e.com/{id}?a=1&b=2");
        LinkBody { link_type, ..LinkBody::new(id, name, &url) }.json()
    };
    let json = "application/json; charset=utf-8";
    let body = r#"{"name":"bin \u00fcn\u00ef","url":"https://e.com/1?a=1&b=2"}"#.as_bytes();
    api.send("POST", LINKS, json, body).await.is(201, &shown(1, "bin ünï", "other"));

    let form = "application/x-www-form-urlencoded";
    let body = "name=bin+%C3%BCn%2B&url=https%3A%2F%2Fe.com%2F2%3Fa%3D1%26b%3D2&link_type=image";
    api.send("POST", LINKS, form, body.as_bytes()).await.is(201, &shown(2, "bin ün+", "image"));

    let multipart = "multipart/form-data; boundary=xyz";
    let body = "--xyz\r\ncontent-disposition: form-data; name=\"name\"\r\n\r\nmülti\r\n\
                --xyz\r\ncontent-disposition: form-data; name=\"url\"\r\n\r\nhttps://e.com/3?a=1&b=2\r\n\
                --xyz--\r\n";
    api.send("POST", LINKS, multipart, body.as_bytes()).await.is(201, &shown(3, "mülti", "other"));

    let query = format!("{LINKS}?name=q%26+1&url=https://e.com/4%3Fa=1%26b=2&link_type=runbook");
    api.send("POST", &query, "", b"").await.is(201, &shown(4, "q& 1", "runbook"));

    let mixed = format!("{LINKS}?name=query&url=https://e.com/5%3Fa=1%26b=2");
    api.post(&mixed, r#"{"name":"body","id":"99","tag_name":"x","unknown":{"a":[1]}}"#)
        .await
        .is(201, &shown(5, "body", "other"));
}

#[tokio::test]
async fn parameters_are_checked_in_the_order_they_are_declared() {
    let (app, api) = TestApp::hello().await;
    for (body, error) in [
        ("", "name is missing, url is missing"),
        ("{}", "name is missing, url is missing"),
        ("null", "name is missing, url is missing"),
        ("[]", "name is missing, url is missing"),
        ("7", "name is missing, url is missing"),
        (r#"{"name":"a"}"#, "url is missing"),
        (r#"{"url":"https://e.com"}"#, "name is missing"),
        (
            r#"{"name":"a","url":"https://e.com","link_type":"zzz"}"#,
            "link_type does not have a valid value",
        ),
        (
            r#"{"name":"a","url":"https://e.com","link_type":""}"#,
            "link_type does not have a valid value",
        ),
        (
            r#"{"name":"a","url":"https://e.com","link_type":"Image"}"#,
            "link_type does not have a valid value",
        ),
        (
            r#"{"name":"a","url":"https://e.com","link_type":1}"#,
            "link_type does not have a valid value",
        ),
        (
            r#"{"link_type":"zzz"}"#,
            "name is missing, url is missing, link_type does not have a valid value",
        ),
        (r#"{"name":"a","url":"https://e.com","link_type":["image"]}"#, "link_type is invalid"),
        (r#"{"name":["a"],"url":{"b":1}}"#, "name is invalid, url is invalid"),
        (
            r#"{"name":"a","url":"https://e.com","filepath":[],"direct_asset_path":{}}"#,
            "direct_asset_path is invalid, filepath is invalid",
        ),
    ] {
        // Checked before authentication: an anonymous caller of a private project gets the same errors.
        let expected = format!(r#"{{"error":"{error}"}}"#);
        api.post(LINKS, body).await.is(400, &expected);
        app.anonymous().post(LINKS, body).await.is(400, &expected);
    }
    let form = "application/x-www-form-urlencoded";
    api.send("POST", LINKS, form, b"name[]=a&url[x]=b")
        .await
        .is(400, r#"{"error":"name is invalid, url is invalid"}"#);
    let file = "--x\r\ncontent-disposition: form-data; name=\"name\"; filename=\"f\"\r\n\r\nz\r\n--x--\r\n";
    api.send("POST", LINKS, "multipart/form-data; boundary=x", file.as_bytes())
        .await
        .is(400, r#"{"error":"name is invalid, url is missing"}"#);
}

#[tokio::test]
async fn values_that_are_no_texts_are_turned_into_texts() {
    let (_world, api) = TestApp::hello().await;
    for (value, name) in
        [("1", "1"), ("1.5", "1.5"), ("true", "true"), ("2.0", "2.0"), ("1e20", "1.0e+20")]
    {
        let body = format!(r#"{{"name":{value},"url":"https://e.com/{name}"}}"#);
        let reply = api.post(LINKS, &body).await;
        assert_eq!((reply.status, reply.json()["name"].as_str()), (201, Some(name)));
    }
    let reply =
        api.post(LINKS, r#"{"name":"null type","url":"http://e.com","link_type":null}"#).await;
    assert_eq!((reply.status, reply.json()["link_type"].as_str()), (201, Some("other")));
    let reply = api.post(LINKS, r#"{"name":"x","name":"last wins","url":"http://e.com/l"}"#).await;
    assert_eq!((reply.status, reply.json()["name"].as_str()), (201, Some("last wins")));
}

#[tokio::test]
async fn the_model_speaks_in_gitlabs_sentences_and_order() {
    let (app, api) = TestApp::hello().await;
    let taken = r#"{"name":"taken","url":"https://e.com/taken","direct_asset_path":"/bin/taken"}"#;
    assert_eq!(api.post(LINKS, taken).await.status, 201);
    let long_name = "n".repeat(MAX_NAME_CHARS + 1);
    let long_url = format!("https://e.com/{}", "u".repeat(MAX_URL_CHARS));
    let long_path = format!("/{}", "p".repeat(MAX_PATH_CHARS));
    for (body, sentences) in [
        (
            r#"{"name":"","url":""}"#.to_owned(),
            r#""Url can't be blank","Url must be a valid URL","Name can't be blank""#,
        ),
        (
            r#"{"name":null,"url":null}"#.to_owned(),
            r#""Url can't be blank","Url must be a valid URL","Name can't be blank""#,
        ),
        (
            taken.to_owned(),
            r#""Url has already been taken","Name has already been taken","Filepath has already been taken""#,
        ),
        (
            r#"{"name":"taken","url":"hoge","filepath":"bad"}"#.to_owned(),
            r#""Url is blocked: Only allowed schemes are http, https, ftp","Name has already been taken","Filepath is in an invalid format""#,
        ),
        (
            r#"{"name":"new","url":"  https://e.com/taken\n"}"#.to_owned(),
            r#""Url has already been taken""#,
        ),
        (
            r#"{"name":"new","url":"https://e.com/new","filepath":""}"#.to_owned(),
            r#""Filepath is in an invalid format""#,
        ),
        (
            r#"{"name":"n","url":"https://-a.com"}"#.to_owned(),
            r#""Url is blocked: Hostname or IP address invalid""#,
        ),
        (r#"{"name":"n","url":"http://"}"#.to_owned(), r#""Url is blocked: URI is invalid""#),
        (
            format!(r#"{{"name":"{long_name}","url":"{long_url}","filepath":"{long_path}"}}"#),
            &format!(
                r#""Url is too long (maximum is {MAX_URL_CHARS} characters)","Name is too long (maximum is {MAX_NAME_CHARS} characters)","Filepath is too long (maximum is {MAX_PATH_CHARS} characters)""#
            ),
        ),
    ] {
        api.post(LINKS, &body).await.is(400, &format!(r#"{{"message":[{sentences}]}}"#));
    }
    assert_eq!(app.assert_sound().await.links, 1);
}

#[tokio::test]
async fn uniqueness_is_case_sensitive_and_ends_with_the_release() {
    let (app, api) = TestApp::hello().await;
    app.release(20, "v2").await;
    assert_eq!(api.post(LINKS, r#"{"name":"a","url":"https://e.com/a"}"#).await.status, 201);
    for (path, body) in [
        (LINKS, r#"{"name":"A","url":"https://e.com/A"}"#),
        (LINKS, r#"{"name":" a","url":"https://e.com/b"}"#),
        ("/projects/20/releases/v2/assets/links", r#"{"name":"a","url":"https://e.com/a"}"#),
    ] {
        assert_eq!(api.post(path, body).await.status, 201, "{body}");
    }
    app.assert_sound().await;
}

#[tokio::test]
async fn filepath_is_the_older_name_of_direct_asset_path() {
    let (app, api) = TestApp::hello().await;
    let downloads =
        format!("http://{}/mynamespace/hello/-/releases/v1.7.0/downloads", app.server.address);
    for (number, fields, path) in [
        (1, r#""filepath":"/old/x""#, Some("/old/x")),
        (2, r#""direct_asset_path":"/new/x""#, Some("/new/x")),
        (3, r#""direct_asset_path":"/new/y","filepath":"/old/y""#, Some("/new/y")),
        (4, r#""direct_asset_path":null,"filepath":"/old/z""#, Some("/old/z")),
        (5, r#""filepath":null"#, None),
        (6, r#""filepath":"/ébc d""#, None),
    ] {
        let body = format!(r#"{{"name":"{number}","url":"https://e.com/{number}",{fields}}}"#);
        let reply = api.post(LINKS, &body).await;
        if number == 6 {
            reply.is(400, INVALID_FILEPATH);
            continue;
        }
        let expected = path
            .map_or_else(|| format!("https://e.com/{number}"), |path| format!("{downloads}{path}"));
        assert_eq!(reply.json()["direct_asset_url"], expected, "{body}");
    }
}

#[tokio::test]
async fn bodies_that_cannot_be_read_are_refused() {
    let (_world, api) = TestApp::hello().await;
    let json = "application/json";
    let form = "application/x-www-form-urlencoded";

    let reply = api.send("POST", LINKS, json, b"{\"name\":").await;
    reply.is(400, "");
    assert_eq!(reply.header("content-type"), "text/html");
    api.with("accept", "application/json")
        .send("POST", LINKS, json, b"nonsense")
        .await
        .is(400, r#"{"status":400,"error":"Bad Request"}"#);

    let multipart = "multipart/form-data; boundary=x";
    for (content_type, body) in [
        (json, &b"{\"name\":\"\xff\"}"[..]),
        (json, b"{\"name\":\"a\\u0000\"}"),
        (json, b"{\"other\":[{\"x\\u0000\":1}]}"),
        (form, b"name=%FF"),
        (form, b"name=%00"),
        (form, b"name=%zz"),
        (form, b"name=a&name[b]=c"),
        (multipart, b"no boundary here"),
        ("multipart/form-data", b"--x--"),
        (
            multipart,
            b"--x\r\ncontent-disposition: form-data; name=\"name\"\r\n\r\n\xff\r\n--x--\r\n",
        ),
    ] {
        let reply = api.send("POST", LINKS, content_type, body).await;
        reply.is(400, "Bad Request");
        assert_eq!(reply.header("content-type"), "text/plain");
    }
    for query in ["?a=%00", "?%FF=1", "?name=%C3", "?a=1&a[b]=2"] {
        api.get(&format!("{LINKS}{query}")).await.is(400, "Bad Request");
    }

    for (content_type, shown) in [
        ("text/plain", "text/plain"),
        ("", ""),
        ("Application/OCTET-stream; x=y", "application/octet-stream"),
        ("application/vnd.api+json", "application/vnd.api+json"),
    ] {
        api.send("POST", LINKS, content_type, b"{}").await.is(
            415,
            &format!(r#"{{"error":"The provided content-type '{shown}' is not supported."}}"#),
        );
    }
    api.send("POST", &format!("{LINKS}?format=xml"), "text/plain", b"x")
        .await
        .is(406, r#"{"error":"The requested format 'xml' is not supported."}"#);
    api.send("POST", LINKS, "text/plain", b"")
        .await
        .is(400, r#"{"error":"name is missing, url is missing"}"#);
}

#[tokio::test]
async fn a_body_of_one_mebibyte_is_read_and_one_byte_more_is_not() {
    let (_world, api) = TestApp::hello().await;
    let frame = r#"{"name":"a","url":"https://e.com","x":""}"#;
    let padding = |total: usize| "x".repeat(total - frame.len());
    let body = |total| format!(r#"{{"name":"a","url":"https://e.com","x":"{}"}}"#, padding(total));
    assert_eq!(api.post(LINKS, &body(1 << 20)).await.status, 201);
    api.post(LINKS, &body((1 << 20) + 1))
        .await
        .is(413, r#"{"error":"413 Request Entity Too Large"}"#);
    assert_eq!(api.post(LINKS, &body(11 << 20)).await.status, 413);
}
