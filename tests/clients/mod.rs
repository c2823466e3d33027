//! Real GitLab clients, unmodified, against the running server.

mod install;
mod node;
pub(crate) mod python;

use std::path::Path;
use std::process::Command;

use shared::domain::project::ProjectPath;
use shared::domain::token::{AccessLevel, TokenKind};
use shared::store::tokens::NewToken;

use crate::harness::World;
use crate::harness::binaries;
use crate::harness::world::{grant, project, token};

/// A server, as the clients' programs expect it, with a token and the token of a job.
struct Expected {
    world: World,
    token: String,
    job_token: String,
}

impl Expected {
    async fn start() -> Self {
        let world = World::empty();
        world.project(project(20, "mynamespace/hello")).await;
        for tag in ["release/1.0", "v1.0.0+build 1"] {
            world.release(20, tag).await;
        }
        let developer = || NewToken { grants: vec![grant(20, AccessLevel::Developer)], ..token() };
        let job = NewToken {
            kind: TokenKind::Job,
            job_project: Some(ProjectPath::parse("mynamespace/hello").unwrap()),
            ..developer()
        };
        let token = world.token(developer()).await.reveal().to_owned();
        let job_token = world.token(job).await.reveal().to_owned();
        Self { world, token, job_token }
    }

    /// Runs a client's program, which asserts for itself, and looks after it in the tables.
    async fn run(&self, program: &mut Command) {
        install::run(
            program
                .env("URL", format!("http://{}", self.world.server.address))
                .env("TOKEN", &self.token)
                .env("JOB_TOKEN", &self.job_token),
        );
        let audit = self.world.assert_sound().await;
        assert_eq!((audit.links, audit.claims), (0, 0), "the program has left links");
    }
}

#[tokio::test]
async fn python_gitlab_works_with_links() {
    let Some(programs) = python::programs() else { return };
    let expected = Expected::start().await;
    expected.run(Command::new(programs.join("python")).arg(file("links.py"))).await;
}

#[tokio::test]
async fn gitbeaker_works_with_links() {
    let Some(folder) = node::folder() else { return };
    let expected = Expected::start().await;
    // Node looks for packages beside the program.
    let program = folder.join("links.mjs");
    std::fs::copy(file("links.mjs"), &program).unwrap();
    expected.run(Command::new("node").arg(program)).await;
}

/// A file of this folder.
fn file(name: &str) -> std::path::PathBuf {
    binaries::workspace().join("tests/clients").join(name)
}

/// Whether a program is there and runs.
fn runs(program: &str, arguments: &[&str]) -> bool {
    Command::new(program).args(arguments).output().is_ok_and(|output| output.status.success())
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
