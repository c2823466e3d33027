//! The operator's command, on the database of a running server.

mod audit;
mod commands;
mod errors;
mod issuers;
mod names;
mod operators;
mod printing;
mod restore;

use std::process::{Command, Output};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use shared::domain::project::{ProjectId, ProjectRef};
use shared::domain::secret::Secret;
use shared::domain::token_kind::TokenKind;
use tempfile::NamedTempFile;

use harness::proxy::{Proxy, ask};
use harness::test_app::{Proxied, RELEASES, project, store, test_deadline, token};
use harness::{Fault, Gate, TestApp, binaries, connection};

struct Admin {
    endpoint_url: String,
    connection_file: NamedTempFile,
    variables: Vec<(&'static str, String)>,
}

impl Admin {
    fn new(endpoint_url: &str) -> Self {
        Self {
            endpoint_url: endpoint_url.to_owned(),
            connection_file: connection::file(endpoint_url),
            variables: Vec::new(),
        }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        // With credentials of its own, the database is named as on AWS.
        let database = if self.variables.is_empty() {
            ["--connection", self.connection_file.path().to_str().unwrap()]
        } else {
            ["--endpoint-url", &self.endpoint_url]
        };
        let mut command = Command::new(binaries::release_links());
        command
            .args(database)
            .args(arguments)
            .env_remove("AWS_PROFILE")
            .env_remove("RELEASE_LINKS_CONNECTION")
            .env_remove("AWS_ACCESS_KEY_ID")
            .envs(self.variables.clone());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    #[track_caller]
    fn text(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }

    #[track_caller]
    fn json(&self, arguments: &[&str]) -> Value {
        let text = self.text(&[&["--output", "json"], arguments].concat());
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    #[track_caller]
    fn error(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {output:?}");
        assert!(output.stdout.is_empty(), "{output:?}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(said.lines().count(), 1, "{said}");
        said.trim_end().to_owned()
    }
}

fn admin(test_app: &TestApp) -> Admin {
    Admin::new(&test_app.server.dynamodb_url)
}

/// The command on a database behind a proxy.
fn admin_behind(proxy: &Proxy) -> Admin {
    Admin::new(&proxy.url)
}

/// The command as it is on AWS: with credentials and a region that the SDK finds.
fn admin_with_credentials(endpoint_url: &str) -> Admin {
    let [key, secret] = connection::variables(endpoint_url);
    let variables = vec![key, secret, ("AWS_REGION", "us-east-1".to_owned())];
    Admin { variables, ..Admin::new(endpoint_url) }
}

#[tokio::test]
async fn the_api_serves_projects_and_tokens_of_the_operator() {
    let test_app = TestApp::empty();
    let admin = admin(&test_app);
    let made =
        admin.json(&["project", "create", "g/p", "--id", "7", "--protected-tag", "v*:maintainer"]);
    assert_eq!((made["id"].as_u64(), made["visibility"].as_str()), (Some(7), Some("private")));
    let made =
        admin.json(&["release", "create", "g/p", "v1", "--released-at", "2026-01-31T12:00:00Z"]);
    assert_eq!(made["released_at"], "2026-01-31T12:00:00.000Z");
    admin.text(&["release", "create", "7", "free"]);
    let links = |tag: &str| format!("/projects/7/releases/{tag}/assets/links");
    let body = r#"{"name":"a","url":"https://e.com"}"#;

    // In table form a token is one line, for scripts to read.
    let secret = admin.text(&["token", "create", "--name", "ci", "--project", "G/P"]);
    assert_eq!(secret.lines().count(), 1);
    let api = test_app.anonymous().with("private-token", &secret);
    assert_eq!(api.post(&links("free"), body).await.status, 201);
    assert_eq!(api.post(&links("v1"), body).await.status, 403);

    let made = admin.json(&[
        "token",
        "create",
        "--name",
        "m",
        "--namespace",
        "g",
        "--access-level",
        "maintainer",
        "--user",
        "ann",
    ]);
    let api = test_app.anonymous().with("private-token", made["token"].as_str().unwrap());
    assert_eq!(api.post(&links("v1"), body).await.status, 201);

    let made = admin.json(&["token", "create", "--name", "j", "--project", "7", "--job"]);
    let api = test_app.anonymous().with("job-token", made["token"].as_str().unwrap());
    assert_eq!(api.get(&links("v1")).await.status, 200);

    let made =
        admin.json(&["token", "create", "--name", "r", "--project", "7", "--scope", "read_api"]);
    let api = test_app.anonymous().with("private-token", made["token"].as_str().unwrap());
    assert_eq!(
        (api.get(&links("v1")).await.status, api.post(&links("v1"), body).await.status),
        (200, 403)
    );
    admin.text(&["token", "revoke", made["id"].as_str().unwrap()]);
    assert_eq!(api.get(&links("v1")).await.status, 401);

    admin.text(&["project", "archive", "g/p"]);
    let api = test_app.anonymous().with("private-token", &secret);
    assert_eq!(api.post(&links("free"), body).await.status, 403);
    admin.text(&["project", "unarchive", "g/p"]);

    // No list and no table ever shows a secret again.
    for output in [&["token", "list"][..], &["--output", "json", "token", "list"]] {
        assert!(!admin.text(output).contains("glpat-"));
    }
    assert_eq!(admin.json(&["token", "list"]).as_array().unwrap().len(), 4);

    admin.text(&["release", "delete", "7", "free", "--yes"]);
    assert_eq!(api.get(&links("free")).await.status, 404);
    let audit = admin.json(&["audit"]);
    assert_eq!((audit["links"].as_u64(), audit["unreachable"].as_u64()), (Some(1), Some(3)));
    assert_eq!(admin.json(&["sweep"])["links"], 0);
    let swept = admin.json(&["sweep", "--older-than", "0s"]);
    assert_eq!((swept["links"].as_u64(), swept["claims"].as_u64()), (Some(1), Some(2)));
    assert_eq!(admin.json(&["audit"])["unreachable"], 0);

    admin.text(&["project", "delete", "7", "--yes"]);
    assert_eq!(api.get(&links("v1")).await.status, 404);
    assert_eq!(admin.json(&["project", "list"]).as_array().unwrap().len(), 0);
}

#[tokio::test]
async fn a_project_is_created_with_the_source_url_that_its_releases_show() {
    let test_app = TestApp::empty();
    let admin = admin(&test_app);
    let source_url = "https://gitlab.com/group/app";
    let create = ["project", "create", "g/p", "--id", "7", "--source-url"];
    for wrong in
        ["group/app", "ssh://git@gitlab.com/group/app", "https://u:p@e.com/a", "https://e.com/a?b"]
    {
        let output = admin.run(&[&create[..], &[wrong]].concat());
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains("is not the http(s) URL of a project on a GitLab"), "{said}");
    }
    let made = admin.json(&[&create[..], &[&format!("{source_url}/")]].concat());
    assert_eq!(made["source_url"], source_url);
    let plain = admin.json(&["project", "create", "g/plain"]);
    assert_eq!(plain["source_url"], Value::Null);
    admin.text(&["project", "archive", "7"]);
    admin.text(&["project", "unarchive", "7"]);
    assert_eq!(admin.json(&["project", "show", "g/p"]), made);
    assert_eq!(admin.json(&["project", "list"]), json!([plain, made]));

    admin.text(&["release", "create", "7", "v1"]);
    let secret = admin.text(&["token", "create", "--name", "ci", "--project", "7"]);
    let api = test_app.anonymous().with("private-token", &secret);
    let assets = api.get("/projects/7/releases/v1").await.json()["assets"].take();
    assert_eq!(assets["count"], 4);
    assert_eq!(assets["sources"][3]["url"], format!("{source_url}/-/archive/v1/app-v1.tar"));
}

#[tokio::test]
async fn mistakes_are_said_in_one_line() {
    let test_app = TestApp::empty();
    let admin = admin(&test_app);
    admin.text(&["project", "create", "g/p", "--id", "7"]);
    admin.text(&["release", "create", "7", "v1"]);
    for (arguments, word) in [
        (&["project", "create", "G/P"][..], "g/p (number 7)"),
        (&["project", "create", "g/other", "--id", "7"], "7"),
        (&["project", "show", "8"], "8"),
        (&["token", "create", "--name", "x", "--project", "no/such"], "no/such"),
        (&["token", "revoke", "0123456789ab"], "0123456789ab"),
        (&["release", "create", "7", "v1"], "v1"),
        (&["release", "delete", "7", "v2", "--yes"], "v2"),
    ] {
        let said = admin.error(arguments);
        assert!(said.starts_with("error: ") && said.contains(word), "{arguments:?}: {said}");
    }
    // The number of a deleted project is never given out again.
    admin.text(&["project", "delete", "7", "--yes"]);
    assert!(admin.error(&["project", "create", "g/new", "--id", "7"]).contains('7'));
    let path_is_free = admin.json(&["project", "create", "g/p"]);
    assert_eq!(path_is_free["path"], "g/p");
}

#[tokio::test]
async fn an_audit_finds_what_is_broken() {
    let (test_app, api) = TestApp::hello().await;
    let links = harness::test_app::LINKS;
    api.post(links, r#"{"name":"a","url":"https://e.com"}"#).await;
    let admin = admin(&test_app);
    assert!(admin.run(&["audit"]).status.success());

    let database = connection::of(&test_app.server.dynamodb_url).database();
    let client = shared::aws_client::client(database).unwrap();
    let items =
        client.scan().table_name("release-links-releases").send().await.unwrap().items.unwrap();
    let claim =
        items.into_iter().find(|item| item["pk"].as_s().unwrap().contains("#name#")).unwrap();
    let key = ["pk", "sk"].map(|name| (name.to_owned(), claim[name].clone()));
    client
        .delete_item()
        .table_name("release-links-releases")
        .set_key(Some(key.into()))
        .send()
        .await
        .unwrap();
    let output = admin.run(&["--output", "json", "audit"]);
    assert_eq!(output.status.code(), Some(1));
    let audit: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(audit["violations"].as_array().unwrap().len(), 1, "{audit}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_whose_making_was_answered_to_nobody_is_made() {
    let test_app = TestApp::empty();
    let proxy = Proxy::start(&test_app.server.dynamodb_url).await;
    let lost = AtomicU64::new(0);
    proxy.decide(move |operation, body| {
        let first = || &body["TransactItems"][0]["Put"]["Item"]["sk"]["S"];
        let is_token = || operation == "TransactWriteItems" && first() == "token";
        if is_token() && lost.fetch_add(1, Ordering::Relaxed) == 0 {
            Fault::DropAfter
        } else {
            Fault::Pass
        }
    });
    let secret =
        admin_behind(&proxy).text(&["token", "create", "--name", "ci", "--namespace", "g"]);
    let api = test_app.anonymous().with("private-token", &secret);
    assert_eq!(api.get("/api/v4/user").await.status, 200);
    assert_eq!(admin(&test_app).json(&["token", "list"]).as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_revoked_by_its_secret_with_one_read() {
    let test_app = TestApp::empty();
    let secret = test_app.token(token()).await;
    let proxy = Proxy::start(&test_app.server.dynamodb_url).await;
    let admin = admin_behind(&proxy);
    admin.text(&["token", "revoke", secret.reveal()]);
    let operations: Vec<_> = proxy.take_seen().into_iter().map(|seen| seen.operation).collect();
    assert_eq!(operations, ["BatchGetItem", "UpdateItem"]);
    let api = test_app.anonymous().with("private-token", secret.reveal());
    assert_eq!(api.get("/api/v4/user").await.status, 401);

    let unknown = Secret::generate(TokenKind::Access);
    let said = admin.error(&["token", "revoke", unknown.reveal()]);
    assert_eq!(said, "error: there is no token with this secret");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deadline_is_for_one_page_and_not_for_all_of_them() {
    let test_app = TestApp::empty();
    let made = test_app.project(project(20, "mynamespace/hello")).await;
    let deleted = test_app.project(project(21, "mynamespace/old")).await;
    assert!(test_app.store.delete_project(&deleted, test_deadline()).await.unwrap());
    for _ in 0..25 {
        test_app.token(token()).await;
    }
    test_app.release(20, "v1").await;
    // A page is a megabyte.
    let url = &test_app.server.dynamodb_url;
    let list = json!({
        "TableName": "release-links-releases",
        "KeyConditionExpression": "pk = :pk",
        "ExpressionAttributeValues": { ":pk": { "S": "index#00000000000000000020" } },
    });
    let (_, listed) = ask(url, "DynamoDB_20120810.Query", &list).await;
    for n in 0..25 {
        let mut entry = listed["Items"][0].clone();
        entry["sk"]["S"] = json!(format!("{n:020}#v1"));
        entry["more"] = json!({ "S": "x".repeat(300_000) });
        let put = json!({ "TableName": "release-links-releases", "Item": entry });
        assert_eq!(ask(url, "DynamoDB_20120810.PutItem", &put).await.0, 200);
    }

    let proxy = Proxy::start(url).await;
    proxy.decide(|_, _| Fault::Delay(Duration::from_secs(1)));
    let store = store(&proxy.url);
    let step = Duration::from_millis(1_900);
    let (tokens, keys) =
        tokio::join!(store.list_tokens(step), store.release_keys(ProjectId(20), step));
    assert_eq!((tokens.unwrap().len(), keys.unwrap().len()), (25, 26));
    let path = ProjectRef::Path(deleted.path.clone());
    let (projects, found) =
        tokio::join!(store.list_projects(step), store.find_deleted_projects(&path, step));
    assert_eq!((projects.unwrap(), found.unwrap()), (vec![made], vec![deleted]));
    // Each listing takes a query and then a batch, which together last longer than a step.
    let operations: Vec<_> = proxy.take_seen().into_iter().map(|seen| seen.operation).collect();
    let count = |name| operations.iter().filter(|operation| *operation == name).count();
    assert!(count("Query") >= 7 + 3 && count("BatchGetItem") == 3, "{operations:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn releases_are_deleted_one_by_one() {
    let (test_app, _) = TestApp::hello().await;
    for n in 0..120 {
        test_app.release(20, &format!("v{n}")).await;
    }
    let proxy = Proxy::start(&test_app.server.dynamodb_url).await;
    // Hidden items are read only to delete them.
    proxy.decide(|operation, body| {
        let keys = body["RequestItems"]["release-links-releases"]["Keys"].as_array();
        let is_bulk = operation == "BatchGetItem" && keys.is_some_and(|keys| keys.len() > 1);
        if is_bulk { Fault::Throttle } else { Fault::Pass }
    });
    let deleted = admin_behind(&proxy).json(&["project", "delete", "20", "--yes"]);
    assert_eq!(deleted, json!({ "id": 20, "path": "mynamespace/hello", "releases": 121 }));
    assert_eq!(test_app.assert_sound().await.releases, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_deletion_removes_leftovers_of_a_project() {
    for name in ["20", "MyNamespace/hello"] {
        let proxied = Proxied::hello().await;
        let admin = admin(&proxied.app);
        let gate = Gate::new();
        let held = gate.clone();
        proxied.proxy.decide(move |operation, _| {
            if operation == "TransactWriteItems" { Fault::Hold(held.clone()) } else { Fault::Pass }
        });
        let api = proxied.api.clone();
        let links = json!({ "links": [{ "name": "a", "url": "https://e.com" }] });
        let body = json!({ "tag_name": "late", "assets": links }).to_string();
        let late = tokio::spawn(async move { api.post(RELEASES, &body).await.status });
        gate.reached().await;
        let said = admin.text(&["project", "delete", "20", "--yes"]);
        assert!(said.contains("`project delete 20 --yes`"), "{said}");
        gate.open();
        assert_eq!(late.await.unwrap(), 201);
        assert_eq!(proxied.app.assert_sound().await.releases, 1);

        let again =
            |releases| json!({ "id": 20, "path": "mynamespace/hello", "releases": releases });
        assert_eq!(admin.json(&["project", "delete", name, "--yes"]), again(1));
        assert_eq!(proxied.app.assert_sound().await.releases, 0);
        assert_eq!(admin.json(&["project", "delete", name, "--yes"]), again(0));
    }
}

#[tokio::test]
async fn a_path_that_several_deleted_projects_had_is_none_of_them() {
    let test_app = TestApp::empty();
    let admin = admin(&test_app);
    for id in ["7", "8"] {
        admin.text(&["project", "create", "g/p", "--id", id]);
        admin.text(&["project", "delete", "g/p", "--yes"]);
    }
    let said = admin.error(&["project", "delete", "G/P", "--yes"]);
    assert!(said.ends_with("by its number, 7, 8"), "{said}");
    assert_eq!(admin.json(&["project", "delete", "8", "--yes"])["releases"], 0);
    for never in ["9", "g/q", "g"] {
        let said = admin.error(&["project", "delete", never, "--yes"]);
        assert!(said.starts_with(&format!("error: there is no project {never}: ")), "{said}");
    }
    // It is the current one.
    admin.text(&["project", "create", "g/p", "--id", "9"]);
    assert_eq!(admin.json(&["project", "delete", "g/p", "--yes"])["id"], 9);
}

#[tokio::test]
async fn a_token_changes_its_user_only_where_it_is_told_to() {
    let test_app = TestApp::empty();
    let admin = admin(&test_app);
    let made = |flags: &[&str]| {
        let create = ["token", "create", "--name", "t", "--namespace", "g", "--user", "alice"];
        admin.json(&[&create, flags].concat())["external"].as_bool().unwrap()
    };
    for (flags, external) in [
        (&[][..], false),
        (&["--external"], true),
        (&[], true),
        (&["--external=false"], false),
        (&[], false),
        (&["--external=true"], true),
    ] {
        assert_eq!(made(flags), external, "{flags:?}");
    }
    let listed = admin.json(&["token", "list"]);
    let kept: Vec<_> =
        listed.as_array().unwrap().iter().map(|token| token["external"].as_bool()).collect();
    let given = [false, true, true, false, false, true];
    assert_eq!(kept, given.map(Some), "what was given out stays as it was");
}

#[tokio::test(flavor = "multi_thread")]
async fn with_credentials_the_database_is_asked_as_often_as_by_a_function() {
    let test_app = TestApp::empty();
    let proxy = Proxy::start(&test_app.server.dynamodb_url).await;
    let admin = admin_with_credentials(&proxy.url);
    let tries = AtomicU64::new(0);
    proxy.decide(move |_, _| match tries.fetch_add(1, Ordering::Relaxed) {
        0..4 => Fault::Throttle,
        4..7 => Fault::DropBefore,
        _ => Fault::Pass,
    });
    assert_eq!(admin.json(&["project", "list"]), json!([]));

    // One that says nothing is asked again, long before the time is over.
    let tries = AtomicU64::new(0);
    proxy.decide(move |_, _| match tries.fetch_add(1, Ordering::Relaxed) {
        0 => Fault::Delay(Duration::from_mins(1)),
        _ => Fault::Pass,
    });
    assert_eq!(admin.json(&["project", "list"]), json!([]));
}

#[tokio::test]
async fn the_address_of_the_api_is_not_taken_for_a_database() {
    let test_app = TestApp::empty();
    let endpoint_url = format!("http://{}", test_app.server.address);
    let admin = Admin::new(&endpoint_url);
    for arguments in [
        &["tables", "create"][..],
        &["project", "list"],
        &["token", "create", "--name", "t", "--namespace", "g"],
        &["token", "revoke", Secret::generate(TokenKind::Access).reveal()],
    ] {
        assert_eq!(
            admin.error(arguments),
            format!(
                "error: {endpoint_url} is not a DynamoDB endpoint. `release-links serve` prints the \
                 URL of its database when it starts, by default http://127.0.0.1:8000"
            ),
            "{arguments:?}"
        );
    }
}

#[tokio::test]
async fn a_token_cannot_be_made_dead_or_for_longer_than_a_century() {
    let test_app = TestApp::empty();
    let admin = admin(&test_app);
    for (lifetime, expires) in [("0s", false), ("36526d", false), ("36525d", true)] {
        let create = ["token", "create", "--name", "t", "--namespace", "g", "--expires-in"];
        let output = admin.run(&[&create[..], &[lifetime]].concat());
        assert_eq!(output.status.success(), expires, "{lifetime}: {output:?}");
    }
    let listed = admin.json(&["token", "list"]);
    assert_eq!(listed.as_array().unwrap().len(), 1);
    let expires_at = listed[0]["expires_at"].as_str().unwrap();
    assert!(expires_at.starts_with("21") && expires_at.ends_with('Z'), "{expires_at}");
}

#[test]
fn the_certificates_of_aws_ca_bundle_are_those_that_are_trusted() {
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("empty.pem");
    std::fs::write(&empty, "none").unwrap();
    for (bundle, why) in
        [("/nowhere/ca.pem", "No such file"), (empty.to_str().unwrap(), "no certificate in it")]
    {
        let mut admin = admin_with_credentials("https://127.0.0.1:9");
        admin.variables.push(("AWS_CA_BUNDLE", bundle.to_owned()));
        let said = admin.error(&["project", "list"]);
        assert!(said.contains(&format!("AWS_CA_BUNDLE {bundle}: {why}")), "{said}");
    }
}
