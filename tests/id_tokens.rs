//! ID tokens of CI jobs: who may publish with one, and each way in which one can be wrong.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use shared::domain::issuer::{IssuerUrl, KeyValue};
use shared::domain::project::{ProjectId, Visibility};
use shared::domain::publisher::Publisher;
use shared::store::issuers::PublisherAdded;

use harness::errors::{EXPIRED, FORBIDDEN, JOB_NOT_FOUND, PROJECT_NOT_FOUND, UNAUTHORIZED};
use harness::issuer::{
    AUDIENCE, GITHUB, GITLAB, Key, base64url, github_claims, gitlab_claims, issuer, seconds,
};
use harness::test_app::{LINKS, RELEASES, TestApp, project, test_deadline};
use harness::{Api, Reply};

pub(crate) const KID: &str = "key-1";

/// Adds a publisher of project 20, which demands these claims.
pub(crate) async fn publisher(app: &TestApp, url: &str, claims: &[(&str, &str)], tag_is_ref: bool) {
    let claims: BTreeMap<String, String> =
        claims.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let publisher = Publisher::new(IssuerUrl::parse(url).unwrap(), claims, tag_is_ref).unwrap();
    let added = app.store.add_publisher(ProjectId(20), &publisher, test_deadline()).await.unwrap();
    assert_eq!(added, PublisherAdded::Done);
}

/// Project 20 with the jobs of a GitLab as publishers, by this key.
pub(crate) async fn with_publisher(app: &TestApp, key: &Key) {
    let issuer = issuer(GITLAB, vec![key.public(KID)]);
    assert!(app.store.add_issuer(&issuer, test_deadline()).await.unwrap());
    publisher(app, GITLAB, &[("project_id", "42"), ("ref_protected", "true")], false).await;
}

/// The claims of a job of GitLab, with this one in place of its own. Null removes it.
fn with(name: &str, value: Value) -> Value {
    let mut claims = gitlab_claims();
    match value {
        Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
        value => claims[name] = value,
    }
    claims
}

fn bearer(app: &TestApp, token: &str) -> Api {
    app.anonymous().with("authorization", &format!("Bearer {token}"))
}

