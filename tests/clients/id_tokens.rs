//! Unmodified clients that publish with the ID token of their job.

use std::process::Command;

use serde_json::json;

use super::repository::Repository;
use super::{Expected, file, install, node, program, python};
use crate::id_tokens::{KID, with_publisher};
use harness::issuer::{GITLAB, Key, gitlab_claims};

/// A server that takes the jobs of a GitLab for publishers, and the ID token of one.
async fn publishing() -> (Expected, String) {
    let expected = Expected::start(&[]).await;
    let key = Key::rsa(0);
    with_publisher(&expected.app, &key).await;
    (expected, key.token_of(KID, &gitlab_claims()))
}

/// Fails unless the job has published the release of this tag, and so many links of it.
async fn assert_published(expected: &Expected, tag: &str, links: usize) {
    let path = format!("/projects/mynamespace%2Fhello/releases/{tag}");
    let release = expected.api().get(&path).await.json();
    let shown = release["assets"]["links"].as_array().unwrap_or_else(|| panic!("{release}"));
    assert_eq!(shown.len(), links, "{release}");
    for one in shown.iter().chain([&release]) {
        let job = &one["published_by"];
        assert_eq!((&job["issuer"], &job["job_id"]), (&json!(GITLAB), &json!("302")), "{one}");
    }
    assert_eq!(release["author"]["username"], "sam");
}

#[cfg_attr(not(clients), ignore = "needs RELEASE_LINKS_TEST_CLIENTS=1")]
#[tokio::test]
async fn python_gitlab_and_gitbeaker_publish_with_an_id_token_in_each_place() {
    let (python, folder) = (python::programs().join("python"), node::folder());
    let (expected, id_token) = publishing().await;
    let gitbeaker = program(&folder, "again.mjs");
    for (command, program, kind) in [
        (python.to_str().unwrap(), &file("again.py"), "private_token"),
        (python.to_str().unwrap(), &file("again.py"), "oauth_token"),
        (python.to_str().unwrap(), &file("again.py"), "job_token"),
        ("node", &gitbeaker, "token"),
        ("node", &gitbeaker, "oauthToken"),
        ("node", &gitbeaker, "jobToken"),
    ] {
        let tag = format!("{}-{kind}", if command == "node" { "gitbeaker" } else { "python" });
        install::run(
            Command::new(command)
                .arg(program)
                .args([&expected.url(), kind, &id_token, &tag, "https://e.com/app"])
                .env("PYTHONDONTWRITEBYTECODE", "1"),
        );
        assert_published(&expected, &tag, 2).await;
    }
    expected.app.assert_sound().await;
}

#[cfg_attr(not(clients), ignore = "needs RELEASE_LINKS_TEST_CLIENTS=1")]
#[tokio::test]
async fn semantic_release_publishes_with_an_id_token() {
    let folder = node::folder();
    let (expected, id_token) = publishing().await;
    let repository = Repository::start(&format!("{}/mynamespace/hello.git", expected.url()));
    let asset = json!({ "url": "https://e.com/app", "label": "app", "type": "package" });
    let plugin = json!({ "gitlabUrl": expected.url(), "assets": [asset] });
    let plugins =
        json!(["@semantic-release/commit-analyzer", ["@semantic-release/gitlab", plugin]]);
    let text = json!({ "branches": ["main"], "plugins": plugins }).to_string();
    repository.commit(".releaserc.json", &text, "feat: größer");
    let mut command = repository.command("node");
    command
        .arg(folder.join("node_modules/semantic-release/bin/semantic-release.js"))
        .arg("--no-ci");
    install::run(command.env("GITLAB_TOKEN", &id_token));
    assert_published(&expected, "v1.0.0", 1).await;
}

#[cfg_attr(not(clients), ignore = "needs RELEASE_LINKS_TEST_CLIENTS=1")]
#[tokio::test]
async fn curl_publishes_with_an_id_token() {
    let (expected, id_token) = publishing().await;
    let url = format!("{}/api/v4/projects/mynamespace%2Fhello/releases", expected.url());
    let links = r#"[{"name":"app","url":"https://e.com/app"}]"#;
    install::run(Command::new("curl").args(["--silent", "--show-error", "--fail", &url]).args([
        "--header",
        &format!("Authorization: Bearer {id_token}"),
        "--json",
        &format!(r#"{{"tag_name":"v1.0.0","assets":{{"links":{links}}}}}"#),
    ]));
    assert_published(&expected, "v1.0.0", 1).await;
}
