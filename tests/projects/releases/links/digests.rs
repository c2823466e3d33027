//! `digest` and `size` of links, which GitLab does not have.

use harness::test_app::{LINKS, RELEASE, RELEASES, TestApp};
use harness::{Api, LinkBody};
use serde_json::{Value, json};

const LINK: &str = "/projects/20/releases/v1.7.0/assets/links/1";
const DIGEST: &str = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
const OTHER: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const FORM: &str = "application/x-www-form-urlencoded";

/// A link of which this is known.
fn shown(id: u64, name: &str, url: &str, digest: Option<&str>, size: Option<u64>) -> String {
    LinkBody { digest, size, ..LinkBody::new(id, name, url) }.json()
}

#[tokio::test]
async fn a_link_shows_the_digest_and_size_that_it_was_made_with() {
    let (app, api) = TestApp::hello().await;
    let json =
        |id: u64, fields: &str| format!(r#"{{"name":"{id}","url":"https://e.com/{id}",{fields}}}"#);
    let form = |id: u64, fields: &str| format!("name={id}&url=https://e.com/{id}&{fields}");
    let upper = DIGEST.to_uppercase().replace("SHA256", "sha256");
    let mut all = Vec::new();
    for (id, content_type, body, digest, size) in [
        (
            1,
            "application/json",
            json(1, &format!(r#""digest":"{DIGEST}","size":3"#)),
            true,
            Some(3),
        ),
        (2, "application/json", json(2, &format!(r#""digest":"{upper}""#)), true, None),
        (3, "application/json", json(3, r#""size":9007199254740991"#), false, Some((1 << 53) - 1)),
        (4, "application/json", json(4, r#""size":"0","digest":null"#), false, Some(0)),
        (5, "application/json", json(5, r#""size":null,"digest":"""#), false, None),
        (6, FORM, form(6, &format!("digest={upper}&size=12")), true, Some(12)),
        (7, FORM, form(7, "digest=&size="), false, None),
    ] {
        let digest = digest.then_some(DIGEST);
        let link = shown(id, &id.to_string(), &format!("https://e.com/{id}"), digest, size);
        api.send("POST", LINKS, content_type, body.as_bytes()).await.is(201, &link);
        api.get(&format!("{LINKS}/{id}")).await.is(200, &link);
        all.insert(0, link);
    }
    let list = format!("[{}]", all.join(","));
    api.get(LINKS).await.is(200, &list);
    for path in [RELEASE, RELEASES] {
        let release = api.get(path).await;
        assert!(release.body.contains(&format!(r#""links":{list}"#)), "{release:?}");
    }
    let deleted = api.delete(&format!("{LINKS}/6")).await;
    deleted.is(200, &shown(6, "6", "https://e.com/6", Some(DIGEST), Some(12)));
    app.assert_sound().await;
}

/// Digests and sizes of a wrong form, as JSON.
fn wrong() -> Vec<(&'static str, Value)> {
    let digits = &DIGEST["sha256:".len()..];
    let digests = [
        json!(digits),
        json!(format!("SHA256:{digits}")),
        json!(format!("sha512:{digits}")),
        json!(&DIGEST[..DIGEST.len() - 1]),
        json!(format!("{DIGEST}0")),
        json!(DIGEST.replace('b', "g")),
        json!(format!(" {DIGEST}")),
        json!(format!("{DIGEST}\n")),
        json!(" "),
        json!(1),
        json!(true),
        json!([DIGEST]),
        json!({ "sha256": digits }),
    ];
    let sizes = [
        json!(-1),
        json!(1.5),
        json!(3.0),
        json!(9_007_199_254_740_992_u64),
        json!(u64::MAX),
        json!("+1"),
        json!("1_000"),
        json!("1 MB"),
        json!(" "),
        json!("0x1"),
        json!("99999999999999999999"),
        json!(false),
        json!([1]),
    ];
    let named = |name| move |value| (name, value);
    digests.into_iter().map(named("digest")).chain(sizes.into_iter().map(named("size"))).collect()
}

#[tokio::test]
async fn a_wrong_digest_or_size_is_said_before_anything_is_looked_up() {
    let (app, api) = TestApp::hello().await;
    let nobody = app.anonymous();
    for (name, value) in wrong() {
        let refused = format!(r#"{{"error":"{name} is invalid"}}"#);
        let link = json!({ "name": "a", "url": "https://e.com/a", name: value });
        api.post(LINKS, &link.to_string()).await.is(400, &refused);
        nobody.post(LINKS, &link.to_string()).await.is(400, &refused);
        let change = json!({ name: value }).to_string();
        api.put(LINK, &change).await.is(400, &refused);
        let good = json!({ "name": "b", "url": "https://e.com/b" });
        let release = json!({ "tag_name": "v2", "assets": { "links": [good, link] } });
        api.post(RELEASES, &release.to_string())
            .await
            .is(400, &format!(r#"{{"error":"assets[links][1][{name}] is invalid"}}"#));
    }
    let both = b"name=a&url=https://e.com/a&digest=abc&size=-1";
    let refused = r#"{"error":"digest is invalid, size is invalid"}"#;
    api.send("POST", LINKS, FORM, both).await.is(400, refused);
    api.send("PUT", LINK, FORM, both).await.is(400, refused);
    api.get(LINKS).await.is(200, "[]");
}

#[tokio::test]
async fn an_update_keeps_what_is_known_of_a_file_until_its_url_changes() {
    let (app, api) = TestApp::hello().await;
    let url = "https://e.com/a";
    let first = json!({ "name": "a", "url": url, "digest": DIGEST, "size": 3 });
    assert_eq!(api.post(LINKS, &first.to_string()).await.status, 201);
    let (a, b) = ("https://e.com/a", "https://e.com/b");
    for (body, name, url, digest, size) in [
        (json!({ "name": "b" }), "b", a, Some(DIGEST), Some(3)),
        (json!({ "url": a }), "b", a, Some(DIGEST), Some(3)),
        (json!({ "url": " https://e.com/a " }), "b", a, Some(DIGEST), Some(3)),
        // One of them alone is enough for an update.
        (json!({ "digest": OTHER }), "b", a, Some(OTHER), None),
        (json!({ "size": 0 }), "b", a, Some(OTHER), Some(0)),
        (json!({ "size": null }), "b", a, Some(OTHER), None),
        (json!({ "digest": "", "size": 5 }), "b", a, None, Some(5)),
        (json!({ "digest": DIGEST }), "b", a, Some(DIGEST), Some(5)),
        // Another url leads to another file.
        (json!({ "url": b }), "b", b, None, None),
        (json!({ "url": a, "digest": DIGEST }), "b", a, Some(DIGEST), None),
        (json!({ "url": b, "size": 7 }), "b", b, None, Some(7)),
        (json!({ "url": a, "digest": OTHER, "size": 8 }), "b", a, Some(OTHER), Some(8)),
        (json!({ "name": "c", "size": 9 }), "c", a, None, Some(9)),
    ] {
        let link = shown(1, name, url, digest, size);
        api.put(LINK, &body.to_string()).await.is(200, &link);
        api.get(LINK).await.is(200, &link);
    }
    api.send("PUT", LINK, FORM, b"digest=&size=").await.is(200, &shown(1, "c", a, None, None));
    api.put(LINK, r#"{"link_type":"image"}"#)
        .await
        .is(400, r#"{"error":"name, url are missing, at least one parameter must be provided"}"#);
    app.assert_sound().await;
}

#[tokio::test]
async fn a_release_is_made_with_the_digests_and_sizes_of_its_links() {
    let (app, api) = TestApp::hello().await;
    let links = json!([
        { "name": "a", "url": "https://e.com/a", "digest": DIGEST, "size": 3 },
        { "name": "b", "url": "https://e.com/b" },
        { "name": "c", "url": "https://e.com/c", "digest": null, "size": "12" },
    ]);
    let release = json!({ "tag_name": "v2", "assets": { "links": links } });
    let made = api.post(RELEASES, &release.to_string()).await;
    assert_eq!(made.status, 201, "{made:?}");
    let expected = |made: &harness::Reply| {
        let id = made.json()["assets"]["links"][0]["id"].as_u64().unwrap();
        let links = [
            shown(id, "c", "https://e.com/c", None, Some(12)),
            shown(id - 1, "b", "https://e.com/b", None, None),
            shown(id - 2, "a", "https://e.com/a", Some(DIGEST), Some(3)),
        ];
        format!(r#""links":[{}]"#, links.join(","))
    };
    assert!(made.body.contains(&expected(&made)), "{made:?}");
    let read = api.get(&format!("{RELEASES}/v2")).await;
    assert!(read.body.contains(&expected(&made)), "{read:?}");

    let form = format!(
        "tag_name=v3&assets[links][][name]=a&assets[links][][url]=https://e.com/a\
         &assets[links][][digest]={DIGEST}&assets[links][][size]=3\
         &assets[links][][name]=b&assets[links][][url]=https://e.com/b\
         &assets[links][][name]=c&assets[links][][url]=https://e.com/c&assets[links][][size]=12"
    );
    let made = api.send("POST", RELEASES, FORM, form.as_bytes()).await;
    assert_eq!(made.status, 201, "{made:?}");
    assert!(made.body.contains(&expected(&made)), "{made:?}");
    app.assert_sound().await;
}

async fn checksum(api: &Api, path: &str) -> Option<String> {
    let reply = api.get(path).await;
    assert_eq!(reply.status, 302, "{reply:?}");
    let head = api.head(path).await;
    let value = |reply: &harness::Reply| {
        reply.headers.get("x-checksum-sha256").map(|value| value.to_str().unwrap().to_owned())
    };
    assert_eq!(value(&reply), value(&head));
    value(&reply)
}

#[tokio::test]
async fn a_download_says_the_digest_of_its_file() {
    let (app, api) = TestApp::hello().await;
    let of = |digest: &str| Some(digest["sha256:".len()..].to_owned());
    let first = json!({ "name": "a", "url": "https://e.com/a", "direct_asset_path": "/bin/a" });
    assert_eq!(api.post(LINKS, &first.to_string()).await.status, 201);
    for (change, path, expected) in [
        (json!({ "name": "a" }), "bin/a", None),
        (json!({ "digest": DIGEST }), "bin/a", of(DIGEST)),
        (json!({ "digest": OTHER }), "bin/a", of(OTHER)),
        (json!({ "name": "b" }), "bin/a", of(OTHER)),
        (json!({ "name": "b", "direct_asset_path": "/bin/b" }), "bin/b", of(OTHER)),
        (json!({ "digest": null }), "bin/b", None),
        (json!({ "url": "https://e.com/b", "digest": DIGEST }), "bin/b", of(DIGEST)),
        (json!({ "url": "https://e.com/c" }), "bin/b", None),
    ] {
        assert_eq!(api.put(LINK, &change.to_string()).await.status, 200, "{change}");
        for path in [
            format!("{RELEASE}/downloads/{path}"),
            format!("/mynamespace/hello/-/releases/v1.7.0/downloads/{path}"),
        ] {
            assert_eq!(checksum(&api, &path).await, expected, "{change} {path}");
        }
        app.assert_sound().await;
    }
}

#[tokio::test]
async fn a_digest_and_a_size_of_different_files_are_no_pair() {
    let (_app, api) = TestApp::hello().await;
    let url = "https://e.com/a";
    let made = json!({ "name": "a", "url": url, "digest": DIGEST, "size": 3 }).to_string();
    assert_eq!(api.post(LINKS, &made).await.status, 201);
    let put = async |body: Value| api.put(LINK, &body.to_string()).await;
    let again = async |body: Value| {
        let mut body = body;
        (body["name"], body["url"]) = (json!("a"), json!(url));
        body["on_duplicate"] = json!("replace");
        api.post(LINKS, &body.to_string()).await
    };
    // The same again, and one of them alone.
    put(json!({ "digest": DIGEST })).await.is(200, &shown(1, "a", url, Some(DIGEST), Some(3)));
    put(json!({ "size": 3 })).await.is(200, &shown(1, "a", url, Some(DIGEST), Some(3)));
    again(json!({})).await.is(201, &shown(1, "a", url, Some(DIGEST), Some(3)));
    // Another one says nothing about the value that is not sent.
    put(json!({ "digest": OTHER })).await.is(200, &shown(1, "a", url, Some(OTHER), None));
    put(json!({ "size": 5 })).await.is(200, &shown(1, "a", url, Some(OTHER), Some(5)));
    put(json!({ "size": 6 })).await.is(200, &shown(1, "a", url, None, Some(6)));
    again(json!({ "digest": DIGEST })).await.is(201, &shown(1, "a", url, Some(DIGEST), Some(6)));
    again(json!({ "digest": OTHER })).await.is(201, &shown(1, "a", url, Some(OTHER), None));
}
