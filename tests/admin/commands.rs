//! Commands that change settings, links and tokens, and the questions they ask.

use std::process::{Command, Output};

use serde_json::{Value, json};
use shared::domain::access_level::AccessLevel;
use shared::domain::link::{LinkFields, LinkType, UncheckedLink};
use shared::domain::link_url::LinkUrl;
use shared::domain::release::NewLinks;
use shared::domain::time::Timestamp;
use shared::store::releases::NewRelease;
use shared::store::tokens::NewToken;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use harness::proxy::Proxy;
use harness::test_app::{grant, large_links, new_release, project, test_deadline, token};
use harness::{TestApp, binaries};

use super::{Admin, admin, admin_behind};

impl Admin {
    /// A mistake on the command line, and its text.
    #[track_caller]
    fn usage(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {output:?}");
        assert!(output.stdout.is_empty(), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    }

    /// Runs a command on a terminal at which a person types `answer`.
    fn on_a_terminal(&self, arguments: &[&str], answer: &str) -> Output {
        let file = self.connection_file.path().to_str().unwrap();
        let program = binaries::release_links();
        let words = [&["--connection", file], arguments].concat().join(" ");
        let line = format!("{} {words}", program.display());
        let script =
            format!("printf '{answer}\\n' | script --quiet --return --command '{line}' /dev/null");
        Command::new("sh").args(["-c", &script]).output().unwrap()
    }
}

#[tokio::test]
async fn project_update_changes_the_given_settings_only() {
    let test_app = TestApp::empty();
    let admin = admin(&test_app);
    let page = "https://gitlab.com/g/app";
    let mut project = admin.json(&[
        "project",
        "create",
        "g/p",
        "--protected-tag",
        "v*:maintainer",
        "--source-url",
        page,
    ]);
    assert_eq!(
        (&project["visibility"], &project["releases_access"], &project["default_branch"]),
        (&json!("private"), &json!("enabled"), &json!("main"))
    );
    let tag = |pattern: &str, level: &str| json!({ "pattern": pattern, "create_level": level });
    for (arguments, setting, value) in [
        (&["--visibility", "public"][..], "visibility", json!("public")),
        (&["--releases-access", "private"], "releases_access", json!("private")),
        (&["--default-branch", "trunk"], "default_branch", json!("trunk")),
        (
            &["--protected-tag", "a:owner", "--protected-tag", "b:no-one"],
            "protected_tags",
            json!([tag("a", "owner"), tag("b", "no-one")]),
        ),
        (&["--no-protected-tags"], "protected_tags", json!([])),
        (&["--no-source-url"], "source_url", Value::Null),
        (&["--source-url", page], "source_url", json!(page)),
        (&["--source-url", ""], "source_url", Value::Null),
        (&["--on-duplicate", "replace"], "on_duplicate", json!("replace")),
        (&["--immutable-after", "1h30m"], "immutable_after", json!(5400)),
        (&["--immutable-after", "never"], "immutable_after", Value::Null),
        (&["--immutable-after", "90d"], "immutable_after", json!(7_776_000)),
    ] {
        project[setting] = value;
        let updated = admin.json(&[&["project", "update", "g/p"], arguments].concat());
        assert_eq!(updated, project, "{arguments:?}");
        assert_eq!(admin.json(&["project", "show", "1"]), project, "{arguments:?}");
    }
    let said = admin.usage(&["project", "update", "g/p"]);
    assert_eq!(said, "error: name a setting to change, for example --visibility public\n");
    admin.usage(&["project", "update", "g/p", "--protected-tag", "a:owner", "--no-protected-tags"]);

    let shown = admin.text(&["project", "show", "g/p"]);
    for line in [
        "ID:               1",
        "Releases access:  private",
        "Default branch:   trunk",
        "On duplicate:     replace",
        "Immutable after:  90d",
    ] {
        assert!(shown.lines().any(|shown| shown == line), "{shown}");
    }
}

#[tokio::test]
async fn a_moved_project_keeps_its_releases_and_tokens() {
    let test_app = TestApp::empty();
    let admin = admin(&test_app);
    admin.text(&["project", "create", "g/old"]);
    admin.text(&["project", "create", "g/other"]);
    admin.text(&["release", "create", "g/old", "v1"]);
    let secret = admin.text(&["token", "create", "--name", "ci", "--project", "g/old"]);
    assert_eq!(
        admin.error(&["project", "move", "g/old", "G/Other"]),
        "error: a project already exists at g/other (number 2): to change it, run `release-links project update g/other`"
    );
    assert_eq!(
        admin.text(&["project", "move", "g/old", "h/new"]),
        "Moved project 1 from g/old to h/new. Its URLs and clients need the new path."
    );
    let api = test_app.anonymous().with("private-token", &secret);
    assert_eq!(api.get("/projects/h%2Fnew/releases/v1").await.status, 200);
    assert_eq!(api.get("/projects/g%2Fold/releases/v1").await.status, 404);
    assert_eq!(admin.json(&["token", "list"])[0]["grants"][0]["project_path"], "h/new");
    assert_eq!(admin.json(&["project", "create", "g/old"])["id"], 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn link_verify_finds_files_that_differ_or_are_dead_and_records_what_is_missing() {
    let test_app = TestApp::empty();
    let admin = admin(&test_app);
    let server = format!("http://{}", test_app.server.address);
    admin.text(&["project", "create", "g/p", "--visibility", "public"]);
    for tag in ["v1", "v2"] {
        admin.text(&["release", "create", "g/p", tag]);
    }
    let create = |tag: &str, name: &str, path: &str, more: &[&str]| {
        let url = format!("{server}{path}");
        admin.text(&[&["link", "create", "g/p", tag, name, &url], more].concat());
    };
    // Each has a body that is always the same, and the second is there by a redirect.
    create("v1", "plain", "/-/health", &[]);
    create("v1", "redirected", "/g/p/-/releases/v1/downloads/bin/plain", &["--size", "9"]);
    admin.text(&["link", "update", "g/p", "v1", "plain", "--path", "/bin/plain"]);
    create("v2", "dead", "/-/none", &[]);
    let states = |listed: &Value| -> Vec<(String, String)> {
        let text = |one: &Value, key: &str| one[key].as_str().unwrap().to_owned();
        let listed = listed.as_array().unwrap().iter();
        listed.map(|one| (text(one, "name"), text(one, "state"))).collect()
    };
    let pair = |name: &str, state: &str| (name.to_owned(), state.to_owned());

    let of_first = ["link", "verify", "g/p", "v1"];
    let expected = [pair("redirected", "ok"), pair("plain", "unknown")];
    assert_eq!(states(&admin.json(&of_first)), expected);
    let recorded = [pair("redirected", "recorded"), pair("plain", "recorded")];
    assert_eq!(states(&admin.json(&[&of_first[..], &["--record"]].concat())), recorded);
    let expected = [pair("redirected", "ok"), pair("plain", "ok")];
    assert_eq!(states(&admin.json(&of_first)), expected);
    let page = test_app.anonymous().get("/g/p/-/releases/v1/SHA256SUMS").await;
    assert_eq!(page.body.lines().count(), 2, "{page:?}");

    // All releases, the latest first. One dead file fails the command, and so does one that differs.
    let fails = |arguments: &[&str], count: u8| {
        let output = admin.run(arguments);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(said, format!("error: files that are dead or differ: {count}\n"));
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stdout).unwrap()
    };
    let table = fails(&["link", "verify", "g/p"], 1);
    let rows: Vec<_> = table.lines().map(str::split_whitespace).map(Vec::from_iter).collect();
    assert_eq!(rows[1][2..], ["dead", "dead", "the", "server", "answers", "404", "Not", "Found"]);
    assert_eq!((rows[2][3], rows[3][3]), ("ok", "ok"));
    let zeros = format!("sha256:{}", "0".repeat(64));
    admin.text(&["link", "update", "g/p", "v1", "plain", "--digest", &zeros]);
    admin.text(&["link", "update", "g/p", "v1", "redirected", "--size", "8"]);
    // What is recorded and wrong is not overwritten.
    for arguments in [&of_first[..], &[&of_first[..], &["--record"]].concat()] {
        let table = fails(arguments, 2);
        assert!(table.contains("differs  the file has more than 8 bytes\n"), "{table}");
        assert!(table.contains("differs  the file has the digest sha256:"), "{table}");
    }
    admin.text(&["link", "create", "g/p", "v2", "old", "ftp://e.com/old"]);
    admin.text(&["link", "update", "g/p", "v2", "dead", "--url", &format!("{server}/-/health")]);
    admin.text(&["project", "update", "g/p", "--immutable-after", "1s"]);
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    let table = admin.text(&["link", "verify", "g/p", "v2", "--record"]);
    assert!(table.contains("skipped  ftp is not checked"), "{table}");
    assert!(table.contains("unknown  not recorded: the release is immutable"), "{table}");
    test_app.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn link_verify_reads_no_further_than_the_recorded_size() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/endless", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                assert!(stream.read(&mut [0; 1024]).await.unwrap() > 0);
                let mut bytes: &[u8] = b"HTTP/1.1 200 OK\r\n\r\n";
                // Ends when the command has had enough.
                while stream.write_all(bytes).await.is_ok() {
                    bytes = &[0; 1024];
                }
            });
        }
    });
    let test_app = TestApp::empty();
    let admin = admin(&test_app);
    admin.text(&["project", "create", "g/p"]);
    admin.text(&["release", "create", "g/p", "v1"]);
    admin.text(&["link", "create", "g/p", "v1", "a", &url, "--size", "1000000"]);
    let output = admin.run(&["link", "verify", "g/p"]);
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(table.contains("differs  the file has more than 1000000 bytes\n"), "{table}");
    assert_eq!(output.status.code(), Some(1));
}

