//! An embedded DynamoDB behind TLS, as a function meets the real one, with something in it.

use std::path::PathBuf;
use std::time::Duration;

use harness::test_app::{self, test_deadline, with_all_links};
use harness::tls::Tls;
use shared::domain::link::{LinkFields, LinkId, LinkType, UncheckedLink};
use shared::domain::project::ProjectId;
use shared::domain::release::{NewLinks, Release};
use shared::domain::secret::Secret;
use shared::domain::time::Timestamp;
use shared::store::links::{CreateLinkResult, DeleteLinkResult};
use tempfile::TempDir;

use crate::Error;
use crate::test_database::{TestDatabase, path};

pub(crate) const PROJECT: ProjectId = ProjectId(20);
pub(crate) const TAG: &str = "v1.7.0";
/// The path of the one link that stays.
pub(crate) const PATH: &str = "bin/file-00000";

/// A running database.
pub(crate) struct Database {
    inner: TestDatabase,
    release: Release,
    pub(crate) job_token: Secret,
    pub(crate) https_url: String,
    ca_bundle: PathBuf,
    _folder: TempDir,
}

impl Database {
    pub(crate) async fn start() -> Result<Self, Error> {
        let database = TestDatabase::start(&[PROJECT]).await?;
        let release = database.release(PROJECT, TAG, test_app::links("file", 1)).await?;
        let job = test_app::job_token(&path(PROJECT));
        let (job_token, _) =
            database.store.create_token(job, Timestamp::now(), test_deadline()).await?;
        let folder = TempDir::new()?;
        let ca_bundle = folder.path().join("ca.pem");
        let address = database.url.trim_start_matches("http://").to_owned();
        let tls = Tls::start(address).await;
        std::fs::write(&ca_bundle, &tls.certificate)?;
        let https_url = format!("https://{}", tls.address);
        Ok(Self { inner: database, release, job_token, https_url, ca_bundle, _folder: folder })
    }

    pub(crate) fn token(&self) -> &Secret {
        &self.inner.token
    }

    /// The certificate by which the database is known.
    pub(crate) fn ca_bundle(&self) -> Result<&str, Error> {
        Ok(self.ca_bundle.to_str().ok_or("the folder's name is not UTF-8")?)
    }

    /// Removes the items of a run: each run meets the same.
    pub(crate) async fn clear(&self) -> Result<(), Error> {
        let store = &self.inner.store;
        for release in store.list_releases(PROJECT, test_deadline()).await? {
            if release.uid != self.release.uid {
                self.delete(&release).await?;
            }
        }
        let found = with_all_links(store, &self.release.key).await;
        let links = found.map(|(_, links)| links).unwrap_or_default();
        for link in links.iter().filter(|link| link.fields.path.is_none()) {
            match store.delete_link(&self.release, link, test_deadline()).await? {
                DeleteLinkResult::Done | DeleteLinkResult::Changed => {}
            }
        }
        store.sweep(Timestamp::now().next(), Duration::from_mins(1)).await?;
        Ok(())
    }

    /// A new link of the release that stays.
    pub(crate) async fn link(&self, name: &str) -> Result<LinkId, Error> {
        let (store, now) = (&self.inner.store, Timestamp::now());
        match store.create_link(&self.release, fields(name)?, now, test_deadline()).await? {
            CreateLinkResult::Link(link) => Ok(link.id),
            CreateLinkResult::Conflicts(_) => Err(format!("{name} is taken").into()),
        }
    }

    /// A new release, with a link.
    pub(crate) async fn release(&self, tag: &str) -> Result<Release, Error> {
        let links = NewLinks::parse(vec![fields(tag)?]);
        self.inner.release(PROJECT, tag, links.map_err(|_| "the link breaks the rules")?).await
    }

    /// Deletes a release, whose link stays behind.
    pub(crate) async fn delete(&self, release: &Release) -> Result<(), Error> {
        let done = self.inner.store.delete_release(release, test_deadline()).await?;
        if done { Ok(()) } else { Err(format!("{} was changed", release.key.tag).into()) }
    }
}

fn fields(name: &str) -> Result<LinkFields, Error> {
    let url = format!("https://e.com/{name}");
    let link = UncheckedLink::new(Some(name), Some(&url), None, LinkType::Other);
    Ok(link.fields().ok_or("the link breaks the rules")?)
}
