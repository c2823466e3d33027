//! Real GitLab clients, unmodified, against the running server.

mod again;
mod aws_cli;
mod browser;
mod command_line;
mod connection;
mod consumers;
mod glab;
mod id_tokens;
pub(crate) mod install;
pub(crate) mod node;
pub(crate) mod python;
mod release_tools;
pub(crate) mod repository;

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use shared::domain::access_level::AccessLevel;
use shared::store::tokens::NewToken;

use crate::projects::{UNKNOWN_COMMIT, commit};
use harness::binaries;
use harness::test_app::{grant, job_token, project, token};
use harness::{Api, TestApp};

/// A server, as the clients' programs expect it, with a token and the token of a job.
struct Expected {
    app: TestApp,
    token: String,
    job_token: String,
}

impl Expected {
    /// A server with releases of these tags.
    async fn start(tags: &[&str]) -> Self {
        let app = TestApp::empty();
        app.project(project(20, "mynamespace/hello")).await;
        for tag in tags {
            app.release(20, tag).await;
        }
        let of_developer = async |new: NewToken| {
            let grants = vec![grant(20, AccessLevel::Developer)];
            app.token(NewToken { grants, ..new }).await.reveal().to_owned()
        };
        let token = of_developer(token()).await;
        let job_token = of_developer(job_token("mynamespace/hello")).await;
        Self { app, token, job_token }
    }

    fn url(&self) -> String {
        format!("http://{}", self.app.server.address)
    }

    /// The API with the token.
    fn api(&self) -> Api {
        self.app.anonymous().with("private-token", &self.token)
    }

    /// A release as its project's developer sees it, but for what `shown` alone can say: when it
    /// was made, and its description.
    fn release(&self, tag: &str, name: &str, shown: &Value, links: &Value) -> Value {
        let made = shown["created_at"].as_str().unwrap();
        assert!(is_time(made), "{made}");
        let url = self.url();
        let project_url = format!("{url}/mynamespace/hello");
        let encoded_tag = tag.replace('/', "%2F");
        let page = format!("{project_url}/-/releases/{encoded_tag}");
        let list = |what, state| {
            format!("{project_url}/-/{what}?release_tag={encoded_tag}&scope=all&state={state}")
        };
        json!({
            "name": name,
            "tag_name": tag,
            "description": shown["description"],
            "created_at": made,
            "released_at": made,
            "upcoming_release": false,
            "author": {
                "id": 1,
                "username": "root",
                "name": "root",
                "state": "active",
                "locked": false,
                "avatar_url": null,
                "web_url": format!("{url}/root"),
            },
            "commit": self.commit(name, shown),
            "commit_path": format!("/mynamespace/hello/-/commit/{UNKNOWN_COMMIT}"),
            "tag_path": format!("/mynamespace/hello/-/tags/{encoded_tag}"),
            "assets": { "count": links.as_array().unwrap().len(), "sources": [], "links": links },
            "_links": {
                "closed_issues_url": list("issues", "closed"),
                "closed_merge_requests_url": list("merge_requests", "closed"),
                "edit_url": format!("{page}/edit"),
                "merged_merge_requests_url": list("merge_requests", "merged"),
                "opened_issues_url": list("issues", "opened"),
                "opened_merge_requests_url": list("merge_requests", "opened"),
                "self": page,
            },
        })
    }

    /// The commit of a release of this title that was made without naming one.
    fn commit(&self, title: &str, shown: &Value) -> Value {
        let made = shown["created_at"].as_str().unwrap();
        let address = &self.app.server.address;
        let commit = commit(address, UNKNOWN_COMMIT, title, made, (1, "root"));
        serde_json::from_str(&commit).unwrap()
    }

    /// Runs a client's program, which asserts for itself, and looks after it in the tables.
    async fn run(&self, program: &mut Command) {
        install::run(
            program
                .env("URL", self.url())
                .env("TOKEN", &self.token)
                .env("JOB_TOKEN", &self.job_token)
                // Python would leave what it has compiled among the sources.
                .env("PYTHONDONTWRITEBYTECODE", "1"),
        );
        let audit = self.app.assert_sound().await;
        assert_eq!((audit.links, audit.claims), (0, 0), "the program has left links");
    }
}

const TAGS: [&str; 2] = ["release/1.0", "v1.0.0+größe"];

#[cfg_attr(not(clients), ignore = "needs RELEASE_LINKS_TEST_CLIENTS=1")]
#[tokio::test]
async fn python_gitlab_works_with_links() {
    let programs = python::programs();
    let expected = Expected::start(&TAGS).await;
    expected.run(Command::new(programs.join("python")).arg(file("links.py"))).await;
}

#[cfg_attr(not(clients), ignore = "needs RELEASE_LINKS_TEST_CLIENTS=1")]
#[tokio::test]
async fn python_gitlab_works_with_releases() {
    let programs = python::programs();
    let expected = Expected::start(&[]).await;
    expected.run(Command::new(programs.join("python")).arg(file("releases.py"))).await;
}

#[cfg_attr(not(clients), ignore = "needs RELEASE_LINKS_TEST_CLIENTS=1")]
#[tokio::test]
async fn gitbeaker_works_with_links() {
    let folder = node::folder();
    let expected = Expected::start(&TAGS).await;
    expected.run(Command::new("node").arg(program(&folder, "links.mjs"))).await;
}

#[cfg_attr(not(clients), ignore = "needs RELEASE_LINKS_TEST_CLIENTS=1")]
#[tokio::test]
async fn gitbeaker_works_with_releases() {
    let folder = node::folder();
    let expected = Expected::start(&[]).await;
    expected.run(Command::new("node").arg(program(&folder, "releases.mjs"))).await;
}

/// A program below the packages, where Node looks for them; in a folder of its own, since others are
/// copied at the same time.
pub(crate) fn program(folder: &Path, name: &str) -> PathBuf {
    let folder = folder.join(name.trim_end_matches(".mjs"));
    std::fs::create_dir_all(&folder).unwrap();
    for file in ["checks.mjs", name] {
        std::fs::copy(self::file(file), folder.join(file)).unwrap();
    }
    folder.join(name)
}

/// Whether a text is a time as GitLab writes it.
fn is_time(text: &str) -> bool {
    let digits: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    digits == "0000-00-00T00:00:00.000Z"
}

/// A file of this folder.
pub(crate) fn file(name: &str) -> PathBuf {
    binaries::workspace().join("tests/clients").join(name)
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
