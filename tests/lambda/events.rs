//! Events as input: whatever stands in one, no function panics or fails, and each answers in the
//! form of the event's version.

use lambda_http::http::StatusCode;
use lambda_http::{Context, LambdaEvent};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use serde_json::value::to_raw_value;
use serde_json::{Map, Value, json};
use shared::api::event::reply;
use shared::api::respond::respond;
use shared::api::{ApiError, ApiRequest, ApiResponse};
use shared::app::App;
use shared::domain::secret::Secret;
use shared::domain::token_kind::TokenKind;

use super::processes::{Functions, payload};
use super::{SWEEP, Tokens, app_with_events, event, functions};
use harness::binaries::workspace;
use harness::test_app::store;

const BAD_REQUEST: (u64, &str) = (400, "Bad Request");

/// How many random events each function gets.
const EVENTS: usize = 100;

/// Texts that something on the way from an event to a response may not expect.
const TEXTS: [&str; 34] = [
    "",
    " ",
    "a b",
    "a:99999",
    "xn--",
    "[::1",
    "user@host",
    ":99999/",
    "host/path",
    "https, http",
    "HTTP",
    "é",
    "日",
    "\u{fffd}",
    "\n",
    "\u{0}",
    "a\r\nb: c",
    "%",
    "%2F",
    "%00",
    "%ff",
    "/",
    "//",
    "//a//",
    "a=b&a[]=c",
    "a b=c d",
    "=",
    "*",
    "\"a b\"",
    "W/\"",
    "2.0",
    "1.0",
    "HEAD",
    "{}",
];

/// Names of an event's fields, of headers and of parameters, and some of nothing.
const NAMES: [&str; 24] = [
    "version",
    "path",
    "rawPath",
    "httpMethod",
    "headers",
    "multiValueHeaders",
    "pathParameters",
    "queryStringParameters",
    "multiValueQueryStringParameters",
    "rawQueryString",
    "requestContext",
    "domainName",
    "body",
    "isBase64Encoded",
    "Host",
    "X-Forwarded-Proto",
    "If-None-Match",
    "Content-Type",
    "proxy",
    "id",
    "Records",
    "dynamodb",
    "",
    "no token: é\n",
];

fn text() -> impl Strategy<Value = String> {
    let known = prop::sample::select(TEXTS.to_vec()).prop_map(str::to_owned);
    prop_oneof![6 => known, 2 => ".{0,12}", 1 => Just("x".repeat(70_000))]
}