/// A server that answers each request with the status in its path, and a body of four bytes.
async fn statuses() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut request = [0; 1024];
                let read = stream.read(&mut request).await.unwrap();
                let request = String::from_utf8_lossy(&request[..read]).into_owned();
                let status =
                    request.split('/').nth(1).unwrap().split(' ').next().unwrap().to_owned();
                let head = format!("HTTP/1.1 {status} X\r\nlocation: file:///etc/passwd\r\n");
                let answer = format!("{head}content-length: 4\r\nconnection: close\r\n\r\nfile");
                let _ = stream.write_all(answer.as_bytes()).await;
            });
        }
    });
    url
}

#[tokio::test(flavor = "multi_thread")]
async fn link_verify_takes_only_whole_files_for_files_and_checks_all_links() {
    let server = statuses().await;
    let test_app = TestApp::empty();
    let admin = admin(&test_app);
    admin.text(&["project", "create", "g/p"]);
    let of_status = |status: u16| {
        let (name, url) = (status.to_string(), format!("{server}/{status}"));
        UncheckedLink::new(Some(&name), Some(&url), None, LinkType::Other).fields().unwrap()
    };
    let mut links: Vec<_> = [200, 204, 206, 300, 302, 304, 404, 500].map(of_status).into();
    // Together more than the list of links shows, which are the newest.
    for fields in large_links(530).into_fields() {
        let url = LinkUrl::parse(&fields.url.as_str().replace("https:", "ftp:")).unwrap();
        links.push(LinkFields { url, ..fields });
    }
    let new = NewRelease { links: NewLinks::parse(links).unwrap(), ..new_release(1, "v1") };
    test_app.store.create_release(new, Timestamp::now(), test_deadline()).await.unwrap();
    let output = admin.run(&["--output", "json", "link", "verify", "g/p", "--record"]);
    assert_eq!(output.status.code(), Some(1));
    let rows: Value = serde_json::from_slice(&output.stdout).unwrap();
    let rows = rows.as_array().unwrap();
    assert_eq!(rows.len(), 538);
    for row in &rows[530..] {
        let expected = if row["name"] == "200" { "recorded" } else { "dead" };
        assert_eq!(row["state"], expected, "{row}");
    }
}

