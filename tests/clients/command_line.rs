//! The command `gitlab` that comes with python-gitlab, as a script uses it.

use harness::LinkBody;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Expected, python};

/// The command with its configuration, without this machine's.
struct Gitlab {
    program: PathBuf,
    folder: TempDir,
}

impl Gitlab {
    fn new(programs: &Path, url: &str, token: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let configuration =
            format!("[global]\ndefault = here\n[here]\nurl = {url}\nprivate_token = {token}\n");
        std::fs::write(folder.path().join("gitlab.cfg"), configuration).unwrap();
        Self { program: programs.join("gitlab"), folder }
    }

    /// Runs the command with these words.
    fn run(&self, words: &str) -> Output {
        Command::new(&self.program)
            .env_clear()
            .env("HOME", self.folder.path())
            .env("PYTHON_GITLAB_CFG", self.folder.path().join("gitlab.cfg"))
            .args(["--output", "json"])
            .args(words.split(' '))
            .output()
            .unwrap()
    }

    fn succeeds(&self, words: &str) -> Output {
        let output = self.run(words);
        assert!(output.status.success(), "{words}: {output:?}");
        output
    }

    fn shows(&self, words: &str) -> Value {
        let output = self.succeeds(words);
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{words}: {output:?}"))
    }

    /// Asserts that the command fails, and what it says.
    #[track_caller]
    fn refuses(&self, words: &str, said: &str) {
        let output = self.run(words);
        assert_eq!(output.status.code(), Some(1), "{words}: {output:?}");
        assert_eq!(String::from_utf8_lossy(&output.stderr).trim_end(), said);
    }
}

#[cfg_attr(not(clients), ignore = "needs RELEASE_LINKS_TEST_CLIENTS=1")]
#[tokio::test]
async fn the_command_of_python_gitlab_works_with_releases_and_links() {
    let programs = python::programs();
    let expected = Expected::start(&[]).await;
    let gitlab = Gitlab::new(&programs, &expected.url(), &expected.token);
    let tag = "--project-id mynamespace/hello --tag-name release/1.0";
    let path = "/projects/20/releases/release%2F1.0";
    let none = json!([]);

    let user = gitlab.shows("current-user get");
    assert_eq!(user, expected.api().get("/api/v4/user").await.json());

    let create = format!("project-release create {tag} --name Größe --description a&b");
    let shown = gitlab.shows(&create);
    assert_eq!(shown["description"], "a&b");
    assert_eq!(shown, expected.release("release/1.0", "Größe", &shown, &none));
    assert_eq!(gitlab.shows(&format!("project-release get {tag}")), shown);
    let list = "project-release list --project-id mynamespace/hello --get-all";
    assert_eq!(gitlab.shows(list), json!([shown]));
    gitlab.refuses(&create, "Impossible to create object (409: Release already exists)");
    let shown = gitlab.shows(&format!("project-release update {tag} --name größer"));
    assert_eq!(shown, expected.release("release/1.0", "größer", &shown, &none));
    assert_eq!(expected.api().get(path).await.json(), shown);

    let shown = gitlab.shows(&format!(
        "project-release-link create {tag} --name n --url https://ex.com/a?x=1&y=2 \
         --direct-asset-path /bin/a --link-type package"
    ));
    let id = shown["id"].as_u64().unwrap();
    let direct = "mynamespace/hello/-/releases/release%2F1.0/downloads/bin/a";
    assert_eq!(
        shown,
        json!(LinkBody {
            direct_asset_url: &format!("{}/{direct}", expected.url()),
            link_type: "package",
            ..LinkBody::new(id, "n", "https://ex.com/a?x=1&y=2")
        })
    );
    let of_link = format!("{tag} --id {id}");
    let list = format!("project-release-link list {tag} --get-all");
    assert_eq!(gitlab.shows(&list), json!([shown]));
    assert_eq!(gitlab.shows(&format!("project-release-link get {of_link}")), shown);
    let shown = gitlab.shows(&format!("project-release-link update {of_link} --name m"));
    // The type is not sent, and goes back to its default.
    assert_eq!((&shown["name"], &shown["link_type"]), (&json!("m"), &json!("other")));
    gitlab.succeeds(&format!("project-release-link delete {of_link}"));
    assert_eq!(gitlab.shows(&list), none);

    gitlab.succeeds(&format!("project-release delete {tag}"));
    gitlab.refuses(
        &format!("project-release get {tag}"),
        "Impossible to get object (404: 404 Not Found)",
    );
    assert_eq!(expected.api().get(path).await.status, 404);

    // The user of a job token is not looked up.
    let create = format!("--job-token {} project-release create {tag}", expected.job_token);
    let shown = gitlab.shows(&create);
    assert_eq!(shown, expected.release("release/1.0", "release/1.0", &shown, &none));

    let unknown = Gitlab::new(&programs, &expected.url(), "glpat-unknown");
    unknown.refuses(&format!("project-release get {tag}"), "401: 401 Unauthorized");
    expected.app.assert_sound().await;
}