fn json_value() -> impl Strategy<Value = Value> {
    let names = prop_oneof![
        4 => prop::sample::select(NAMES.to_vec()).prop_map(str::to_owned),
        1 => ".{0,6}",
    ];
    let leaf = prop_oneof![
        2 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::from),
        2 => any::<i64>().prop_map(Value::from),
        1 => any::<f64>().prop_map(Value::from),
        6 => text().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((names.clone(), inner), 0..5)
                .prop_map(|members| Value::from(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// A change of an event: at which of its values, and what becomes of it.
#[derive(Clone, Debug)]
enum Change {
    Replace(Value),
    Remove,
    Insert(String, Value),
}

fn change() -> impl Strategy<Value = Change> {
    let name = prop::sample::select(NAMES.to_vec()).prop_map(str::to_owned);
    prop_oneof![
        5 => json_value().prop_map(Change::Replace),
        2 => text().prop_map(|text| Change::Replace(text.into())),
        2 => Just(Change::Remove),
        3 => (name, json_value()).prop_map(|(name, value)| Change::Insert(name, value)),
    ]
}

/// The paths to all values of an event but itself.
fn pointers(event: &Value, prefix: &str, found: &mut Vec<String>) {
    let mut visit = |name: &str, value: &Value| {
        let pointer = format!("{prefix}/{}", name.replace('~', "~0").replace('/', "~1"));
        pointers(value, &pointer, found);
        found.push(pointer);
    };
    match event {
        Value::Object(members) => members.iter().for_each(|(name, value)| visit(name, value)),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(n, value)| visit(&n.to_string(), value));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn apply(event: &mut Value, at: prop::sample::Index, change: Change) {
    let mut found = Vec::new();
    pointers(event, "", &mut found);
    if found.is_empty() {
        return;
    }
    let pointer = at.get(&found);
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    match change {
        Change::Replace(value) => *event.pointer_mut(pointer).unwrap() = value,
        Change::Remove => {
            if let Some(Value::Object(members)) = event.pointer_mut(parent) {
                members.remove(&name.replace("~1", "/").replace("~0", "~"));
            }
        }
        Change::Insert(name, value) => {
            if let Some(Value::Object(members)) = event.pointer_mut(parent) {
                members.insert(name, value);
            }
        }
    }
}

/// Events near those that API Gateway and the stream send: real ones with some values changed, and
/// arbitrary JSON made of the same names.
fn any_event(real: Vec<Value>) -> impl Strategy<Value = Value> {
    let changes = prop::collection::vec((any::<prop::sample::Index>(), change()), 1..5);
    let mutated = (prop::sample::select(real), changes).prop_map(|(mut event, changes)| {
        for (at, change) in changes {
            apply(&mut event, at, change);
        }
        event
    });
    prop_oneof![5 => mutated, 1 => json_value()]
}

/// The real events, each in both versions of the payload where it is an HTTP request.
fn real_events(tokens: &Tokens) -> Vec<Value> {
    let files = std::fs::read_dir(workspace().join("tests/events")).unwrap();
    let mut names: Vec<_> = files.map(|file| file.unwrap().file_name()).collect();
    names.sort();
    let mut events = Vec::new();
    for name in names {
        let event = event(name.to_str().unwrap(), tokens);
        if event["httpMethod"].is_string() {
            events.push(as_version_2(&event));
        }
        events.push(event);
    }
    events
}

/// A REST API's event as version 2.0 of the payload says it.
fn as_version_2(event: &Value) -> Value {
    let path = event["path"].as_str().unwrap();
    let mut converted = payload("", event["httpMethod"].as_str().unwrap(), path, "", "");
    for field in ["headers", "pathParameters", "body", "isBase64Encoded"] {
        converted[field] = event[field].clone();
    }
    converted
}

/// Asserts that a function's answer is one that API Gateway can send on, of the event's version.
fn assert_well_formed(function: &str, event: &Value, answer: &Value) {
    let said = format!("{function}: {answer} to {event}");
    let status = answer["statusCode"].as_u64().unwrap_or_else(|| panic!("{said}"));
    assert!((200..500).contains(&status), "{said}");
    assert!(answer["isBase64Encoded"] == false, "{said}");
    assert!(answer["body"].is_string() || answer["body"].is_null(), "{said}");
    let (single, multiple) = (&answer["headers"], &answer["multiValueHeaders"]);
    let id = if event["version"] == "2.0" {
        assert!(multiple.as_object().is_some_and(Map::is_empty), "{said}");
        assert!(single.as_object().unwrap().values().all(Value::is_string), "{said}");
        &single["x-request-id"]
    } else {
        assert!(single.as_object().is_some_and(Map::is_empty), "{said}");
        let lines = multiple.as_object().unwrap().values();
        let of_one = |lines: &Value| lines.as_array().is_some_and(|lines| lines.len() == 1);
        assert!(lines.into_iter().all(of_one), "{said}");
        &multiple["x-request-id"][0]
    };
    assert!(id.as_str().is_some_and(|id| !id.is_empty()), "{said}");
}

/// Answers with the parts of a request that endpoints decide by.
async fn shown(_: &App, request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let request = json!([
        request.encoded_path,
        request.path.id,
        request.base.to_string(),
        request.method.as_str()
    ]);
    ApiResponse::json(StatusCode::OK, &request)
}

#[tokio::test(flavor = "multi_thread")]
async fn any_event_is_read_or_refused() {
    let tokens = Tokens {
        developer: Secret::generate(TokenKind::Access),
        job: Secret::generate(TokenKind::Job),
    };
    // No request is sent to the database.
    let app = App::new(store("http://127.0.0.1:9"), None);
    let runtime = tokio::runtime::Handle::current();
    let mut runner = TestRunner::new(Config::with_cases(4_000));
    let tested = tokio::task::block_in_place(|| {
        runner.run(&any_event(real_events(&tokens)), |event| {
            let mut context = Context::default();
            context.request_id = "1".to_owned();
            let given = LambdaEvent::new(to_raw_value(&event).unwrap(), context);
            let reply = reply(given, |request| respond(&app, request, shown));
            let reply = serde_json::to_value(runtime.block_on(reply)).unwrap();
            assert_well_formed("shown", &event, &reply);
            Ok(())
        })
    });
    tested.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn any_event_gets_a_well_formed_answer_from_every_function() {
    let (test_app, tokens) = app_with_events().await;
    let running = Functions::start(|_| test_app.server.dynamodb_url.clone()).await;
    let running = std::sync::Arc::new(running);
    let strategy = any_event(real_events(&tokens));
    let mut runner = TestRunner::new(Config::default());
    let mut fed = tokio::task::JoinSet::new();
    for function in functions() {
        let draw = |_| strategy.new_tree(&mut runner).unwrap().current();
        let events: Vec<Value> = (0..EVENTS).map(draw).collect();
        let running = std::sync::Arc::clone(&running);
        fed.spawn(async move {
            for event in events {
                let answer = running.invoke(function, &event).await;
                if function == SWEEP {
                    let failures = answer["batchItemFailures"].as_array();
                    assert!(failures.is_some_and(|failures| failures.len() <= 1), "{answer}");
                } else {
                    assert_well_formed(function, &event, &answer);
                }
            }
        });
    }
    while let Some(done) = fed.join_next().await {
        done.unwrap();
    }
    for output in running.outputs() {
        assert!(!output.contains("panicked"), "{output}");
    }
    test_app.assert_sound().await;
}

/// The status and body of an answer.
fn outcome(answer: &Value) -> (u64, &str) {
    (answer["statusCode"].as_u64().unwrap(), answer["body"].as_str().unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_hosts_schemes_and_headers_fail_no_function() {
    let (test_app, tokens) = app_with_events().await;
    let functions = Functions::start_these(&["get-project"], &test_app.server.dynamodb_url).await;
    let get = async |event: &Value| functions.invoke("get-project", event).await;
    let real = event("get-project.json", &tokens);
    let expected = get(&real).await;
    assert_eq!(expected["statusCode"], 200);
    let shown = outcome(&expected);
    let with_header = |name: &str, value: &str| {
        let mut event = real.clone();
        event["headers"][name] = json!(value);
        event["multiValueHeaders"][name] = json!([value]);
        event
    };
    // API Gateway names the domain itself, so the client's word for it is not needed.
    for host in ["a:99999", "a b", "xn--", ""] {
        assert_eq!(outcome(&get(&with_header("Host", host)).await), shown, "{host:?}");
    }
    let plain = shown.1.replace("https://", "http://");
    for scheme in ["a b", "https, http", ""] {
        let answer = get(&with_header("X-Forwarded-Proto", scheme)).await;
        assert_eq!(outcome(&answer), (200, plain.as_str()), "{scheme:?}");
    }
    for (name, value) in [("no token", "a"), ("", "a"), ("X-A", "a\nb"), ("X-A", "\u{0}")] {
        assert_eq!(outcome(&get(&with_header(name, value)).await), BAD_REQUEST, "{name} {value:?}");
    }
    assert_eq!(outcome(&get(&with_header("User-Agent", "ünï")).await), shown);
    assert_eq!(outcome(&get(&with_header("If-None-Match", "\"a b\"")).await), shown);
    let mut many = real.clone();
    for n in 0..33_000 {
        many["headers"][format!("x-{n}")] = json!("");
    }
    assert_eq!(outcome(&get(&many).await), BAD_REQUEST);

    for host in ["a:99999", "a b", "xn--", "user@host", "host/path"] {
        let mut event = with_header("Host", host);
        event["requestContext"]["domainName"] = json!(host);
        assert_eq!(outcome(&get(&event).await), BAD_REQUEST, "{host}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_null_and_empty_fields_fail_no_function() {
    let (test_app, tokens) = app_with_events().await;
    let names = ["get-project", "create-link"];
    let functions = Functions::start_these(&names, &test_app.server.dynamodb_url).await;
    let real = event("get-project.json", &tokens);
    let expected = functions.invoke("get-project", &real).await;
    let with = |field: &str, value: Value| {
        let mut event = real.clone();
        event[field] = value;
        event
    };
    let get = async |event: Value| functions.invoke("get-project", &event).await;
    let needless = ["resource", "stageVariables", "body", "isBase64Encoded"];
    let maps = ["queryStringParameters", "multiValueQueryStringParameters", "multiValueHeaders"];
    for field in needless.into_iter().chain(maps) {
        let mut event = real.clone();
        event.as_object_mut().unwrap().remove(field);
        assert_eq!(outcome(&get(event).await), outcome(&expected), "{field}");
        assert_eq!(outcome(&get(with(field, Value::Null)).await), outcome(&expected), "{field}");
    }
    // A parameter without values, of which lambda_http's map takes the first.
    let empty = with("multiValueQueryStringParameters", json!({ "a": [], "b": null, "c": [null] }));
    assert_eq!(outcome(&get(empty).await), outcome(&expected));
    for (field, value) in [
        ("path", Value::Null),
        ("path", json!("api")),
        ("path", json!(1)),
        ("httpMethod", Value::Null),
        ("httpMethod", json!("GE T")),
        ("headers", json!([])),
        ("pathParameters", json!("id")),
        ("requestContext", json!("prod")),
    ] {
        assert_eq!(
            outcome(&get(with(field, value.clone())).await),
            BAD_REQUEST,
            "{field}: {value}"
        );
    }
    let mut create = event("create-link.json", &tokens);
    create["body"] = json!("no Base64");
    create["isBase64Encoded"] = json!(true);
    assert_eq!(outcome(&functions.invoke("create-link", &create).await), BAD_REQUEST);
    for nothing in [json!(null), json!({}), json!([]), json!("event"), json!(5)] {
        assert_eq!(outcome(&get(nothing.clone()).await), BAD_REQUEST, "{nothing}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn payloads_of_version_2_are_refused_in_their_own_form() {
    let (test_app, tokens) = app_with_events().await;
    let functions = Functions::start_these(&["get-version"], &test_app.server.dynamodb_url).await;
    let real = payload(tokens.developer.reveal(), "GET", "/api/v4/version", "", "");
    let get = async |event: Value| functions.invoke("get-version", &event).await;
    for query in ["a b=c", "a[]=%", "é", "#", "a=\n"] {
        let mut event = real.clone();
        event["rawQueryString"] = json!(query);
        assert_eq!(get(event).await["statusCode"], 200, "{query:?}");
    }
    // The domain stands in for a host that is none.
    for host in ["a:99999", "a b", "xn--", ""] {
        let mut event = real.clone();
        event["headers"]["host"] = json!(host);
        assert_eq!(get(event.clone()).await["statusCode"], 200, "{host:?}");
        event["requestContext"]["domainName"] = json!("a b");
        assert_well_formed("get-version", &event, &get(event.clone()).await);
        assert_eq!(outcome(&get(event).await), BAD_REQUEST, "{host:?}");
    }
    for (pointer, value) in [
        ("/rawPath", Value::Null),
        ("/requestContext/http", Value::Null),
        ("/requestContext/http/method", json!("\n")),
        ("/headers/host", json!(["a"])),
    ] {
        let mut event = real.clone();
        *event.pointer_mut(pointer).unwrap() = value;
        let answer = get(event.clone()).await;
        assert_well_formed("get-version", &event, &answer);
        assert_eq!(outcome(&answer), BAD_REQUEST, "{pointer}");
        assert_eq!(answer["headers"]["content-type"], "text/plain");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_line_of_a_conditional_request_counts() {
    let (test_app, tokens) = app_with_events().await;
    let functions = Functions::start_these(&["get-project"], &test_app.server.dynamodb_url).await;
    let real = event("get-project.json", &tokens);
    let got = functions.invoke("get-project", &real).await;
    let weak = got["multiValueHeaders"]["etag"][0].as_str().unwrap();
    let strong = weak.strip_prefix("W/").unwrap();
    for lines in [json!([weak, "\"b\""]), json!(["\"a\"", strong]), json!(["W/\"a\"", strong, "b"])]
    {
        let mut event = real.clone();
        event["headers"]["If-None-Match"] = lines.as_array().unwrap().last().unwrap().clone();
        event["multiValueHeaders"]["If-None-Match"] = lines.clone();
        assert_eq!(functions.invoke("get-project", &event).await["statusCode"], 304, "{lines}");
    }
}

/// API Gateway routes by the path as it was sent. One with repeated slashes fits no resource but the
/// greedy one of `web`.
#[tokio::test(flavor = "multi_thread")]
async fn web_sends_repeated_slashes_to_the_path_without_them() {
    let (test_app, tokens) = app_with_events().await;
    let names = ["web", "download-asset", "create-release"];
    let functions = Functions::start_these(&names, &test_app.server.dynamodb_url).await;
    let made = functions.invoke("create-release", &event("create-release.json", &tokens)).await;
    assert_eq!(made["statusCode"], 201);
    let web = async |method: &str, path: &str| {
        let mut event = event("web-download.json", &tokens);
        event["httpMethod"] = json!(method);
        event["path"] = json!(path);
        event["requestContext"]["path"] = json!(format!("/prod{path}"));
        event["pathParameters"] = json!({ "proxy": path.trim_start_matches('/') });
        event["queryStringParameters"] = json!({ "b": "1", "a": "é&" });
        event["multiValueQueryStringParameters"] = json!({ "b": ["2", "1"], "a": ["é&"] });
        functions.invoke("web", &event).await
    };
    for (method, path, location) in [
        ("GET", "/api/v4//projects/20/releases", "/prod/api/v4/projects/20/releases"),
        ("POST", "/api/v4/projects/g%2Fp//releases/", "/prod/api/v4/projects/g%2Fp/releases"),
        ("DELETE", "/api//v4/projects/1/releases/v1", "/prod/api/v4/projects/1/releases/v1"),
        ("HEAD", "//api/v4/user", "/prod/api/v4/user"),
    ] {
        let answer = web(method, path).await;
        let headers = &answer["multiValueHeaders"];
        assert_eq!(answer["statusCode"], 307, "{path}: {answer}");
        assert_eq!(headers["location"], json!([format!("{location}?a=%C3%A9%26&b=2&b=1")]));
        assert_eq!(headers["cache-control"], json!(["private, no-store"]));
    }
    // Paths that no function answers without the slashes either, and paths that `web` answers itself.
    for (method, path, status) in [
        ("GET", "/api/v4//nothing", 404),
        ("PATCH", "/api/v4//user", 404),
        ("OPTIONS", "/api/v4//user", 204),
        ("GET", "//evil.example//", 404),
        ("GET", "/api//v3/", 410),
        // Not a second time: this is the path that was to be routed elsewhere.
        ("GET", "/api/v4/projects/20/releases", 404),
    ] {
        let answer = web(method, path).await;
        assert_eq!(answer["statusCode"], status, "{method} {path}: {answer}");
    }
    let page = "/demo//hello/-/releases/release%2F2.0/downloads//bin/b/";
    let file = "https://ex.com/b?x=1&y=2";
    assert_eq!(web("GET", page).await["multiValueHeaders"]["location"], json!([file]));
    let mut download = event("download-asset.json", &tokens);
    download["pathParameters"]["direct_asset_path"] = json!("/bin//b/");
    let answer = functions.invoke("download-asset", &download).await;
    assert_eq!(answer["multiValueHeaders"]["location"], json!([file]));
}

#[tokio::test(flavor = "multi_thread")]
async fn records_that_cannot_be_read_are_reported_as_failed() {
    let (test_app, tokens) = app_with_events().await;
    let functions = Functions::start_these(&[SWEEP], &test_app.server.dynamodb_url).await;
    let answer = async |event: Value| functions.invoke(SWEEP, &event).await;
    let failed = |at: Value| json!({ "batchItemFailures": [{ "itemIdentifier": at }] });
    let good = event("sweep.json", &tokens)["Records"][0].take();
    for (pointer, value) in [
        ("/dynamodb/OldImage", Value::Null),
        ("/dynamodb/OldImage", json!({})),
        ("/dynamodb/OldImage/uid", json!({ "N": "1" })),
        ("/dynamodb/OldImage/project/N", json!("x")),
        ("/dynamodb/OldImage/tag", json!({ "S": "a", "N": "1" })),
        ("/dynamodb/OldImage/created_at/N", json!("99999999999999999999")),
    ] {
        let mut bad = good.clone();
        *bad.pointer_mut(pointer).unwrap() = value;
        bad["dynamodb"]["SequenceNumber"] = json!("2");
        // Earlier records are swept, and later ones come again.
        let batch = json!({ "Records": [good, bad, good] });
        assert_eq!(answer(batch).await, failed(json!("2")), "{pointer}");
    }
    // Fields that are not read may be anything.
    let mut odd = good.clone();
    odd["dynamodb"]["ApproximateCreationDateTime"] = json!(1e300);
    odd["eventName"] = Value::Null;
    assert_eq!(answer(json!({ "Records": [odd] })).await, json!({ "batchItemFailures": [] }));
    // Without a place in the stream, Lambda takes the whole batch for failed.
    for nowhere in [
        json!({ "Records": [{}] }),
        json!({ "Records": [null] }),
        json!({ "Records": {} }),
        json!({}),
        json!(null),
    ] {
        assert_eq!(answer(nowhere).await, failed(Value::Null));
    }
}
