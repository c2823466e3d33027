//! Concurrent operators: each command changes only the attributes that it is about.

use serde_json::{Value, json};
use shared::domain::project::{ProjectId, ProjectRef, Visibility};
use shared::store::keys::DirectoryKey;
use shared::store::projects::ProjectChanges;

use harness::proxy::{Proxy, ask};
use harness::world::{project, soon, token};
use harness::{Fault, Gate, World};

use super::{Admin, admin, admin_behind};

const DIRECTORY: &str = "release-links-directory";

/// Runs a command and delays its write until `meanwhile` has run.
async fn interleave(
    world: &World,
    arguments: &[&str],
    meanwhile: impl AsyncFnOnce(),
) -> std::process::Output {
    let proxy = Proxy::start(&world.server.dynamodb_url).await;
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

async fn set_visibility(world: &World, visibility: Visibility) {
    let changes = ProjectChanges { visibility: Some(visibility), ..ProjectChanges::default() };
    let updated = world.store.update_project(ProjectId(20), &changes, soon()).await.unwrap();
    assert_eq!(updated.unwrap().visibility, visibility);
}

/// Gives an item of the directory an attribute that this version does not know.
async fn add_attribute(world: &World, key: &DirectoryKey) {
    let update = json!({
        "TableName": DIRECTORY,
        "Key": { "pk": { "S": key.pk }, "sk": { "S": key.sk } },
        "UpdateExpression": "SET since = :since",
        "ExpressionAttributeValues": { ":since": { "S": "a later version" } },
    });
    let target = "DynamoDB_20120810.UpdateItem";
    assert_eq!(ask(&world.server.dynamodb_url, target, &update).await.0, 200);
}

async fn item(world: &World, key: &DirectoryKey) -> Value {
    let get =
        json!({ "TableName": DIRECTORY, "Key": { "pk": { "S": key.pk }, "sk": { "S": key.sk } } });
    let target = "DynamoDB_20120810.GetItem";
    ask(&world.server.dynamodb_url, target, &get).await.1["Item"].clone()
}

fn project_20() -> DirectoryKey {
    DirectoryKey::project(ProjectId(20))
}

#[tokio::test(flavor = "multi_thread")]
async fn archiving_keeps_what_another_operator_changed_meanwhile() {
    let world = World::empty();
    world.project(project(20, "mynamespace/hello")).await;
    let meanwhile = async || set_visibility(&world, Visibility::Public).await;
    let output = interleave(&world, &["--output", "json", "project", "archive", "20"], meanwhile);
    let output = output.await;
    assert!(output.status.success(), "{output:?}");
    let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
    let shown = admin(&world).json(&["project", "show", "20"]);
    assert_eq!(shown, printed);
    assert_eq!((&shown["visibility"], &shown["archived"]), (&json!("public"), &json!(true)));

    let meanwhile = async || set_visibility(&world, Visibility::Internal).await;
    let output = interleave(&world, &["project", "delete", "20", "--yes"], meanwhile).await;
    assert!(output.status.success(), "{output:?}");
    let named = ProjectRef::Id(ProjectId(20));
    let deleted = world.store.find_deleted_projects(&named, soon().remaining()).await.unwrap();
    assert_eq!((deleted[0].visibility, deleted[0].archived), (Visibility::Internal, true));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_project_stays_deleted_when_a_late_change_arrives() {
    let world = World::empty();
    let made = world.project(project(20, "mynamespace/hello")).await;
    let delete = async || assert!(world.store.delete_project(&made, soon()).await.unwrap());
    let output = interleave(&world, &["project", "archive", "20"], delete).await;
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        String::from_utf8(output.stderr).unwrap(),
        "error: there is no project 20: to see all projects, run `release-links project list`\n"
    );
    assert_eq!(item(&world, &project_20()).await["deleted"]["BOOL"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_removed_meanwhile_is_not_made_again_by_its_revocation() {
    let world = World::empty();
    let secret = world.token(token()).await;
    let key = DirectoryKey::token(&secret.hash());
    let remove = async || {
        let delete = json!({ "TableName": DIRECTORY, "Key": { "pk": { "S": key.pk }, "sk": { "S": key.sk } } });
        let target = "DynamoDB_20120810.DeleteItem";
        assert_eq!(ask(&world.server.dynamodb_url, target, &delete).await.0, 200);
    };
    let output = interleave(&world, &["token", "revoke", secret.reveal()], remove).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().starts_with("error: there is no token "));
    assert_eq!(item(&world, &key).await, Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_keeps_the_attributes_of_a_later_version() {
    let world = World::empty();
    world.project(project(20, "mynamespace/hello")).await;
    let secret = world.token(token()).await;
    let create = ["token", "create", "--name", "t", "--namespace", "g", "--user", "ann"];
    admin(&world).text(&create);
    let user = DirectoryKey::user(&"ann".parse().unwrap());
    let external = [&create[..], &["--external"]].concat();
    for (arguments, key, attribute) in [
        (&["project", "archive", "20"][..], project_20(), "archived"),
        (&["token", "revoke", secret.reveal()], DirectoryKey::token(&secret.hash()), "revoked"),
        (&external, user, "external"),
        (&["project", "delete", "20", "--yes"], project_20(), "deleted"),
    ] {
        let output = interleave(&world, arguments, async || add_attribute(&world, &key).await);
        let output = output.await;
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        let item = item(&world, &key).await;
        assert_eq!(item[attribute]["BOOL"], true, "{item}");
        assert_eq!(item["since"]["S"], "a later version", "{arguments:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_made_despite_conflicts_and_lost_responses() {
    let world = World::empty();
    world.project(project(20, "mynamespace/hello")).await;
    let proxy = Proxy::start(&world.server.dynamodb_url).await;
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
    world.assert_sound().await;
}
