//! `GET /projects/:id/releases`

use std::time::Duration;

use serde_json::json;
use shared::domain::access_level::AccessLevel;
use shared::domain::project::Visibility;
use shared::domain::time::Timestamp;
use shared::store::projects::NewProject;

use super::{Shown, tags};
use harness::DEFAULT_PER_PAGE;
use harness::LinkBody;
use harness::Reply;
use harness::errors::{FORBIDDEN, PROJECT_NOT_FOUND, UNAUTHORIZED};
use harness::test_app::{RELEASE, RELEASES, TestApp, project, token};

fn page_headers(reply: &Reply) -> [&str; 6] {
    ["x-per-page", "x-page", "x-next-page", "x-prev-page", "x-total", "x-total-pages"]
        .map(|name| reply.header(name))
}

#[tokio::test]
async fn an_empty_list_is_one_empty_page() {
    let app = TestApp::empty();
    app.project(project(20, "mynamespace/hello")).await;
    let api = app.developer().await;
    api.get(RELEASES).await.is(200, "[]");
    let reply = api.get(&format!("{RELEASES}?sort=desc&order_by=released_at")).await;
    reply.is(200, "[]");
    assert_eq!(page_headers(&reply), [DEFAULT_PER_PAGE, "1", "", "", "0", "1"]);
    let query = format!("id=20&order_by=released_at&page=1&per_page={DEFAULT_PER_PAGE}&sort=desc");
    let url = format!("http://{}/api/v4{RELEASES}?{query}", api.address);
    assert_eq!(reply.header("link"), format!(r#"<{url}>; rel="first", <{url}>; rel="last""#));
}

#[tokio::test]
async fn releases_are_shown_whole_with_their_links_the_newest_first() {
    let app = TestApp::empty();
    let public = NewProject { visibility: Visibility::Public, ..project(20, "mynamespace/hello") };
    app.project(public).await;
    app.project(project(21, "mynamespace/other")).await;
    app.release(21, "elsewhere").await;
    let [first, second] = ["2019-01-03T01:56:19.539Z", "2019-02-01T00:00:00.000Z"];
    app.release_at("v1", first, first).await;
    app.release_at("v2", second, second).await;
    app.release_at("v3", second, "2999-12-31T23:59:59.999Z").await;
    let api = app.developer().await;
    let mut ids = Vec::new();
    for (tag, name) in [("v1", "a"), ("v2", "b"), ("v1", "c"), ("v1", "d")] {
        let body = format!(r#"{{"name":"{name}","url":"https://e.com/{name}"}}"#);
        let made = api.post(&format!("{RELEASES}/{tag}/assets/links"), &body).await;
        ids.push(made.id());
    }
    let link = |at: usize, name: &str| {
        LinkBody::new(ids[at], name, &format!("https://e.com/{name}")).json()
    };
    let shown = |may_edit| {
        let release = |tag, created_at, released_at, links, upcoming| {
            let shown = Shown::new(&api.address, tag, created_at, released_at);
            Shown { upcoming, links, may_edit, ..shown }.json()
        };
        let v3 = release("v3", second, "2999-12-31T23:59:59.999Z", vec![], true);
        let v2 = release("v2", second, second, vec![link(1, "b")], false);
        let links = vec![link(3, "d"), link(2, "c"), link(0, "a")];
        let v1 = release("v1", first, first, links, false);
        format!("[{v3},{v2},{v1}]")
    };
    api.get(RELEASES).await.is(200, &shown(true));
    for reader in
        [app.anonymous(), app.api_with(token()).await, app.member(AccessLevel::Reporter).await]
    {
        reader.get(RELEASES).await.is(200, &shown(false));
        reader.get("/projects/MyNamespace%2Fhello/releases").await.is(200, &shown(false));
    }
}

#[tokio::test]
async fn pages_are_cut_and_announced_as_gitlab_does() {
    let app = TestApp::empty();
    app.project(project(20, "mynamespace/hello")).await;
    let developer = app.developer().await;
    for number in 1..=45 {
        let links: serde_json::Value = (0..number % 3)
            .map(|link| {
                let name = format!("v{number} {link}");
                json!({ "name": name, "url": format!("https://e.com/{link}") })
            })
            .collect();
        let body = json!({
            "tag_name": format!("v{number}"),
            "released_at": format!("2020-01-01T00:00:{number:02}Z"),
            "assets": { "links": links },
        });
        assert_eq!(developer.post(RELEASES, &body.to_string()).await.status, 201);
    }
    let api = app.member(AccessLevel::Guest).await;
    let all: Vec<String> = (1..=45).rev().map(|number| format!("v{number}")).collect();
    for (query, rows, headers) in [
        ("?page=2&per_page=20", 20..40, ["20", "2", "3", "1", "45", "3"]),
        ("?page=3&per_page=20", 40..45, ["20", "3", "", "2", "45", "3"]),
        ("?page=4&per_page=20", 45..45, ["20", "4", "", "", "45", "3"]),
        ("?page=0&per_page=20", 0..20, ["20", "1", "2", "", "45", "3"]),
        ("?page=-1&per_page=20", 0..20, ["20", "1", "2", "", "45", "3"]),
        ("?per_page=500", 0..45, ["100", "1", "", "", "45", "1"]),
        ("?page=9&per_page=5", 40..45, ["5", "9", "", "8", "45", "9"]),
    ] {
        let reply = api.get(&format!("{RELEASES}{query}")).await;
        assert_eq!((reply.status, tags(&reply)), (200, all[rows].to_vec()), "{query}");
        assert_eq!(page_headers(&reply), headers, "{query}");
        for release in reply.json().as_array().unwrap() {
            let tag = release["tag_name"].as_str().unwrap();
            let links = release["assets"]["links"].as_array().unwrap();
            let names = links.iter().map(|link| link["name"].as_str().unwrap());
            assert_eq!(links.len(), tag[1..].parse::<usize>().unwrap() % 3);
            assert!(names.eq((0..links.len()).rev().map(|link| format!("{tag} {link}"))));
        }
    }

    let mut found = Vec::new();
    let mut path = format!("{RELEASES}?per_page=7");
    loop {
        let reply = api.get(&path).await;
        found.extend(tags(&reply));
        let entries = reply.header("link").split(", ").map(str::to_owned);
        let next = entries.filter_map(|entry| {
            Some(entry.strip_suffix(r#">; rel="next""#)?.strip_prefix('<')?.to_owned())
        });
        let Some(next) = next.into_iter().next() else { break };
        path = next.strip_prefix(&format!("http://{}", api.address)).unwrap().to_owned();
    }
    assert_eq!(found, all);
}

#[tokio::test]
async fn links_to_other_pages_repeat_the_request_sorted_and_without_tokens() {
    let (app, api) = TestApp::hello().await;
    for tag in ["v2", "v3"] {
        app.release(20, tag).await;
    }
    let secret = "glpat-aaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    let path = "/projects/mynamespace%2Fhello/releases";
    let query = "z=%26&sort=asc&per_page=1&page=2&order_by=created_at&b[]=x&include_html_description=false&updated_after=2019-01-01T00:00:00%2B01:00";
    let reply = api.get(&format!("{path}?{query}&job_token={secret}&token={secret}")).await;
    assert_eq!(tags(&reply), ["v2"]);
    let url = |page: u32| {
        format!(
            "http://{}/api/v4{path}?id=mynamespace%2Fhello&include_html_description=false&order_by=created_at&page={page}&per_page=1&sort=asc&updated_after=2019-01-01T00%3A00%3A00%2B01%3A00",
            api.address
        )
    };
    let [first, third] = [url(1), url(3)];
    assert_eq!(
        reply.header("link"),
        format!(
            r#"<{first}>; rel="prev", <{third}>; rel="next", <{first}>; rel="first", <{third}>; rel="last""#
        )
    );
}

#[tokio::test]
async fn releases_come_by_either_time_in_either_direction() {
    let app = TestApp::empty();
    app.project(project(20, "mynamespace/hello")).await;
    for (tag, created_at, released_at) in [
        ("a", "2020-01-01T00:00:00Z", "2020-03-01T00:00:00Z"),
        ("b", "2020-01-02T00:00:00Z", "2019-03-01T00:00:00Z"),
        ("c", "2020-01-03T00:00:00Z", "2999-01-01T00:00:00Z"),
        ("d", "2020-01-04T00:00:00Z", "1969-12-31T23:59:59.999Z"),
    ] {
        app.release_at(tag, created_at, released_at).await;
    }
    let api = app.member(AccessLevel::Guest).await;
    for (query, expected) in [
        ("", "c a b d"),
        ("?order_by=released_at&sort=desc", "c a b d"),
        ("?sort=asc", "d b a c"),
        ("?order_by=created_at", "d c b a"),
        ("?order_by=created_at&sort=asc", "a b c d"),
        ("?order_by=created_at&sort=asc&per_page=3&page=2", "d"),
        ("?sort=asc&per_page=2&page=2", "a c"),
    ] {
        let reply = api.get(&format!("{RELEASES}{query}")).await;
        assert_eq!(tags(&reply).join(" "), expected, "{query}");
    }
    // Several releases may have the same time.
    for tag in ["x", "y", "z"] {
        app.release_at(tag, "2020-01-04T00:00:00Z", "2020-03-01T00:00:00Z").await;
    }
    for query in ["order_by=created_at", "order_by=released_at&sort=asc"] {
        let mut all = Vec::new();
        for page in 1..=7 {
            let reply = api.get(&format!("{RELEASES}?{query}&per_page=1&page={page}")).await;
            all.extend(tags(&reply));
        }
        all.sort_unstable();
        assert_eq!(all, ["a", "b", "c", "d", "x", "y", "z"], "{query}");
    }
}

#[tokio::test]
async fn readers_get_all_parameter_errors_in_the_order_of_declaration() {
    let (app, _) = TestApp::hello().await;
    let guest = app.member(AccessLevel::Guest).await;
    let everything = "updated_after=x&updated_before=y&include_html_description=z&sort=a&order_by=b&per_page=0&page=c";
    for (query, error) in [
        ("page=abc", "page is invalid"),
        ("page=1.5", "page is invalid"),
        ("per_page=abc", "per_page is invalid"),
        ("per_page=0", "per_page has a value not allowed"),
        ("order_by=name", "order_by does not have a valid value"),
        ("order_by=RELEASED_AT", "order_by does not have a valid value"),
        ("order_by=", "order_by does not have a valid value"),
        ("order_by[]=released_at", "order_by is invalid"),
        ("sort=up", "sort does not have a valid value"),
        ("sort[a]=asc", "sort is invalid"),
        ("include_html_description=maybe", "include_html_description is invalid"),
        ("updated_before=soon", "updated_before is invalid"),
        ("updated_after=2019-02-30", "updated_after is invalid"),
        ("updated_after[]=2019-02-03", "updated_after is invalid"),
        (
            everything,
            "page is invalid, per_page has a value not allowed, order_by does not have a valid value, sort does not have a valid value, include_html_description is invalid, updated_before is invalid, updated_after is invalid",
        ),
    ] {
        let path = format!("{RELEASES}?{query}");
        guest.get(&path).await.is(400, &format!(r#"{{"error":"{error}"}}"#));
    }
    // Here GitLab looks at rights before it looks at parameters.
    let path = format!("{RELEASES}?{everything}");
    app.anonymous().get(&path).await.is(404, PROJECT_NOT_FOUND);
    let unknown = app.anonymous().with("private-token", "glpat-x");
    unknown.get(&path).await.is(401, UNAUTHORIZED);
    app.change_project(20, |project| {
        project.releases_access = shared::domain::project::ReleasesAccess::Disabled;
    })
    .await;
    guest.get(&path).await.is(403, FORBIDDEN);
}

#[tokio::test]
async fn releases_are_chosen_by_their_last_change() {
    let app = TestApp::empty();
    app.project(project(20, "mynamespace/hello")).await;
    app.release_at("old", "2019-01-01T00:00:00Z", "2019-01-01T00:00:00Z").await;
    app.release_at("new", "2020-01-01T00:00:00Z", "2020-01-01T00:00:00Z").await;
    let api = app.developer().await;
    let chosen = async |query: &str| {
        let reply = api.get(&format!("{RELEASES}?{query}")).await;
        assert_eq!(reply.status, 200, "{query}: {reply:?}");
        (reply.header("x-total").to_owned(), tags(&reply).join(" "))
    };
    for (query, expected) in [
        ("updated_after=2018-12-31T23:59:59Z", "new old"),
        // Both ends belong to the span.
        ("updated_after=2019-01-01T00:00:00Z", "new old"),
        ("updated_after=2019-01-01T00:00:00.001Z", "new"),
        ("updated_before=2020-01-01T00:00:00Z", "new old"),
        ("updated_before=2019-12-31T23:59:59.999Z", "old"),
        ("updated_after=2019-06-01&updated_before=2019-07-01", ""),
        ("updated_after=2019-01-01&updated_before=2019-01-01", "old"),
        ("updated_after=2019-01-01T01:00:00%2B01:00", "new old"),
        ("updated_after=2019-01-01%2000:00:01", "new"),
        ("updated_after=Tue,%2001%20Jan%202019%2000:00:01%20GMT", "new"),
        ("updated_before=2019/07/01", "old"),
        ("updated_before=9999-12-31T23:59:59Z", "new old"),
        ("updated_after=&updated_before=", "new old"),
    ] {
        let total = expected.split_whitespace().count().to_string();
        assert_eq!(chosen(query).await, (total, expected.to_owned()), "{query}");
    }

    let since = Timestamp::now();
    let made = format!("updated_after={since}");
    let before = format!("updated_before={since}");
    assert_eq!(chosen(&made).await.1, "");
    let links = format!("{RELEASES}/old/assets/links");
    let link = api.post(&links, r#"{"name":"a","url":"https://e.com/a"}"#).await;
    assert_eq!(link.status, 201);
    assert_eq!((chosen(&made).await.1, chosen(&before).await.1), ("old".into(), "new".into()));
    assert_eq!(api.put(&format!("{RELEASES}/new"), r#"{"name":"b"}"#).await.status, 200);
    assert_eq!((chosen(&made).await.1, chosen(&before).await.1), ("new old".into(), String::new()));

    tokio::time::sleep(Duration::from_millis(5)).await;
    let renamed = format!("updated_after={}", Timestamp::now());
    assert_eq!(chosen(&renamed).await.1, "");
    let path = format!("{links}/{}", link.id());
    assert_eq!(api.put(&path, r#"{"name":"c"}"#).await.status, 200);
    assert_eq!(chosen(&renamed).await.1, "old");
}

#[tokio::test]
async fn head_answers_as_get_without_the_body_and_what_is_known_is_not_sent_again() {
    let (app, api) = TestApp::hello().await;
    app.release(20, "v2").await;
    let path = format!("{RELEASES}?per_page=1");
    let get = api.get(&path).await;
    let head = api.head(&path).await;
    head.is(200, "");
    for name in ["content-type", "link", "x-total", "x-next-page", "etag", "cache-control"] {
        assert_eq!(head.header(name), get.header(name), "{name}");
    }
    let known = api.with("if-none-match", get.header("etag"));
    known.get(&path).await.is(304, "");
    assert_eq!(api.put(RELEASE, r#"{"description":"unseen here"}"#).await.status, 200);
    known.get(&path).await.is(304, "");
    assert_eq!(api.put(&format!("{RELEASES}/v2"), r#"{"name":"b"}"#).await.status, 200);
    assert_eq!(known.get(&path).await.status, 200);
}
