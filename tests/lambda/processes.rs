//! The functions' own binaries, started and fed as Lambda does it.
//!
//! By default from the workspace's build. `FUNCTIONS` names a folder in cargo-lambda's layout with the
//! binaries to deploy.

use std::path::PathBuf;
use std::time::Duration;

use base64::prelude::{BASE64_STANDARD, Engine};
use runtime_api::{Function as Process, InvocationError};
use serde_json::{Value, json};
use shared::domain::issuer::Issuer;
use shared::domain::time::Timestamp;
use shared::store::table_names::TableNames;
use tokio::task::JoinSet;

use super::invocations::{self, without_what_varies};
use super::{CHECK_DEPLOYMENT, REFRESH_ISSUERS, SWEEP, Tokens, app_with_events, event, functions};
use harness::errors::UNAVAILABLE;
use harness::issuer::{Key, issuer};
use harness::issuer_server::{Behavior, IssuerServer};
use harness::test_app::test_deadline;
use harness::{LinkBody, TestApp, binaries, connection};

fn binary(name: &str) -> PathBuf {
    match std::env::var_os("FUNCTIONS") {
        Some(folder) => binaries::workspace().join(folder).join(name).join("bootstrap"),
        None => binaries::release_links().with_file_name(name),
    }
}

pub(super) fn variables(dynamodb_url: &str) -> Vec<(&'static str, String)> {
    let tables = TableNames::default();
    let [key, secret] = connection::variables(dynamodb_url);
    vec![
        ("AWS_REGION", "us-east-1".to_owned()),
        key,
        secret,
        ("AWS_ENDPOINT_URL_DYNAMODB", dynamodb_url.to_owned()),
        ("DIRECTORY_TABLE", tables.directory),
        ("RELEASES_TABLE", tables.releases),
    ]
}

