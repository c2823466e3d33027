//! `GET /projects/:id/releases/:tag_name`

use serde_json::json;
use shared::domain::access_level::AccessLevel;
use shared::domain::project::Visibility;
use shared::domain::token::Scope;
use shared::store::tokens::NewToken;

use super::Shown;
use harness::LinkBody;
use harness::errors::{FORBIDDEN, RELEASE_NOT_FOUND, ROUTE_NOT_FOUND};
use harness::test_app::{LINKS, RELEASE, RELEASES, TestApp, grant, protected, token};

#[tokio::test]
async fn a_release_is_shown_whole() {
    let (app, api) = TestApp::hello().await;
    let [at, later] = ["2019-01-03T01:56:19.539Z", "2999-01-01T00:00:00.000Z"];
    app.release_at("v2", at, later).await;
    let path = format!("{RELEASES}/v2");
    let bare =
        Shown { upcoming: true, may_edit: true, ..Shown::new(&api.address, "v2", at, later) };
    api.get(&path).await.is(200, &bare.json());

    let body = r##"{"name":"a \"b\"","description":"# über\r\n<b>","released_at":"2019-01-03T01:56:19.539Z"}"##;
    assert_eq!(api.put(&path, body).await.status, 200);
    let links = format!("{path}/assets/links");
    let first = api.post(&links, r#"{"name":"x","url":"https://e.com/x"}"#).await;
    let second = r#"{"name":"y","url":"https://e.com/y","filepath":"/bin/y","link_type":"image"}"#;
    let second = api.post(&links, second).await;
    assert!(second.body.contains("/-/releases/v2/downloads/bin/y\""), "{second:?}");
    let full = Shown {
        name: "a \"b\"".to_owned(),
        description: Some("# über\r\n<b>".to_owned()),
        links: vec![second.body.clone(), LinkBody::new(first.id(), "x", "https://e.com/x").json()],
        upcoming: false,
        released_at: at.to_owned(),
        ..bare
    };
    let path = "/projects/mynamespace%2Fhello/releases/v2";
    for rest in ["", "/", "?include_html_description=0"] {
        api.get(&format!("{path}{rest}")).await.is(200, &full.json());
    }
    // Python's clients write booleans as Python does.
    let html = full.json().replace(
        r#","author""#,
        r#","description_html":"<h1>über</h1>\n<p>&lt;b&gt;</p>\n","author""#,
    );
    api.get(&format!("{path}?include_html_description=True")).await.is(200, &html);
    let list = api.get("/projects/20/releases?include_html_description=1&per_page=1&page=2").await;
    list.is(200, &format!("[{html}]"));
    let none = api.get(&format!("{RELEASE}?include_html_description=true")).await;
    assert!(none.body.contains(r#""description":null"#), "{none:?}");
    assert!(none.body.contains(r#""description_html":"","author""#), "{none:?}");
    api.get(&format!("{path}?include_html_description=maybe"))
        .await
        .is(400, r#"{"error":"include_html_description is invalid"}"#);
}

#[tokio::test]
async fn sources_are_the_archives_of_the_projects_source_url() {
    let (app, developer) = TestApp::hello().await;
    let source_url = "https://gitlab.example.com/group/sub/app";
    let [at, encoded] = ["2019-01-03T01:56:19.539Z", "release%2F1.0"];
    app.release_at("v2", at, at).await;
    app.release_at("release/1.0", at, at).await;
    let without = Shown { may_edit: true, ..Shown::new(&developer.address, "v2", at, at) };
    let path = format!("{RELEASES}/v2");
    developer.get(&path).await.is(200, &without.json());

    app.change_project(20, |project| project.source_url = Some(source_url.parse().unwrap())).await;
    let links = format!("{path}/assets/links");
    let links = vec![developer.post(&links, r#"{"name":"x","url":"https://e.com/x"}"#).await.body];
    let with = Shown { source_url: Some(source_url.to_owned()), links, ..without };
    let reply = developer.get(&path).await;
    reply.is(200, &with.json());
    assert_eq!(reply.json()["assets"]["count"], 5);
    let nested = developer.get(&format!("{RELEASES}/{encoded}")).await.json();
    assert_eq!(
        nested["assets"]["sources"][1]["url"],
        format!("{source_url}/-/archive/release/1.0/app-release-1.0.tar.gz")
    );

    // Every other answer that shows a release has them as well.
    let body = r#"{"tag_name":"v3"}"#;
    let made = developer.post(RELEASES, body).await.json();
    let changed = developer.put(&format!("{RELEASES}/v3"), r#"{"name":"x"}"#).await.json();
    let deleted = developer.delete(&format!("{RELEASES}/v3")).await.json();
    for shown in [made, changed, deleted] {
        assert_eq!(shown["assets"]["count"], 4, "{shown}");
        let zip = format!("{source_url}/-/archive/v3/app-v3.zip");
        assert_eq!(shown["assets"]["sources"][0], json!({ "format": "zip", "url": zip }));
    }

    // Callers who may not read the code see releases in the list, without archives and commits.
    let guest = app.member(AccessLevel::Guest).await;
    for (api, reads_code, counts) in [(&developer, true, [4, 4, 5]), (&guest, false, [0, 0, 1])] {
        let list = api.get(RELEASES).await.json();
        let mut found: Vec<_> = list
            .as_array()
            .unwrap()
            .iter()
            .map(|release| {
                let assets = &release["assets"];
                let (sources, links) = (assets["sources"].as_array(), assets["links"].as_array());
                for key in ["commit", "commit_path", "tag_path"] {
                    assert_eq!(release.get(key).is_some(), reads_code, "{release}");
                }
                let count = assets["count"].as_u64().unwrap();
                assert_eq!(
                    count,
                    (sources.unwrap().len() + links.unwrap().len()) as u64,
                    "{assets}"
                );
                count
            })
            .collect();
        found.sort_unstable();
        assert_eq!(found, counts);
    }
}

#[tokio::test]
async fn a_tag_is_one_segment_decoded_once() {
    let (app, api) = TestApp::hello().await;
    let at = "2019-01-01T00:00:00.000Z";
    for (tag, spellings, in_query) in [
        ("release/1.0", &["release%2F1.0", "release%2f1%2E0"][..], "release%2F1.0"),
        ("v1.0.0+build 1", &["v1.0.0+build%201", "v1.0.0%2Bbuild%201"], "v1.0.0%2Bbuild+1"),
        ("a%2Fb", &["a%252Fb"], "a%252Fb"),
        ("größe", &["gr%C3%B6%C3%9Fe"], "gr%C3%B6%C3%9Fe"),
        ("v1.0", &["v1.0", "%76%31%2E%30"], "v1.0"),
        ("v1.0.json", &["v1.0.json", "v1%2E0%2Ejson"], "v1.0.json"),
        ("permalink", &["permalink"], "permalink"),
        ("a&b=c#d\"e'", &["a&b=c%23d%22e'"], "a%26b%3Dc%23d%22e%27"),
    ] {
        app.release_at(tag, at, at).await;
        let shown = Shown {
            encoded: [spellings[0].to_owned(), in_query.to_owned()],
            may_edit: true,
            ..Shown::new(&api.address, tag, at, at)
        };
        for spelling in spellings {
            api.get(&format!("{RELEASES}/{spelling}")).await.is(200, &shown.json());
        }
    }
    let long = "x".repeat(300);
    for missing in ["none", "V1.0", "v1.0.xml", "release", "%20", "a..b", "a%0Ab", &long] {
        api.get(&format!("{RELEASES}/{missing}")).await.is(404, RELEASE_NOT_FOUND);
    }
    api.get(&format!("{RELEASES}/release/1.0")).await.is(404, ROUTE_NOT_FOUND);
    for bytes in ["%FF", "%00", "a%C3"] {
        api.get(&format!("{RELEASES}/{bytes}")).await.is(400, "Bad Request");
    }
}

#[tokio::test]
async fn a_release_is_for_who_may_read_code_and_its_edit_page_for_who_may_write() {
    let (app, _) = TestApp::hello().await;
    let callers = [
        ("guest", app.member(AccessLevel::Guest).await),
        ("planner", app.member(AccessLevel::Planner).await),
        ("reporter", app.member(AccessLevel::Reporter).await),
        ("developer", app.developer().await),
        ("maintainer", app.member(AccessLevel::Maintainer).await),
        ("job", app.job().await),
        ("read_api", {
            let grants = vec![grant(20, AccessLevel::Owner)];
            app.api_with(NewToken { scope: Scope::ReadApi, grants, ..token() }).await
        }),
    ];
    let shown = |reply: &harness::Reply| {
        let url = reply.json()["_links"]["edit_url"].as_str().map(str::to_owned);
        assert_eq!(reply.status, 200, "{reply:?}");
        url.is_some_and(|url| url.ends_with("/mynamespace/hello/-/releases/v1.7.0/edit"))
    };
    let writers = ["developer", "maintainer", "job", "read_api"];
    for (caller, api) in &callers {
        let reply = api.get(RELEASE).await;
        match *caller {
            "guest" | "planner" => {
                reply.is(403, FORBIDDEN);
                // Callers who may not read releases do not learn which are missing.
                api.get(&format!("{RELEASES}/none")).await.is(403, FORBIDDEN);
                api.get(&format!("{RELEASE}?include_html_description=x"))
                    .await
                    .is(400, r#"{"error":"include_html_description is invalid"}"#);
            }
            caller => {
                assert_eq!(shown(&reply), writers.contains(&caller), "{caller}");
                api.get(&format!("{RELEASES}/none")).await.is(404, RELEASE_NOT_FOUND);
            }
        }
    }

    app.change_project(20, |project| project.visibility = Visibility::Public).await;
    for (caller, api) in &callers {
        assert_eq!(shown(&api.get(RELEASE).await), writers.contains(caller), "{caller}");
    }
    assert!(!shown(&app.anonymous().get(RELEASE).await));
    assert!(!shown(&app.api_with(token()).await.get(RELEASE).await));

    let rule = protected("v*", Some(AccessLevel::Maintainer));
    app.change_project(20, |project| project.protected_tags = vec![rule]).await;
    for (caller, api) in &callers {
        let may = ["maintainer", "read_api"].contains(caller);
        assert_eq!(shown(&api.get(RELEASE).await), may, "{caller}");
    }
    app.change_project(20, |project| project.archived = true).await;
    for (caller, api) in &callers {
        assert!(!shown(&api.get(RELEASE).await), "{caller}");
    }
}

#[tokio::test]
async fn head_answers_as_get_without_the_body_and_what_is_known_is_not_sent_again() {
    let (_world, api) = TestApp::hello().await;
    for path in [RELEASE.to_owned(), format!("{RELEASES}/none")] {
        let (get, head) = (api.get(&path).await, api.head(&path).await);
        head.is(get.status, "");
        for name in ["content-type", "etag", "cache-control"] {
            assert_eq!(head.headers.get(name), get.headers.get(name), "{path} {name}");
        }
    }
    let etag = api.get(RELEASE).await.header("etag").to_owned();
    assert!(etag.starts_with("W/\""), "{etag}");
    let known = api.with("if-none-match", &etag);
    known.get(RELEASE).await.is(304, "");
    known.head(RELEASE).await.is(304, "");
    assert_eq!(api.post(LINKS, r#"{"name":"a","url":"https://e.com"}"#).await.status, 201);
    assert_eq!(known.get(RELEASE).await.status, 200);
}
