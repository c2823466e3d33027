//! The pages, from the function and from the local server.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use shared::domain::project::Visibility;
use shared::store::projects::NewProject;

use super::processes::Functions;
use super::{Tokens, app_with_events, event};
use harness::test_app::project;

const HTML: &str = "text/html,application/xhtml+xml,*/*;q=0.8";

/// The event of a browser's request for a page at this host, without a stage.
fn page(tokens: &Tokens, host: &str, (path, query): (&str, &str), cookie: Option<&str>) -> Value {
    let mut event = event("web-download.json", tokens);
    let mut headers = json!({ "Accept": HTML, "Host": host, "X-Forwarded-Proto": "http" });
    if let Some(cookie) = cookie {
        headers["Cookie"] = json!(cookie);
    }
    let query: BTreeMap<_, _> = url::form_urlencoded::parse(query.as_bytes()).collect();
    let many = |one: &Value| {
        let fields = one.as_object().into_iter().flatten();
        Value::Object(fields.map(|(name, value)| (name.clone(), json!([value]))).collect())
    };
    let query = if query.is_empty() { Value::Null } else { json!(query) };
    event["multiValueHeaders"] = many(&headers);
    event["headers"] = headers;
    event["multiValueQueryStringParameters"] =
        if query.is_null() { Value::Null } else { many(&query) };
    event["queryStringParameters"] = query;
    event["path"] = json!(path);
    let (resource, parameters) = match path.strip_prefix('/') {
        Some("") | None => ("/", Value::Null),
        Some(rest) => ("/{proxy+}", json!({ "proxy": rest })),
    };
    event["pathParameters"] = parameters;
    event["resource"] = json!(resource);
    event["requestContext"]["resourcePath"] = json!(resource);
    event["requestContext"]["path"] = json!(path);
    event["requestContext"]["domainName"] = json!(host);
    event
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_the_same_from_the_function_and_the_local_server() {
    let (app, tokens) = app_with_events().await;
    app.project(NewProject { visibility: Visibility::Public, ..project(21, "g/open") }).await;
    app.release(21, "v1").await;
    let functions = Functions::start_these(&["web"], &app.server.dynamodb_url).await;
    let session = format!("release_links_token={}", tokens.developer.reveal());
    let mut statuses = Vec::new();
    for (path, query) in [
        ("/", ""),
        ("/", "search=hello"),
        ("/demo/hello", ""),
        ("/demo/hello/-/releases/v1.0.0", ""),
        ("/g/open/-/releases", "page=2"),
        ("/g/open/-/releases/v1", ""),
        ("/g/open/-/releases/v2", ""),
        ("/g/open/-/releases.atom", ""),
        ("/g/open/-/badges/release.svg", "key_text=x"),
        ("/g/open/-/releases/permalink/latest", ""),
        ("/-/sign_in", "return_to=/g/open&ended="),
        ("/-/health", ""),
        ("/-/readiness", ""),
        ("/-/nothing", ""),
    ] {
        for cookie in [None, Some(session.as_str()), Some("release_links_token=glpat-x")] {
            let address = &app.server.address;
            let answer =
                functions.invoke("web", &page(&tokens, address, (path, query), cookie)).await;
            let api = app.anonymous().with("accept", HTML);
            let api = cookie.map_or(api.clone(), |cookie| api.with("cookie", cookie));
            let separator = if query.is_empty() { "" } else { "?" };
            let local = api.get(&format!("{path}{separator}{query}")).await;
            let varies = ["x-request-id", "x-gitlab-meta", "date", "content-length", "connection"];
            let headers: BTreeMap<_, _> = answer["multiValueHeaders"]
                .as_object()
                .unwrap()
                .iter()
                .map(|(name, values)| (name.as_str(), values[0].as_str().unwrap()))
                .filter(|(name, _)| !varies.contains(name))
                .collect();
            let local_headers: BTreeMap<_, _> = local
                .headers
                .iter()
                .map(|(name, value)| (name.as_str(), value.to_str().unwrap()))
                .filter(|(name, _)| !varies.contains(name))
                .collect();
            let what = format!("{path} {query} {cookie:?}");
            assert_eq!(answer["body"].as_str().unwrap(), local.body, "{what}");
            assert_eq!(headers, local_headers, "{what}");
            assert_eq!(answer["statusCode"], local.status, "{what}");
            statuses.push(local.status);
        }
    }
    for status in [200, 302, 303, 404] {
        assert!(statuses.contains(&status), "{statuses:?}");
    }
}
