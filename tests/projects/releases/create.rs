//! `POST /projects/:id/releases`

use std::collections::HashSet;

use serde_json::{Value, json};
use shared::domain::access_level::AccessLevel;
use shared::domain::project::{ReleasesAccess, Visibility};
use shared::domain::token::{Scope, User};
use shared::store::tokens::NewToken;

use super::{Shown, is_now, tags};
use harness::LinkBody;
use harness::errors::{
    FORBIDDEN, INSUFFICIENT_SCOPE, PROJECT_NOT_FOUND, RECORD_NOT_FOUND, RELEASE_EXISTS,
    RELEASE_NOT_FOUND, TAG_NAME_INVALID, TAG_PROTECTED, UNAUTHORIZED,
};
use harness::test_app::{RELEASE, RELEASES, TestApp, grant, job_token, project, protected, token};

const FORM: &str = "application/x-www-form-urlencoded";

/// The body of a release with these links.
fn with_links(tag: &str, links: &Value) -> String {
    json!({ "tag_name": tag, "assets": { "links": links } }).to_string()
}

#[tokio::test]
async fn a_release_is_made_with_its_links_and_shown_whole() {
    let (app, _) = TestApp::hello().await;
    let user = User { id: 7, username: "ada".to_owned(), external: false };
    let grants = vec![grant(20, AccessLevel::Developer)];
    let api = app.api_with(NewToken { user, grants, ..token() }).await;
    let body = r#"{
        "tag_name": "v2/ü", "name": "Two", "description": "All *new*\n", "ref": "main",
        "tag_message": "unused", "released_at": "2019-01-03T02:56:19.539+01:00",
        "milestones": [], "unknown": {"a": [1]},
        "assets": {"links": [
            {"name": "a", "url": " https://e.com/a?b=c&d ", "link_type": "image"},
            {"name": "b", "url": "https://e.com/b", "direct_asset_path": "/bin/b"},
            {"name": "c", "url": "ftp://e.com/c", "link_type": null, "unknown": 1}
        ]}
    }"#;
    let made = api.post(RELEASES, body).await;
    let (first, json) = (made.json()["assets"]["links"][2]["id"].as_u64().unwrap(), made.json());
    is_now(json["created_at"].as_str().unwrap());
    let link = |id: u64, name: &str, url: &str, direct_asset_url: &str, link_type: &str| {
        LinkBody { direct_asset_url, link_type, ..LinkBody::new(id, name, url) }.json()
    };
    let url = "https://e.com/a?b=c&d";
    let direct =
        format!("http://{}/mynamespace/hello/-/releases/v2%2F%C3%BC/downloads/bin/b", api.address);
    // Made in the order in which they were sent, shown the newest first.
    let links = vec![
        link(first + 2, "c", "ftp://e.com/c", "ftp://e.com/c", "other"),
        link(first + 1, "b", "https://e.com/b", &direct, "other"),
        link(first, "a", url, url, "image"),
    ];
    let shown = Shown {
        name: "Two".to_owned(),
        encoded: ["v2%2F%C3%BC", "v2%2F%C3%BC"].map(str::to_owned),
        description: Some("All *new*\n".to_owned()),
        released_at: "2019-01-03T01:56:19.539Z".to_owned(),
        author: (7, "ada".to_owned()),
        links: links.clone(),
        may_edit: true,
        ..Shown::at_the_times_of(&made, &api.address, "v2/ü")
    };
    made.is(201, &shown.json());
    assert!(made.header("etag").starts_with("W/\""), "{made:?}");

    let path = format!("{RELEASES}/v2%2F%C3%BC");
    api.get(&path).await.is(200, &shown.json());
    api.get(&format!("{path}/assets/links")).await.is(200, &format!("[{}]", links.join(",")));
    api.get(&format!("{path}/assets/links/{}", first + 1)).await.is(200, &links[1]);
    api.get(&format!("{path}/downloads/bin/b")).await.leads_to("https://e.com/b");
    api.get(&format!("{RELEASES}?per_page=1&page=2&order_by=released_at"))
        .await
        .is(200, &format!("[{}]", shown.json()));
    let audit = app.assert_sound().await;
    assert_eq!((audit.links, audit.claims, audit.unreachable), (3, 7, 0));
}

