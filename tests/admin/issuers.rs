//! Keys of issuers: fetched from servers that behave in every way, and the commands around them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use shared::domain::issuer::{Issuer, IssuerUrl};
use shared::domain::project::ProjectId;
use shared::domain::publisher::{MAX_PUBLISHERS, Publisher};
use shared::store::issuers::PublisherAdded;
use tokio::task::JoinSet;

use harness::TestApp;
use harness::issuer::{AUDIENCE, Key, base64url};
use harness::issuer_server::{Behavior, IssuerServer};
use harness::test_app::{project, test_deadline};

use super::{admin, admin_with_credentials};

async fn stored(app: &TestApp, url: &str) -> Option<Issuer> {
    let url = IssuerUrl::parse(url).unwrap();
    app.store.find_issuer(&url, test_deadline()).await.unwrap()
}

/// A key on P-256 with these coordinates.
fn point(x: &str, y: &str) -> Value {
    json!({ "kty": "EC", "crv": "P-256", "kid": "a", "x": x, "y": y })
}

/// An RSA key of this many bytes, with these other members.
fn rsa(kid: &str, bytes: usize, more: &Value) -> Value {
    let mut key =
        json!({ "kty": "RSA", "kid": kid, "n": base64url(&vec![181; bytes]), "e": "AQAB" });
    key.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    key
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_good_keys_are_kept() {
    let app = TestApp::empty();
    let admin = admin(&app);
    let (old, new) = (Key::rsa(0), Key::p256());
    let server = IssuerServer::start(vec![old.jwk("old")]).await;
    let url = server.url.as_str();
    admin.text(&["issuer", "add", url, "--audience", AUDIENCE, "--private"]);
    let other = IssuerServer::start(vec![old.jwk("x")]).await;
    let many: Vec<_> = (0..21).map(|n| rsa(&n.to_string(), 256, &json!({}))).collect();
    let large = format!("{{\"issuer\":\"{}\"}}", "x".repeat(10_000_000));
    let looped = format!("{url}/again");
    for (behavior, cause) in [
        (Behavior::Redirect(format!("{}/", other.url)), "it redirects to another host"),
        (Behavior::Redirect("http://localhost:1/".to_owned()), "it redirects to another host"),
        (Behavior::Redirect(looped), "it redirects too often"),
        (Behavior::Lie, "its discovery document is of another issuer, https://other.example.com"),
        (Behavior::KeysAt(format!("{}/", other.url)), "which is not https"),
        (Behavior::KeysAt("ftp://127.0.0.1/".to_owned()), "which is not https"),
        (Behavior::KeysAt("keys".to_owned()), "its keys are at keys, which is not https"),
        (Behavior::Answer(200, large.into()), "is longer than 256 KB"),
        (Behavior::Answer(200, Vec::new()), "is not the expected JSON"),
        (Behavior::Answer(200, b"<html>".to_vec()), "is not the expected JSON"),
        (Behavior::Answer(200, b"{\"keys\":[]}".to_vec()), "is not the expected JSON"),
        (Behavior::Answer(500, Vec::new()), "answers 500 Internal Server Error"),
        (Behavior::Keys(Vec::new()), "it has no key for RS256 or ES256 with an id"),
        (Behavior::Keys(vec![rsa("", 256, &json!({}))]), "it has no key for RS256"),
        (Behavior::Keys(vec![rsa("a", 255, &json!({}))]), "it has no key for RS256"),
        (Behavior::Keys(vec![rsa("a", 1_025, &json!({}))]), "it has no key for RS256"),
        (Behavior::Keys(vec![rsa("a", 256, &json!({ "use": "enc" }))]), "it has no key for RS256"),
        (
            Behavior::Keys(vec![rsa("a", 256, &json!({ "alg": "RS512" }))]),
            "it has no key for RS256",
        ),
        (Behavior::Keys(vec![rsa("a", 256, &json!({ "n": "not base64" }))]), "it has no key"),
        (Behavior::Keys(vec![rsa("a", 256, &json!({ "e": "" }))]), "it has no key for RS256"),
        (Behavior::Keys(vec![rsa(&"a".repeat(256), 256, &json!({}))]), "it has no key for RS256"),
        (Behavior::Keys(vec![point("", "")]), "it has no key for RS256"),
        (Behavior::Keys(vec![point(&"A".repeat(43), &"A".repeat(42))]), "it has no key for RS256"),
        (Behavior::Keys(vec![json!({ "kty": "oct", "k": "AAAA", "kid": "a" })]), "it has no key"),
        (Behavior::Keys(vec![old.jwk("a"), new.jwk("a")]), "two of its keys have the id a"),
        (Behavior::Keys(many), "it has more than 20 keys"),
    ] {
        server.does(behavior.clone());
        let output = admin.run(&["issuer", "refresh", url]);
        let table = String::from_utf8(output.stdout).unwrap();
        assert!(table.contains(cause), "{behavior:?}: {table}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(said, "error: issuers whose keys could not be fetched: 1\n");
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(stored(&app, url).await.unwrap().keys, [old.public("old")], "{behavior:?}");
    }
    // Both keys while they overlap, beside kinds that are not known yet.
    let unknown = json!({ "kty": "ML-DSA", "kid": "later", "alg": "ML-DSA-44", "pub": "AAAA" });
    let curve = json!({ "kty": "EC", "crv": "P-384", "x": "AAAA", "y": "AAAA", "kid": "p384" });
    server.does(Behavior::Keys(vec![old.jwk("old"), unknown, curve, new.jwk("new")]));
    let before = stored(&app, url).await.unwrap().refreshed_at;
    let refreshed = admin.json(&["issuer", "refresh"]);
    assert_eq!(refreshed[0]["keys"], 2, "{refreshed}");
    let issuer = stored(&app, url).await.unwrap();
    assert_eq!(issuer.keys, [old.public("old"), new.public("new")]);
    assert!(issuer.refreshed_at > before);
    server.does(Behavior::RedirectOnce(vec![new.jwk("new")]));
    admin.json(&["issuer", "refresh", url]);
    assert_eq!(stored(&app, url).await.unwrap().keys, [new.public("new")]);
    app.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_issuer_that_hangs_is_given_up_and_holds_up_no_other() {
    let app = TestApp::empty();
    let admin = admin(&app);
    let (hanging, good) = (
        IssuerServer::start(vec![Key::rsa(0).jwk("a")]).await,
        IssuerServer::start(vec![Key::rsa(0).jwk("a")]).await,
    );
    for server in [&hanging, &good] {
        admin.text(&["issuer", "add", &server.url, "--audience", AUDIENCE, "--private"]);
    }
    hanging.does(Behavior::Hang);
    good.does(Behavior::Keys(vec![Key::rsa(1).jwk("b")]));
    let begun = Instant::now();
    let output = admin.run(&["issuer", "refresh"]);
    assert_eq!(output.status.code(), Some(1));
    // The limit is five seconds, and only the hanging server reaches it.
    assert!(begun.elapsed() > Duration::from_secs(4));
    assert_eq!(stored(&app, &good.url).await.unwrap().keys, [Key::rsa(1).public("b")]);
    assert_eq!(stored(&app, &hanging.url).await.unwrap().keys, [Key::rsa(0).public("a")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_inside_the_network_are_refused() {
    let app = TestApp::empty();
    let admin = admin(&app);
    let server = IssuerServer::start(vec![Key::rsa(0).jwk("a")]).await;
    let port = server.url.rsplit_once(':').unwrap().1;
    for (url, cause) in [
        (server.url.clone(), "127.0.0.1 is inside the network: --private allows it"),
        // A name with that address.
        (format!("http://localhost:{port}"), "it has no public address: --private allows others"),
        ("https://169.254.169.254".to_owned(), "169.254.169.254 is inside the network"),
        ("https://10.0.0.1".to_owned(), "10.0.0.1 is inside the network"),
        ("https://172.16.0.1".to_owned(), "172.16.0.1 is inside the network"),
        ("https://192.168.0.1".to_owned(), "192.168.0.1 is inside the network"),
        ("https://224.0.0.1".to_owned(), "224.0.0.1 is inside the network"),
        ("https://[2001::1]".to_owned(), "[2001::1] is inside the network"),
        ("https://100.64.0.1".to_owned(), "100.64.0.1 is inside the network"),
        ("https://0.0.0.0".to_owned(), "0.0.0.0 is inside the network"),
        ("https://[fd00::1]".to_owned(), "[fd00::1] is inside the network"),
        ("https://[fe80::1]".to_owned(), "[fe80::1] is inside the network"),
        ("https://[::ffff:10.0.0.1]".to_owned(), "is inside the network"),
        ("https://[64:ff9b::a00:1]".to_owned(), "is inside the network"),
        // Other spellings of 127.0.0.1.
        ("https://2130706433".to_owned(), "127.0.0.1 is inside the network"),
        ("https://0x7f.1".to_owned(), "127.0.0.1 is inside the network"),
    ] {
        let error = admin.error(&["issuer", "add", &url, "--audience", AUDIENCE]);
        assert!(error.starts_with(&format!("error: cannot fetch the keys of {url}: ")), "{error}");
        assert!(error.contains(cause), "{error}");
        assert!(stored(&app, &url).await.is_none());
    }
    // With the option, it is added.
    admin.text(&["issuer", "add", &server.url, "--audience", AUDIENCE, "--private"]);
    assert_eq!(stored(&app, &server.url).await.unwrap().keys.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_issuer_with_tls_needs_a_certificate_that_is_trusted() {
    let app = TestApp::empty();
    let server = IssuerServer::start_with_tls(vec![Key::rsa(0).jwk("a")]).await;
    let add = ["issuer", "add", &server.url, "--audience", AUDIENCE, "--private"];
    let error = admin(&app).error(&add);
    assert!(error.contains("no answer from https://localhost:"), "{error}");
    assert!(error.contains("certificate"), "{error}");
    assert!(stored(&app, &server.url).await.is_none());

    let trusted = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(trusted.path(), server.certificate.as_ref().unwrap()).unwrap();
    let mut trusting = admin_with_credentials(&app.server.dynamodb_url);
    trusting.variables.push(("SSL_CERT_FILE", trusted.path().to_str().unwrap().to_owned()));
    trusting.text(&add);
    assert_eq!(stored(&app, &server.url).await.unwrap().keys, [Key::rsa(0).public("a")]);
    // From https, keys are not fetched over http.
    let plain = IssuerServer::start(vec![Key::rsa(1).jwk("b")]).await;
    server.does(Behavior::KeysAt(format!("{}/oauth/discovery/keys", plain.url)));
    let output = trusting.run(&["issuer", "refresh"]);
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(table.contains("which is not https"), "{table}");
}

#[tokio::test(flavor = "multi_thread")]
async fn operators_add_list_and_remove_issuers() {
    let app = TestApp::empty();
    let admin = admin(&app);
    let server = IssuerServer::start(vec![Key::rsa(0).jwk("a")]).await;
    let url = server.url.as_str();
    let add = ["issuer", "add", url, "--audience", AUDIENCE, "--private"];
    let sentence = format!("Added issuer {url} with the audience {AUDIENCE}. Keys: 1.");
    assert_eq!(admin.text(&add), sentence);
    assert_eq!(admin.text(&add), sentence, "the same again");
    let other = [&add[..], &["--max-age", "30m"]].concat();
    let exists = format!(
        "error: issuer {url} exists with other settings: to change them, run `release-links issuer remove {url}` first"
    );
    assert_eq!(admin.error(&other), exists);
    let listed = admin.json(&["issuer", "list"]);
    assert_eq!(listed.as_array().map(Vec::len), Some(1));
    let issuer = &listed[0];
    assert_eq!((&issuer["url"], &issuer["audience"]), (&json!(url), &json!(AUDIENCE)));
    assert_eq!((&issuer["max_age"], &issuer["private"]), (&json!(3600), &json!(true)));
    assert_eq!(issuer["keys"], json!(["a"]));
    // An operator who adds it again after its key was stolen wants the new keys, and no other.
    server.does(Behavior::Keys(vec![Key::rsa(1).jwk("b")]));
    assert_eq!(admin.json(&add)["keys"], json!(["b"]));
    assert_eq!(admin.json(&["issuer", "list"])[0]["keys"], json!(["b"]));
    for age in ["0s", "59s", "25h"] {
        let output = admin.run(&[&add[..], &["--max-age", age]].concat());
        assert_eq!(output.status.code(), Some(2), "{age}");
    }
    let table = admin.text(&["issuer", "list"]);
    assert!(table.starts_with("URL") && table.contains("1h"), "{table}");
    for (bad, reason) in [
        ("http://gitlab.example.com", "not https: over http, anyone on the way could replace"),
        ("gitlab.example.com", "not a URL"),
        ("https://gitlab.example.com?a", "has a user, query, fragment"),
    ] {
        let output = admin.run(&["issuer", "add", bad, "--audience", AUDIENCE]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains(reason), "{said}");
        assert_eq!(output.status.code(), Some(2));
    }
    let unconfirmed = format!("error: this deletes issuer {url}: to confirm, add --yes");
    assert_eq!(admin.error(&["issuer", "remove", url]), unconfirmed);
    assert_eq!(admin.text(&["issuer", "remove", url, "--yes"]), format!("Deleted issuer {url}."));
    let none = format!(
        "error: there is no issuer {url}: to add it, run `release-links issuer add {url} --audience URL`"
    );
    assert_eq!(admin.error(&["issuer", "remove", url, "--yes"]), none);
    assert_eq!(admin.error(&["issuer", "refresh", url]), none);
    assert_eq!(admin.json(&["issuer", "list"]), json!([]));
    app.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn operators_add_list_and_remove_publishers() {
    let app = TestApp::empty();
    let admin = admin(&app);
    let server = IssuerServer::start(vec![Key::rsa(0).jwk("a")]).await;
    let url = server.url.as_str();
    admin.text(&["project", "create", "g/p"]);
    let add = ["publisher", "add", "g/p", "--issuer", url];
    let with = |more: &[&str]| admin.error(&[&add[..], more].concat());
    let no_issuer = format!(
        "error: there is no issuer {url}: to add it, run `release-links issuer add {url} --audience URL`"
    );
    assert_eq!(with(&["--gitlab-project-id", "42"]), no_issuer);
    admin.text(&["issuer", "add", url, "--audience", AUDIENCE, "--private"]);
    let refused = "error: the publisher was not added: ";
    for (options, reason) in [
        (&["--claim", "sub=x", "--gitlab-project-id", "1"][..], "the claim sub is never used"),
        (&["--claim", "ref=main"], "no claim pins a project"),
        (&[], "no claim pins a project"),
        (&["--claim", "repository_id=1"], "the claim repository_owner_id is missing"),
        (&["--claim", "project_id="], "the claim \"project_id\" or its value is empty"),
        (&["--claim", "job_namespace_id=72"], "no claim pins a project"),
        (
            &["--gitlab-project-id", "1", "--claim", "aud=x"],
            "the claim aud is checked in every token",
        ),
        (&["--claim", "project_id=*"], "no job with project_id=\"*\" may ever publish"),
        (
            &["--gitlab-project-id", "1", "--tag-is-ref", "--ref-type", "branch"],
            "no job with ref_type=\"branch\" may ever publish",
        ),
    ] {
        let error = with(options);
        assert!(error.starts_with(&format!("{refused}{reason}")), "{error}");
    }
    let twice = admin.run(&[&add[..], &["--claim", "a=1", "--claim", "a=2"]].concat());
    assert_eq!(twice.status.code(), Some(2));
    assert_eq!(
        String::from_utf8(twice.stderr).unwrap().lines().next(),
        Some("error: a claim is given two values")
    );

    let options = ["--gitlab-project-id", "42", "--environment", "production", "--tag-is-ref"];
    let good = [&add[..], &options[..]].concat();
    let added = admin.json(&good);
    assert_eq!(
        added["claims"],
        json!({ "project_id": "42", "environment": "production", "ref_protected": "true" })
    );
    assert_eq!((&added["tag_is_ref"], &added["issuer"]), (&json!(true), &json!(url)));
    assert_eq!(admin.json(&good), added, "the same again");
    let id = added["id"].as_str().unwrap();
    let github = [
        &add[..],
        &[
            "--github-repository",
            "o/r",
            "--github-repository-id",
            "74",
            "--github-owner-id",
            "65",
            "--ref-type",
            "tag",
            "--unprotected-refs",
        ],
    ]
    .concat();
    let sentence = admin.text(&github);
    let claims = "ref_type=tag repository=o/r repository_id=74 repository_owner_id=65";
    assert!(
        sentence
            .starts_with(&format!("Jobs of {url} with {claims} can publish any release in g/p (")),
        "{sentence}"
    );
    assert_eq!(admin.json(&["publisher", "list", "g/p"]).as_array().map(Vec::len), Some(2));
    assert!(admin.text(&["publisher", "list", "g/p"]).contains("of its own tag"));

    let none = "error: project g/p has no publisher 000000000000: to see its publishers, run `release-links publisher list g/p`";
    assert_eq!(admin.error(&["publisher", "remove", "g/p", "000000000000", "--yes"]), none);
    let unconfirmed = format!("error: this deletes publisher {id} of g/p: to confirm, add --yes");
    assert_eq!(admin.error(&["publisher", "remove", "g/p", id]), unconfirmed);
    let deleted = format!("Deleted publisher {id} of g/p.");
    assert_eq!(admin.text(&["publisher", "remove", "g/p", id, "--yes"]), deleted);
    assert_eq!(admin.json(&["publisher", "list", "g/p"]).as_array().map(Vec::len), Some(1));
    for n in 1..=19 {
        admin.json(&[&add[..], &["--gitlab-project-id", &n.to_string()]].concat());
    }
    let most = "error: project g/p already has 20 publishers, the most that a project can have";
    assert_eq!(with(&["--gitlab-project-id", "99"]), most);
    app.assert_sound().await;
    admin.text(&["project", "delete", "g/p", "--yes"]);
    app.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn publishers_added_at_once_are_never_more_than_allowed() {
    let app = Arc::new(TestApp::empty());
    app.project(project(20, "g/p")).await;
    let publisher = |n: usize| {
        let claims = [("project_id".to_owned(), n.to_string())].into();
        let issuer = IssuerUrl::parse("https://gitlab.example.com").unwrap();
        Publisher::new(issuer, claims, false).unwrap()
    };
    let id = ProjectId(20);
    let mut tasks = JoinSet::new();
    for n in 1..=MAX_PUBLISHERS + 8 {
        let (app, publisher) = (Arc::clone(&app), publisher(n));
        tasks.spawn(async move {
            loop {
                // A conflict with another transaction: try again.
                if let Ok(added) = app.store.add_publisher(id, &publisher, test_deadline()).await {
                    return matches!(added, PublisherAdded::Done);
                }
            }
        });
    }
    let added = tasks.join_all().await.into_iter().filter(|added| *added).count();
    let stored = app.store.list_publishers(id, test_deadline()).await.unwrap().len();
    assert!(stored <= MAX_PUBLISHERS, "{stored}");
    assert!(added <= stored, "{added} of {stored} were told that they are stored");
}
