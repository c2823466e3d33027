//! Tools that read releases: they install from them, or look for new versions.

use std::convert::Infallible;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;

use super::{Expected, install, node, python};
use harness::tls::Tls;

const RELEASES: &str = "/projects/mynamespace%2Fhello/releases";
const SHA: &str = "6104942438c14ec7bd21c6cd5bd995272b3faff6";

/// An archive for this machine with a program in it, served on a port of its own.
struct Files {
    name: String,
    url: String,
}

impl Files {
    /// Serves the archive for whatever path is asked for. The program prints `words`.
    async fn start(folder: &Path, words: &str) -> Self {
        let (program, archive) = (folder.join("tool"), folder.join("tool.tar.gz"));
        fs::write(&program, format!("#!/bin/sh\necho {words}\n")).unwrap();
        install::run(Command::new("chmod").arg("+x").arg(&program));
        install::run(
            Command::new("tar").arg("-C").arg(folder).arg("-czf").arg(&archive).arg("tool"),
        );
        let archive = Bytes::from(fs::read(archive).unwrap());

        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let archive = archive.clone();
                let answer = move |_: Request<_>| {
                    let body = Full::new(archive.clone());
                    std::future::ready(Ok::<_, Infallible>(Response::new(body)))
                };
                let http = hyper::server::conn::http1::Builder::new();
                tokio::spawn(http.serve_connection(TokioIo::new(stream), service_fn(answer)));
            }
        });
        let name = format!("tool-{}-{}.tar.gz", std::env::consts::OS, std::env::consts::ARCH);
        let url = format!("http://{address}/{name}");
        Self { name, url }
    }
}

/// Makes a release with the archive as its one file.
async fn publish(expected: &Expected, tag: &str, files: &Files) {
    let body = json!({
        "tag_name": tag,
        "ref": SHA,
        // Tools hold back what has only just been released.
        "released_at": "2020-01-01T00:00:00Z",
        "assets": {
            "links": [{ "name": files.name, "url": files.url, "direct_asset_path": "/bin/tool" }],
        },
    });
    let made = expected.api().post(RELEASES, &body.to_string()).await;
    assert_eq!(made.status, 201, "{made:?}");
}

/// mise, as npm has it for Linux on x86-64.
fn mise(packages: &Path) -> PathBuf {
    packages.join("node_modules/@jdxcode/mise-linux-x64/bin/mise")
}

// The files are served while the tool is waited for.
#[cfg_attr(not(clients), ignore = "needs RELEASE_LINKS_TEST_CLIENTS=1")]
#[tokio::test(flavor = "multi_thread")]
async fn mise_lists_and_installs_private_releases() {
    let packages = node::folder();
    let mise = mise(&packages);
    let home = TempDir::new().unwrap();
    let files = Files::start(home.path(), "works").await;
    let expected = Expected::start(&[]).await;
    for tag in ["v1.2.0", "v1.10.0", "v1.9.1"] {
        publish(&expected, tag, &files).await;
    }

    let tool = format!("gitlab:mynamespace/hello[api_url={}/api/v4]", expected.url());
    let run = |token: Option<&str>, arguments: &[&str]| {
        let mut command = Command::new(&mise);
        command
            .args(arguments)
            .current_dir(home.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", home.path())
            .env("MISE_YES", "1")
            .env("MISE_MINIMUM_RELEASE_AGE", "0s");
        if let Some(token) = token {
            command.env("MISE_GITLAB_ENTERPRISE_TOKEN", token);
        }
        command
    };
    let token = Some(expected.token.as_str());
    let listed = install::run(&mut run(token, &["ls-remote", &tool]));
    let versions = String::from_utf8_lossy(&listed.stdout);
    let mut versions: Vec<&str> = versions.lines().collect();
    versions.sort_unstable();
    assert_eq!(versions, ["1.10.0", "1.2.0", "1.9.1"], "{listed:?}");

    let exact = format!("{tool}@1.10.0");
    // Without the token there is no such project.
    let stranger = run(None, &["exec", &exact, "--", "tool"]).output().unwrap();
    assert!(!stranger.status.success(), "{stranger:?}");
    let output = install::run(&mut run(token, &["exec", &exact, "--", "tool"]));
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "works\n");
    expected.app.assert_sound().await;
}

/// A server behind TLS, which these tools insist on, with two versions of which the older was
/// published last.
async fn versions(folder: &Path) -> (Expected, Tls, Files) {
    let files = Files::start(folder, "works").await;
    let expected = Expected::start(&[]).await;
    for tag in ["v1.10.0", "v1.9.1"] {
        publish(&expected, tag, &files).await;
    }
    let tls = Tls::start(expected.app.server.address.clone()).await;
    (expected, tls, files)
}

#[cfg_attr(not(clients), ignore = "needs RELEASE_LINKS_TEST_CLIENTS=1")]
#[tokio::test(flavor = "multi_thread")]
async fn nvchecker_finds_the_newest_tag() {
    let programs = python::programs();
    let folder = TempDir::new().unwrap();
    let (expected, tls, _files) = versions(folder.path()).await;
    let (configuration, found) =
        (folder.path().join("nvchecker.toml"), folder.path().join("new.json"));
    let text = format!(
        "[__config__]\noldver = \"{0}.old\"\nnewver = \"{0}\"\n\
         [tool]\nsource = \"gitlab\"\nhost = \"{1}\"\ngitlab = \"mynamespace/hello\"\n\
         use_max_tag = true\ntoken = \"{2}\"\nverify_cert = false\n",
        found.display(),
        tls.address,
        expected.token
    );
    fs::write(&configuration, text).unwrap();
    install::run(
        Command::new(programs.join("nvchecker"))
            .arg("--failures")
            .arg("--file")
            .arg(&configuration),
    );
    let found: Value = serde_json::from_str(&super::read(&found)).unwrap();
    let tool = &found["data"]["tool"];
    assert_eq!((&tool["version"], &tool["revision"]), (&json!("v1.10.0"), &json!(SHA)), "{found}");
    assert_eq!(tool["gitref"], "refs/tags/v1.10.0");
}

#[cfg_attr(not(clients), ignore = "needs RELEASE_LINKS_TEST_CLIENTS=1")]
#[tokio::test(flavor = "multi_thread")]
async fn lastversion_finds_the_latest_version_and_its_file() {
    let programs = python::programs();
    let folder = TempDir::new().unwrap();
    let (expected, tls, files) = versions(folder.path()).await;
    let certificate = folder.path().join("certificate.pem");
    fs::write(&certificate, &tls.certificate).unwrap();
    let output = install::run(
        Command::new(programs.join("python"))
            .arg(super::file("latest.py"))
            .env("HOST", &tls.address)
            .env("GITLAB_PA_TOKEN", &expected.token)
            .env("REQUESTS_CA_BUNDLE", &certificate)
            .env("HOME", folder.path())
            .env("XDG_CACHE_HOME", folder.path())
            .env("PYTHONDONTWRITEBYTECODE", "1"),
    );
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        found,
        json!({ "version": "1.10.0", "tag": "v1.10.0", "commit": SHA, "assets": [files.url] })
    );
}
