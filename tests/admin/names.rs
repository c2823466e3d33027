//! Names of users.

use serde_json::{Value, json};
use shared::domain::token::User;
use shared::store::tokens::NewToken;

use harness::TestApp;
use harness::proxy::ask;
use harness::test_app::{project, token};

use super::admin;
use super::printing::hidden_in;

/// Creates a token; the username follows.
const CREATE: [&str; 7] = ["token", "create", "--name", "t", "--namespace", "g", "--user"];

async fn directory_items(app: &TestApp) -> Vec<Value> {
    let scan = json!({ "TableName": "release-links-directory" });
    let (status, found) = ask(&app.server.dynamodb_url, "DynamoDB_20120810.Scan", &scan).await;
    assert_eq!(status, 200);
    found["Items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_token_for_a_wrong_username_is_refused_before_anything_is_written() {
    let app = TestApp::empty();
    app.project(project(20, "mynamespace/hello")).await;
    let admin = admin(&app);
    let before = directory_items(&app).await.len();
    for username in [
        "victim\u{212a}",
        "ro\u{202e}ot",
        " root",
        "",
        "root.git",
        "root.atom",
        "-root",
        "root.",
        "ro..ot",
        "g/ann",
        "\u{440}oot",
        "ann\u{9b}",
    ] {
        for command in [
            &["token", "create", "--name", "t", "--project", "20"][..],
            &["token", "create", "--name", "t", "--job", "--project", "20"],
            &["release", "create", "20", "v1"],
        ] {
            let user = format!("--user={username}");
            let output = admin.run(&[command, &[&user]].concat());
            assert_eq!(output.status.code(), Some(2), "{username:?}: {output:?}");
            assert!(output.stdout.is_empty(), "{output:?}");
            let said = String::from_utf8(output.stderr).unwrap();
            assert!(said.contains("is not a GitLab username: letters"), "{said}");
            assert_eq!(hidden_in(&said), [] as [char; 0], "{said}");
        }
    }
    assert_eq!(directory_items(&app).await.len(), before);
    assert_eq!(app.audit().await.releases, 0);
}

#[tokio::test]
async fn a_username_is_one_user_in_any_case() {
    let app = TestApp::empty();
    let admin = admin(&app);
    let mut users = Vec::new();
    for username in ["Zhang.Wei-2024", "zhang.wei-2024", "ZHANG.WEI-2024", "zhang.wei"] {
        let secret = admin.text(&[&CREATE[..], &[username]].concat());
        let api = app.anonymous().with("private-token", &secret);
        let user = api.get("/api/v4/user").await.json();
        users.push((user["id"].as_u64().unwrap(), user["username"].as_str().unwrap().to_owned()));
    }
    let user = |id, name: &str| (id, name.to_owned());
    let first = user(1, "Zhang.Wei-2024");
    assert_eq!(users, [first.clone(), first.clone(), first, user(2, "zhang.wei")]);
}

#[tokio::test]
async fn a_look_alike_user_of_older_data_stays_readable_and_apart() {
    let app = TestApp::empty();
    let look_alike = "victim\u{212a}";
    let stored = json!({
        "TableName": "release-links-directory",
        "Item": {
            "pk": { "S": "user#victimk" }, "sk": { "S": "user" }, "id": { "N": "900" },
            "username": { "S": look_alike }, "external": { "BOOL": true },
        },
    });
    let url = &app.server.dynamodb_url;
    assert_eq!(ask(url, "DynamoDB_20120810.PutItem", &stored).await.0, 200);
    let user = User { id: 900, username: look_alike.to_owned(), external: true };
    let old = app.api_with(NewToken { user, ..token() }).await;

    let admin = admin(&app);
    for _ in 0..2 {
        let secret = admin.text(&[&CREATE[..], &["victimk"]].concat());
        let new = app.anonymous().with("private-token", &secret);
        let shown = new.get("/api/v4/user").await.json();
        assert_eq!((&shown["id"], &shown["username"]), (&json!(1), &json!("victimk")));
    }
    let shown = old.get("/api/v4/user").await.json();
    assert_eq!((&shown["id"], &shown["username"]), (&json!(900), &json!(look_alike)));
    let listed = admin.json(&["token", "list"]);
    let external: Vec<_> = listed
        .as_array()
        .unwrap()
        .iter()
        .map(|token| (token["user"].as_str().unwrap(), token["external"].as_bool().unwrap()))
        .collect();
    assert_eq!(external, [(look_alike, true), ("victimk", false), ("victimk", false)]);
}
