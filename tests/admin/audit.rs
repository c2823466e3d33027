//! Findings of `audit` in tables that break their rules or contradict each other.

use serde_json::{Value, json};
use shared::domain::project::{ProjectId, ProjectRef};
use shared::domain::release_key::ReleaseKey;
use shared::domain::secret::Secret;
use shared::domain::tag_name::TagName;
use shared::domain::time::Timestamp;
use shared::store::keys::{DirectoryKey, ReleasesKey};
use shared::store::tokens::NewToken;

use harness::TestApp;
use harness::proxy::{Proxy, ask};
use harness::test_app::{links, new_release, project, test_deadline};

use super::{Admin, admin, admin_behind};

pub(super) const DIRECTORY: &str = "release-links-directory";
const RELEASES: &str = "release-links-releases";

/// A table's items, a page at a time as an export reads them.
pub(super) async fn save(url: &str, table: &str) -> Vec<Value> {
    let mut items = Vec::new();
    let mut scan = json!({ "TableName": table });
    loop {
        let (status, page) = ask(url, "DynamoDB_20120810.Scan", &scan).await;
        assert_eq!(status, 200, "{page}");
        items.extend(page["Items"].as_array().unwrap().iter().cloned());
        match page.get("LastEvaluatedKey") {
            Some(key) => scan["ExclusiveStartKey"] = key.clone(),
            None => return items,
        }
    }
}

pub(super) async fn put(url: &str, table: &str, item: &Value) {
    let put = json!({ "TableName": table, "Item": item });
    assert_eq!(ask(url, "DynamoDB_20120810.PutItem", &put).await.0, 200, "{item}");
}

pub(super) async fn delete(url: &str, table: &str, key: &Value) {
    let delete = json!({ "TableName": table, "Key": key });
    assert_eq!(ask(url, "DynamoDB_20120810.DeleteItem", &delete).await.0, 200, "{key}");
}

