//! The local server itself: its first start, its flags, its end.

use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::Value;

use harness::proxy::Proxy;
use harness::world::{LINKS, World};
use harness::{Fault, Gate, Server, binaries, connection};

#[test]
fn the_examples_of_the_documentation_work_when_pasted() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("new/data");
    let start = || {
        Server::start_with(&[
            "--dynamodb-listen",
            "127.0.0.1:0",
            "--data-dir",
            data.to_str().unwrap(),
        ])
    };
    let server = start();
    let printed = server.printed("--request DELETE");
    let lines: Vec<&str> = printed.lines().filter(|line| line.starts_with("curl ")).collect();
    assert_eq!(lines.len(), 5, "{printed}");
    let downloads =
        format!("http://{}/mynamespace/hello/-/releases/v1.7.0/downloads", server.address);
    let asset = "https://gitlab.example.com/mynamespace/hello/-/jobs/688/artifacts/raw/bin/hello-darwin-amd64";
    let msi = r#"{"id":2,"name":"awesome-v0.2.msi","url":"http://192.168.10.15:3000/msi","direct_asset_url":"http://192.168.10.15:3000/msi","external":true,"link_type":"other"}"#;
    let dmg = |name: &str, link_type: &str| {
        format!(
            r#"{{"id":1,"name":"{name}","url":"http://192.168.10.15:3000","direct_asset_url":"http://192.168.10.15:3000","external":true,"link_type":"{link_type}"}}"#
        )
    };
    let first = dmg("awesome-v0.2.dmg", "other");
    let changed = dmg("new name", "runbook");
    let expected = [
        format!("[{msi},{first}]"),
        first,
        format!(
            r#"{{"id":3,"name":"hellodarwin-amd64","url":"{asset}","direct_asset_url":"{downloads}/bin/hellodarwin-amd64","external":true,"link_type":"other"}}"#
        ),
        changed.clone(),
        changed,
    ];
    for (line, expected) in lines.iter().zip(expected) {
        let pasted = Command::new("sh").args(["-c", &format!("{line} --silent")]).output().unwrap();
        assert_eq!(String::from_utf8(pasted.stdout).unwrap(), expected, "{line}");
    }

    // The data is there at the next start, which makes no second token and prints none.
    drop(server);
    let server = start();
    let again = lines[0].replace(&address_in(lines[0]), &server.address);
    let pasted = Command::new("sh").args(["-c", &format!("{again} --silent")]).output().unwrap();
    assert_eq!(String::from_utf8(pasted.stdout).unwrap(), format!("[{msi}]"));
    assert!(!server.output().contains("glpat-"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_was_cut_off_is_made_up_for_by_the_next_one() {
    // Cut off before and after each of the writes that make the release with links.
    for (write, happens) in [(1, false), (1, true), (2, false), (2, true)] {
        let world = World::empty();
        let proxy = Proxy::start(&world.server.dynamodb_url).await;
        let gate = Gate::new();
        let (held, writes) = (gate.clone(), AtomicU64::new(0));
        proxy.decide(move |operation, body| {
            let is_of_release = operation.contains("Write") && body.to_string().contains("v0.1");
            if !is_of_release || writes.fetch_add(1, Ordering::Relaxed) + 1 != write {
                Fault::Pass
            } else if happens {
                Fault::HoldAnswer(held.clone())
            } else {
                Fault::Hold(held.clone())
            }
        });
        let mut start = Command::new(binaries::local())
            .args(["--listen", "127.0.0.1:0", "--endpoint-url", &proxy.url])
            .envs(connection::variables(&proxy.url))
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        gate.reached().await;
        start.kill().unwrap();
        start.wait().unwrap();

        let case = format!("write {write}, {happens}");
        let next = Server::start_with(&["--endpoint-url", &world.server.dynamodb_url]);
        let printed = next.printed("--request DELETE");
        let lines: Vec<&str> = printed.lines().filter(|line| line.starts_with("curl ")).collect();
        let pasted = |line: &str| {
            let line = format!("{line} --silent");
            let output = Command::new("sh").args(["-c", &line]).output().unwrap();
            serde_json::from_slice::<Value>(&output.stdout).unwrap()
        };
        let listed = pasted(lines[0]);
        let names: Vec<_> =
            listed.as_array().unwrap().iter().map(|link| link["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["awesome-v0.2.msi", "awesome-v0.2.dmg"], "{case}");
        assert_eq!(pasted(lines[1]), listed[1], "{case}");
        assert_eq!(pasted(lines[4])["name"], "awesome-v0.2.dmg", "{case}");
        world.assert_sound().await;
    }
}

fn address_in(line: &str) -> String {
    line.split("http://").nth(1).and_then(|rest| rest.split('/').next()).unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_is_there_after_a_crash() {
    let folder = tempfile::tempdir().unwrap();
    let flags = [
        "--no-demo",
        "--dynamodb-listen",
        "127.0.0.1:0",
        "--data-dir",
        folder.path().to_str().unwrap(),
    ];
    let mut world = World::over(Server::start_with(&flags));
    let api = world.populate().await;
    let mut answered: Vec<String> = Vec::new();
    for life in 0..3 {
        let api = api.at(&world.server.address);
        let (sender, mut made) = tokio::sync::mpsc::unbounded_channel();
        for worker in 0..4 {
            let (api, sender) = (api.clone(), sender.clone());
            tokio::spawn(async move {
                for n in 0.. {
                    let name = format!("{life}-{worker}-{n}");
                    let body = format!(
                        r#"{{"name":"{name}","url":"https://e.com/{name}","filepath":"/bin/{name}"}}"#
                    );
                    // Ends, as its task does, when the server is gone.
                    assert_eq!(api.post(LINKS, &body).await.status, 201);
                    sender.send(name).unwrap();
                }
            });
        }
        drop(sender);
        tokio::time::sleep(Duration::from_millis(700)).await;
        world.server.kill();
        while let Some(name) = made.recv().await {
            answered.push(name);
        }
        world = World::over(Server::start_with(&flags));
        world.assert_sound().await;
    }
    let api = api.at(&world.server.address);
    let mut names = Vec::new();
    for page in 1.. {
        let rows = api.get(&format!("{LINKS}?per_page=100&page={page}")).await.names();
        if rows.is_empty() {
            break;
        }
        names.extend(rows);
    }
    assert!(answered.len() > 20, "{}", answered.len());
    for name in answered {
        assert!(names.contains(&name), "{name} was answered and is not there");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_finishes_the_requests_in_flight() {
    let (mut world, api) = World::hello().await;
    let body = |n: usize| format!(r#"{{"name":"{n}","url":"https://e.com/{n}"}}"#);
    let mut tasks = tokio::task::JoinSet::new();
    let barrier = std::sync::Arc::new(tokio::sync::Barrier::new(9));
    for n in 0..8 {
        let (api, barrier) = (api.clone(), std::sync::Arc::clone(&barrier));
        tasks.spawn(async move { api.post_when(LINKS, &body(n), barrier.wait()).await.status });
    }
    barrier.wait().await;
    let stopped = tokio::task::spawn_blocking(move || world.server.terminate()).await.unwrap();
    assert!(stopped.success());
    assert_eq!(tasks.join_all().await, [201; 8]);
}

#[test]
fn an_address_in_use_is_said_with_the_way_out() {
    let server = Server::start();
    let output = Command::new(binaries::local())
        .args(["--listen", &server.address, "--ephemeral", "--dynamodb-listen", "127.0.0.1:0"])
        .output()
        .unwrap();
    assert!(!output.status.success());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains(&server.address) && said.contains("--listen"), "{said}");
}

#[test]
fn flags_that_contradict_each_other_are_refused() {
    for flags in [
        ["--ephemeral", "--data-dir", "x"],
        ["--ephemeral", "--public-url", "ftp://x"],
        ["--ephemeral", "--listen", "3000"],
        ["--ephemeral", "--dynamodb-listen", "0.0.0.0:0"],
    ] {
        let output = Command::new(binaries::local()).args(flags).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{flags:?}");
    }
}

#[tokio::test]
async fn the_embedded_database_speaks_dynamodb_to_others() {
    let (world, api) = World::hello().await;
    api.post(LINKS, r#"{"name":"a","url":"https://e.com"}"#).await;
    let output = Command::new(binaries::admin())
        .arg("--connection")
        .arg(world.server.connection_file.as_ref().unwrap())
        .args(["--output", "json", "audit"])
        .output()
        .unwrap();
    let audit: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((audit["links"].as_u64(), audit["claims"].as_u64()), (Some(1), Some(2)));
}
