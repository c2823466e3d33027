//! Concurrent operators: each command changes only the attributes that it is about.

use serde_json::{Value, json};
use shared::domain::project::{ProjectId, ProjectRef, Visibility};
use shared::store::keys::DirectoryKey;
use shared::store::projects::ProjectChanges;

use harness::proxy::{Proxy, ask};
use harness::test_app::{project, test_deadline, token};
use harness::{Fault, Gate, TestApp};

use super::{Admin, admin, admin_behind};

const DIRECTORY: &str = "release-links-directory";

/// Runs a command, and another step before its write.
async fn interleave(
    app: &TestApp,
    arguments: &[&str],
    meanwhile: impl AsyncFnOnce(),
) -> std::process::Output {
    let proxy = Proxy::start(&app.server.dynamodb_url).await;
    let gate = Gate::new();
    let held = gate.clone();
    proxy.decide(move |operation, body| {
        let is_counter = || body["Key"]["sk"]["S"] == "counter";
        match operation {
            "PutItem" | "TransactWriteItems" => Fault::Hold(held.clone()),
            "UpdateItem" if !is_counter() => Fault::Hold(held.clone()),
            _ => Fault::Pass,
        }
    });
    let late = admin_behind(&proxy);
    let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
    let running = tokio::task::spawn_blocking(move || {
        late.run(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
    });
    gate.reached().await;
    meanwhile().await;
    gate.open();
    running.await.unwrap()
}

async fn set_visibility(app: &TestApp, visibility: Visibility) {
    let changes = ProjectChanges { visibility: Some(visibility), ..ProjectChanges::default() };
    let updated = app.store.update_project(ProjectId(20), &changes, test_deadline()).await.unwrap();
    assert_eq!(updated.unwrap().visibility, visibility);
}

/// Gives an item of the directory an attribute that this version does not know.
async fn add_attribute(app: &TestApp, key: &DirectoryKey) {
    let update = json!({
        "TableName": DIRECTORY,
        "Key": { "pk": { "S": key.pk }, "sk": { "S": key.sk } },
        "UpdateExpression": "SET since = :since",
        "ExpressionAttributeValues": { ":since": { "S": "a later version" } },
    });
    let target = "DynamoDB_20120810.UpdateItem";
    assert_eq!(ask(&app.server.dynamodb_url, target, &update).await.0, 200);
}

async fn item(app: &TestApp, key: &DirectoryKey) -> Value {
    let get =
        json!({ "TableName": DIRECTORY, "Key": { "pk": { "S": key.pk }, "sk": { "S": key.sk } } });
    let target = "DynamoDB_20120810.GetItem";
    ask(&app.server.dynamodb_url, target, &get).await.1["Item"].clone()
}

fn project_20() -> DirectoryKey {
    DirectoryKey::project(ProjectId(20))
}

#[tokio::test(flavor = "multi_thread")]
async fn archiving_keeps_what_another_operator_changed_meanwhile() {
    let app = TestApp::empty();
    app.project(project(20, "mynamespace/hello")).await;
    let meanwhile = async || set_visibility(&app, Visibility::Public).await;
    let output = interleave(&app, &["--output", "json", "project", "archive", "20"], meanwhile);
    let output = output.await;
    assert!(output.status.success(), "{output:?}");
    let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
    let shown = admin(&app).json(&["project", "show", "20"]);
    assert_eq!(shown, printed);
    assert_eq!((&shown["visibility"], &shown["archived"]), (&json!("public"), &json!(true)));

    let meanwhile = async || set_visibility(&app, Visibility::Internal).await;
    let output = interleave(&app, &["project", "delete", "20", "--yes"], meanwhile).await;
    assert!(output.status.success(), "{output:?}");
    let named = ProjectRef::Id(ProjectId(20));
    let deleted =
        app.store.find_deleted_projects(&named, test_deadline().remaining()).await.unwrap();
    assert_eq!((deleted[0].visibility, deleted[0].archived), (Visibility::Internal, true));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_project_stays_deleted_when_a_late_change_arrives() {
    let app = TestApp::empty();
    let made = app.project(project(20, "mynamespace/hello")).await;
    let delete = async || assert!(app.store.delete_project(&made, test_deadline()).await.unwrap());
    let output = interleave(&app, &["project", "archive", "20"], delete).await;
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        String::from_utf8(output.stderr).unwrap(),
        "error: there is no project 20: to see all projects, run `release-links project list`\n"
    );
    assert_eq!(item(&app, &project_20()).await["deleted"]["BOOL"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_removed_meanwhile_is_not_made_again_by_its_revocation() {
    let app = TestApp::empty();
    let secret = app.token(token()).await;
    let key = DirectoryKey::token(&secret.hash());
    let remove = async || {
        let delete = json!({ "TableName": DIRECTORY, "Key": { "pk": { "S": key.pk }, "sk": { "S": key.sk } } });
        let target = "DynamoDB_20120810.DeleteItem";
        assert_eq!(ask(&app.server.dynamodb_url, target, &delete).await.0, 200);
    };
    let output = interleave(&app, &["token", "revoke", secret.reveal()], remove).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().starts_with("error: there is no token "));
    assert_eq!(item(&app, &key).await, Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_keeps_the_attributes_of_a_later_version() {
    let app = TestApp::empty();
    app.project(project(20, "mynamespace/hello")).await;
    let secret = app.token(token()).await;
    let create = ["token", "create", "--name", "t", "--namespace", "g", "--user", "ann"];
    admin(&app).text(&create);
    let user = DirectoryKey::user(&"ann".parse().unwrap());
    let external = [&create[..], &["--external"]].concat();
    for (arguments, key, attribute) in [
        (&["project", "archive", "20"][..], project_20(), "archived"),
        (&["token", "revoke", secret.reveal()], DirectoryKey::token(&secret.hash()), "revoked"),
        (&external, user, "external"),
        (&["project", "delete", "20", "--yes"], project_20(), "deleted"),
    ] {
        let output = interleave(&app, arguments, async || add_attribute(&app, &key).await);
        let output = output.await;
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        let item = item(&app, &key).await;
        assert_eq!(item[attribute]["BOOL"], true, "{item}");
        assert_eq!(item["since"]["S"], "a later version", "{arguments:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_made_despite_conflicts_and_lost_responses() {
    let app = TestApp::empty();
    app.project(project(20, "mynamespace/hello")).await;
    let proxy = Proxy::start(&app.server.dynamodb_url).await;
    let admin: Admin = admin_behind(&proxy);
    let faults = || [Fault::Conflict, Fault::DropAfter, Fault::Throttle];
    let update = ["project", "update", "20"];
    // One item alone, and one with its entry in the list of projects.
    for (changing, option, values, attribute) in [
        ("UpdateItem", "--releases-access", ["private", "disabled"], "releases_access"),
        ("TransactWriteItems", "--visibility", ["public", "internal"], "visibility"),
    ] {
        for (fault, value) in faults().into_iter().zip(values.into_iter().cycle()) {
            let tries = std::sync::atomic::AtomicU64::new(0);
            let shown = format!("{fault:?} of {changing}");
            proxy.decide(move |operation, _| {
                let is_first = || tries.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 0;
                if operation == changing && is_first() { fault.clone() } else { Fault::Pass }
            });
            let changed = admin.json(&[&update[..], &[option, value]].concat());
            assert_eq!(changed[attribute], value, "{shown}");
            let sent = proxy.take_seen().into_iter().filter(|seen| seen.operation == changing);
            assert!(sent.count() > 0, "{shown}");
        }
    }
    app.assert_sound().await;
}
