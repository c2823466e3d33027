//! The local server itself: its first start, its flags, its end.

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::Value;

use harness::proxy::Proxy;
use harness::test_app::{LINKS, TestApp};
use harness::{Fault, Gate, Server, binaries, connection};

/// Starts a server that keeps its data in a folder.
fn start_in(data: &Path) -> Server {
    Server::start_with(&["--dynamodb-listen", "127.0.0.1:0", "--data-dir", data.to_str().unwrap()])
}

/// The commands that a first start prints, ready to be pasted.
fn sample_commands(server: &Server) -> Vec<String> {
    let printed = server.printed("permalink");
    let is_command = |line: &&str| line.starts_with("export ") || line.starts_with("curl ");
    printed.lines().map(str::trim).filter(is_command).map(str::to_owned).collect()
}

fn paste(commands: &[String]) -> Vec<String> {
    let script: Vec<_> = commands
        .iter()
        .map(|line| match line.strip_prefix("curl ") {
            Some(rest) => format!("curl --silent --fail-with-body {rest}; echo; echo ---"),
            None => line.clone(),
        })
        .collect();
    let pasted = Command::new("sh").args(["-ec", &script.join("\n")]).output().unwrap();
    assert!(pasted.status.success(), "{pasted:?}");
    let text = String::from_utf8(pasted.stdout).unwrap();
    text.split("\n---\n").filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

#[cfg_attr(not(clients), ignore = "needs RELEASE_LINKS_TEST_CLIENTS=1")]
#[test]
fn the_samples_commands_work_when_pasted_twice_and_end_with_a_read() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("new/data");
    let server = start_in(&data);
    let commands = sample_commands(&server);
    assert_eq!(commands.len(), 5, "{commands:?}");
    assert!(!commands.last().unwrap().contains("--request"), "{commands:?}");

    let first = paste(&commands);
    let release = |answer: &str| serde_json::from_str::<Value>(answer).unwrap();
    assert_eq!(release(&first[0])["name"], "Hello 1.0.0");
    assert_eq!(release(&first[0])["assets"]["links"].as_array().unwrap().len(), 2);
    assert_eq!(first[1], "#!/bin/sh\necho 'Hello from release-links'\n");
    assert_eq!(release(&first[3])["name"], "Hello, world");
    assert_eq!(paste(&commands)[1..], first[1..]);
    drop(server);

    // A later start keeps the data, prints no token, and its files are found at its own port.
    let server = start_in(&data);
    let printed = server.printed("Reset:");
    assert!(!printed.contains("glpat-") && printed.contains("(1 project)"), "{printed}");
    let page = format!("http://{}/demo/hello/-/releases/v1.0.0/downloads", server.address);
    assert_eq!(paste(&[format!("curl --location {page}/bin/hello")]), first[1..2]);
    let text = &paste(&[format!("curl --location {page}/README.txt")])[0];
    assert!(text.starts_with("This file belongs to the sample release"), "{text}");
}

