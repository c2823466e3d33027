//! An embedded DynamoDB behind TLS, as a function meets the real one, with something in it.

use std::path::PathBuf;
use std::time::Duration;

use harness::test_app::with_all_links;
use harness::tls::Tls;
use shared::aws_client::{self, Database as Endpoint};
use shared::domain::access_level::AccessLevel;
use shared::domain::link::{LinkFields, LinkId, LinkType, UncheckedLink};
use shared::domain::project::{BranchName, ProjectId, ProjectPath, ReleasesAccess, Visibility};
use shared::domain::release::{Author, NewLinks, Release};
use shared::domain::release_key::ReleaseKey;
use shared::domain::tag_name::TagName;
use shared::domain::time::Timestamp;
use shared::domain::token::{Grant, GrantTarget, Scope, Secret, TokenKind, User};
use shared::domain::username::Username;
use shared::store::Store;
use shared::store::deadline::Deadline;
use shared::store::links::{CreateLinkResult, DeleteLinkResult};
use shared::store::projects::{NewProject, ProjectCreated};
use shared::store::releases::{NewRelease, ReleaseCreated};
use shared::store::table_names::TableNames;
use shared::store::tokens::NewToken;
use tempfile::TempDir;
use tokio::net::TcpListener;

use crate::Error;

pub(crate) const PROJECT: ProjectId = ProjectId(20);
pub(crate) const TAG: &str = "v1.7.0";
/// The path of the one link that stays.
pub(crate) const PATH: &str = "/bin/hello";

/// A running database.
pub(crate) struct Database {
    store: Store,
    release: Release,
    pub(crate) user: u64,
    pub(crate) token: Secret,
    pub(crate) job_token: Secret,
    pub(crate) https_url: String,
    ca_bundle: PathBuf,
    _folder: TempDir,
}

fn test_deadline() -> Deadline {
    Deadline::after(Duration::from_mins(1))
}

impl Database {
    pub(crate) async fn start() -> Result<Self, Error> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?.to_string();
        tokio::spawn(dynoxide::server::serve_on(listener, dynoxide::Database::memory()?));
        let client = aws_client::client(Endpoint::local(format!("http://{address}")))?;
        let store = Store::new(client, TableNames::default());
        store.create_tables(test_deadline()).await?;
        let user = store.ensure_user(&Username::parse("root")?, None, test_deadline()).await?;
        let (release, token, job_token) = populate(&store, &user).await?;

        let folder = TempDir::new()?;
        let ca_bundle = folder.path().join("ca.pem");
        let tls = Tls::start(address).await;
        std::fs::write(&ca_bundle, &tls.certificate)?;
        let https_url = format!("https://{}", tls.address);
        let user = user.id;
        Ok(Self { store, release, user, token, job_token, https_url, ca_bundle, _folder: folder })
    }

    /// The certificate by which the database is known.
    pub(crate) fn ca_bundle(&self) -> Result<&str, Error> {
        Ok(self.ca_bundle.to_str().ok_or("the folder's name is not UTF-8")?)
    }

    /// Removes the items of a run: each run meets the same.
    pub(crate) async fn clear(&self) -> Result<(), Error> {
        for release in self.store.list_releases(PROJECT, test_deadline()).await? {
            if release.uid != self.release.uid {
                self.delete(&release).await?;
            }
        }
        let found = with_all_links(&self.store, &self.release.key).await;
        let links = found.map(|(_, links)| links).unwrap_or_default();
        for link in links.iter().filter(|link| link.fields.path.is_none()) {
            match self.store.delete_link(&self.release, link, test_deadline()).await? {
                DeleteLinkResult::Done | DeleteLinkResult::Changed => {}
            }
        }
        self.store.sweep(Timestamp::now().next(), Duration::from_mins(1)).await?;
        Ok(())
    }

    /// A new link of the release that stays.
    pub(crate) async fn link(&self, name: &str) -> Result<LinkId, Error> {
        let fields = fields(name, None)?;
        match self
            .store
            .create_link(&self.release, fields, Timestamp::now(), test_deadline())
            .await?
        {
            CreateLinkResult::Link(link) => Ok(link.id),
            CreateLinkResult::Conflicts(_) => Err(format!("{name} is taken").into()),
        }
    }

    /// A new release, with a link.
    pub(crate) async fn release(&self, tag: &str) -> Result<Release, Error> {
        create_release(&self.store, tag, fields(tag, None)?).await
    }

    /// Deletes a release, whose link stays behind.
    pub(crate) async fn delete(&self, release: &Release) -> Result<(), Error> {
        let done = self.store.delete_release(release, test_deadline()).await?;
        if done { Ok(()) } else { Err(format!("{} was changed", release.key.tag).into()) }
    }
}

fn fields(name: &str, path: Option<&str>) -> Result<LinkFields, Error> {
    let url = format!("https://e.com/{name}");
    let draft = UncheckedLink::new(Some(name), Some(&url), path, LinkType::Other);
    Ok(draft.fields().ok_or("the link breaks the rules")?)
}

async fn create_release(store: &Store, tag: &str, link: LinkFields) -> Result<Release, Error> {
    let now = Timestamp::now();
    let new = NewRelease {
        key: ReleaseKey { project: PROJECT, tag: TagName::parse(tag)? },
        name: None,
        description: None,
        author: Author { id: 1, username: "root".to_owned() },
        commit: None,
        released_at: now,
        links: NewLinks::parse(vec![link]).map_err(|_| "the link breaks the rules")?,
    };
    match store.create_release(new, now, test_deadline()).await? {
        ReleaseCreated::Release(release, _) => Ok(release),
        ReleaseCreated::Exists => Err(format!("{tag} is there already").into()),
    }
}

async fn populate(store: &Store, user: &User) -> Result<(Release, Secret, Secret), Error> {
    let now = Timestamp::now();
    let path = ProjectPath::parse("mynamespace/hello")?;
    let project = NewProject {
        id: Some(PROJECT),
        path: path.clone(),
        visibility: Visibility::Private,
        releases_access: ReleasesAccess::Enabled,
        protected_tags: Vec::new(),
        default_branch: BranchName::default(),
        source_url: None,
    };
    match store.create_project(project, now, test_deadline()).await? {
        ProjectCreated::Project(_) => {}
        ProjectCreated::IdUsed | ProjectCreated::IdHasReleases | ProjectCreated::PathTaken => {
            return Err("not empty".into());
        }
    }
    let release = create_release(store, TAG, fields("hello", Some(PATH))?).await?;
    let token = NewToken {
        kind: TokenKind::Access,
        name: "proof".to_owned(),
        user: user.clone(),
        scope: Scope::Api,
        grants: vec![Grant {
            target: GrantTarget::Project(PROJECT),
            level: AccessLevel::Developer,
        }],
        job_project: None,
        expires_in: None,
    };
    let job = NewToken { kind: TokenKind::Job, job_project: Some(path), ..token.clone() };
    let (token, _) = store.create_token(token, now, test_deadline()).await?;
    let (job_token, _) = store.create_token(job, now, test_deadline()).await?;
    Ok((release, token, job_token))
}