#[tokio::test]
async fn operators_release_an_immutable_release_before_they_change_it() {
    let test_app = TestApp::empty();
    let admin = admin(&test_app);
    admin.text(&["project", "create", "g/p", "--on-duplicate", "accept"]);
    admin.text(&["release", "create", "g/p", "v1"]);
    let (target, url) = (["g/p", "v1"], "https://e.com/a");
    admin.text(&[&["link", "create"], &target[..], &["a", url, "--path", "/bin/a"]].concat());
    admin.text(&["project", "update", "g/p", "--immutable-after", "1s"]);
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    let immutable = "error: release v1 of g/p is immutable: to change it, run `release-links project update \
                     g/p --immutable-after never` first";
    for command in [
        &["link", "create", "g/p", "v1", "b", "https://e.com/b"][..],
        &["link", "update", "g/p", "v1", "a", "--url", "https://e.com/b"],
        &["link", "delete", "g/p", "v1", "a"],
        &["release", "delete", "g/p", "v1", "--yes"],
    ] {
        assert_eq!(admin.error(command), immutable, "{command:?}");
    }
    let listed = admin.json(&["link", "list", "g/p", "v1"]);
    assert_eq!((listed.as_array().unwrap().len(), &listed[0]["url"]), (1, &json!(url)));
    admin.text(&["project", "update", "g/p", "--immutable-after", "never"]);
    admin.text(&["release", "delete", "g/p", "v1", "--yes"]);

    let create = ["token", "create", "--name", "ci", "--project", "g/p"];
    let token = admin.json(&[&create[..], &["--on-duplicate", "replace"]].concat());
    assert_eq!(token["on_duplicate"], "replace");
    let rotated = admin.json(&["token", "rotate", token["id"].as_str().unwrap()]);
    assert_eq!(rotated["on_duplicate"], "replace");
    assert_eq!(admin.json(&create)["on_duplicate"], Value::Null);
    let shown = admin.json(&["project", "show", "g/p"]);
    assert_eq!(shown["on_duplicate"], "accept");
}

