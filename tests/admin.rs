//! The operator's command, on the database of a running server.

use std::process::{Command, Output};

use serde_json::Value;

use harness::World;
use harness::binaries;

struct Admin {
    endpoint_url: String,
}

impl Admin {
    fn run(&self, arguments: &[&str]) -> Output {
        Command::new(binaries::admin())
            .args(["--endpoint-url", &self.endpoint_url])
            .args(arguments)
            .env_remove("AWS_PROFILE")
            .env_remove("AWS_ACCESS_KEY_ID")
            .output()
            .unwrap()
    }

    /// What a command prints.
    #[track_caller]
    fn text(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }

    /// What a command prints as JSON.
    #[track_caller]
    fn json(&self, arguments: &[&str]) -> Value {
        let text = self.text(&[&["--output", "json"], arguments].concat());
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// What a command that fails says.
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

fn admin(world: &World) -> Admin {
    Admin { endpoint_url: world.server.dynamodb_url.clone() }
}

#[tokio::test]
async fn what_the_operator_makes_the_api_serves() {
    let world = World::empty();
    let admin = admin(&world);
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
    let api = world.anonymous().with("private-token", &secret);
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
    let api = world.anonymous().with("private-token", made["token"].as_str().unwrap());
    assert_eq!(api.post(&links("v1"), body).await.status, 201);

    let made = admin.json(&["token", "create", "--name", "j", "--project", "7", "--job"]);
    let api = world.anonymous().with("job-token", made["token"].as_str().unwrap());
    assert_eq!(api.get(&links("v1")).await.status, 200);

    let made =
        admin.json(&["token", "create", "--name", "r", "--project", "7", "--scope", "read_api"]);
    let api = world.anonymous().with("private-token", made["token"].as_str().unwrap());
    assert_eq!(
        (api.get(&links("v1")).await.status, api.post(&links("v1"), body).await.status),
        (200, 403)
    );
    admin.text(&["token", "revoke", made["id"].as_str().unwrap()]);
    assert_eq!(api.get(&links("v1")).await.status, 401);

    admin.text(&["project", "archive", "g/p"]);
    let api = world.anonymous().with("private-token", &secret);
    assert_eq!(api.post(&links("free"), body).await.status, 403);
    admin.text(&["project", "unarchive", "g/p"]);

    // No list and no table ever shows a secret again.
    for output in [&["token", "list"][..], &["--output", "json", "token", "list"]] {
        assert!(!admin.text(output).contains("glpat-"));
    }
    assert_eq!(admin.json(&["token", "list"]).as_array().unwrap().len(), 4);

    admin.text(&["release", "delete", "7", "free"]);
    assert_eq!(api.get(&links("free")).await.status, 404);
    let audit = admin.json(&["audit"]);
    assert_eq!((audit["links"].as_u64(), audit["unreachable"].as_u64()), (Some(1), Some(3)));
    assert_eq!(admin.json(&["sweep"])["links"], 0);
    let swept = admin.json(&["sweep", "--older-than", "0s"]);
    assert_eq!((swept["links"].as_u64(), swept["claims"].as_u64()), (Some(1), Some(2)));
    assert_eq!(admin.json(&["audit"])["unreachable"], 0);

    admin.text(&["project", "delete", "7"]);
    assert_eq!(api.get(&links("v1")).await.status, 404);
    assert_eq!(admin.json(&["project", "list"]).as_array().unwrap().len(), 0);
}

#[tokio::test]
async fn mistakes_are_said_in_one_line() {
    let world = World::empty();
    let admin = admin(&world);
    admin.text(&["project", "create", "g/p", "--id", "7"]);
    admin.text(&["release", "create", "7", "v1"]);
    for (arguments, word) in [
        (&["project", "create", "G/P"][..], "G/P"),
        (&["project", "create", "g/other", "--id", "7"], "7"),
        (&["project", "show", "8"], "8"),
        (&["token", "create", "--name", "x", "--project", "no/such"], "no/such"),
        (&["token", "revoke", "0123456789ab"], "0123456789ab"),
        (&["release", "create", "7", "v1"], "v1"),
        (&["release", "delete", "7", "v2"], "v2"),
    ] {
        let said = admin.error(arguments);
        assert!(said.starts_with("error: ") && said.contains(word), "{arguments:?}: {said}");
    }
    // The number of a deleted project is never given out again.
    admin.text(&["project", "delete", "7"]);
    assert!(admin.error(&["project", "create", "g/new", "--id", "7"]).contains('7'));
    let path_is_free = admin.json(&["project", "create", "g/p"]);
    assert_eq!(path_is_free["path"], "g/p");
}

#[tokio::test]
async fn an_audit_finds_what_is_broken() {
    let (world, api) = World::hello().await;
    let links = harness::world::LINKS;
    api.post(links, r#"{"name":"a","url":"https://e.com"}"#).await;
    let admin = admin(&world);
    assert!(admin.run(&["audit"]).status.success());

    let client =
        shared::app::client(shared::app::Database::local(world.server.dynamodb_url.clone()))
            .unwrap();
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
