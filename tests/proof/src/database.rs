//! An embedded DynamoDB behind TLS, as a function meets the real one, with something in it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use shared::app::{self, Database as Endpoint};
use shared::domain::link::{Draft, LinkId, LinkType};
use shared::domain::project::{ProjectId, ProjectPath, ProjectRef, ReleasesAccess, Visibility};
use shared::domain::release::{Release, ReleaseKey, TagName};
use shared::domain::time::Timestamp;
use shared::domain::token::{AccessLevel, Grant, GrantTarget, Scope, Secret, TokenKind};
use shared::store::deadline::Deadline;
use shared::store::links::{Created, Deleted};
use shared::store::projects::{NewProject, ProjectCreated};
use shared::store::read::{LinkSelection, Wanted};
use shared::store::releases::{NewRelease, ReleaseCreated};
use shared::store::tokens::NewToken;
use shared::store::{Store, TableNames};
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use crate::Error;

pub(crate) const PROJECT: ProjectId = ProjectId(20);
pub(crate) const TAG: &str = "v1.7.0";

/// A running database.
pub(crate) struct Database {
    pub(crate) store: Store,
    pub(crate) release: Release,
    pub(crate) token: Secret,
    pub(crate) https_url: String,
    ca_bundle: PathBuf,
    _folder: TempDir,
}

fn soon() -> Deadline {
    Deadline::after(Duration::from_mins(1))
}

impl Database {
    pub(crate) async fn start() -> Result<Self, Error> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?.to_string();
        tokio::spawn(dynoxide::server::serve_on(listener, dynoxide::Database::memory()?));
        let client = app::client(Endpoint::local(format!("http://{address}")))?;
        let store = Store::new(client, TableNames::default());
        store.create_tables(soon()).await?;
        let (release, token) = populate(&store).await?;

        let folder = TempDir::new()?;
        let ca_bundle = folder.path().join("ca.pem");
        let https_url = serve_tls(&ca_bundle, address).await?;
        Ok(Self { store, release, token, https_url, ca_bundle, _folder: folder })
    }

    /// The certificate by which the database is known.
    pub(crate) fn ca_bundle(&self) -> Result<&str, Error> {
        Ok(self.ca_bundle.to_str().ok_or("the folder's name is not UTF-8")?)
    }

    /// Removes every link, so that each run meets the same release.
    pub(crate) async fn clear(&self) -> Result<(), Error> {
        let project = ProjectRef::Id(PROJECT);
        let tag = &self.release.key.tag;
        let wanted =
            Wanted { tokens: &[], project: &project, tag: Some(tag), links: LinkSelection::All };
        for link in self.store.read(&wanted, soon()).await?.links {
            match self.store.delete_link(&self.release, &link, soon()).await? {
                Deleted::Done | Deleted::Changed => {}
            }
        }
        Ok(())
    }

    /// A new link.
    pub(crate) async fn link(&self, name: &str) -> Result<LinkId, Error> {
        let url = format!("https://e.com/{name}");
        let fields = Draft::new(Some(name), Some(&url), None, LinkType::Other)
            .fields()
            .ok_or("the link breaks the rules")?;
        match self.store.create_link(&self.release, fields, Timestamp::now(), soon()).await? {
            Created::Link(link) => Ok(link.id),
            Created::Taken(_) => Err(format!("{name} is taken").into()),
        }
    }
}

async fn populate(store: &Store) -> Result<(Release, Secret), Error> {
    let now = Timestamp::now();
    let project = NewProject {
        id: Some(PROJECT),
        path: ProjectPath::parse("mynamespace/hello")?,
        visibility: Visibility::Private,
        releases_access: ReleasesAccess::Enabled,
        protected_tags: Vec::new(),
    };
    match store.create_project(project, now, soon()).await? {
        ProjectCreated::Project(_) => {}
        ProjectCreated::IdUsed | ProjectCreated::PathTaken => return Err("not empty".into()),
    }
    let new = NewRelease {
        key: ReleaseKey { project: PROJECT, tag: TagName::parse(TAG)? },
        name: None,
        description: None,
        author: "root".to_owned(),
        released_at: now,
    };
    let release = match store.create_release(new, Vec::new(), now, soon()).await? {
        ReleaseCreated::Release(release, _) => release,
        ReleaseCreated::Exists => return Err("not empty".into()),
    };
    let token = NewToken {
        kind: TokenKind::Access,
        name: "proof".to_owned(),
        user: store.ensure_user("root", false, soon()).await?,
        scope: Scope::Api,
        grants: vec![Grant {
            target: GrantTarget::Project(PROJECT),
            level: AccessLevel::Developer,
        }],
        job_project: None,
        expires_in: None,
    };
    Ok((release, store.create_token(token, now, soon()).await?.0))
}

/// Puts TLS before the database; writes the certificate to trust to `ca_bundle`.
async fn serve_tls(ca_bundle: &Path, upstream: String) -> Result<String, Error> {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()])?;
    std::fs::write(ca_bundle, cert.pem())?;
    let key = PrivateKeyDer::try_from(signing_key.serialize_der())?;
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)?;
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("https://localhost:{}", listener.local_addr()?.port());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, upstream) = (acceptor.clone(), upstream.clone());
            tokio::spawn(async move {
                // Ends with whichever side ends first; neither is this program's to mend.
                let _ = relay(acceptor, stream, &upstream).await;
            });
        }
    });
    Ok(url)
}

async fn relay(acceptor: TlsAcceptor, stream: TcpStream, upstream: &str) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut client = acceptor.accept(stream).await?;
    let mut server = TcpStream::connect(upstream).await?;
    server.set_nodelay(true)?;
    tokio::io::copy_bidirectional(&mut client, &mut server).await?;
    Ok(())
}