#[tokio::test]
async fn project_create_can_be_repeated_with_exists_ok() {
    let test_app = TestApp::empty();
    let admin = admin(&test_app);
    let create = ["project", "create", "g/p", "--visibility", "public", "--exists-ok"];
    assert_eq!(admin.json(&create)["id"], 1);
    // A setting that is not given may have changed.
    let changed = admin.json(&["project", "update", "g/p", "--default-branch", "trunk"]);
    assert_eq!(admin.json(&create), changed);
    assert_eq!(
        admin.error(&["project", "create", "g/p"]),
        "error: a project already exists at g/p (number 1): to change it, run `release-links project update g/p`"
    );
    let other = ["--releases-access", "disabled", "--protected-tag", "v*:owner"];
    assert_eq!(
        admin.error(&[&create[..], &other].concat()),
        "error: project g/p (number 1) has other settings: releases access is enabled, not disabled; \
         protected tags is none, not v*:owner. To change them, run `release-links project update g/p`"
    );
    assert_eq!(
        admin.error(&[&create[..], &["--id", "7"]].concat()),
        "error: project g/p has the number 1, not 7; a number cannot be changed"
    );
    // The failed attempts used up no number.
    assert_eq!(admin.json(&["project", "create", "g/next"])["id"], 2);
    let said = admin.usage(&["project", "create", "app"]);
    assert!(said.contains(": expected NAMESPACE/PROJECT, for example mygroup/app\n"), "{said}");
}

