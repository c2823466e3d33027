//! Tables restored from a backup.

use serde_json::{Value, json};
use shared::domain::time::Timestamp;

use harness::TestApp;
use harness::proxy::Proxy;
use harness::test_app::{links, new_release, project, test_deadline};

use super::audit::{DIRECTORY, broken, delete, put, save};
use super::{admin, admin_behind};

/// Makes the directory what it was when it was saved.
async fn restore_directory(url: &str, saved: &[Value]) {
    for item in save(url, DIRECTORY).await {
        delete(url, DIRECTORY, &json!({ "pk": item["pk"], "sk": item["sk"] })).await;
    }
    for item in saved {
        put(url, DIRECTORY, item).await;
    }
}

#[tokio::test]
async fn a_directory_restored_alone_gives_nothing_away() {
    let app = TestApp::empty();
    let admin = admin(&app);
    let url = &app.server.dynamodb_url;
    admin.text(&["project", "create", "public/one", "--visibility", "public"]);
    let secret = admin.text(&["token", "create", "--name", "ci", "--project", "public/one"]);
    let saved = save(url, DIRECTORY).await;

    // Lost by the restore: a project with releases, one without, and a revocation.
    assert_eq!(admin.json(&["project", "create", "secret/two"])["id"], 2);
    let release = ["release", "create", "secret/two", "v1-secret", "--description", "secret notes"];
    admin.text(&release);
    assert_eq!(admin.json(&["project", "create", "secret/three"])["id"], 3);
    admin.text(&["release", "create", "secret/three", "v3-secret"]);
    admin.text(&["token", "revoke", &secret]);
    let bearer = app.anonymous().with("private-token", &secret);
    assert_eq!(bearer.get("/api/v4/user").await.status, 401);

    restore_directory(url, &saved).await;

    // Only the operator knows what was revoked since: docs/aws.md says to revoke it again.
    assert_eq!(bearer.get("/api/v4/user").await.status, 200);
    admin.text(&["token", "revoke", &secret]);
    assert_eq!(bearer.get("/api/v4/user").await.status, 401);

    let audit = broken(&admin);
    let mut violations: Vec<_> =
        audit["violations"].as_array().unwrap().iter().map(|v| v.as_str().unwrap()).collect();
    violations.sort_unstable();
    assert_eq!(
        violations,
        [
            "release v1-secret of project 2 has no project: the directory does not know the number \
             (`project delete 2` deletes its releases)",
            "release v3-secret of project 3 has no project: the directory does not know the number \
             (`project delete 3` deletes its releases)",
        ]
    );
    let output = admin.run(&["audit"]);
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(table.contains("\nrelease v1-secret of project 2 has no project"), "{table}");

    // The counter went back to 1, and skips what has releases.
    let made = admin.json(&["project", "create", "public/three", "--visibility", "public"]);
    assert_eq!(made["id"], 4);
    let anonymous = app.anonymous();
    let listed = anonymous.get("/projects/public%2Fthree/releases").await;
    assert_eq!((listed.status, listed.json()), (200, json!([])));
    for path in ["/projects/2/releases", "/projects/2/releases/v1-secret", "/projects/2"] {
        assert_eq!(anonymous.get(path).await.status, 404, "{path}");
    }
    let said = admin.error(&["project", "create", "public/two", "--id", "2"]);
    assert_eq!(
        said,
        "error: the number 2 has releases of a project that the directory does not know, as after a \
         restore: choose another number, or delete them with `project delete 2`"
    );
    assert_eq!(
        admin.error(&["project", "show", "public/two"]),
        "error: there is no project public/two: to see all projects, run `release-links project list`"
    );

    for number in ["2", "3"] {
        let deleted = admin.json(&["project", "delete", number, "--yes"]);
        let expected = json!({ "id": number.parse::<u64>().unwrap(), "path": null, "releases": 1 });
        assert_eq!(deleted, expected);
        assert_eq!(
            admin.error(&["project", "delete", number, "--yes"]),
            format!(
                "error: there is no project {number}: to see all projects, run `release-links \
                 project list`"
            )
        );
    }
    assert_eq!(admin.json(&["audit"])["violations"], json!([]));
}

#[tokio::test]
async fn unswept_links_of_a_lost_project_stay_hidden_under_its_number() {
    let app = TestApp::empty();
    let admin = admin(&app);
    let url = &app.server.dynamodb_url;
    let saved = save(url, DIRECTORY).await;
    app.project(project(1, "secret/one")).await;
    let mut release = new_release(1, "v1");
    release.links = links("secret", 3);
    app.store.create_release(release, Timestamp::now(), test_deadline()).await.unwrap();
    admin.text(&["release", "delete", "secret/one", "v1", "--yes"]);
    assert_eq!(app.audit().await.unreachable, 12);
    restore_directory(url, &saved).await;

    assert_eq!(admin.json(&["project", "create", "public/one", "--visibility", "public"])["id"], 1);
    admin.text(&["release", "create", "public/one", "v1"]);
    let anonymous = app.anonymous();
    let shown = anonymous.get("/projects/1/releases/v1").await.json();
    assert_eq!((&shown["assets"]["links"], &shown["assets"]["count"]), (&json!([]), &json!(0)));
    let path = "/projects/1/releases/v1/downloads/bin/secret-00000";
    assert_eq!(anonymous.get(path).await.status, 404);
}

#[tokio::test]
async fn a_number_in_use_is_used_whatever_releases_it_has() {
    let app = TestApp::empty();
    let admin = admin(&app);
    admin.text(&["project", "create", "g/p", "--id", "7"]);
    admin.text(&["release", "create", "7", "v1"]);
    let said = admin.error(&["project", "create", "g/other", "--id", "7"]);
    assert!(said.contains("belongs or belonged to another project"), "{said}");
    let said = admin.error(&["project", "create", "G/P", "--id", "7"]);
    assert_eq!(
        said,
        "error: a project already exists at g/p (number 7): to change it, run `release-links project update g/p`"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn many_numbers_are_skipped_in_one_run() {
    let app = TestApp::empty();
    for id in 1..=60 {
        app.release(id, "v1").await;
    }
    let proxy = Proxy::start(&app.server.dynamodb_url).await;
    let made = admin_behind(&proxy).json(&["project", "create", "g/p"]);
    assert_eq!(made["id"], 61);
    // A number costs a count, and half a read unit or less to ask for.
    let operations: Vec<_> = proxy.take_seen().into_iter().map(|seen| seen.operation).collect();
    assert_eq!(operations.iter().filter(|operation| *operation == "Query").count(), 61);
}
