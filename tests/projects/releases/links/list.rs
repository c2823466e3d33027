//! `GET /projects/:id/releases/:tag_name/assets/links`

use harness::DEFAULT_PER_PAGE;
use harness::LinkBody;
use harness::errors::UNAUTHORIZED;
use harness::test_app::{LINKS, TestApp};
use harness::{Api, Reply};

async fn make(api: &Api, links: &str, count: usize) {
    for number in 1..=count {
        let body = format!(r#"{{"name":"{number}","url":"https://e.com/{number}"}}"#);
        assert_eq!(api.post(links, &body).await.status, 201);
    }
}

fn headers(reply: &Reply) -> [String; 6] {
    ["x-per-page", "x-page", "x-next-page", "x-prev-page", "x-total", "x-total-pages"]
        .map(|name| reply.header(name).to_owned())
}

#[tokio::test]
async fn an_empty_list_is_one_empty_page() {
    let (app, api) = TestApp::hello().await;
    let reply = api.get(LINKS).await;
    reply.is(200, "[]");
    assert_eq!(headers(&reply), [DEFAULT_PER_PAGE, "1", "", "", "0", "1"]);
    let url = format!(
        "http://{}/api/v4{LINKS}?id=20&page=1&per_page={DEFAULT_PER_PAGE}&tag_name=v1.7.0",
        app.server.address
    );
    assert_eq!(reply.header("link"), format!(r#"<{url}>; rel="first", <{url}>; rel="last""#));
}

#[tokio::test]
async fn pages_are_cut_and_announced_as_gitlab_does() {
    let (_world, api) = TestApp::hello().await;
    make(&api, LINKS, 45).await;
    for (query, rows, expected) in [
        ("?page=1&per_page=20", 20, ["20", "1", "2", "", "45", "3"]),
        ("?page=2&per_page=20", 20, ["20", "2", "3", "1", "45", "3"]),
        ("?page=3&per_page=20", 5, ["20", "3", "", "2", "45", "3"]),
        ("?page=4&per_page=20", 0, ["20", "4", "", "", "45", "3"]),
        ("?page=0&per_page=20", 20, ["20", "1", "2", "", "45", "3"]),
        ("?page=-1&per_page=20", 20, ["20", "1", "2", "", "45", "3"]),
        ("?per_page=500", 45, ["100", "1", "", "", "45", "1"]),
        ("?per_page=100", 45, ["100", "1", "", "", "45", "1"]),
        ("?page=+2&per_page=1_0", 10, ["10", "2", "3", "1", "45", "5"]),
        (
            "?page=99999999999999999999&per_page=20",
            0,
            ["20", "9223372036854775807", "", "", "45", "3"],
        ),
    ] {
        let reply = api.get(&format!("{LINKS}{query}")).await;
        assert_eq!((reply.status, reply.names().len()), (200, rows), "{query}");
        assert_eq!(headers(&reply), expected, "{query}");
    }
    for query in ["", "?per_page=-5", "?page=&per_page="] {
        let reply = api.get(&format!("{LINKS}{query}")).await;
        assert_eq!(reply.names().len().to_string(), DEFAULT_PER_PAGE, "{query}");
        assert_eq!(reply.header("x-per-page"), DEFAULT_PER_PAGE, "{query}");
    }
    for (query, error) in [
        ("?page=abc", "page is invalid"),
        ("?page=1.5", "page is invalid"),
        ("?per_page=abc", "per_page is invalid"),
        ("?per_page=0", "per_page has a value not allowed"),
        ("?page=x&per_page=y", "page is invalid, per_page is invalid"),
        ("?per_page[]=1", "per_page is invalid"),
    ] {
        api.get(&format!("{LINKS}{query}")).await.is(400, &format!(r#"{{"error":"{error}"}}"#));
    }
}

#[tokio::test]
async fn the_pages_put_together_are_the_list_newest_first() {
    let (_world, api) = TestApp::hello().await;
    make(&api, LINKS, 23).await;
    let newest_first: Vec<String> = (1..=23).rev().map(|number: u32| number.to_string()).collect();
    for size in [1, 2, 7, 22, 23, 24, 100] {
        let mut url = format!("{LINKS}?per_page={size}");
        let mut names = Vec::new();
        loop {
            let reply = api.get(&url).await;
            names.extend(reply.names());
            let Some(next) = relation(reply.header("link"), "next") else { break };
            assert!(next.starts_with(&format!("http://{}/", api.address)), "{next}");
            url = next.splitn(4, '/').nth(3).map(|rest| format!("/{rest}")).unwrap();
        }
        assert_eq!(names, newest_first, "{size}");
    }
}

/// The URL of a relation in a `Link` header.
fn relation(link: &str, relation: &str) -> Option<String> {
    link.split(", ").find_map(|entry| {
        let (url, name) = entry.split_once("; ")?;
        (name == format!("rel=\"{relation}\"")).then(|| url.trim_matches(['<', '>']).to_owned())
    })
}

#[tokio::test]
async fn links_repeat_the_request_sorted_and_without_tokens() {
    let (app, api) = TestApp::hello().await;
    app.release(20, "r/1 é").await;
    let links = "/projects/mynamespace%2Fhello/releases/r%2F1%20%C3%A9/assets/links";
    make(&api, links, 3).await;
    let secret = "glpat-aaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    let query = format!(
        "?z=1&per_page=500&b[]=x&b[]=y&c[d]=e%26&job_token={secret}&token={secret}&private_token={secret}&access_token={secret}&bearer_token={secret}"
    );
    // The token in the query counts, and is bad.
    app.anonymous().get(&format!("{links}{query}")).await.is(401, UNAUTHORIZED);

    let reply = api
        .get(&format!("{links}?z=1&per_page=1&page=2&b[]=x&b[]=y&c[d]=e%26&job_token={secret}"))
        .await;
    let url = |page: u32| {
        format!(
            "http://{}/api/v4{links}?id=mynamespace%2Fhello&page={page}&per_page=1&tag_name=r%2F1+%C3%A9",
            app.server.address
        )
    };
    assert_eq!(
        reply.header("link"),
        format!(
            r#"<{}>; rel="prev", <{}>; rel="next", <{}>; rel="first", <{}>; rel="last""#,
            url(1),
            url(3),
            url(1),
            url(3)
        )
    );
    let reply = api.get(&format!("{links}?per_page=500")).await;
    assert!(reply.header("link").contains("per_page=500"), "{reply:?}");
}

#[tokio::test]
async fn a_public_url_stands_in_links_and_asset_urls() {
    let app = TestApp::over(harness::Server::start_empty(&[
        "--public-url",
        "https://releases.example/gitlab/",
    ]));
    let api = app.populate().await;
    let body = r#"{"name":"a","url":"https://releases.example/gitlab/mynamespace/hello/x","filepath":"/bin/a"}"#;
    let project = "https://releases.example/gitlab/mynamespace/hello";
    let url = format!("{project}/x");
    let link = LinkBody {
        direct_asset_url: &format!("{project}/-/releases/v1.7.0/downloads/bin/a"),
        external: false,
        ..LinkBody::new(1, "a", &url)
    };
    api.post(LINKS, body).await.is(201, &link.json());
    let link = api.get(LINKS).await.header("link").to_owned();
    assert!(
        link.starts_with(&format!("<https://releases.example/gitlab/api/v4{LINKS}?id=20&")),
        "{link}"
    );
}
