//! The contents of the log, and secrets that it must never contain.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use shared::domain::access_level::AccessLevel;
use shared::domain::secret::Secret;
use shared::domain::token::TOKEN_ID_DIGITS;
use shared::domain::token_kind::TokenKind;
use shared::routes::Function;
use shared::store::tokens::NewToken;

use harness::errors::UNAVAILABLE;
use harness::issuer::{Key, gitlab_claims};
use harness::test_app::{LINKS, Proxied, TestApp, grant, token};
use harness::{Api, Fault, Server};

use crate::db_request_counts::cost;
use crate::id_tokens;
use crate::lambda::{app_with_events, event};

#[tokio::test(flavor = "multi_thread")]
async fn no_token_is_ever_logged_whatever_carries_it() {
    let (app, _) = TestApp::hello().await;
    let new = |kind| NewToken { kind, grants: vec![grant(20, AccessLevel::Developer)], ..token() };
    let good = app.token(new(TokenKind::Access)).await;
    let job = app.token(new(TokenKind::Job)).await;
    let unknown = Secret::generate(TokenKind::Access);
    let key = Key::rsa(0);
    id_tokens::with_publisher(&app, &key).await;
    let id_token = key.token_of(id_tokens::KID, &gitlab_claims());
    let forged = Key::rsa(1).token_of(id_tokens::KID, &gitlab_claims());
    let secrets = [
        good.reveal(),
        job.reveal(),
        unknown.reveal(),
        "glpat-not-even-a-token",
        &id_token,
        &forged,
    ];
    for secret in secrets {
        let body = format!(r#"{{"private_token":"{secret}","name":"","url":""}}"#);
        for (name, value) in [
            ("private-token", secret.to_owned()),
            ("job-token", secret.to_owned()),
            ("authorization", format!("Bearer {secret}")),
            ("authorization", format!("Basic {secret}")),
            ("x-anything", secret.to_owned()),
        ] {
            let api = app.anonymous().with(name, &value);
            api.get(LINKS).await;
            api.get("/api/v4/nothing").await;
            api.get("/api/v4/user").await;
            api.get("/mynamespace/hello/-/releases/permalink/latest").await;
            api.post(LINKS, &body).await;
            api.send("POST", LINKS, "text/plain", body.as_bytes()).await;
            api.send("POST", LINKS, "application/json", b"{").await;
        }
        for parameter in ["private_token", "access_token", "bearer_token", "job_token", "token"] {
            let api = app.anonymous();
            let reply = api.get(&format!("{LINKS}?{parameter}={secret}")).await;
            let link = reply.headers.get("link").map(|link| link.to_str().unwrap().to_owned());
            assert!(!link.unwrap_or_default().contains(secret), "{reply:?}");
            api.get(&format!("/nothing/{secret}?{parameter}={secret}")).await;
            let latest = "/mynamespace/hello/-/releases/permalink/latest";
            api.get(&format!("{latest}/{secret}?{parameter}={secret}")).await;
            let form = format!("{parameter}={secret}&name=a");
            api.send("POST", LINKS, "application/x-www-form-urlencoded", form.as_bytes()).await;
        }
    }
    // The server logs at its most talkative.
    let output = app.server.output();
    assert!(output.lines().count() > 100, "{output}");
    for secret in secrets {
        assert!(!output.contains(secret), "{secret} is in the log");
    }
    // Nor any part of an ID token, or what it says.
    for part in id_token.split('.').chain(forged.split('.')).chain(["sam@example.com"]) {
        assert!(!output.contains(part), "{part} is in the log");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_is_logged_once_with_its_cause_and_the_id_the_client_has() {
    let proxied = Proxied::hello().await;
    proxied.proxy.decide(|_, _| Fault::Throttle);
    let reply = proxied.api.allowing_failures().get(LINKS).await;
    reply.is(503, UNAVAILABLE);
    let id = reply.header("x-request-id").to_owned();
    let output = Server::output(proxied.into_server());
    let lines: Vec<Value> = output
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .filter(|line: &Value| line["request_id"] == id.as_str())
        .collect();
    let causes: Vec<_> = lines.iter().filter(|line| line["level"] == "ERROR").collect();
    assert_eq!(causes.len(), 1, "{output}");
    let cause = causes[0]["cause"].as_str().unwrap();
    assert!(cause.contains("ProvisionedThroughputExceededException"), "{cause}");
    let answered: Vec<_> = lines.iter().filter(|line| line["message"] == "answered").collect();
    assert_eq!(answered.len(), 1);
    assert_eq!(
        (answered[0]["method"].as_str(), answered[0]["status"].as_u64()),
        (Some("GET"), Some(503))
    );
    assert!(answered[0]["milliseconds"].is_u64(), "{}", answered[0]);
    assert_eq!(answered[0]["build"], env!("CARGO_PKG_VERSION"));
}

/// The log lines of answers, by the id of the request.
fn answered(output: &str) -> HashMap<String, Value> {
    let lines = output.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let answered = lines.filter(|line| line["message"] == "answered");
    answered.map(|line| (line["request_id"].as_str().unwrap().to_owned(), line)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_endpoint_logs_who_asked_for_what_and_what_it_took() {
    let (app, tokens) = app_with_events().await;
    let mut sent = Vec::new();
    let endpoints = Function::ALL.iter().filter(|function| **function != Function::Web);
    for name in endpoints.map(|function| function.name()) {
        let event = event(&format!("{name}.json"), &tokens);
        let text = |name: &str| event[name].as_str().unwrap_or_default();
        let (header, secret) = match name {
            "get-job" => ("job-token", &tokens.job),
            _ => ("private-token", &tokens.developer),
        };
        let api = app.anonymous().with(header, secret.reveal());
        let content_type = event["headers"]["Content-Type"].as_str().unwrap_or("text/plain");
        let body = if event["isBase64Encoded"] == true {
            STANDARD.decode(text("body")).unwrap()
        } else {
            text("body").into()
        };
        // Without the base path of a domain of the installation's own.
        let path = &text("path")[text("path").find("/api/v4").unwrap_or(0)..];
        let reply = api.send(text("httpMethod"), path, content_type, &body).await;
        assert!(reply.status < 500, "{name}: {reply:?}");
        sent.push((name, event, reply));
    }
    let lines = answered(&app.server.output());
    for (name, event, reply) in sent {
        let line = &lines[reply.header("x-request-id")];
        let path = event["resource"].as_str().unwrap();
        let has = |parameter: &str| path.contains(parameter);
        assert_eq!((&line["method"], &line["route"]), (&event["httpMethod"], &event["resource"]));
        assert_eq!(line["status"], reply.status, "{name}");
        assert_eq!(line["user"], "root", "{name}: {line}");
        assert_eq!(line["token"].as_str().map(str::len), Some(TOKEN_ID_DIGITS), "{name}: {line}");
        assert_eq!(line.get("job"), None, "{name}");
        let project = has("{id}").then_some(20);
        assert_eq!(line.get("project").and_then(Value::as_u64), project, "{name}: {line}");
        // One has its tag in the body, the other may have it in place of a commit.
        let has_tag = has("{tag_name}") || ["create-release", "get-commit"].contains(&name);
        assert_eq!(line["tag"].is_string(), has_tag, "{name}: {line}");
        let id = (has("{link_id}") || name == "create-link").then_some(1);
        assert_eq!(line.get("link").and_then(Value::as_u64), id, "{name}: {line}");
        assert!(line["milliseconds"].is_u64() && line["cold_start"].is_boolean(), "{line}");
        assert!(line["database_requests"].as_u64() >= Some(1), "{name}: {line}");
        assert!(line["read_units"].as_f64() >= Some(1.0), "{name}: {line}");
        let writes = name.starts_with("create") || name.starts_with("update");
        let units = line["write_units"].as_f64().unwrap();
        assert!(!writes || reply.status >= 400 || units > 0.0, "{name}: {line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_logged_units_are_those_of_the_database() {
    let proxied = Proxied::hello().await;
    let body = r#"{"name":"a","url":"https://e.com/a"}"#;
    let (reply, cost) = cost(&proxied, async |api: &Api| api.post(LINKS, body).await).await;
    let lines = answered(&proxied.into_server().output());
    let line = &lines[reply.header("x-request-id")];
    assert_eq!(line["database_requests"], cost.requests.len(), "{line}");
    assert_eq!(line["read_units"], cost.read_units, "{line}");
    assert_eq!(line["write_units"], cost.write_units, "{line}");
    assert_eq!(line["outcome"], "created");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_job_of_an_id_token_is_logged() {
    let (app, _) = TestApp::hello().await;
    let key = Key::rsa(0);
    id_tokens::with_publisher(&app, &key).await;
    let api = app.anonymous().with("job-token", &key.token_of(id_tokens::KID, &gitlab_claims()));
    let reply = api.get(LINKS).await;
    let lines = answered(&app.server.output());
    let line = &lines[reply.header("x-request-id")];
    let job = "https://gitlab.example.com mygroup/app 302";
    assert_eq!((&line["job"], &line["user"]), (&job.into(), &"sam".into()), "{line}");
    assert_eq!(line.get("token"), None);
}