#[cfg_attr(not(clients), ignore = "needs RELEASE_LINKS_TEST_CLIENTS=1")]
#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_first_start_is_completed_by_the_next() {
    // Cut off before and after each of the writes that create the release with its links.
    for (write, happens) in [(1, false), (1, true), (2, false), (2, true)] {
        let app = TestApp::empty();
        let proxy = Proxy::start(&app.server.dynamodb_url).await;
        let gate = Gate::new();
        let (held, writes) = (gate.clone(), AtomicU64::new(0));
        proxy.decide(move |operation, body| {
            let is_of_release = operation.contains("Write") && body.to_string().contains("v1.0.0");
            if !is_of_release || writes.fetch_add(1, Ordering::Relaxed) + 1 != write {
                Fault::Pass
            } else if happens {
                Fault::HoldAnswer(held.clone())
            } else {
                Fault::Hold(held.clone())
            }
        });
        let mut start = Command::new(binaries::release_links())
            .args(["serve", "--listen", "127.0.0.1:0", "--endpoint-url", &proxy.url])
            .envs(connection::variables(&proxy.url))
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        gate.reached().await;
        start.kill().unwrap();
        start.wait().unwrap();

        let case = format!("write {write}, {happens}");
        let next = Server::start_with(&["--endpoint-url", &app.server.dynamodb_url]);
        let answers = paste(&sample_commands(&next));
        let release: Value = serde_json::from_str(&answers[0]).unwrap();
        let links = release["assets"]["links"].as_array().unwrap();
        let names: Vec<_> = links.iter().map(|link| link["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["README.txt", "hello.sh"], "{case}");
        // The interrupted start had another port.
        assert!(answers[1].contains("Hello from release-links"), "{case}");
        app.assert_sound().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn acknowledged_writes_survive_a_crash() {
    let folder = tempfile::tempdir().unwrap();
    let flags = [
        "--no-sample",
        "--dynamodb-listen",
        "127.0.0.1:0",
        "--data-dir",
        folder.path().to_str().unwrap(),
    ];
    let mut app = TestApp::over(Server::start_with(&flags));
    let api = app.populate().await;
    let mut answered: Vec<String> = Vec::new();
    for life in 0..3 {
        let api = api.at(&app.server.address);
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
                    let body = format!(
                        r#"{{"name":"worker {worker}","url":"https://e.com/{name}/again","on_duplicate":"replace"}}"#
                    );
                    assert_eq!(api.post(LINKS, &body).await.status, 201);
                    sender.send(name).unwrap();
                }
            });
        }
        drop(sender);
        tokio::time::sleep(Duration::from_millis(700)).await;
        app.server.kill();
        while let Some(name) = made.recv().await {
            answered.push(name);
        }
        app = TestApp::over(Server::start_with(&flags));
        app.assert_sound().await;
    }
    let api = api.at(&app.server.address);
    let (mut names, mut urls) = (Vec::new(), Vec::new());
    for page in 1.. {
        let rows = api.get(&format!("{LINKS}?per_page=100&page={page}")).await;
        if rows.names().is_empty() {
            break;
        }
        names.extend(rows.names());
        for row in rows.json().as_array().unwrap() {
            urls.push(row["url"].as_str().unwrap().to_owned());
        }
    }
    assert!(answered.len() > 20, "{}", answered.len());
    for name in &answered {
        assert!(names.contains(name), "{name} was answered and is not there");
    }
    // A replaced link has the values of the last answer, or of the request after it.
    for worker in 0..4 {
        let prefix = format!("2-{worker}-");
        let numbers = answered.iter().filter_map(|name| name.strip_prefix(&prefix)?.parse().ok());
        let last: u32 = numbers.max().unwrap();
        let is_there = |n: u32| urls.contains(&format!("https://e.com/{prefix}{n}/again"));
        assert!(is_there(last) || is_there(last + 1), "{prefix}{last}: {urls:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_finishes_the_requests_in_flight() {
    let (mut app, api) = TestApp::hello().await;
    let body = |n: usize| format!(r#"{{"name":"{n}","url":"https://e.com/{n}"}}"#);
    let mut tasks = tokio::task::JoinSet::new();
    let barrier = std::sync::Arc::new(tokio::sync::Barrier::new(9));
    for n in 0..8 {
        let (api, barrier) = (api.clone(), std::sync::Arc::clone(&barrier));
        tasks.spawn(async move { api.post_when(LINKS, &body(n), barrier.wait()).await.status });
    }
    barrier.wait().await;
    let stopped = tokio::task::spawn_blocking(move || app.server.terminate()).await.unwrap();
    assert!(stopped.success());
    assert_eq!(tasks.join_all().await, [201; 8]);
}

#[test]
fn an_address_in_use_is_said_with_the_way_out() {
    let server = Server::start();
    let output = Command::new(binaries::release_links())
        .args([
            "serve",
            "--listen",
            &server.address,
            "--ephemeral",
            "--dynamodb-listen",
            "127.0.0.1:0",
        ])
        .output()
        .unwrap();
    assert!(!output.status.success());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains(&server.address) && said.contains("--listen"), "{said}");
}

#[test]
fn conflicting_or_invalid_flags_are_refused() {
    for flags in [
        ["--ephemeral", "--data-dir", "x"],
        ["--ephemeral", "--public-url", "ftp://x"],
        ["--ephemeral", "--listen", "3000"],
        ["--ephemeral", "--dynamodb-listen", "0.0.0.0:0"],
    ] {
        let output =
            Command::new(binaries::release_links()).arg("serve").args(flags).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{flags:?}");
    }
}

#[tokio::test]
async fn the_embedded_database_speaks_dynamodb_to_others() {
    let (app, api) = TestApp::hello().await;
    api.post(LINKS, r#"{"name":"a","url":"https://e.com"}"#).await;
    let output = Command::new(binaries::release_links())
        .arg("--connection")
        .arg(app.server.connection_file.as_ref().unwrap())
        .args(["--output", "json", "audit"])
        .output()
        .unwrap();
    let audit: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((audit["links"].as_u64(), audit["claims"].as_u64()), (Some(1), Some(2)));
}
