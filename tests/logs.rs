//! The contents of the log, and secrets that it must never contain.

use serde_json::Value;
use shared::domain::access_level::AccessLevel;
use shared::domain::secret::Secret;
use shared::domain::token_kind::TokenKind;
use shared::store::tokens::NewToken;

use harness::errors::UNAVAILABLE;
use harness::issuer::{Key, gitlab_claims};
use harness::test_app::{LINKS, Proxied, TestApp, grant, token};
use harness::{Fault, Server};

use crate::id_tokens;

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