#[tokio::test]
async fn a_tag_is_all_it_takes() {
    let (_world, api) = TestApp::hello().await;
    for (tag, body) in [
        ("a", r#"{"tag_name":"a"}"#),
        (
            "b",
            r#"{"tag_name":"b","name":null,"description":null,"ref":null,"assets":null,"milestones":null,"released_at":null}"#,
        ),
        ("c", r#"{"tag_name":"c","assets":{},"milestones":"","released_at":""}"#),
        ("d", r#"{"tag_name":"d","assets":"","tag_message":"x"}"#),
        ("e", r#"{"tag_name":"e","assets":{"links":null}}"#),
        ("f", r#"{"tag_name":"f","assets":{"links":[]}}"#),
        ("7", r#"{"tag_name":7}"#),
    ] {
        let made = api.post(RELEASES, body).await;
        let shown = Shown { may_edit: true, ..Shown::at_the_times_of(&made, &api.address, tag) };
        made.is(201, &shown.json());
        is_now(&shown.created_at);
        assert_eq!(shown.created_at, shown.released_at, "{body}");
    }
}

#[tokio::test]
async fn parameters_come_from_forms_multipart_and_the_query_too() {
    let (_world, api) = TestApp::hello().await;
    let names = |body: &Value| {
        let links = body["assets"]["links"].as_array().unwrap().clone();
        links.iter().map(|link| link["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let body = "tag_name=form&name=f%C3%B6+rm&description=%0A&released_at=2019-01-01\
                &assets[links][][name]=a&assets[links][][url]=https%3A%2F%2Fe.com%2Fa%3Fx%3D1%26y\
                &assets%5Blinks%5D%5B%5D%5Bname%5D=b&assets%5Blinks%5D%5B%5D%5Burl%5D=https://e.com/b\
                &assets[links][][direct_asset_path]=/bin/b";
    let made = api.send("POST", RELEASES, FORM, body.as_bytes()).await;
    assert_eq!(made.status, 201, "{made:?}");
    let json = made.json();
    assert_eq!((&json["name"], &json["description"]), (&"fö rm".into(), &"\n".into()));
    assert_eq!(json["released_at"], "2019-01-01T00:00:00.000Z");
    assert_eq!(names(&json), ["b", "a"]);
    assert_eq!(json["assets"]["links"][1]["url"], "https://e.com/a?x=1&y");
    api.get(&format!("{RELEASES}/form/downloads/bin/b")).await.leads_to("https://e.com/b");

    let part = |name: &str, value: &str| {
        format!("--xyz\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let body = [
        part("tag_name", "multi/1"),
        part("assets[links][][name]", "ä"),
        part("assets[links][][url]", "https://e.com/1"),
        part("assets[links][][name]", "b"),
        part("assets[links][][url]", "https://e.com/2"),
        "--xyz--\r\n".to_owned(),
    ];
    let multipart = "multipart/form-data; boundary=xyz";
    let made = api.send("POST", RELEASES, multipart, body.concat().as_bytes()).await;
    assert_eq!((made.status, names(&made.json())), (201, vec!["b".into(), "ä".into()]));

    let query = "tag_name=query&name=q%26+1&assets[links][][name]=a&assets[links][][url]=https://e.com/a%3Fx=1%26y";
    let made = api.send("POST", &format!("{RELEASES}?{query}"), "", b"").await;
    assert_eq!((made.status, &made.json()["name"]), (201, &"q& 1".into()));
    assert_eq!(names(&made.json()), ["a"]);

    // The body comes before the query, and the path before both.
    let mixed = format!("{RELEASES}?tag_name=lost&name=kept&id=99");
    let made = api.post(&mixed, r#"{"tag_name":"body","id":98}"#).await;
    assert_eq!((made.status, &made.json()["tag_name"]), (201, &"body".into()));
    assert_eq!(made.json()["name"], "kept");

    api.send("POST", RELEASES, "text/plain", b"tag_name=x")
        .await
        .is(415, r#"{"error":"The provided content-type 'text/plain' is not supported."}"#);
    api.post(RELEASES, "{").await.is(400, "");
    api.post(RELEASES, r#"{"tag_name":"a\u0000b"}"#).await.is(400, "Bad Request");
}

#[tokio::test]
async fn all_parameter_errors_come_at_once_in_the_order_of_declaration() {
    let (app, api) = TestApp::hello().await;
    let guest = app.member(AccessLevel::Guest).await;
    let everything = r#"{"released_at":"x","assets":{"links":[{"link_type":[],"filepath":{},"direct_asset_path":[],"url":[],"name":{}}]},"ref":[],"description":{},"name":[],"tag_message":{}}"#;
    for (body, error) in [
        ("", "tag_name is missing"),
        ("{}", "tag_name is missing"),
        ("null", "tag_name is missing"),
        (r#"["tag_name"]"#, "tag_name is missing"),
        (r#"{"tag_name":["v"]}"#, "tag_name is invalid"),
        (r#"{"tag_name":"v","name":{"a":1}}"#, "name is invalid"),
        (r#"{"tag_name":"v","description":["a"]}"#, "description is invalid"),
        (r#"{"tag_name":"v","assets":"x"}"#, "assets is invalid"),
        (r#"{"tag_name":"v","assets":[]}"#, "assets is invalid"),
        (r#"{"tag_name":"v","assets":7}"#, "assets is invalid"),
        (r#"{"tag_name":"v","assets":{"links":"x"}}"#, "assets[links] is invalid"),
        (r#"{"tag_name":"v","assets":{"links":{"name":"a"}}}"#, "assets[links] is invalid"),
        (
            r#"{"tag_name":"v","assets":{"links":[{"name":"a"}]}}"#,
            "assets[links][0][url] is missing",
        ),
        (
            r#"{"tag_name":"v","assets":{"links":[{"url":"https://e.com"}]}}"#,
            "assets[links][0][name] is missing",
        ),
        (
            r#"{"tag_name":"v","assets":{"links":[{}]}}"#,
            "assets[links][0][name] is missing, assets[links][0][url] is missing",
        ),
        // Each declaration is held against all entries before the next one is.
        (
            r#"{"tag_name":"v","assets":{"links":[{"name":"a"},{"url":"https://e.com"},{"name":"b","url":"https://e.com/b"},{}]}}"#,
            "assets[links][1][name] is missing, assets[links][3][name] is missing, assets[links][0][url] is missing, assets[links][3][url] is missing",
        ),
        (
            r#"{"tag_name":"v","assets":{"links":[{"name":["a"],"url":"https://e.com"}]}}"#,
            "assets[links][0][name] is invalid",
        ),
        (
            r#"{"tag_name":"v","assets":{"links":[{"name":"a","url":"b","filepath":{"a":"/b"}},{"name":"a","url":"b","direct_asset_path":[]}]}}"#,
            "assets[links][1][direct_asset_path] is invalid, assets[links][0][filepath] is invalid",
        ),
        (r#"{"tag_name":"v","released_at":"tomorrow"}"#, "released_at is invalid"),
        (r#"{"tag_name":"v","released_at":["2019-01-01"]}"#, "released_at is invalid"),
        (
            everything,
            "tag_name is missing, tag_message is invalid, name is invalid, description is invalid, ref is invalid, assets[links][0][name] is invalid, assets[links][0][url] is invalid, assets[links][0][direct_asset_path] is invalid, assets[links][0][filepath] is invalid, assets[links][0][link_type] is invalid, released_at is invalid",
        ),
    ] {
        let expected = format!(r#"{{"error":"{error}"}}"#);
        api.post(RELEASES, body).await.is(400, &expected);
        // Checked before the role: readers get the same errors.
        guest.post(RELEASES, body).await.is(400, &expected);
    }
    let indexed = b"tag_name=v&assets[links][0][name]=a&assets[links][0][url]=https://e.com";
    api.send("POST", RELEASES, FORM, indexed)
        .await
        .is(400, r#"{"error":"assets[links] is invalid"}"#);
    assert_eq!(tags(&api.get(RELEASES).await), ["v1.7.0"]);
}

#[tokio::test]
async fn checks_come_in_gitlabs_order() {
    let (app, developer) = TestApp::hello().await;
    let rule = protected("p*", Some(AccessLevel::Maintainer));
    app.change_project(20, |project| project.protected_tags = vec![rule]).await;
    app.release(20, "p1").await;
    let grants = vec![grant(20, AccessLevel::Owner)];
    let reader = app.api_with(NewToken { scope: Scope::ReadApi, grants, ..token() }).await;
    let [guest, reporter, maintainer] = [
        app.member(AccessLevel::Guest).await,
        app.member(AccessLevel::Reporter).await,
        app.member(AccessLevel::Maintainer).await,
    ];
    let stranger = app.api_with(token()).await;
    let unknown = app.anonymous().with("private-token", "glpat-x");
    let nobody = app.anonymous();

    // All of them are wrong in everything that is looked at later.
    let bad_links =
        r#""assets":{"links":[{"name":"","url":"x"},{"name":"a","url":"y","link_type":"zzz"}]}"#;
    let with = |tag: &str| format!(r#"{{"tag_name":"{tag}","milestones":["1","2"],{bad_links}}}"#);
    let without_milestones = |tag: &str| format!(r#"{{"tag_name":"{tag}",{bad_links}}}"#);
    let unauthorized = UNAUTHORIZED;
    let no_project = PROJECT_NOT_FOUND;
    let scope = INSUFFICIENT_SCOPE;
    let missing = r#"{"error":"tag_name is missing"}"#;
    let milestones = r#"{"message":"Milestone(s) not found: 1, 2"}"#;
    let nowhere = "/projects/99/releases";
    for (case, api, path, body, status, expected) in [
        ("a bad token", &unknown, nowhere, "{}".to_owned(), 401, unauthorized),
        ("no project, and scope", &reader, nowhere, "{}".to_owned(), 403, scope),
        ("invisible", &stranger, RELEASES, "{}".to_owned(), 404, no_project),
        ("no token", &nobody, RELEASES, "{}".to_owned(), 404, no_project),
        ("scope", &reader, RELEASES, "{}".to_owned(), 403, scope),
        ("parameters", &guest, RELEASES, "{}".to_owned(), 400, missing),
        ("role", &guest, RELEASES, with("p1"), 403, FORBIDDEN),
        ("role", &reporter, RELEASES, with("p1"), 403, FORBIDDEN),
        ("protected", &developer, RELEASES, with("p1"), 403, TAG_PROTECTED),
        ("protected and new", &developer, RELEASES, with("p2"), 403, TAG_PROTECTED),
        ("exists", &maintainer, RELEASES, with("p1"), 409, RELEASE_EXISTS),
        ("exists", &developer, RELEASES, with("v1.7.0"), 409, RELEASE_EXISTS),
        ("milestones", &developer, RELEASES, with("a..b"), 400, milestones),
        ("tag", &developer, RELEASES, without_milestones("a..b"), 400, TAG_NAME_INVALID),
        (
            "type",
            &developer,
            RELEASES,
            without_milestones("v2"),
            400,
            r#"{"message":"'zzz' is not a valid link_type"}"#,
        ),
    ] {
        let reply = api.post(path, &body).await;
        assert_eq!((reply.status, reply.body.as_str()), (status, expected), "{case}");
    }
    for (milestones, named) in [
        (r#"["xyz"]"#, "xyz"),
        (r#""xyz""#, "xyz"),
        (r#"["a","b"]"#, "a, b"),
        (r#""a, b""#, "a, b"),
        ("[1]", "1"),
    ] {
        let body = format!(r#"{{"tag_name":"v2","milestones":{milestones}}}"#);
        let expected = format!(r#"{{"message":"Milestone(s) not found: {named}"}}"#);
        developer.post(RELEASES, &body).await.is(400, &expected);
    }
    let good = r#"{"tag_name":"v2"}"#;

    app.change_project(20, |project| project.archived = true).await;
    maintainer.post(RELEASES, "{}").await.is(400, missing);
    maintainer.post(RELEASES, good).await.is(403, FORBIDDEN);
    app.change_project(20, |project| {
        project.archived = false;
        project.visibility = Visibility::Public;
    })
    .await;
    for api in [&nobody, &stranger] {
        api.post(RELEASES, "{}").await.is(400, missing);
        api.post(RELEASES, good).await.is(403, FORBIDDEN);
    }
    let members = ReleasesAccess::Private;
    app.change_project(20, |project| project.releases_access = members).await;
    for api in [&nobody, &stranger] {
        api.post(RELEASES, "{}").await.is(403, FORBIDDEN);
    }
    guest.post(RELEASES, "{}").await.is(400, missing);
    let disabled = ReleasesAccess::Disabled;
    app.change_project(20, |project| project.releases_access = disabled).await;
    for api in [&nobody, &guest, &maintainer] {
        api.post(RELEASES, "{}").await.is(403, FORBIDDEN);
    }
    app.change_project(20, |project| project.releases_access = ReleasesAccess::Enabled).await;
    assert_eq!(tags(&developer.get(RELEASES).await), ["p1", "v1.7.0"]);
    assert_eq!(developer.post(RELEASES, good).await.status, 201);
    assert_eq!(maintainer.post(RELEASES, r#"{"tag_name":"p2"}"#).await.status, 201);
    assert_eq!(app.assert_sound().await.links, 0);
}

#[tokio::test]
async fn an_empty_list_of_links_is_none_however_it_is_sent() {
    let (app, api) = TestApp::hello().await;
    let json = "application/json";
    for (at, (links, content_type)) in [
        // A form cannot hold an empty array.
        ("assets[links][]=&", FORM),
        ("assets%5Blinks%5D%5B%5D=", FORM),
        ("assets[links][]", FORM),
        ("assets[links]=", FORM),
        ("assets[links][]=&assets[links][]=", FORM),
        ("[]", json),
        (r#"[""]"#, json),
        ("[null]", json),
        (r#""""#, json),
        ("null", json),
    ]
    .into_iter()
    .enumerate()
    {
        let tag = format!("a{at}");
        let body = match content_type {
            FORM => format!("tag_name={tag}&{links}"),
            _ => format!(r#"{{"tag_name":"{tag}","assets":{{"links":{links}}}}}"#),
        };
        let made = api.send("POST", RELEASES, content_type, body.as_bytes()).await;
        let shown = Shown { may_edit: true, ..Shown::at_the_times_of(&made, &api.address, &tag) };
        made.is(201, &shown.json());
    }
    let body =
        r#"{"tag_name":"b","assets":{"links":[null,{"name":"a","url":"https://e.com"},"",{}]}}"#;
    let error = "assets[links][3][name] is missing, assets[links][3][url] is missing";
    api.post(RELEASES, body).await.is(400, &json!({ "error": error }).to_string());
    for entry in [r#""a""#, "5", "true", "[]"] {
        let body = format!(r#"{{"tag_name":"b","assets":{{"links":[{entry}]}}}}"#);
        api.post(RELEASES, &body).await.is(400, r#"{"error":"assets[links] is invalid"}"#);
    }
    assert_eq!(app.assert_sound().await.links, 0);
}

#[tokio::test]
async fn a_tag_has_to_be_one_that_git_takes() {
    let (_world, api) = TestApp::hello().await;
    let [longest, longer] = [255, 256].map(|length| "x".repeat(length));
    for tag in [
        "",
        " ",
        " v1",
        "v1 ",
        "a..b",
        "-a",
        ".a",
        "a/.b",
        "a.",
        "a//b",
        "/a",
        "a/",
        "a.lock",
        "a~1",
        "a^",
        "a:b",
        "a?",
        "a*",
        "a[b",
        "a\\b",
        "a b",
        "HEAD",
        "refs/heads/x",
        "refs/remotes/origin/x",
        "a\u{7f}",
        "a@{b",
        "a\nb",
        "a\r\nb: c",
        "a\tb",
        &longer,
    ] {
        let body = json!({ "tag_name": tag }).to_string();
        api.post(RELEASES, &body).await.is(400, TAG_NAME_INVALID);
    }
    api.post(RELEASES, r#"{"tag_name":null}"#).await.is(400, TAG_NAME_INVALID);
    for tag in [
        "a/b",
        "größe",
        "a@b",
        "v1.0.json",
        "%2F",
        "a+b",
        "{a}",
        "latest",
        "@",
        "HEAD/x",
        "head",
        "refs/tags/x",
        "refs/x",
        &longest,
    ] {
        let made = api.post(RELEASES, &json!({ "tag_name": tag }).to_string()).await;
        assert_eq!((made.status, &made.json()["tag_name"]), (201, &tag.into()), "{tag}");
    }
    // Tags differ where their bytes do.
    assert_eq!(api.post(RELEASES, r#"{"tag_name":"V1.7.0"}"#).await.status, 201);
    api.post(RELEASES, r#"{"tag_name":"v1.7.0"}"#).await.is(409, RELEASE_EXISTS);
}

#[tokio::test]
async fn releases_of_tags_that_earlier_versions_accepted_stay_until_they_are_deleted() {
    let (app, api) = TestApp::hello().await;
    for (tag, encoded) in [("a b", "a%20b"), ("HEAD", "HEAD"), ("refs/heads/x", "refs%2Fheads%2Fx")]
    {
        app.release(20, tag).await;
        let path = format!("{RELEASES}/{encoded}");
        assert_eq!(api.get(&path).await.json()["tag_name"], tag);
        let link = r#"{"name":"a","url":"https://e.com/a","filepath":"/bin/a"}"#;
        assert_eq!(api.post(&format!("{path}/assets/links"), link).await.status, 201, "{tag}");
        api.get(&format!("{path}/downloads/bin/a")).await.leads_to("https://e.com/a");
        assert_eq!(api.put(&path, r#"{"name":"b"}"#).await.json()["name"], "b");
        let body = json!({ "tag_name": tag }).to_string();
        api.post(RELEASES, &body).await.is(409, RELEASE_EXISTS);
        assert_eq!(tags(&api.get(RELEASES).await), [tag, "v1.7.0"]);
        assert_eq!(api.delete(&path).await.json()["tag_name"], tag);
        api.post(RELEASES, &body).await.is(400, TAG_NAME_INVALID);
    }
    app.assert_sound().await;
}

#[tokio::test]
async fn the_model_speaks_in_one_string_and_nothing_of_what_it_refuses_is_left() {
    let (app, api) = TestApp::hello().await;
    let scheme = "Links url is blocked: Only allowed schemes are http, https, ftp";
    let path = "Links filepath is in an invalid format";
    let name = "Links name can't be blank";
    let good = json!({ "name": "good", "url": "https://e.com/good", "filepath": "/bin/good" });
    let long = format!("/{}", "a".repeat(128));
    let taken = |field: &str| format!("Links have duplicate values ({field})");
    for (links, sentences) in [
        (json!([good, { "name": "a", "url": "hoge" }]), scheme.to_owned()),
        (json!([{ "name": "a", "url": "https://e.com", "filepath": "bad" }, good]), path.into()),
        (
            json!([{ "name": "a", "url": "https://e.com", "direct_asset_path": "" }]),
            path.to_owned(),
        ),
        (
            json!([{ "name": "a", "url": "https://e.com", "direct_asset_path": long }]),
            "Links filepath is too long (maximum is 128 characters)".to_owned(),
        ),
        (
            json!([{ "name": null, "url": "" }]),
            format!("Links url can't be blank, Links url must be a valid URL, {name}"),
        ),
        (
            json!([{ "name": "a", "url": "https://e.com/\nx" }]),
            "Links url is blocked: URI is invalid".to_owned(),
        ),
        (
            json!([{ "name": "a", "url": "https://-e.com" }]),
            "Links url is blocked: Hostname or IP address invalid".to_owned(),
        ),
        // The same fault of two links is named once.
        (
            json!([
                { "name": "a", "url": "x", "filepath": "y" },
                good,
                { "name": " ", "url": "z", "filepath": "y" },
            ]),
            format!("{scheme}, {path}, {name}"),
        ),
        (json!([good, { "name": "good", "url": "https://e.com" }]), taken("good")),
        (
            json!([good, { "name": "a", "url": " https://e.com/good\n" }]),
            taken("https://e.com/good"),
        ),
        (
            json!([good, { "name": "a", "url": "https://e.com", "direct_asset_path": "/bin/good" }]),
            taken("/bin/good"),
        ),
        (
            json!([good, good, good]),
            ["good", "https://e.com/good", "/bin/good"].map(taken).join(", "),
        ),
        (
            json!([
                { "name": "a", "url": "https://e.com/1" },
                { "name": "a", "url": "https://e.com/2" },
                { "name": "b", "url": "https://e.com/3" },
                { "name": "b", "url": "https://e.com/4" },
            ]),
            taken("a, b"),
        ),
    ] {
        let expected = json!({ "message": format!("Validation failed: {sentences}") }).to_string();
        api.post(RELEASES, &with_links("v2", &links)).await.is(400, &expected);
    }
    for (link_type, expected) in
        [(r#""zzz""#, "zzz"), (r#""Image""#, "Image"), (r#""""#, ""), ("1", "1")]
    {
        let body = format!(
            r#"{{"tag_name":"v2","assets":{{"links":[{{"name":"a","url":"x","link_type":{link_type}}}]}}}}"#
        );
        let expected = format!(r#"{{"message":"'{expected}' is not a valid link_type"}}"#);
        api.post(RELEASES, &body).await.is(400, &expected);
    }
    let refused = |sentence: &str| format!(r#"{{"message":"Validation failed: {sentence}"}}"#);
    let body = json!({ "tag_name": "v2", "name": "é".repeat(256) }).to_string();
    let sentence = refused("Name is too long (maximum is 255 characters)");
    api.post(RELEASES, &body).await.is(400, &sentence);
    let long = "x".repeat(256 * 1024 + 1);
    let body = json!({ "tag_name": "v2", "description": long }).to_string();
    let sentence = refused("Description is too long (maximum is 262144 bytes)");
    api.post(RELEASES, &body).await.is(400, &sentence);

    api.get(&format!("{RELEASES}/v2")).await.is(404, RELEASE_NOT_FOUND);
    assert_eq!(tags(&api.get(RELEASES).await), ["v1.7.0"]);
    let audit = app.assert_sound().await;
    assert_eq!((audit.links, audit.claims, audit.unreachable), (0, 0, 0));

    let body = json!({
        "tag_name": "v2", "name": "é".repeat(255), "description": &long[1..],
        "assets": { "links": [good] },
    });
    let made = api.post(RELEASES, &body.to_string()).await;
    assert_eq!((made.status, made.json()["description"].as_str()), (201, Some(&long[1..])));
}

#[tokio::test]
async fn filepath_is_the_older_name_of_direct_asset_path() {
    let (_world, api) = TestApp::hello().await;
    let link = |name: &str, paths: &str| {
        format!(r#"{{"name":"{name}","url":"https://e.com/{name}"{paths}}}"#)
    };
    let links = [
        link("none", ""),
        link("older", r#","filepath":"/bin/older""#),
        link("newer", r#","direct_asset_path":"/bin/newer""#),
        link("both", r#","filepath":"/bin/lost","direct_asset_path":"/bin/both""#),
        link("null", r#","filepath":"/bin/null","direct_asset_path":null"#),
        link("nulls", r#","filepath":null,"direct_asset_path":null"#),
    ];
    let body = format!(r#"{{"tag_name":"v2","assets":{{"links":[{}]}}}}"#, links.join(","));
    assert_eq!(api.post(RELEASES, &body).await.status, 201);
    for name in ["older", "newer", "both", "null"] {
        api.get(&format!("{RELEASES}/v2/downloads/bin/{name}"))
            .await
            .leads_to(&format!("https://e.com/{name}"));
    }
    for name in ["none", "lost", "nulls"] {
        api.get(&format!("{RELEASES}/v2/downloads/bin/{name}")).await.is(404, RECORD_NOT_FOUND);
    }
}

#[tokio::test]
async fn the_time_of_a_release_may_be_written_in_many_ways() {
    let (_world, api) = TestApp::hello().await;
    for (number, (sent, shown, upcoming)) in [
        ("2019-03-15T08:00:00Z", "2019-03-15T08:00:00.000Z", false),
        ("2019-03-15T08:00:00.1239Z", "2019-03-15T08:00:00.123Z", false),
        ("2019-03-15T09:00:00+01:00", "2019-03-15T08:00:00.000Z", false),
        ("2019-03-15T08:00:00-0830", "2019-03-15T16:30:00.000Z", false),
        ("2019-03-15 08:00:00", "2019-03-15T08:00:00.000Z", false),
        (" 2019-03-15 ", "2019-03-15T00:00:00.000Z", false),
        ("1969-12-31T23:59:59Z", "1969-12-31T23:59:59.000Z", false),
        ("2999-01-01T00:00:00Z", "2999-01-01T00:00:00.000Z", true),
    ]
    .into_iter()
    .enumerate()
    {
        let body = json!({ "tag_name": format!("v{number}"), "released_at": sent }).to_string();
        let made = api.post(RELEASES, &body).await;
        let json = made.json();
        assert_eq!(made.status, 201, "{sent}: {made:?}");
        assert_eq!(
            (&json["released_at"], &json["upcoming_release"]),
            (&shown.into(), &upcoming.into())
        );
        is_now(json["created_at"].as_str().unwrap());
    }
    let latest = format!("{RELEASES}/permalink/latest");
    api.get(&latest).await.leads_to("/api/v4/projects/20/releases/v7");
}

#[tokio::test]
async fn a_thousand_links_are_made_and_not_one_more() {
    let (app, api) = TestApp::hello().await;
    let links = |count: usize| {
        let link = |n| json!({ "name": format!("{n}"), "url": format!("https://e.com/{n}") });
        (1..=count).map(link).collect::<Value>()
    };
    api.post(RELEASES, &with_links("v2", &links(1001)))
        .await
        .is(400, r#"{"message":"Validation failed: Links are too many (maximum is 1000)"}"#);
    assert_eq!(app.assert_sound().await.links, 0);
    let made = api.post(RELEASES, &with_links("v2", &links(1000))).await;
    assert_eq!(made.status, 201);
    let shown = made.json();
    assert_eq!(shown["assets"]["count"], 1000);
    let shown = shown["assets"]["links"].as_array().unwrap().clone();
    let names: Vec<_> = shown.iter().map(|link| link["name"].as_str().unwrap()).collect();
    let newest_first: Vec<_> = (1..=1000).rev().map(|n: u32| n.to_string()).collect();
    assert_eq!(names, newest_first);
    let ids: HashSet<_> = shown.iter().map(|link| link["id"].as_u64()).collect();
    assert_eq!(ids.len(), 1000);
    let page = api.get(&format!("{RELEASES}/v2/assets/links?per_page=100&page=10")).await;
    assert_eq!((page.header("x-total"), page.names().len()), ("1000", 100));
    let audit = app.assert_sound().await;
    assert_eq!((audit.links, audit.claims, audit.unreachable), (1000, 2000, 0));
}

#[tokio::test]
async fn jobs_make_releases_of_their_own_project_by_their_users_role() {
    let (app, _) = TestApp::hello().await;
    let user = User { id: 9, username: "ci".to_owned(), external: false };
    let job = |level| NewToken {
        user: user.clone(),
        grants: vec![grant(20, level)],
        ..job_token("mynamespace/hello")
    };
    let secret = app.token(job(AccessLevel::Developer)).await;
    let secret = secret.reveal();
    let nobody = app.anonymous();
    for (tag, api, query) in [
        ("header", nobody.with("job-token", secret), String::new()),
        ("bearer", nobody.with("authorization", &format!("Bearer {secret}")), String::new()),
        ("parameter", nobody.clone(), format!("?job_token={secret}")),
        ("older", nobody.clone(), format!("?token={secret}")),
    ] {
        let made =
            api.post(&format!("{RELEASES}{query}"), &format!(r#"{{"tag_name":"{tag}"}}"#)).await;
        let shown = Shown {
            author: (9, "ci".to_owned()),
            may_edit: true,
            ..Shown::at_the_times_of(&made, &api.address, tag)
        };
        made.is(201, &shown.json());
    }
    let reporter = app.token(job(AccessLevel::Reporter)).await;
    let reporter = nobody.with("job-token", reporter.reveal());
    reporter.post(RELEASES, r#"{"tag_name":"v3"}"#).await.is(403, FORBIDDEN);

    let elsewhere = app.token(job_token("other/project")).await;
    let elsewhere = nobody.with("job-token", elsewhere.reveal());
    elsewhere.post(RELEASES, r#"{"tag_name":"v3"}"#).await.is(404, PROJECT_NOT_FOUND);
    app.change_project(20, |project| project.visibility = Visibility::Public).await;
    elsewhere.post(RELEASES, r#"{"tag_name":"v3"}"#).await.is(
        403,
        r#"{"message":"403 Forbidden - Authentication by CI/CD job token not allowed from other/project to mynamespace/hello."}"#,
    );
}

#[tokio::test]
async fn a_release_belongs_to_its_project() {
    let (app, api) = TestApp::hello().await;
    app.project(project(21, "mynamespace/other")).await;
    let grants = [20, 21].map(|id| grant(id, AccessLevel::Developer)).to_vec();
    let both = app.api_with(NewToken { grants, ..token() }).await;
    let links = json!([{ "name": "a", "url": "https://e.com/a" }]);
    let mut ids = Vec::new();
    for path in [RELEASES, "/projects/mynamespace%2Fother/releases"] {
        let made = both.post(path, &with_links("v2", &links)).await;
        assert_eq!(made.status, 201, "{made:?}");
        ids.push(made.json()["assets"]["links"][0]["id"].as_u64().unwrap());
    }
    assert_ne!(ids[0], ids[1]);
    assert_eq!(both.delete("/projects/21/releases/v2").await.status, 200);
    let shown = format!("[{}]", LinkBody::new(ids[0], "a", "https://e.com/a").json());
    api.get(&format!("{RELEASES}/v2/assets/links")).await.is(200, &shown);
    api.get(&format!("{RELEASE}/assets/links")).await.is(200, "[]");
    api.get("/projects/21/releases/v2").await.is(404, PROJECT_NOT_FOUND);
    both.get("/projects/21/releases/v2").await.is(404, RELEASE_NOT_FOUND);
}
