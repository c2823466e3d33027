//! Release tools of npm's, run to their end in a repository.

use harness::LinkBody;
use serde_json::{Value, json};

use super::repository::Repository;
use super::{Expected, install, node};

const PROJECT: &str = "/projects/mynamespace%2Fhello";

/// Files that are elsewhere, and so need no upload.
fn assets() -> Value {
    json!([
        {
            "url": "https://ex.com/${nextRelease.version}/app?x=1&y=2",
            "label": "bin ünï 📦",
            "type": "package",
            "filepath": "/bin/app",
        },
        { "url": "https://ex.com/${nextRelease.version}/notes", "label": "notes" },
    ])
}

/// semantic-release's configuration, with these options of its GitLab plugin.
fn configuration(options: &Value) -> String {
    let plugins = json!([
        "@semantic-release/commit-analyzer",
        "@semantic-release/release-notes-generator",
        ["@semantic-release/gitlab", options],
    ]);
    json!({ "branches": ["main"], "plugins": plugins }).to_string()
}

/// Asserts that the release is as semantic-release meant it, and leads to its files.
async fn check_published(expected: &Expected, version: &str, notes: &str) {
    let tag = format!("v{version}");
    let reply = expected.api().get(&format!("{PROJECT}/releases/{tag}")).await;
    let shown = reply.json();
    let description = shown["description"].as_str().unwrap();
    assert!(description.contains(notes), "{description}");
    let links = &shown["assets"]["links"];
    let file = format!("https://ex.com/{version}/app?x=1&y=2");
    let notes_page = format!("https://ex.com/{version}/notes");
    let direct = format!("/mynamespace/hello/-/releases/{tag}/downloads/bin/app");
    // The newest link comes first, which is the last of the configuration.
    let links = json!([
        LinkBody::new(links[0]["id"].as_u64().unwrap(), "notes", &notes_page),
        LinkBody {
            direct_asset_url: &format!("{}{direct}", expected.url()),
            link_type: "package",
            ..LinkBody::new(links[1]["id"].as_u64().unwrap(), "bin ünï 📦", &file)
        },
    ]);
    assert_eq!(shown, expected.release(&tag, &tag, &shown, &links));
    assert_eq!(
        expected.api().get(&format!("{PROJECT}/releases/{tag}/assets/links")).await.json(),
        links
    );
    for path in [direct, format!("{PROJECT}/releases/{tag}/downloads/bin/app")] {
        expected.api().get(&path).await.leads_to(&file);
    }
}

