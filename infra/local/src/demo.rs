//! What the examples of GitLab's documentation assume: two projects, their releases, links, and a
//! token.

use shared::domain::link::{Draft, LinkId, LinkType};
use shared::domain::project::{BranchName, ProjectId, ProjectPath, ReleasesAccess, Visibility};
use shared::domain::release::{Author, NewLinks, ReleaseKey, TagName};
use shared::domain::time::Timestamp;
use shared::domain::token::{AccessLevel, Grant, GrantTarget, Scope, Secret, TokenKind};
use shared::domain::username::Username;
use shared::store::Store;
use shared::store::deadline::Deadline;
use shared::store::projects::{NewProject, ProjectCreated};
use shared::store::read::LinkSelection;
use shared::store::releases::{NewRelease, ReleaseCreated};
use shared::store::tokens::NewToken;

use crate::{Error, PREPARATION};

const USERNAME: &str = "root";

const AWESOME: ProjectId = ProjectId(24);
const HELLO: ProjectId = ProjectId(20);

/// What the examples name.
pub(crate) struct Demo {
    token: Secret,
    /// The first link of the release that has some.
    link: LinkId,
}

/// Makes the examples and their token, on the first start only.
pub(crate) async fn prepare(store: &Store) -> Result<Option<Demo>, Error> {
    // Each example is made whole and the token last, so that a start that was cut off is made up
    // for by the next one.
    if !store.list_tokens(PREPARATION).await?.is_empty() {
        return Ok(None);
    }
    let deadline = Deadline::after(PREPARATION);
    project(store, HELLO, "mynamespace/hello", deadline).await?;
    release(store, HELLO, "v1.7.0", &[], deadline).await?;
    project(store, AWESOME, "mynamespace/awesome", deadline).await?;
    let links = [
        ("awesome-v0.2.dmg", "http://192.168.10.15:3000"),
        ("awesome-v0.2.msi", "http://192.168.10.15:3000/msi"),
    ];
    // 1, but where a start was cut off after it had drawn numbers.
    let link = release(store, AWESOME, "v0.1", &links, deadline).await?.unwrap_or(LinkId(1));

    let grants = [HELLO, AWESOME].map(|project| Grant {
        target: GrantTarget::Project(project),
        level: AccessLevel::Maintainer,
    });
    let token = NewToken {
        kind: TokenKind::Access,
        name: "demo".to_owned(),
        user: store.ensure_user(&Username::parse(USERNAME)?, None, deadline).await?,
        scope: Scope::Api,
        grants: grants.to_vec(),
        job_project: None,
        expires_in: None,
    };
    let (token, _) = store.create_token(token, Timestamp::now(), deadline).await?;
    Ok(Some(Demo { token, link }))
}

async fn project(
    store: &Store,
    id: ProjectId,
    path: &str,
    deadline: Deadline,
) -> Result<(), Error> {
    let project = NewProject {
        id: Some(id),
        path: ProjectPath::parse(path)?,
        visibility: Visibility::Private,
        releases_access: ReleasesAccess::Enabled,
        protected_tags: Vec::new(),
        default_branch: BranchName::default(),
        source_url: None,
    };
    match store.create_project(project, Timestamp::now(), deadline).await? {
        ProjectCreated::Project(_)
        | ProjectCreated::IdUsed
        | ProjectCreated::IdHasReleases
        | ProjectCreated::PathTaken => Ok(()),
    }
}

/// Makes a release with its links, where it is not there yet; the first of the links it has.
async fn release(
    store: &Store,
    project: ProjectId,
    tag: &str,
    links: &[(&str, &str)],
    deadline: Deadline,
) -> Result<Option<LinkId>, Error> {
    let mut fields = Vec::new();
    for (name, url) in links {
        let draft = Draft::new(Some(name), Some(url), None, LinkType::Other);
        fields.push(draft.fields().ok_or("an example breaks the rules")?);
    }
    let key = ReleaseKey { project, tag: TagName::parse(tag)? };
    let now = Timestamp::now();
    let new = NewRelease {
        key: key.clone(),
        name: None,
        description: None,
        author: Author::from(
            &store.ensure_user(&Username::parse(USERNAME)?, None, deadline).await?,
        ),
        commit: None,
        released_at: now,
        links: NewLinks::parse(fields).map_err(|_| "the examples break the rules")?,
    };
    let links = match store.create_release(new, now, deadline).await? {
        ReleaseCreated::Release(_, links) => links,
        ReleaseCreated::Exists => {
            store.reread(&key, LinkSelection::First, deadline).await?.links.into_inner()
        }
    };
    Ok(links.iter().map(|link| link.id).min())
}

impl Demo {
    /// The documentation's five examples, ready to be pasted.
    pub(crate) fn curl_lines(&self, url: &str) -> String {
        let header = format!("--header \"PRIVATE-TOKEN: {}\"", self.token.reveal());
        let links = format!("{url}/api/v4/projects/24/releases/v0.1/assets/links");
        let link = format!("{links}/{}", self.link.0);
        let asset = "https://gitlab.example.com/mynamespace/hello/-/jobs/688/artifacts/raw/bin/hello-darwin-amd64";
        [
            "\nA first session, with the token of this installation's examples:\n".to_owned(),
            format!("curl {header} \"{links}\""),
            format!("curl {header} \"{link}\""),
            format!(
                "curl --request POST {header} --data name=\"hellodarwin-amd64\" \
                 --data url=\"{asset}\" --data direct_asset_path=\"/bin/hellodarwin-amd64\" \
                 \"{url}/api/v4/projects/20/releases/v1.7.0/assets/links\""
            ),
            format!(
                "curl --request PUT {header} --data name=\"new name\" \
                 --data link_type=\"runbook\" \"{link}\""
            ),
            format!("curl --request DELETE {header} \"{link}\""),
        ]
        .join("\n")
    }
}
