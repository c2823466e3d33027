//! Unmodified clients that publish the same release several times, on a project that replaces
//! duplicates.

use std::process::Command;

use serde_json::{Value, json};
use shared::domain::policies::OnDuplicate;

use super::repository::Repository;
use super::{Expected, file, install, node, program, python};

const RELEASES: &str = "/projects/mynamespace%2Fhello/releases";
const TAG: &str = "v1.0.0";

async fn replacing() -> Expected {
    let expected = Expected::start(&[]).await;
    let replace = OnDuplicate::Replace;
    expected.app.change_project(20, |project| project.policies.on_duplicate = replace).await;
    expected
}

/// The links of the release, each by name, URL and type, the oldest first.
async fn links(expected: &Expected) -> Vec<[String; 3]> {
    let shown = expected.api().get(&format!("{RELEASES}/{TAG}")).await.json();
    let mut links: Vec<_> = shown["assets"]["links"]
        .as_array()
        .unwrap_or_else(|| panic!("{shown}"))
        .iter()
        .map(|link| ["name", "url", "link_type"].map(|key| link[key].as_str().unwrap().to_owned()))
        .collect();
    links.reverse();
    links
}

fn link(name: &str, url: &str) -> [String; 3] {
    [name, url, "package"].map(str::to_owned)
}

/// The URL of the file in each run.
fn urls() -> [String; 3] {
    ["1", "2", "2"].map(|run| format!("https://e.com/{run}/app"))
}

#[cfg_attr(not(clients), ignore = "needs RELEASE_LINKS_TEST_CLIENTS=1")]
#[tokio::test]
async fn python_gitlab_and_gitbeaker_publish_again() {
    let (python, folder) = (python::programs().join("python"), node::folder());
    for program in [
        (python.to_str().unwrap(), file("again.py"), "private_token"),
        ("node", program(&folder, "again.mjs"), "token"),
    ] {
        let expected = replacing().await;
        for url in urls() {
            install::run(
                Command::new(program.0)
                    .arg(&program.1)
                    .args([&expected.url(), program.2, &expected.token, TAG, &url])
                    .env("PYTHONDONTWRITEBYTECODE", "1"),
            );
            let both = [link("app", &url), link("more", &format!("{url}.more"))];
            assert_eq!(links(&expected).await, both, "{program:?}");
        }
        expected.app.assert_sound().await;
    }
}

#[cfg_attr(not(clients), ignore = "needs RELEASE_LINKS_TEST_CLIENTS=1")]
#[tokio::test]
async fn semantic_release_and_release_it_publish_the_same_version_again() {
    let folder = node::folder();
    let module = |path: &str| folder.join("node_modules").join(path);
    let expected = replacing().await;
    let remote_url = format!("{}/mynamespace/hello.git", expected.url());
    let repository = Repository::start(&remote_url);
    for (run, url) in urls().iter().enumerate() {
        if run > 0 {
            repository.git(&["push", "--quiet", "--delete", "origin", TAG]);
            repository.git(&["tag", "--delete", TAG]);
        }
        let asset =
            json!({ "url": url, "label": "app", "type": "package", "filepath": "/bin/app" });
        let plugin = json!({ "gitlabUrl": expected.url(), "assets": [asset] });
        let analyzer = "@semantic-release/commit-analyzer";
        let plugins = json!([analyzer, ["@semantic-release/gitlab", plugin]]);
        let text = json!({ "branches": ["main"], "plugins": plugins, "run": run }).to_string();
        repository.commit(".releaserc.json", &text, "feat: größer");
        let mut command = repository.command("node");
        command.arg(module("semantic-release/bin/semantic-release.js")).arg("--no-ci");
        install::run(command.env("GITLAB_TOKEN", &expected.token));
        assert_eq!(links(&expected).await, [link("app", url)]);
    }

    for run in ["One", "Two", "Two"] {
        repository.git(&["push", "--quiet", "--delete", "origin", TAG]);
        repository.git(&["tag", "--delete", TAG]);
        let configuration: Value = json!({
            "git": { "pushRepo": remote_url, "requireUpstream": false, "tagName": "v${version}",
                "requireCommits": false, "commit": false },
            "gitlab": { "release": true, "origin": expected.url(), "releaseName": run },
            "npm": false,
        });
        let text = configuration.to_string();
        std::fs::write(repository.working_copy().join(".release-it.json"), text).unwrap();
        repository.git(&["add", ".release-it.json"]);
        repository.git(&["commit", "--quiet", "--allow-empty", "--message", "fix: again"]);
        let mut command = repository.command("node");
        command.arg(module("release-it/bin/release-it.js"));
        command.args(["--ci", "--increment", "1.0.0"]).env("GITLAB_TOKEN", &expected.token);
        install::run(&mut command);
        let shown = expected.api().get(&format!("{RELEASES}/{TAG}")).await.json();
        assert_eq!(shown["name"], run);
    }
    // A name that is sent, and links that are not.
    assert_eq!(links(&expected).await, [link("app", &urls()[2])]);
    expected.app.assert_sound().await;
}

/// The requests that glab and goreleaser send for each link. glab encodes the dots of a tag, and
/// writes `&` as `\u0026`. goreleaser makes the path from the name.
#[tokio::test]
async fn the_requests_of_glab_and_goreleaser_succeed_again() {
    let expected = replacing().await;
    for (agent, tag, name, path) in [
        ("glab/v1.80.0", "v1%2E0%2E0", "app ü", "/bin/app"),
        ("goreleaser/2.12", TAG, "app_linux_amd64.tar.gz", "/app_linux_amd64.tar.gz"),
    ] {
        let api = expected.api().with("accept", "application/json").with("user-agent", agent);
        let body = json!({ "name": TAG, "tag_name": TAG, "description": "Notes", "ref": "main" });
        for url in urls() {
            let url = format!("{url}?a=1&b={}", name.len());
            let made = api.post(RELEASES, &body.to_string()).await;
            assert_eq!(made.status, 201, "{made:?}");
            let asset = json!({ "name": name, "url": url, "direct_asset_path": path,
                "link_type": "package" });
            let asset = asset.to_string().replace('&', r"\u0026");
            let links_of = format!("{RELEASES}/{tag}/assets/links");
            let made = api.post(&links_of, &asset).await;
            assert_eq!(made.status, 201, "{made:?}");
            assert_eq!(links(&expected).await.last(), Some(&link(name, &url)));
        }
    }
    assert_eq!(links(&expected).await.len(), 2);
    expected.app.assert_sound().await;
}