#[tokio::test]
async fn deletions_ask_first_and_need_yes_in_scripts() {
    let test_app = TestApp::empty();
    let admin = admin(&test_app);
    admin.text(&["project", "create", "g/p"]);
    admin.text(&["release", "create", "g/p", "v1"]);
    admin.text(&["release", "create", "g/p", "v2"]);
    admin.text(&["link", "create", "g/p", "v1", "app", "https://e.com/app"]);
    admin.text(&["token", "create", "--name", "ci", "--project", "g/p"]);

    let project = ["project", "delete", "g/p"];
    let release = ["release", "delete", "g/p", "v1"];
    assert_eq!(
        admin.error(&project),
        "error: this deletes project 1 (g/p) with 2 releases: to confirm, add --yes"
    );
    assert_eq!(
        admin.error(&release),
        "error: this deletes release v1 of g/p with 1 link: to confirm, add --yes"
    );
    let question = "Delete project 1 (g/p) with 2 releases? 1 token loses its role in it. [y/N] ";
    for answer in ["n", "", "yep"] {
        let output = admin.on_a_terminal(&project, answer);
        let said = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains(question) && said.contains("error: nothing was deleted"), "{said}");
    }
    assert_eq!(admin.json(&["release", "list", "g/p"]).as_array().unwrap().len(), 2);

    let output = admin.on_a_terminal(&release, "y");
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}");
    assert!(said.contains("Delete release v1 of g/p with 1 link? [y/N] "), "{said}");
    admin.text(&[&project[..], &["--yes"]].concat());
    let listed = admin.text(&["token", "list"]);
    assert!(listed.contains("developer in deleted project 1 (g/p)"), "{listed}");
}

#[tokio::test]
async fn a_token_acts_as_a_bot_and_expires_in_ninety_days() {
    let test_app = TestApp::empty();
    let admin = admin(&test_app);
    admin.text(&["project", "create", "g/p"]);
    let create = ["token", "create", "--name", "My CI", "--project", "g/p"];
    let output = admin.run(&create);
    assert_eq!(output.stdout.len(), "glpat-".len() + 28 + 1);
    let listed = admin.json(&["token", "list"]);
    let (id, expires) =
        (listed[0]["id"].as_str().unwrap(), listed[0]["expires_at"].as_str().unwrap());
    assert_eq!(
        String::from_utf8(output.stderr).unwrap(),
        format!(
            "Created token {id} (My CI) for user project_1_bot_my-ci: scope api, developer in g/p, \
             expires {}. Save it now: it is not shown again.\n",
            &expires[..10]
        )
    );
    let created = admin.json(&["token", "create", "--name", "d", "--namespace", "G/sub.x"]);
    assert_eq!(created["user"], "group_g-sub-x_bot_d");
    let never = admin.json(&[&create[..], &["--expires-in", "never", "--user", "ann"]].concat());
    assert_eq!((&never["user"], &never["expires_at"]), (&json!("ann"), &Value::Null));

    let said = admin.usage(&["token", "create", "--name", "x"]);
    assert!(said.contains("<--project <PROJECT>|--namespace <NAMESPACE>>"), "{said}");
    let said = admin.usage(&[&create[..], &["--job", "--expires-in", "never"]].concat());
    assert!(said.starts_with("error: a job token must expire"), "{said}");
    assert_eq!(admin.json(&["release", "create", "g/p", "v1"])["author"], "operator");
}

#[tokio::test]
async fn a_rotated_token_has_a_new_secret_and_the_same_roles() {
    let test_app = TestApp::empty();
    let admin = admin(&test_app);
    admin.text(&["project", "create", "g/p"]);
    admin.text(&["release", "create", "g/p", "v1"]);
    let old = admin.text(&["token", "create", "--name", "ci", "--project", "g/p"]);
    let shown = admin.json(&["token", "show", &old]);
    let id = shown["id"].as_str().unwrap();
    assert_eq!(admin.json(&["token", "show", id]), shown);

    let rotated = admin.json(&["token", "rotate", id, "--expires-in", "1h"]);
    assert_eq!((&rotated["replaces"], &rotated["grants"]), (&shown["id"], &shown["grants"]));
    let status = async |secret: &str| {
        let api = test_app.anonymous().with("private-token", secret);
        api.get("/projects/1/releases/v1").await.status
    };
    assert_eq!(status(&old).await, 401);
    assert_eq!(status(rotated["token"].as_str().unwrap()).await, 200);
    assert_eq!(
        admin.error(&["token", "rotate", id]),
        format!("error: token {id} is revoked: create a new one with `release-links token create`")
    );

    let ids = |filter: &[&str]| {
        let listed = admin.json(&[&["token", "list"], filter].concat());
        listed.as_array().unwrap().iter().map(|token| token["id"].clone()).collect::<Vec<_>>()
    };
    let (old, new) = (shown["id"].clone(), rotated["id"].clone());
    assert_eq!(ids(&["--state", "revoked"]), std::slice::from_ref(&old));
    assert_eq!(ids(&["--state", "active", "--project", "g/p"]), std::slice::from_ref(&new));
    assert_eq!(ids(&["--expiring-within", "2h"]), std::slice::from_ref(&new));
    assert_eq!(ids(&["--user", "PROJECT_1_bot_ci"]), [old, new]);
    assert_eq!(ids(&["--state", "expired"]), [] as [Value; 0]);
}