/// The JSON of an audit that finds violations.
#[track_caller]
pub(super) fn broken(admin: &Admin) -> Value {
    let output = admin.run(&["--output", "json", "audit"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[tokio::test]
async fn an_audit_names_what_does_not_fit_between_the_tables() {
    let app = TestApp::empty();
    let admin = admin(&app);
    let url = &app.server.dynamodb_url;
    for (id, path) in [(1, "kept/one"), (2, "deleted/two"), (3, "lost/three"), (4, "moved/four")] {
        app.project(project(id, path)).await;
        app.release(id, "v1").await;
    }
    let token = |name: &str, arguments: &[&str]| {
        let create = ["token", "create", "--name", name, "--user", "root"];
        admin.json(&[&create, arguments].concat())["id"].as_str().unwrap().to_owned()
    };
    let role = |project| ["--project", project];
    token("keeps", &[role("1"), role("2")].concat());
    let useless = token("useless", &[role("2"), ["--namespace", "nobody/here"]].concat());
    token("namespace", &["--namespace", "KEPT"]);
    app.token(NewToken { grants: Vec::new(), ..harness::test_app::token() }).await;
    let unknown = token("unknown", &[role("1"), role("3")].concat());
    let revoked = token("revoked", &role("3"));
    admin.text(&["token", "revoke", &revoked]);
    assert_eq!(admin.json(&["audit"])["warnings"], json!([]));

    let two = ProjectRef::Id(ProjectId(2));
    let two = app.store.find_project(&two, test_deadline()).await.unwrap().unwrap();
    assert!(app.store.delete_project(&two, test_deadline()).await.unwrap());
    let audit = admin.json(&["audit"]);
    assert_eq!(audit["violations"], json!([]), "a deleted project breaks no rule");
    assert_eq!((&audit["projects"], &audit["tokens"]), (&json!(3), &json!(6)));
    assert_eq!(
        sorted(&audit["warnings"]),
        [
            "release v1 of project 2 outlived its project: `project delete 2` deletes it"
                .to_owned(),
            format!("token {useless} (useless) of root grants nothing that exists"),
        ]
    );

    delete(url, DIRECTORY, &directory_key(&DirectoryKey::project(ProjectId(3)))).await;
    let path = |path: &str| directory_key(&DirectoryKey::path(&path.parse().unwrap()));
    delete(url, DIRECTORY, &path("moved/four")).await;
    for (wrong, id) in [("old/four", "4"), ("deleted/two", "2")] {
        put(url, DIRECTORY, &changed(&path(wrong), "id", json!({ "N": id }))).await;
    }
    assert_eq!(
        sorted(&broken(&admin)["violations"]),
        [
            "path#deleted/two leads to project 2, which was deleted".to_owned(),
            "path#lost/three leads to project 3, which is not there".to_owned(),
            "path#old/four leads to project 4, which has the path moved/four".to_owned(),
            "project 4 is not found by its path moved/four".to_owned(),
            "release v1 of project 3 has no project: the directory does not know the number \
             (`project delete 3` deletes its releases)"
                .to_owned(),
            "the list of projects names project 3, which does not exist".to_owned(),
            format!(
                "token {unknown} (unknown) of root grants a role in project 3, which the directory \
                 does not know"
            ),
        ]
    );
}

pub(super) fn directory_key(key: &DirectoryKey) -> Value {
    json!({ "pk": { "S": key.pk }, "sk": { "S": key.sk } })
}

fn changed(item: &Value, name: &str, value: Value) -> Value {
    let mut item = item.clone();
    item[name] = value;
    item
}

fn sorted(findings: &Value) -> Vec<String> {
    let findings = findings.as_array().unwrap().iter();
    let mut findings: Vec<_> = findings.map(|words| words.as_str().unwrap().to_owned()).collect();
    findings.sort_unstable();
    findings
}

/// Each way of breaking the releases table, one at a time.
#[tokio::test]
async fn an_audit_names_each_broken_rule_of_the_releases_table() {
    let app = TestApp::empty();
    let url = &app.server.dynamodb_url;
    app.project(project(20, "mynamespace/hello")).await;
    for tag in ["v1", "v2"] {
        let mut release = new_release(20, tag);
        release.links = links("a", 2);
        app.store.create_release(release, Timestamp::now(), test_deadline()).await.unwrap();
    }
    let admin = admin(&app);
    let sound = save(url, RELEASES).await;
    let one = |prefix: &str, sk: &str| {
        let found = sound.iter().find(|item| {
            let text = |name: &str| item[name]["S"].as_str().unwrap();
            text("pk").starts_with(prefix) && text("sk").contains(sk)
        });
        found.unwrap().clone()
    };
    let key = |item: &Value| json!({ "pk": item["pk"], "sk": item["sk"] });
    let v1 = ReleaseKey { project: ProjectId(20), tag: TagName::parse("v1").unwrap() };
    let release_pk = ReleasesKey::release(&v1).pk;
    let url_of = json!({ "S": "https://elsewhere.example.com" });
    let digest = json!({ "S": format!("sha256:{}", "0".repeat(64)) });
    let entry = one("index#", "#v1");
    let moved = changed(&entry, "sk", json!({ "S": "00000000000000000001#v1" }));
    let claim = one("claim#", "");
    let link = one(&release_pk, "1#link#");
    let copy = changed(&link, "pk", json!({ "S": release_pk.replace("#v1", "#v2") }));
    let stray = changed(&claim, "pk", json!({ "S": "claim#stray" }));
    let odd = json!({ "pk": { "S": "odd\u{9b}" }, "sk": { "S": "item" } });
    let path = one("path#", "");
    for (removed, added, words) in [
        (Some(&entry), None, "release v1 of project 20 is missing from its project's list"),
        (Some(&entry), Some(&moved), "release v1 of project 20 is missing from its project's list"),
        (None, Some(&moved), "release v1 of project 20 is listed twice"),
        (
            Some(&one(&release_pk, "0#release")),
            None,
            "release v1 of project 20 is listed and not there",
        ),
        (Some(&claim), None, " does not hold claim#"),
        (Some(&link), None, " is held for nothing by link "),
        (None, Some(&stray), "claim#stray | claim is held for nothing by link "),
        (None, Some(&changed(&path, "url", url_of)), " leads elsewhere than its link"),
        (None, Some(&changed(&path, "digest", digest)), " has another digest than its link"),
        (None, Some(&copy), " has another link's number"),
        (None, Some(&odd), "odd\u{9b} | item is an item of no kind"),
    ] {
        if let Some(item) = removed {
            delete(url, RELEASES, &key(item)).await;
        }
        if let Some(item) = added {
            put(url, RELEASES, item).await;
        }
        let found = sorted(&broken(&admin)["violations"]);
        assert!(found.iter().any(|found| found.contains(words)), "{words}: {found:?}");
        if let Some(item) = added {
            delete(url, RELEASES, &key(item)).await;
        }
        for item in &sound {
            put(url, RELEASES, item).await;
        }
        let audit = admin.json(&["audit"]);
        assert_eq!((&audit["links"], &audit["claims"]), (&json!(4), &json!(12)), "{words}");
    }
}

/// Each way in which an item and its entry in a list can contradict each other, one at a time.
#[tokio::test]
async fn an_audit_names_each_contradiction_between_a_list_and_its_items() {
    let app = TestApp::empty();
    let (admin, url) = (admin(&app), &app.server.dynamodb_url);
    app.project(project(1, "kept/one")).await;
    let two = app.project(project(2, "Deleted/two")).await;
    assert!(app.store.delete_project(&two, test_deadline()).await.unwrap());
    let create = ["token", "create", "--name", "ci", "--user", "Ann", "--project", "kept/one"];
    let secret = Secret::parse(&admin.text(&create)).unwrap();
    let sound = save(url, DIRECTORY).await;
    let hash = secret.hash();
    let id = &hash.as_str()[..12];
    let stored = |key: &DirectoryKey| {
        let key = directory_key(key);
        let is_it = |item: &&Value| item["pk"] == key["pk"] && item["sk"] == key["sk"];
        sound.iter().find(is_it).unwrap().clone()
    };
    let ann = "ann".parse().unwrap();
    let (token, entry) = (DirectoryKey::token(&hash), DirectoryKey::token_entry(&hash));
    assert_eq!(stored(&entry)["ttl"], stored(&token)["ttl"]);
    let past = |key: &DirectoryKey| changed(&stored(key), "ttl", json!({ "N": "1" }));
    let one = DirectoryKey::project_entry(ProjectId(1));
    let last_path = |path: &str, id| {
        directory_key(&DirectoryKey::deleted_project_entry(&path.parse().unwrap(), ProjectId(id)))
    };
    let entry_of_two = DirectoryKey::project_entry(ProjectId(2));
    let odd = json!({ "pk": { "S": "deleted-projects" }, "sk": { "S": "odd" } });
    let unpadded = json!({ "pk": { "S": "projects" }, "sk": { "S": "1" } });
    for (removed, added, found) in [
        (Some(&one), None, "project 1 is missing from the list of projects"),
        (
            None,
            Some(changed(&stored(&one), "visibility", json!({ "S": "public" }))),
            "the list of projects has another path or visibility for project 1",
        ),
        (
            None,
            Some(changed(&stored(&one), "path", json!({ "S": "kept/other" }))),
            "the list of projects has another path or visibility for project 1",
        ),
        (
            Some(&DirectoryKey::deleted_project_entry(&two.path, two.id)),
            None,
            "project 2 is missing from the list of deleted projects",
        ),
        (Some(&entry), None, &format!("token {id} (ci) of Ann is missing from the list of tokens")),
        (Some(&DirectoryKey::user_entry(&ann)), None, "user ann is missing from the list of users"),
        (Some(&token), None, &format!("the list of tokens names token {id}, which does not exist")),
        (
            Some(&DirectoryKey::user(&ann)),
            None,
            "the list of users names user ann, which does not exist",
        ),
        (
            None,
            Some(directory_key(&entry_of_two)),
            "the list of projects names project 2, which was deleted",
        ),
        (
            None,
            Some(directory_key(&DirectoryKey::project_entry(ProjectId(3)))),
            "the list of projects names project 3, which does not exist",
        ),
        (
            None,
            Some(last_path("kept/one", 1)),
            "the list of deleted projects names project 1, which was not deleted",
        ),
        (
            None,
            Some(last_path("other/two", 2)),
            "the list of deleted projects names project 2, which last had the path Deleted/two",
        ),
        (
            None,
            Some(last_path("deleted/three", 3)),
            "the list of deleted projects names project 3, which does not exist",
        ),
        (None, Some(odd), "the list of deleted projects names project odd, which does not exist"),
        (None, Some(unpadded), "the list of projects names project 1, which does not exist"),
        // The database removes an expired token and its entry at different moments.
        (Some(&token), Some(past(&entry)), ""),
        (Some(&entry), Some(past(&token)), ""),
    ] {
        if let Some(key) = removed {
            delete(url, DIRECTORY, &directory_key(key)).await;
        }
        if let Some(item) = &added {
            put(url, DIRECTORY, item).await;
        }
        let audit = app.audit().await;
        let found: Vec<_> = Some(found).filter(|found| !found.is_empty()).into_iter().collect();
        assert_eq!(audit.violations, found, "{removed:?} {added:?}");
        if let Some(item) = added {
            delete(url, DIRECTORY, &json!({ "pk": item["pk"], "sk": item["sk"] })).await;
        }
        for item in &sound {
            put(url, DIRECTORY, item).await;
        }
        assert_eq!(app.assert_sound().await.projects, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_audit_takes_the_read_units_that_it_states() {
    let app = TestApp::empty();
    app.project(project(20, "mynamespace/hello")).await;
    for n in 0..2 {
        let mut release = new_release(20, &format!("v{n}"));
        release.links = links("a", 100);
        app.store.create_release(release, Timestamp::now(), test_deadline()).await.unwrap();
    }
    let proxy = Proxy::start(&app.server.dynamodb_url).await;
    let admin = admin_behind(&proxy);
    let looked_up = |admin: &Admin, code| {
        let output = admin.run(&["--output", "json", "audit"]);
        assert_eq!(output.status.code(), Some(code), "{output:?}");
        let seen = proxy.take_seen();
        let scans = seen.iter().filter(|seen| seen.operation == "Scan").count();
        let lookups = seen.iter().filter(|seen| seen.operation == "BatchGetItem");
        (scans, lookups.map(|seen| seen.read_units).sum::<f64>())
    };
    // Three claims a link, then per release its entry and itself, and the project, its path and its
    // entry, each of which is looked up from the other side, too.
    let (scans, units) = looked_up(&admin, 0);
    println!("200 links with paths: {units} read units and {scans} scans");
    assert_eq!(scans, 3, "the releases table, and the directory twice");
    assert!((600.0..=7.0 * 200.0 + 3.0 * 2.0 + 4.0).contains(&units), "{units}");

    // A claim that is no link's takes one more scan, and three more units for each link.
    let url = &app.server.dynamodb_url;
    let claim = save(url, RELEASES)
        .await
        .into_iter()
        .find(|item| item["pk"]["S"].as_str().unwrap().starts_with("claim#"));
    let mut stray = claim.unwrap();
    stray["pk"]["S"] = json!("claim#stray");
    put(url, RELEASES, &stray).await;
    let (scans, more) = looked_up(&admin, 1);
    println!("with a stray claim: {more} read units and {scans} scans");
    assert_eq!(scans, 4);
    assert!(more > units && more <= units + 3.0 * 200.0 + 3.0, "{more}");
}