#[cfg_attr(not(clients), ignore = "needs RELEASE_LINKS_TEST_CLIENTS=1")]
#[tokio::test]
async fn semantic_release_publishes_by_hand_and_in_a_job() {
    let folder = node::folder();
    let expected = Expected::start(&[]).await;
    let remote_url = format!("{}/mynamespace/hello.git", expected.url());
    let repository = Repository::start(&remote_url);
    let program = folder.join("node_modules/semantic-release/bin/semantic-release.js");

    let options = json!({ "gitlabUrl": expected.url(), "assets": assets() });
    let commit = repository.commit(".releaserc.json", &configuration(&options), "feat: größer");
    let output = install::run(
        repository
            .command("node")
            .arg(&program)
            .arg("--no-ci")
            .env("GITLAB_TOKEN", &expected.token)
            .env("DEBUG", "semantic-release:gitlab"),
    );
    check_published(
        &expected,
        "1.0.0",
        &format!("* größer ([{}]({}", &commit[..7], expected.url()),
    )
    .await;
    assert_eq!(repository.remote_tags(), "v1.0.0");
    // After publishing it comments on what was merged, of which there is nothing.
    let asked = format!(
        "Getting MRs from {}/api/v4{PROJECT}/repository/commits/{commit}/merge_requests",
        expected.url()
    );
    let (said, debugged) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(debugged.contains(&asked), "{debugged}");
    assert!(
        said.contains(r#"Completed step "success" of plugin "@semantic-release/gitlab""#),
        "{said}"
    );

    // In a job all else comes from GitLab's variables, and the project goes by its number.
    let options = json!({ "useJobToken": true, "assets": assets() });
    let commit = repository.commit(".releaserc.json", &configuration(&options), "fix: kleiner");
    install::run(
        repository
            .command("node")
            .arg(&program)
            .env("GITLAB_CI", "true")
            .env("CI_API_V4_URL", format!("{}/api/v4", expected.url()))
            .env("CI_COMMIT_REF_NAME", "main")
            .env("CI_COMMIT_SHA", &commit)
            .env("CI_JOB_TOKEN", &expected.job_token)
            .env("CI_PROJECT_ID", "20")
            .env("CI_PROJECT_PATH", "mynamespace/hello")
            .env("CI_PROJECT_URL", format!("{}/mynamespace/hello", expected.url())),
    );
    check_published(
        &expected,
        "1.0.1",
        &format!("* kleiner ([{}]({}", &commit[..7], expected.url()),
    )
    .await;
    assert_eq!(repository.remote_tags(), "v1.0.0\nv1.0.1");
    expected.app.assert_sound().await;
}

/// The error that the tools print when an upload fails.
const FILES_NOT_STORED: &str = "404 Not Found: this server stores links to files, not files. Upload the file elsewhere and give the asset its `url`.";

#[cfg_attr(not(clients), ignore = "needs RELEASE_LINKS_TEST_CLIENTS=1")]
#[tokio::test]
async fn semantic_release_says_why_an_upload_fails_and_can_publish_afterwards() {
    let folder = node::folder();
    let expected = Expected::start(&[]).await;
    let remote_url = format!("{}/mynamespace/hello.git", expected.url());
    let repository = Repository::start(&remote_url);
    let program = folder.join("node_modules/semantic-release/bin/semantic-release.js");
    let command = || {
        let mut command = repository.command("node");
        command.arg(&program).arg("--no-ci").env("GITLAB_TOKEN", &expected.token);
        command
    };
    let configured =
        |assets: &Value| configuration(&json!({ "gitlabUrl": expected.url(), "assets": assets }));

    let mut file = json!([{ "path": ".releaserc.json", "label": "app" }]);
    let mut message = "feat: größer";
    for (target, api) in
        [("project_upload", "project uploads"), ("generic_package", "generics package")]
    {
        file[0]["target"] = target.into();
        repository.commit(".releaserc.json", &configured(&file), message);
        let printed = install::fail(&mut command());
        let said = format!("Response code 404 ({FILES_NOT_STORED})");
        assert!(printed.contains(&said), "{printed}");
        assert!(printed.contains(&format!("to the GitLab {api} API")), "{printed}");
        // The tag was pushed before the upload failed: the next run takes it for published.
        assert_eq!(repository.remote_tags(), "v1.0.0");
        let output = install::run(&mut command());
        let printed = String::from_utf8_lossy(&output.stdout);
        assert!(printed.contains("no new version is released"), "{printed}");
        assert_eq!(expected.api().get(&format!("{PROJECT}/releases")).await.body, "[]");
        // As README says: take the tag away, give the asset a url, and run again.
        repository.git(&["push", "--quiet", "--delete", "origin", "v1.0.0"]);
        repository.git(&["tag", "--delete", "v1.0.0"]);
        message = "fix: kleiner";
    }
    let commit = repository.commit(".releaserc.json", &configured(&assets()), "fix: url");
    install::run(&mut command());
    let notes = format!("* url ([{}]({}", &commit[..7], expected.url());
    check_published(&expected, "1.0.0", &notes).await;
    assert_eq!(repository.remote_tags(), "v1.0.0");
    expected.app.assert_sound().await;
}

#[cfg_attr(not(clients), ignore = "needs RELEASE_LINKS_TEST_CLIENTS=1")]
#[tokio::test]
async fn release_it_says_why_an_upload_fails() {
    let folder = node::folder();
    let expected = Expected::start(&[]).await;
    let remote_url = format!("{}/mynamespace/hello.git", expected.url());
    let repository = Repository::start(&remote_url);
    let program = folder.join("node_modules/release-it/bin/release-it.js");
    for (version, generic) in [("1.0.0", false), ("1.0.1", true)] {
        let configuration = json!({
            "git": { "pushRepo": remote_url, "requireUpstream": false },
            "gitlab": {
                "release": true,
                "origin": expected.url(),
                "assets": [".release-it.json"],
                "useGenericPackageRepositoryForAssets": generic,
            },
            "npm": false,
        });
        repository.commit(".release-it.json", &configuration.to_string(), "feat: größer");
        let mut command = repository.command("node");
        command.arg(&program).args(["--ci", "--increment", version]);
        let printed = install::fail(command.env("GITLAB_TOKEN", &expected.token));
        assert!(printed.contains(FILES_NOT_STORED), "{printed}");
    }
    assert_eq!(expected.api().get(&format!("{PROJECT}/releases")).await.body, "[]");
}

#[cfg_attr(not(clients), ignore = "needs RELEASE_LINKS_TEST_CLIENTS=1")]
#[tokio::test]
async fn release_it_publishes_by_hand_and_in_a_job() {
    let folder = node::folder();
    let expected = Expected::start(&[]).await;
    let remote_url = format!("{}/mynamespace/hello.git", expected.url());
    let repository = Repository::start(&remote_url);
    let program = folder.join("node_modules/release-it/bin/release-it.js");

    for (version, message, variable, token, header) in [
        ("1.0.0", "feat: größer", "GITLAB_TOKEN", &expected.token, "Private-Token"),
        // With a job's token it asks for neither the user nor the member.
        ("1.0.1", "fix: kleiner", "CI_JOB_TOKEN", &expected.job_token, "Job-Token"),
    ] {
        let tag = format!("v{version}");
        let name = format!("Größe {version}");
        let configuration = json!({
            // It takes the project from this URL. Git, which it would ask otherwise, says the folder.
            "git": { "pushRepo": remote_url, "requireUpstream": false, "tagName": "v${version}" },
            "gitlab": {
                "release": true,
                "origin": expected.url(),
                "releaseName": name,
                "tokenHeader": header,
                "tokenRef": variable,
            },
            "npm": false,
        });
        let commit = repository.commit(".release-it.json", &configuration.to_string(), message);
        let mut command = repository.command("node");
        command.arg(&program).args(["--ci", "--increment", version]).env(variable, token);
        let output = install::run(&mut command);
        let page = format!("{}/mynamespace/hello/-/releases/{tag}", expected.url());
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(said.contains(&page), "{said}");
        let shown = expected.api().get(&format!("{PROJECT}/releases/{tag}")).await.json();
        assert_eq!(shown, expected.release(&tag, &name, &shown, &json!([])));
        assert_eq!(shown["description"], format!("* {message} ({})", &commit[..7]));
    }
    assert_eq!(repository.remote_tags(), "v1.0.0\nv1.0.1");
    expected.app.assert_sound().await;
}