pub(super) async fn start(name: &str, variables: &[(&'static str, String)]) -> Process {
    let variables: Vec<_> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    Process::start(&binary(name), &variables, Duration::from_secs(10)).await.unwrap()
}

/// All functions, each a process.
pub(crate) struct Functions {
    processes: Vec<(&'static str, Process)>,
}

impl Functions {
    /// Starts all functions, each on the database at the URL that is said of it.
    pub(crate) async fn start(dynamodb_url: impl Fn(&str) -> String) -> Self {
        Self::start_with(|function| variables(&dynamodb_url(function))).await
    }

    /// Starts all functions, each with the variables that are said of it.
    pub(super) async fn start_with(
        variables: impl Fn(&str) -> Vec<(&'static str, String)>,
    ) -> Self {
        let mut processes = Vec::new();
        for function in functions().chain([REFRESH_ISSUERS]) {
            let variables = variables(function);
            processes.push((function, start(function, &variables).await));
        }
        Self { processes }
    }

    /// Starts these functions on one database.
    pub(super) async fn start_these(names: &[&'static str], dynamodb_url: &str) -> Self {
        let variables = variables(dynamodb_url);
        let mut processes = Vec::new();
        for name in names {
            processes.push((*name, start(name, &variables).await));
        }
        Self { processes }
    }

    /// The output of each function so far.
    pub(super) fn outputs(&self) -> impl Iterator<Item = String> {
        self.processes.iter().map(|(_, process)| process.output())
    }

    /// Hands a function an event.
    pub(crate) async fn invoke(&self, name: &str, event: &Value) -> Value {
        let (_, process) = self.processes.iter().find(|(function, _)| *function == name).unwrap();
        process.invoke(event).await.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_binaries_answer_the_events_of_every_way_to_the_api() {
    let (app, tokens) = app_with_events().await;
    let functions = Functions::start(|_| app.server.dynamodb_url.clone()).await;
    invocations::run(async |function: &str, file: &str| {
        functions.invoke(function, &event(file, &tokens)).await
    })
    .await;
    bodies_and_headers_in_every_form(&functions, &tokens).await;
    payloads_of_version_2(&functions, &tokens).await;
    app.assert_sound().await;
}

/// An answer's status and body.
fn outcome(response: Value) -> (u64, String) {
    let response = without_what_varies(response);
    let body = response["body"].as_str().unwrap_or_default().to_owned();
    (response["statusCode"].as_u64().unwrap(), body)
}

const REFUSED: &str = r#"{"error":"name is missing, url is missing"}"#;

async fn bodies_and_headers_in_every_form(functions: &Functions, tokens: &Tokens) {
    let shown =
        |id: u64, name: &str| LinkBody::new(id, name, &format!("https://ex.com/{id}")).json();
    let with_body = |content_type: &str, body: Value, is_base64: bool| {
        let mut event = event("create-link.json", tokens);
        event["headers"]["Content-Type"] = json!(content_type);
        event["multiValueHeaders"]["Content-Type"] = json!([content_type]);
        event["body"] = body;
        event["isBase64Encoded"] = json!(is_base64);
        event
    };
    let create = async |event: Value| outcome(functions.invoke("create-link", &event).await);

    let multipart = "--x\r\ncontent-disposition: form-data; name=\"name\"\r\n\r\nmülti\r\n\
                     --x\r\ncontent-disposition: form-data; name=\"url\"\r\n\r\nhttps://ex.com/3\r\n--x--\r\n";
    let event_of_multipart = with_body(
        "multipart/form-data; boundary=x",
        json!(BASE64_STANDARD.encode(multipart)),
        true,
    );
    assert_eq!(create(event_of_multipart).await, (201, shown(3, "mülti")));
    // A type that is not binary to the gateway arrives as it is.
    let plain = r#"{"name":"plain","url":"https://ex.com/4"}"#;
    assert_eq!(
        create(with_body("application/json", json!(plain), false)).await,
        (201, shown(4, "plain"))
    );
    for empty in [json!(null), json!("")] {
        let answer = create(with_body("application/json", empty, false)).await;
        assert_eq!(answer, (400, REFUSED.to_owned()));
    }
    let no_text = json!(BASE64_STANDARD.encode(b"{\"name\":\"\xff\"}"));
    let answer =
        functions.invoke("create-link", &with_body("application/json", no_text, true)).await;
    assert_eq!(answer["statusCode"], 400);
    assert_eq!(answer["body"], "Bad Request");

    // The last of repeated headers counts, as in the gateway's single-valued form.
    let mut repeated = event("get-link.json", tokens);
    let token = tokens.developer.reveal();
    let path = |id: u64| format!("/api/v4/projects/demo%2Fhello/releases/v1.0.0/assets/links/{id}");
    repeated["path"] = json!(path(3));
    repeated["pathParameters"]["link_id"] = json!("3");
    repeated["multiValueHeaders"]["PRIVATE-TOKEN"] = json!(["glpat-first", token]);
    repeated["headers"]["PRIVATE-TOKEN"] = json!(token);
    let got = functions.invoke("get-link", &repeated).await;
    assert_eq!(outcome(got.clone()), (200, shown(3, "mülti")));
    repeated["multiValueHeaders"]["PRIVATE-TOKEN"] = json!([token, "glpat-last"]);
    repeated["headers"]["PRIVATE-TOKEN"] = json!("glpat-last");
    let refused = functions.invoke("get-link", &repeated).await;
    assert_eq!(refused["statusCode"], 401);

    let mut head = event("get-link.json", tokens);
    head["httpMethod"] = json!("HEAD");
    head["path"] = json!(path(3));
    head["pathParameters"]["link_id"] = json!("3");
    let head = functions.invoke("get-link", &head).await;
    assert_eq!(head["multiValueHeaders"]["etag"], got["multiValueHeaders"]["etag"]);
    assert_eq!(
        (head["statusCode"].as_u64(), head["body"].as_str().unwrap_or_default()),
        (Some(200), "")
    );

    for id in [3, 4] {
        let mut delete = event("delete-link.json", tokens);
        delete["pathParameters"]["link_id"] = json!(id.to_string());
        assert_eq!(functions.invoke("delete-link", &delete).await["statusCode"], 200);
    }
}

/// An event of version 2.0 of the payload, without path parameters.
pub(super) fn payload(token: &str, method: &str, path: &str, query: &str, body: &str) -> Value {
    json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": {
            "host": "127.0.0.1:9000",
            "private-token": token,
            "content-type": "application/x-www-form-urlencoded",
        },
        "pathParameters": {},
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "local",
            "domainName": "localhost",
            "domainPrefix": "localhost",
            "http": {
                "method": method,
                "path": path,
                "protocol": "http",
                "sourceIp": "127.0.0.1",
                "userAgent": "test",
            },
            "requestId": "2",
            "routeKey": "$default",
            "stage": "$default",
            "time": "20/Nov/2026:14:39:12 +0000",
            "timeEpoch": 1_795_185_552_000_u64,
        },
        "body": BASE64_STANDARD.encode(body),
        "isBase64Encoded": true,
    })
}

/// Version 2.0 of the payload, which `cargo lambda watch` sends.
async fn payloads_of_version_2(functions: &Functions, tokens: &Tokens) {
    let path = "/api/v4/projects/demo%2Fhello/releases/v1.0.0/assets/links";
    let payload = |method: &str, query: &str, body: &str| {
        let mut payload = payload(tokens.developer.reveal(), method, path, query, body);
        payload["pathParameters"] = json!({ "id": "demo%2Fhello", "tag_name": "v1.0.0" });
        payload
    };
    let created = functions
        .invoke("create-link", &payload("POST", "", "name=v2&url=https%3A%2F%2Fex.com%2Fv2"))
        .await;
    assert_eq!(created["statusCode"], 201, "{created}");
    let listed = functions.invoke("list-links", &payload("GET", "per_page=1&x=a%20b", "")).await;
    assert_eq!(listed["body"], format!("[{}]", created["body"].as_str().unwrap()));
    assert_eq!(
        listed["headers"]["link"].as_str().unwrap().split('>').next().unwrap(),
        format!("<http://127.0.0.1:9000{path}?id=demo%2Fhello&page=1&per_page=1&tag_name=v1.0.0")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_binary_that_misses_a_variable_dies_with_its_name() {
    let complete = variables("http://127.0.0.1:9");
    let required =
        complete.iter().map(|(name, _)| *name).filter(|name| *name != "AWS_ENDPOINT_URL_DYNAMODB");
    for missing in required {
        let mut rest = complete.clone();
        rest.retain(|(name, _)| *name != missing);
        let mut dying: JoinSet<()> =
            functions().map(|function| dies(function, rest.clone(), missing)).collect();
        while let Some(died) = dying.join_next().await {
            died.unwrap();
        }
    }
    dies(CHECK_DEPLOYMENT, complete.clone(), "CHECKED_FUNCTIONS").await;
    for (name, value) in [("PUBLIC_URL", "not a url"), ("AWS_CA_BUNDLE", "/nowhere/ca.pem")] {
        let mut wrong = complete.clone();
        wrong.retain(|(name, _)| *name != "AWS_ENDPOINT_URL_DYNAMODB");
        wrong.push((name, value.to_owned()));
        dies("get-link", wrong, name).await;
    }
}

async fn dies(function: &str, variables: Vec<(&'static str, String)>, name: &str) {
    let process = start(function, &variables).await;
    match process.until_first_poll().await {
        Err(InvocationError::Ended { status, output }) => {
            assert!(!status.success() && output.contains(name), "{function}: {output}");
        }
        other => panic!("{function} without {name}: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_hangs_is_given_up_before_the_function_is() {
    let (app, tokens) = app_with_events().await;
    drop(app);
    // Takes connections and never answers.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    // Its time is the function's: what it did not do is handed over again.
    let sweep = start(SWEEP, &variables(&url)).await;
    let deleted = event("sweep.json", &tokens);
    let sweep = tokio::spawn(async move { sweep.invoke(&deleted).await });
    for (function, file) in [("get-link", "get-link.json"), ("create-link", "create-link.json")] {
        let process = start(function, &variables(&url)).await;
        // An invocation past the function's ten seconds is an error here, as on Lambda.
        let answer = process.invoke(&event(file, &tokens)).await.unwrap();
        assert_eq!(answer["statusCode"], 503, "{answer}");
        assert_eq!(answer["body"], UNAVAILABLE);
        assert_eq!(answer["multiValueHeaders"]["retry-after"], json!(["1"]));
    }
    let failed = json!([{ "itemIdentifier": "4421584500000000017450439091" }]);
    assert_eq!(sweep.await.unwrap().unwrap(), json!({ "batchItemFailures": failed }));
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_older_than_a_day_fail_the_refresh_and_younger_ones_do_not() {
    let app = TestApp::empty();
    let refresh = start(REFRESH_ISSUERS, &variables(&app.server.dynamodb_url)).await;
    assert_eq!(refresh.invoke(&json!({})).await.unwrap(), json!(null));
    let server = IssuerServer::start(Vec::new()).await;
    server.does(Behavior::Answer(500, Vec::new()));
    for (hours, is_old) in [(23, false), (25, true)] {
        let refreshed_at = Timestamp::now().minus(Duration::from_hours(hours));
        let issuer = issuer(&server.url, vec![Key::rsa(0).public("a")]);
        let issuer = Issuer { refreshed_at, allows_private_addresses: true, ..issuer };
        assert!(app.store.add_issuer(&issuer, test_deadline()).await.unwrap());
        let answer = refresh.invoke(&json!({})).await;
        match answer {
            Ok(answer) => assert!(!is_old && answer.is_null(), "{hours} {answer}"),
            Err(error) => {
                let said = format!("{error:?}");
                assert!(is_old && said.contains(&server.url), "{hours} {said}");
            }
        }
        let kept = app.store.find_issuer(&issuer.url, test_deadline()).await.unwrap().unwrap();
        assert_eq!(kept.keys, issuer.keys);
        assert!(app.store.remove_issuer(&issuer.url, test_deadline()).await.unwrap());
    }
}
