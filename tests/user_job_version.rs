//! `GET /user`, `GET /job` and `GET /version`: what clients ask before they ask for anything.

use std::time::Duration;

use shared::domain::token::{Scope, User};
use shared::domain::token_kind::TokenKind;
use shared::store::tokens::NewToken;

use crate::projects::releases::user;
use harness::Api;
use harness::errors::{JOB_NOT_FOUND, ROUTE_NOT_FOUND, UNAUTHORIZED};
use harness::test_app::{TestApp, job_token, token};

const USER: &str = "/api/v4/user";
const JOB: &str = "/api/v4/job";
const VERSION: &str = "/api/v4/version";
/// The answer of `GET /version`.
pub(crate) const SHOWN_VERSION: &str = concat!(
    r#"{"version":"18.0.0","revision":"release-links-"#,
    env!("CARGO_PKG_VERSION"),
    r#"","enterprise":false}"#
);

/// The ways to send a token of this kind, each with the query that belongs to it.
fn carriers(test_app: &TestApp, kind: TokenKind, secret: &str) -> Vec<(Api, String)> {
    let nobody = test_app.anonymous();
    let (header, parameters) = match kind {
        TokenKind::Access => ("private-token", ["private_token", "access_token"]),
        TokenKind::Job => ("job-token", ["job_token", "token"]),
    };
    let mut carriers = vec![
        (nobody.with(header, secret), String::new()),
        (nobody.with("authorization", &format!("Bearer {secret}")), String::new()),
        (nobody.clone(), format!("?bearer_token={secret}")),
    ];
    carriers.extend(parameters.map(|name| (nobody.clone(), format!("?{name}={secret}"))));
    carriers
}

#[tokio::test]
async fn an_access_token_has_a_user_and_no_job() {
    let test_app = TestApp::empty();
    for (id, username, external, scope) in [
        (1, "root", false, Scope::Api),
        (7, "ada.lovelace", false, Scope::ReadApi),
        (8, "guest_8", true, Scope::Api),
    ] {
        let of = User { id, username: username.to_owned(), external };
        let secret = test_app.token(NewToken { user: of, scope, ..token() }).await;
        let shown = user(&test_app.server.address, id, username);
        let shown = format!(r#"{},"external":{external}}}"#, shown.strip_suffix('}').unwrap());
        for (api, query) in carriers(&test_app, TokenKind::Access, secret.reveal()) {
            for (path, status, expected) in [
                (USER, 200, shown.as_str()),
                (VERSION, 200, SHOWN_VERSION),
                (JOB, 404, JOB_NOT_FOUND),
            ] {
                let path = format!("{path}{query}");
                api.get(&path).await.is(status, expected);
                api.head(&path).await.is(status, "");
            }
        }
    }
}

#[tokio::test]
async fn a_jobs_token_has_a_job_and_no_user() {
    let test_app = TestApp::empty();
    let of = User { id: 7, username: "ada".to_owned(), external: false };
    let new = || NewToken { user: of.clone(), ..job_token("Top/sub/app") };
    for (number, name) in [(1, "publish"), (2, "build: [a, \"b\"]")] {
        let secret = test_app.token(NewToken { name: name.to_owned(), ..new() }).await;
        let nobody = test_app.anonymous();
        let known = nobody.with("job-token", secret.reveal()).get(JOB).await;
        let at = known.json()["created_at"].as_str().unwrap().to_owned();
        let name = serde_json::Value::from(name);
        let expected = format!(
            r#"{{"id":{number},"status":"running","name":{name},"created_at":"{at}","started_at":"{at}","finished_at":null,"user":{},"web_url":"http://{}/Top/sub/app/-/jobs/{number}"}}"#,
            user(&test_app.server.address, 7, "ada"),
            test_app.server.address
        );
        for (api, query) in carriers(&test_app, TokenKind::Job, secret.reveal()) {
            let reply = api.get(&format!("{JOB}{query}")).await;
            reply.is(200, &expected);
            let head = api.head(&format!("{JOB}{query}")).await;
            head.is(200, "");
            assert_eq!(head.header("etag"), reply.header("etag"));
            for path in [USER, VERSION] {
                api.get(&format!("{path}{query}")).await.is(401, UNAUTHORIZED);
            }
        }
    }
}

#[tokio::test]
async fn callers_without_a_valid_token_are_unauthorized() {
    let test_app = TestApp::empty();
    let nobody = test_app.anonymous();
    let dead = |description: &str| {
        format!(r#"{{"error":"invalid_token","error_description":"{description}"}}"#)
    };
    let is_expired = dead("Token is expired. You can either do re-authorization or token refresh.");
    let was_revoked = dead("Token was revoked. You have to re-authorize from the user.");
    let expired = NewToken { expires_in: Some(Duration::ZERO), ..token() };
    let expired = test_app.api_with(expired).await;
    let secret = test_app.token(token()).await;
    let revoked = nobody.with("private-token", secret.reveal());
    assert_eq!(revoked.get(USER).await.status, 200);
    test_app.revoke(&secret).await;
    for path in [USER, JOB, VERSION] {
        for api in [
            nobody.clone(),
            nobody.with("private-token", ""),
            nobody.with("private-token", "glpat-nonsense"),
            nobody.with("authorization", "Bearer nonsense"),
            nobody.with("authorization", "Basic cm9vdDpyb290"),
            nobody.with("deploy-token", secret.reveal()),
        ] {
            let reply = api.get(path).await;
            reply.is(401, UNAUTHORIZED);
            assert!(!reply.headers.contains_key("www-authenticate"), "{reply:?}");
            api.head(path).await.is(401, "");
        }
        for (api, body) in [(&expired, &is_expired), (&revoked, &was_revoked)] {
            let reply = api.get(path).await;
            reply.is(401, body);
            let challenge = reply.header("www-authenticate");
            assert!(
                challenge.starts_with("Bearer realm=\"Protected by OAuth 2.0\""),
                "{challenge}"
            );
        }
        for method in ["POST", "PUT", "DELETE", "PATCH"] {
            nobody.send(method, path, "", b"").await.is(404, ROUTE_NOT_FOUND);
        }
    }
    let ended = NewToken { expires_in: Some(Duration::ZERO), ..job_token("a/b") };
    let ended = test_app.token(ended).await;
    let secret = test_app.token(job_token("a/b")).await;
    test_app.revoke(&secret).await;
    for secret in [ended.reveal(), secret.reveal(), "glcbt-nonsense"] {
        for (api, query) in carriers(&test_app, TokenKind::Job, secret) {
            for path in [JOB, USER, VERSION] {
                let reply = api.get(&format!("{path}{query}")).await;
                assert_eq!(reply.status, 401, "{path}{query}: {reply:?}");
            }
        }
    }
}