fn description(reply: &Reply) -> String {
    let body = reply.json();
    assert_eq!((reply.status, &body["error"]), (403, &json!("insufficient_scope")), "{reply:?}");
    body["error_description"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_job_publishes_with_the_id_token_it_already_has() {
    let (app, owner) = TestApp::hello().await;
    let key = Key::rsa(0);
    with_publisher(&app, &key).await;
    let token = key.token_of(KID, &gitlab_claims());
    let anonymous = app.anonymous();
    let published_by = json!({
        "issuer": GITLAB, "project_path": "mygroup/app", "job_id": "302",
        "sha": "714a629c0b401fdce83e847fc9589983fc6f46bc",
    });
    for (n, (header, value)) in [
        ("private-token", token.clone()),
        ("authorization", format!("Bearer {token}")),
        ("job-token", token.clone()),
    ]
    .into_iter()
    .enumerate()
    {
        let api = anonymous.with(header, &value);
        let links = r#"[{"name":"a","url":"https://e.com/a"}]"#;
        let body = format!(r#"{{"tag_name":"v{n}","assets":{{"links":{links}}}}}"#);
        let made = api.post(RELEASES, &body).await;
        assert_eq!(made.status, 201, "{header}: {made:?}");
        let release = made.json();
        assert_eq!(
            (&release["author"]["username"], &release["author"]["id"]),
            (&json!("sam"), &json!(3))
        );
        assert_eq!(release["published_by"], published_by);
        assert_eq!(release["assets"]["links"][0]["published_by"], published_by);
        let links = format!("{RELEASES}/v{n}/assets/links");
        let link = api.post(&links, r#"{"name":"b","url":"https://e.com/b"}"#).await;
        assert_eq!((link.status, &link.json()["published_by"]), (201, &published_by), "{header}");
        let link = format!("{links}/{}", link.id());
        // A link that a person changes is not the job's any more.
        let changed = owner.put(&link, r#"{"url":"https://e.com/c"}"#).await;
        assert_eq!((changed.status, changed.json().get("published_by")), (200, None));
        let changed = api.put(&link, r#"{"url":"https://e.com/d"}"#).await;
        assert_eq!(changed.json()["published_by"], published_by);
        assert_eq!(api.delete(&link).await.status, 200);
        assert_eq!(api.get(&format!("{RELEASES}/v{n}")).await.status, 200);
    }
    for parameter in ["private_token", "access_token", "bearer_token", "job_token", "token"] {
        let name = format!(r#"{{"name":"{parameter}","url":"https://e.com/{parameter}"}}"#);
        let made = anonymous.post(&format!("{LINKS}?{parameter}={token}"), &name).await;
        assert_eq!(made.status, 201, "{parameter}: {made:?}");
        assert_eq!(made.json()["published_by"], published_by);
    }
    let page = bearer(&app, &token).get("/mynamespace/hello/-/releases/v0").await;
    let shown = format!("Published by job 302 of mygroup/app on {GITLAB} at <code>714a629c</code>");
    assert_eq!(page.body.matches(&shown).count(), 1, "{}", page.body);
    // A link of somebody else says so.
    let links = format!("{RELEASES}/v0/assets/links");
    assert_eq!(owner.post(&links, r#"{"name":"o","url":"https://e.com/o"}"#).await.status, 201);
    let page = bearer(&app, &token).get("/mynamespace/hello/-/releases/v0").await;
    assert!(page.body.contains("Not published by the job of the release"), "{}", page.body);
    assert_eq!(page.body.matches(&shown).count(), 1, "{}", page.body);
    // The first requests of clients. GitLab does not take job tokens there, but this is an ID token.
    let api = anonymous.with("job-token", &token);
    let user = api.get("/api/v4/user").await;
    assert_eq!(user.status, 200, "{user:?}");
    let user = user.json();
    assert_eq!((&user["username"], &user["id"]), (&json!("sam"), &json!(3)));
    let permissions = &api.get("/projects/20").await.json()["permissions"];
    assert_eq!(permissions["project_access"]["access_level"], 30);
    assert_eq!(api.get("/api/v4/version").await.status, 200);
    api.get("/api/v4/job").await.is(404, JOB_NOT_FOUND);
    app.assert_sound().await;
}

#[tokio::test]
async fn a_job_of_github_publishes_by_the_ids_of_its_repository() {
    let (app, _) = TestApp::hello().await;
    // GitHub signs with RSA; the other kind of key works as well.
    let key = Key::p256();
    let github = issuer(GITHUB, vec![key.public(KID)]);
    assert!(app.store.add_issuer(&github, test_deadline()).await.unwrap());
    let demands = [
        ("repository_id", "74"),
        ("repository_owner_id", "65"),
        ("repository", "octo-org/octo-repo"),
        ("environment", "production"),
        ("ref_type", "tag"),
    ];
    publisher(&app, GITHUB, &demands, true).await;
    let api = bearer(&app, &key.token_of(KID, &github_claims()));
    let made = api.post(RELEASES, r#"{"tag_name":"v1.0.0"}"#).await;
    assert_eq!(made.status, 201, "{made:?}");
    let release = made.json();
    assert_eq!(release["author"]["username"], "octocat");
    let published_by = json!({
        "issuer": GITHUB, "project_path": "octo-org/octo-repo", "run_id": "30433642",
        "sha": "5b2f6e0d2c8b1a7f4e3d9c0b8a7f6e5d4c3b2a19",
    });
    assert_eq!(release["published_by"], published_by);
    for (name, value) in [
        ("repository_id", "75"),
        ("repository_owner_id", "66"),
        ("environment", "staging"),
        ("repository", "octo-org/renamed"),
        ("event_name", "pull_request_target"),
        ("event_name", "pull_request"),
        ("event_name", "workflow_run"),
        ("event_name", "pull_request_review"),
        ("ref", "refs/pull/1/merge"),
        ("ref_type", "branch"),
        ("ref", "refs/tags/v2.0.0"),
    ] {
        let mut claims = github_claims();
        claims[name] = json!(value);
        let api = bearer(&app, &key.token_of(KID, &claims));
        let refused = api.put(&format!("{RELEASES}/v1.0.0"), r#"{"name":"b"}"#).await;
        if name.ends_with("_id") {
            // The project is private, and none of its publishers pins the repository of the job.
            refused.is(404, PROJECT_NOT_FOUND);
        } else {
            assert!(description(&refused).contains(&format!("claim {name} ")), "{refused:?}");
        }
    }
}

/// A header of an ID token with this change.
fn header(change: &Value) -> String {
    let mut header = json!({ "alg": "RS256", "typ": "JWT", "kid": KID });
    header.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    header.to_string()
}

async fn refuse(app: &TestApp, case: &str, token: &str, (status, body): (u16, &str)) {
    let link = format!(r#"{{"name":"{}","url":"https://e.com/a"}}"#, case.replace('"', ""));
    let refused = bearer(app, token).post(LINKS, &link).await;
    assert_eq!((refused.status, refused.body.as_str()), (status, body), "{case}: {token}");
}

#[tokio::test]
async fn an_id_token_cannot_choose_its_key_or_algorithm() {
    let (app, _) = TestApp::hello().await;
    let (key, stranger) = (Key::rsa(0), Key::rsa(1));
    with_publisher(&app, &key).await;
    let claims = gitlab_claims().to_string();
    let good = key.token(&header(&json!({})), &claims);
    let unauthorized = (401, UNAUTHORIZED);
    let KeyValue::Rsa { n, e } = stranger.public(KID).value else { panic!("an RSA key") };
    for (case, change) in [
        ("none", json!({ "alg": "none" })),
        ("None", json!({ "alg": "None" })),
        ("RS512", json!({ "alg": "RS512" })),
        ("PS256", json!({ "alg": "PS256" })),
        ("ES256", json!({ "alg": "ES256" })),
        ("HS256", json!({ "alg": "HS256" })),
        ("a number as algorithm", json!({ "alg": 5 })),
        ("another key", json!({ "kid": "key-2" })),
        ("no key", json!({ "kid": null })),
        ("a critical extension", json!({ "crit": ["exp"] })),
        ("another type", json!({ "typ": "at+jwt" })),
    ] {
        refuse(&app, case, &key.token(&header(&change), &claims), unauthorized).await;
    }
    // Keys that the token brings along are passed over: the stranger's signature stays wrong.
    for (case, change) in [
        ("another signature", json!({})),
        ("an embedded key", json!({ "jwk": { "kty": "RSA", "n": n, "e": e, "kid": KID } })),
        ("a URL of keys", json!({ "jku": "https://evil.example/keys" })),
        ("a URL of certificates", json!({ "x5u": "https://evil.example/certificates" })),
    ] {
        refuse(&app, case, &stranger.token(&header(&change), &claims), unauthorized).await;
    }
    let message = good.rsplit_once('.').unwrap().0;
    for (case, signature) in [
        ("no signature", String::new()),
        ("an empty signature", base64url(&[0; 256])),
        ("a signature cut off", base64url(&[1; 255])),
    ] {
        refuse(&app, case, &format!("{message}.{signature}"), unauthorized).await;
    }
    let unsigned = header(&json!({ "alg": "none" }));
    let unsigned = format!("{}.{}.", base64url(unsigned.as_bytes()), base64url(claims.as_bytes()));
    refuse(&app, "no algorithm and no signature", &unsigned, unauthorized).await;
    refuse(&app, "public key as a shared secret", &hmac_signed(&key, &claims), unauthorized).await;
}

#[tokio::test]
async fn an_id_token_that_is_wrong_in_one_place_is_refused() {
    let (app, _) = TestApp::hello().await;
    let key = Key::rsa(0);
    with_publisher(&app, &key).await;
    let claims = gitlab_claims().to_string();
    let good = key.token(&header(&json!({})), &claims);
    let unauthorized = (401, UNAUTHORIZED);
    let kid = |claims: &Value| key.token_of(KID, claims);
    for (name, value) in [
        ("iss", json!("https://gitlab.example.org")),
        ("iss", json!("https://gitlab.example.com/")),
        ("iss", json!([GITLAB])),
        ("iss", Value::Null),
        ("aud", json!("https://releases.example.org")),
        ("aud", json!([AUDIENCE])),
        ("aud", json!([AUDIENCE, "https://releases.example.org"])),
        ("aud", json!("")),
        ("aud", Value::Null),
        ("exp", Value::Null),
        ("exp", json!("9999999999")),
        ("exp", json!(-1)),
        ("iat", Value::Null),
        ("iat", json!(seconds(90))),
        ("iat", json!("0")),
        ("nbf", json!(seconds(90))),
        ("nbf", json!("0")),
        ("jti", Value::Null),
        ("jti", json!("")),
        ("jti", json!(5)),
    ] {
        let case = format!("{name} {value}");
        refuse(&app, &case, &kid(&with(name, value)), unauthorized).await;
    }
    for (name, value) in [
        ("exp", json!(seconds(-61))),
        ("exp", json!(0)),
        ("iat", json!(seconds(-3661))),
        ("iat", json!(0)),
    ] {
        let case = format!("{name} {value}");
        refuse(&app, &case, &kid(&with(name, value)), (401, EXPIRED)).await;
    }
    for claim in ["aud", "project_id", "exp"] {
        let twice = claims.replacen('{', &format!(r#"{{"{claim}":"x","#), 1);
        refuse(&app, "a claim twice", &key.token(&header(&json!({})), &twice), unauthorized).await;
    }
    for claims in ["", "[]", "null", "5", "{", "{\"iss\":\"https://gitlab.example.com\"}"] {
        refuse(&app, claims, &key.token(&header(&json!({})), claims), unauthorized).await;
    }
    let long = kid(&with("more", json!("x".repeat(8 * 1024))));
    refuse(&app, "longer than eight kilobytes", &long[..8_300], unauthorized).await;

    // At the edges of the clock, and what does not matter.
    for (name, value) in [
        ("exp", json!(seconds(-50))),
        ("iat", json!(seconds(-3650))),
        ("iat", json!(seconds(50))),
        ("nbf", json!(seconds(50))),
        ("nbf", Value::Null),
        ("exp", json!(1e10)),
        ("sub", Value::Null),
        ("more", json!({ "a": [1, null] })),
    ] {
        let name_of_link = format!("{name} {value}").replace('"', "");
        let body = json!({ "name": name_of_link, "url": format!("https://e.com/{name}/{}", fastrand::u64(..)) });
        let made = bearer(&app, &kid(&with(name, value))).post(LINKS, &body.to_string()).await;
        assert_eq!(made.status, 201, "{name_of_link}: {made:?}");
    }
    // The same token twice: it holds for as long as it says.
    for name in ["once", "twice"] {
        let body = format!(r#"{{"name":"{name}","url":"https://e.com/{name}"}}"#);
        assert_eq!(bearer(&app, &good).post(LINKS, &body).await.status, 201);
    }
}

/// A token that is signed with the public key as if it were a secret.
fn hmac_signed(key: &Key, claims: &str) -> String {
    let KeyValue::Rsa { n, .. } = key.public(KID).value else { panic!("an RSA key") };
    let header = header(&json!({ "alg": "HS256" }));
    let message = format!("{}.{}", base64url(header.as_bytes()), base64url(claims.as_bytes()));
    let secret = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, n.as_bytes());
    let signature = ring::hmac::sign(&secret, message.as_bytes());
    format!("{message}.{}", base64url(signature.as_ref()))
}

#[tokio::test]
async fn keys_are_those_of_the_issuer_that_a_token_names() {
    let (app, _) = TestApp::hello().await;
    let (ours, theirs) = (Key::rsa(0), Key::rsa(1));
    with_publisher(&app, &ours).await;
    // The same name for another key, at another issuer that the operator trusts.
    let other = issuer("https://other.example.com", vec![theirs.public(KID)]);
    assert!(app.store.add_issuer(&other, test_deadline()).await.unwrap());
    let body = r#"{"name":"a","url":"https://e.com/a"}"#;
    let crossed = bearer(&app, &theirs.token_of(KID, &gitlab_claims()));
    crossed.post(LINKS, body).await.is(401, UNAUTHORIZED);
    // Its own tokens are good, and no publisher of the project is of it.
    let own = with("iss", json!("https://other.example.com"));
    let own = bearer(&app, &theirs.token_of(KID, &own));
    own.post(LINKS, body).await.is(404, PROJECT_NOT_FOUND);
    app.change_project(20, |project| project.visibility = Visibility::Public).await;
    let refused = description(&own.post(LINKS, body).await);
    assert!(refused.contains("no trusted publisher of this issuer"), "{refused}");

    // Tokens of a removed issuer are refused at once.
    assert!(app.store.remove_issuer(&other.url, test_deadline()).await.unwrap());
    own.post(LINKS, body).await.is(401, UNAUTHORIZED);
    app.assert_sound().await;
}

#[tokio::test]
async fn keys_are_rotated_with_overlap() {
    let (app, _) = TestApp::hello().await;
    let (old, new) = (Key::rsa(0), Key::rsa(1));
    with_publisher(&app, &old).await;
    let url = IssuerUrl::parse(GITLAB).unwrap();
    let tokens = [old.token_of(KID, &gitlab_claims()), new.token_of("key-2", &gitlab_claims())];
    for (keys, expected) in [
        (vec![old.public(KID)], [200, 401]),
        (vec![old.public(KID), new.public("key-2")], [200, 200]),
        (vec![new.public("key-2")], [401, 200]),
    ] {
        let now = shared::domain::time::Timestamp::now();
        assert!(app.store.set_issuer_keys(&url, &keys, now, test_deadline()).await.unwrap());
        for (token, expected) in tokens.iter().zip(expected) {
            assert_eq!(bearer(&app, token).get(LINKS).await.status, expected);
        }
    }
}

#[tokio::test]
async fn jobs_learn_nothing_of_private_projects_they_are_not_pinned_to() {
    let (app, _) = TestApp::hello().await;
    let key = Key::rsa(0);
    with_publisher(&app, &key).await;
    app.project(project(21, "other/hidden")).await;
    let body = r#"{"name":"a","url":"https://e.com/a"}"#;
    let stranger = bearer(&app, &key.token_of(KID, &with("project_id", json!("43"))));
    let pinned = bearer(&app, &key.token_of(KID, &with("ref_protected", json!("false"))));
    for id in ["20", "21", "22", "mynamespace%2Fhello", "other%2Fhidden", "other%2Fmissing"] {
        let links = format!("/projects/{id}/releases/v1.7.0/assets/links");
        for reply in [stranger.post(&links, body).await, stranger.get(&links).await] {
            reply.is(404, PROJECT_NOT_FOUND);
        }
    }
    // Its own project is known to it, so it learns what is wrong.
    for reply in [pinned.post(LINKS, body).await, pinned.get(LINKS).await] {
        let is = r#"The ID token's claim ref_protected is "false", and it has to be "true"."#;
        assert_eq!(description(&reply), is);
    }
    for (name, value) in [
        ("pipeline_source", "merge_request_event"),
        ("pipeline_source", "external_pull_request_event"),
        ("job_project_id", "43"),
    ] {
        let job = bearer(&app, &key.token_of(KID, &with(name, json!(value))));
        let refused = description(&job.post(LINKS, body).await);
        assert!(
            refused.starts_with(&format!("The ID token's claim {name} is \"{value}\". ")),
            "{refused}"
        );
    }
    // A public project may be read by every job, and by everybody else.
    app.change_project(20, |project| project.visibility = Visibility::Public).await;
    assert_eq!(stranger.get(LINKS).await.status, 200);
    let refused = description(&stranger.post(LINKS, body).await);
    assert_eq!(refused, r#"The ID token's claim project_id is "43", and it has to be "42"."#);
    // An internal one is not shown to jobs: they are no users of this installation.
    app.change_project(20, |project| project.visibility = Visibility::Internal).await;
    stranger.get(LINKS).await.is(404, PROJECT_NOT_FOUND);
}

#[tokio::test]
async fn a_job_bound_to_its_tag_writes_no_other_release() {
    let (app, owner) = TestApp::hello().await;
    let key = Key::rsa(0);
    let issuer = issuer(GITLAB, vec![key.public(KID)]);
    assert!(app.store.add_issuer(&issuer, test_deadline()).await.unwrap());
    publisher(&app, GITLAB, &[("project_id", "42")], true).await;
    let job = bearer(&app, &key.token_of(KID, &gitlab_claims()));
    let kept = owner.post(LINKS, r#"{"name":"a","url":"https://e.com/a"}"#).await;
    let (link, release) = (format!("{LINKS}/{}", kept.id()), format!("{RELEASES}/v1.7.0"));
    for reply in [
        job.post(RELEASES, r#"{"tag_name":"v2"}"#).await,
        job.post(LINKS, r#"{"name":"b","url":"https://e.com/b"}"#).await,
        job.put(&link, r#"{"name":"b"}"#).await,
        job.delete(&link).await,
        job.put(&release, r#"{"name":"b"}"#).await,
        job.delete(&release).await,
        job.delete("/projects/20/repository/tags/v1.7.0").await,
    ] {
        assert!(
            description(&reply)
                .starts_with("The ID token's claim ref_path is \"refs/tags/v1.0.0\", "),
            "{reply:?}"
        );
    }
    owner.get(&link).await.is(200, &kept.body);
    let own = format!("{RELEASES}/v1.0.0");
    assert_eq!(job.post(RELEASES, r#"{"tag_name":"v1.0.0"}"#).await.status, 201);
    let link = r#"{"name":"b","url":"https://e.com/b"}"#;
    assert_eq!(job.post(&format!("{own}/assets/links"), link).await.status, 201);
    assert_eq!(job.put(&own, r#"{"name":"b"}"#).await.status, 200);
    assert_eq!(job.delete(&own).await.status, 200);
}

#[tokio::test]
async fn only_trusted_projects_take_no_stored_token() {
    let (app, owner) = TestApp::hello().await;
    let key = Key::rsa(0);
    with_publisher(&app, &key).await;
    let job = bearer(&app, &key.token_of(KID, &gitlab_claims()));
    let body = r#"{"name":"a","url":"https://e.com/a"}"#;
    let link = format!("{LINKS}/{}", owner.post(LINKS, body).await.id());
    app.change_project(20, |project| project.policies.only_trusted = true).await;
    let jobs_token = app.job().await;
    let refusal =
        r#"{"message":"403 Forbidden - Only trusted publishers may write in this project"}"#;
    for api in [&owner, &jobs_token] {
        for reply in [
            api.post(LINKS, body).await,
            api.put(&link, r#"{"name":"b"}"#).await,
            api.delete(&link).await,
            api.post(RELEASES, r#"{"tag_name":"v2"}"#).await,
            api.put(&format!("{RELEASES}/v1.7.0"), r#"{"name":"b"}"#).await,
            api.delete(&format!("{RELEASES}/v1.7.0")).await,
        ] {
            reply.is(403, refusal);
        }
        assert_eq!(api.get(LINKS).await.status, 200);
    }
    assert_eq!(job.put(&link, r#"{"name":"b"}"#).await.status, 200);
    // A caller without the role gets the usual answer.
    app.change_project(20, |project| project.visibility = Visibility::Public).await;
    app.anonymous().post(LINKS, body).await.is(403, FORBIDDEN);
}

#[tokio::test]
async fn an_id_token_does_not_sign_in() {
    let (app, _) = TestApp::hello().await;
    let key = Key::rsa(0);
    with_publisher(&app, &key).await;
    let token = key.token_of(KID, &gitlab_claims());
    let (host, form) = (&app.server.address, "application/x-www-form-urlencoded");
    let body = format!("access_token={token}");
    let api = app.anonymous().with("origin", &format!("http://{host}"));
    let reply = api.send("POST", "/-/sign_in", form, body.as_bytes()).await;
    assert_eq!(reply.status, 422, "{reply:?}");
    assert!(reply.body.contains("This is not an access token of this server."));
}