#[tokio::test]
async fn links_are_created_changed_and_deleted_by_name_or_number() {
    let test_app = TestApp::empty();
    let admin = admin(&test_app);
    admin.text(&["project", "create", "g/p", "--visibility", "public"]);
    admin.text(&["release", "create", "g/p", "v1", "--description", "Two\nlines"]);
    let create = ["link", "create", "g/p", "v1"];
    let app = ["app", "https://e.com/app", "--path", "/bin/app", "--type", "package"];
    let link = admin.json(&[&create[..], &app].concat());
    let id = link["id"].as_u64().unwrap();
    assert_eq!(
        (&link["direct_asset_path"], &link["link_type"]),
        (&json!("/bin/app"), &json!("package"))
    );
    assert_eq!(
        admin.error(&[&create[..], &app].concat()),
        format!("error: release v1 of g/p already has this link, with the number {id}")
    );
    assert_eq!(
        admin.error(&[&create[..], &["app", "https://e.com/2", "--path", "/bin/app"]].concat()),
        format!(
            "error: release v1 of g/p already has a link with the name app (number {id}), a link with \
             the path /bin/app (number {id})"
        )
    );
    for (values, rule) in [
        (&["x", "javascript:x"][..], "the URL must start with http://, https:// or ftp://"),
        (&["", "https://e.com/2"], "the name is empty"),
        (&["x", "https://e.com/2", "--path", "bin"], "expected a path such as /bin/app"),
    ] {
        let said = admin.usage(&[&create[..], values].concat());
        assert!(said.contains(rule), "{said}");
    }

    let number = id.to_string();
    let update = ["link", "update", "g/p", "v1"];
    let moved = admin.json(&[&update[..], &["app", "--url", "https://e.com/moved"]].concat());
    assert_eq!(
        (&moved["link_type"], &moved["direct_asset_path"]),
        (&link["link_type"], &link["direct_asset_path"])
    );
    let api = test_app.anonymous();
    let download = api.get("/projects/1/releases/v1/downloads/bin/app").await;
    assert_eq!(download.header("location"), "https://e.com/moved");
    let renamed =
        [&update[..], &[&number, "--name", "tool", "--no-path", "--type", "other"]].concat();
    let renamed = admin.json(&renamed);
    assert_eq!((&renamed["name"], &renamed["direct_asset_path"]), (&json!("tool"), &Value::Null));
    assert_eq!(admin.json(&["link", "list", "g/p", "v1"]), json!([renamed]));
    let release = admin.json(&["release", "show", "g/p", "v1"]);
    assert_eq!((&release["link_count"], &release["links"]), (&json!(1), &json!([renamed])));
    let shown = admin.text(&["release", "show", "g/p", "v1"]);
    assert!(shown.ends_with("https://e.com/moved\n\nTwo\nlines"), "{shown}");

    let said = admin.usage(&[&update[..], &["tool"]].concat());
    assert_eq!(said, "error: name a value to change, for example --url URL\n");
    assert_eq!(
        admin.error(&["link", "delete", "g/p", "v1", "app"]),
        "error: release v1 of g/p has no link app: to see its links, run `release-links link list g/p v1`"
    );
    assert_eq!(
        admin.text(&["link", "delete", "g/p", "v1", "tool"]),
        format!("Deleted link {id} (tool) of release v1 of g/p.")
    );
    assert_eq!(admin.json(&["link", "list", "g/p", "v1"]), json!([]));
    test_app.assert_sound().await;
}

