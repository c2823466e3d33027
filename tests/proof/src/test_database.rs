//! A database in this process, for one target or one proof alone, with projects in it.

use std::time::Duration;

use harness::test_app;
use shared::domain::access_level::AccessLevel;
use shared::domain::project::ProjectId;
use shared::domain::release::{NewLinks, Release};
use shared::domain::secret::Secret;
use shared::domain::time::Timestamp;
use shared::store::Store;
use shared::store::deadline::Deadline;
use shared::store::projects::ProjectCreated;
use shared::store::releases::{NewRelease, ReleaseCreated};
use shared::store::tokens::NewToken;
use tokio::net::TcpListener;

use crate::Error;

/// A running database.
pub(crate) struct TestDatabase {
    pub(crate) url: String,
    pub(crate) store: Store,
    pub(crate) token: Secret,
}

/// The path of a project.
pub(crate) fn path(project: ProjectId) -> String {
    format!("mynamespace/project-{project}")
}

impl TestDatabase {
    /// Starts a database with private projects of these numbers.
    pub(crate) async fn start(projects: &[ProjectId]) -> Result<Self, Error> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        tokio::spawn(dynoxide::server::serve_on(listener, dynoxide::Database::memory()?));
        let store = test_app::store(&url);
        store.create_tables(test_app::test_deadline()).await?;
        let mut grants = Vec::new();
        for project in projects {
            let new = test_app::project(project.0, &path(*project));
            match store.create_project(new, Timestamp::now(), test_app::test_deadline()).await? {
                ProjectCreated::Project(_) => {}
                ProjectCreated::IdUsed
                | ProjectCreated::IdHasReleases
                | ProjectCreated::PathTaken => {
                    return Err("not empty".into());
                }
            }
            grants.push(test_app::grant(project.0, AccessLevel::Developer));
        }
        let new = NewToken { grants, ..test_app::token() };
        let (token, _) =
            store.create_token(new, Timestamp::now(), test_app::test_deadline()).await?;
        Ok(Self { url, store, token })
    }

    /// A new release with these links, of which there may be many.
    pub(crate) async fn release(
        &self,
        project: ProjectId,
        tag: &str,
        links: NewLinks,
    ) -> Result<Release, Error> {
        let new = NewRelease { links, ..test_app::new_release(project.0, tag) };
        let deadline = Deadline::after(Duration::from_mins(5));
        match self.store.create_release(new, Timestamp::now(), deadline).await? {
            ReleaseCreated::Release(release, _) => Ok(release),
            ReleaseCreated::Exists => Err(format!("{tag} is there already").into()),
        }
    }
}