#[tokio::test]
async fn a_link_keeps_digest_and_size_until_its_url_changes() {
    let test_app = TestApp::empty();
    let admin = admin(&test_app);
    admin.text(&["project", "create", "g/p"]);
    admin.text(&["release", "create", "g/p", "v1"]);
    let digest = format!("sha256:{}", "0a".repeat(32));
    let create = ["link", "create", "g/p", "v1", "app", "https://e.com/app"];
    let upper = format!("sha256:{}", "0A".repeat(32));
    let with = ["--digest", &upper, "--size", "1234567"];
    let known = |link: &Value| (link["digest"].clone(), link["size"].clone());
    let link = admin.json(&[&create[..], &with].concat());
    assert_eq!(known(&link), (json!(digest), json!(1_234_567)));
    assert_eq!(
        admin.text(&["link", "list", "g/p", "v1"]).lines().map(str::trim_end).collect::<Vec<_>>(),
        ["ID  NAME  TYPE   SIZE    PATH  URL", "1   app   other  1.2 MB        https://e.com/app",]
    );

    let update = ["link", "update", "g/p", "v1", "app"];
    let change = |values: &[&str]| admin.json(&[&update[..], values].concat());
    assert_eq!(known(&change(&["--type", "image"])), (json!(digest), json!(1_234_567)));
    assert_eq!(known(&change(&["--url", "https://e.com/app"])), (json!(digest), json!(1_234_567)));
    // Another size is of another file.
    assert_eq!(known(&change(&["--size", "5"])), (Value::Null, json!(5)));
    let other = format!("sha256:{}", "1".repeat(64));
    let details = admin.text(&[&update[..], &["--digest", &other]].concat());
    for line in [format!("Digest: {other}"), "Size: 5 bytes".to_owned()] {
        let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(details.lines().any(|shown| words(shown) == line), "{line}: {details}");
    }
    assert_eq!(known(&change(&["--url", "https://e.com/2"])), (Value::Null, Value::Null));
    let both = change(&["--url", "https://e.com/3", "--digest", &digest, "--size", "0"]);
    assert_eq!(known(&both), (json!(digest), json!(0)));
    assert_eq!(admin.json(&["link", "list", "g/p", "v1"]), json!([both]));

    for (values, rule) in [
        (["--digest", "0a"], "expected sha256: and 64 hexadecimal digits"),
        (["--size", "1MB"], "expected a number of bytes between 0 and 9007199254740991, in digits"),
        (["--size", "9007199254740992"], "expected a number of bytes between 0 and"),
    ] {
        for command in [&create[..], &update] {
            let said = admin.usage(&[command, &values].concat());
            assert!(said.contains(rule), "{said}");
        }
    }
    test_app.assert_sound().await;
}

/// The requests and read units of commands that list, with so many tokens in the directory.
#[tokio::test(flavor = "multi_thread")]
async fn a_listing_costs_what_it_lists() {
    let test_app = TestApp::empty();
    test_app.project(project(1, "g/p")).await;
    let token = || NewToken { grants: vec![grant(1, AccessLevel::Developer)], ..token() };
    let secret = test_app.token(token()).await;
    let hash = secret.hash();
    let id = &hash.as_str()[..12];
    let proxy = Proxy::start(&test_app.server.dynamodb_url).await;
    let admin = admin_behind(&proxy);
    let costs = || {
        let commands = [
            &["project", "list"][..],
            &["token", "show", id],
            &["token", "show", secret.reveal()],
            &["token", "revoke", "000000000000"],
        ];
        commands.map(|command| {
            admin.run(command);
            let seen = proxy.take_seen();
            assert!(seen.iter().all(|seen| seen.operation != "Scan"), "{command:?}");
            (seen.len(), seen.iter().map(|seen| seen.read_units).sum::<f64>())
        })
    };
    let with_one = costs();
    println!("requests and read units of each command: {with_one:?}");
    for _ in 0..2_000 {
        test_app.token(token()).await;
    }
    assert_eq!(costs(), with_one);
}
