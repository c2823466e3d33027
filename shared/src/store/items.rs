//! The attributes of every item, and their crossing to and from the types of the domain.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::error::StoreError;
use super::keys::{DirectoryKey, KeyAttributes, PK, ReleasesKey, SK};
use crate::domain::commit::CommitSha;
use crate::domain::digest::{Digest, Size};
use crate::domain::issuer::{Audience, Issuer, IssuerUrl, PublicKey};
use crate::domain::link::{
    Contents, DirectAssetPath, Link, LinkFields, LinkId, LinkName, LinkType, LinkedFile,
};
use crate::domain::link_url::LinkUrl;
use crate::domain::policies::{OnDuplicate, Policies};
use crate::domain::project::ProjectState;
use crate::domain::project::{
    BranchName, Project, ProjectId, ProjectPath, ProtectedTag, ReleasesAccess, SourceUrl,
    Visibility,
};
use crate::domain::publisher::{PublishedBy, Publisher};
use crate::domain::release::{Author, Description, Release, ReleaseName};
use crate::domain::release_key::{ReleaseKey, ReleaseUid};
use crate::domain::secret::SecretHash;
use crate::domain::tag_name::TagName;
use crate::domain::time::Timestamp;
use crate::domain::token::{Grant, Job, Scope, Token, User};
use crate::domain::token_kind::TokenKind;

/// The attribute by which the database removes tokens some time after their expiry.
pub(super) const TTL: &str = "ttl";

/// How long a token is kept after its expiry: until then, its bearer is told that it has expired.
pub(super) const KEPT_AFTER_EXPIRY: Duration = Duration::from_hours(90 * 24);

pub(super) type Attributes = HashMap<String, AttributeValue>;

/// The whole item: its key and its attributes.
pub(super) fn to_item<T: Serialize>(
    key: KeyAttributes,
    item: &T,
) -> Result<Attributes, StoreError> {
    let mut attributes: Attributes = serde_dynamo::to_item(item)?;
    attributes.extend(key);
    Ok(attributes)
}

/// Reads an item's attributes; those it does not know, its key's among them, are passed over.
pub(super) fn from_item<T: DeserializeOwned>(attributes: Attributes) -> Result<T, StoreError> {
    Ok(serde_dynamo::from_item(attributes)?)
}

/// The key of an item of the directory table.
pub(super) fn directory_key(item: &Attributes) -> Option<DirectoryKey> {
    Some(DirectoryKey { pk: text(item, PK)?, sk: text(item, SK)? })
}

/// The key of an item of the releases table.
pub(super) fn releases_key(item: &Attributes) -> Option<ReleasesKey> {
    Some(ReleasesKey { pk: text(item, PK)?, sk: text(item, SK)? })
}

fn text(item: &Attributes, name: &str) -> Option<String> {
    item.get(name)?.as_s().ok().cloned()
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ReleaseItem {
    project: ProjectId,
    tag: TagName,
    uid: ReleaseUid,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    name: Option<ReleaseName>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    description: Option<Description>,
    author: Author,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    commit: Option<CommitSha>,
    created_at: Timestamp,
    released_at: Timestamp,
    updated_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    published_by: Option<Box<PublishedBy>>,
}

impl From<&Release> for ReleaseItem {
    fn from(release: &Release) -> Self {
        Self {
            project: release.key.project,
            tag: release.key.tag.clone(),
            uid: release.uid.clone(),
            name: release.name.clone(),
            description: release.description.clone(),
            author: release.author.clone(),
            commit: release.commit.clone(),
            created_at: release.created_at,
            released_at: release.released_at,
            updated_at: release.updated_at,
            published_by: release.published_by.clone(),
        }
    }
}

impl From<ReleaseItem> for Release {
    fn from(item: ReleaseItem) -> Self {
        Self {
            key: ReleaseKey { project: item.project, tag: item.tag },
            uid: item.uid,
            name: item.name,
            description: item.description,
            author: item.author,
            commit: item.commit,
            created_at: item.created_at,
            released_at: item.released_at,
            updated_at: item.updated_at,
            published_by: item.published_by,
        }
    }
}

/// A release in the list of its project: enough to find it, also by its commit, and to sort it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct IndexItem {
    pub(super) project: ProjectId,
    pub(super) tag: TagName,
    pub(super) uid: ReleaseUid,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) commit: Option<CommitSha>,
    pub(super) created_at: Timestamp,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct LinkItem {
    pub(super) project: ProjectId,
    pub(super) tag: TagName,
    pub(super) release_uid: ReleaseUid,
    id: LinkId,
    name: LinkName,
    url: LinkUrl,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    direct_asset_path: Option<DirectAssetPath>,
    link_type: LinkType,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    digest: Option<Digest>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    size: Option<Size>,
    created_at: Timestamp,
    updated_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    published_by: Option<Box<PublishedBy>>,
}

impl LinkItem {
    pub(super) fn new(release: &ReleaseKey, link: &Link) -> Self {
        let Contents { digest, size } = link.fields.contents.clone();
        Self {
            project: release.project,
            tag: release.tag.clone(),
            release_uid: link.release.clone(),
            id: link.id,
            name: link.fields.name.clone(),
            url: link.fields.url.clone(),
            direct_asset_path: link.fields.path.clone(),
            link_type: link.fields.link_type,
            digest,
            size,
            created_at: link.created_at,
            updated_at: link.updated_at,
            published_by: link.published_by.clone(),
        }
    }
}

impl From<LinkItem> for Link {
    fn from(item: LinkItem) -> Self {
        Self {
            id: item.id,
            release: item.release_uid,
            fields: LinkFields {
                name: item.name,
                url: item.url,
                path: item.direct_asset_path,
                link_type: item.link_type,
                contents: Contents { digest: item.digest, size: item.size },
            },
            created_at: item.created_at,
            updated_at: item.updated_at,
            published_by: item.published_by,
        }
    }
}

/// The claim of a link to a name, url or path within one generation of its release.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct ClaimItem {
    pub(super) project: ProjectId,
    pub(super) tag: TagName,
    pub(super) release_uid: ReleaseUid,
    pub(super) link_id: LinkId,
    pub(super) created_at: Timestamp,
    /// The link's url, in the claim of a path: a download reads it here.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) url: Option<LinkUrl>,
    /// The link's digest, beside the url.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) digest: Option<Digest>,
}

impl ClaimItem {
    /// The file, if this is the claim of a path.
    pub(super) fn into_file(self) -> Option<LinkedFile> {
        Some(LinkedFile { url: self.url?, digest: self.digest })
    }
}

/// A claim and the key by which it is unique.
pub(super) struct Claim {
    pub(super) key: ReleasesKey,
    pub(super) item: ClaimItem,
}

impl Claim {
    /// Whether both are the claim of one path, and downloads of it differ.
    pub(super) fn leads_elsewhere_than(&self, other: &Self) -> bool {
        self.key == other.key && self.item.clone().into_file() != other.item.clone().into_file()
    }
}

/// The claims of a link: of its url, its name, and its path where it has one, in this order.
pub(super) fn claims(release: &ReleaseKey, link: &Link) -> Vec<Claim> {
    let claim = |key| Claim {
        key,
        item: ClaimItem {
            project: release.project,
            tag: release.tag.clone(),
            release_uid: link.release.clone(),
            link_id: link.id,
            created_at: link.updated_at,
            url: None,
            digest: None,
        },
    };
    let fields = &link.fields;
    let mut claims = vec![
        claim(ReleasesKey::url_claim(&link.release, &fields.url)),
        claim(ReleasesKey::name_claim(&link.release, &fields.name)),
    ];
    if let Some(path) = &fields.path {
        let key = ReleasesKey::path_claim(release, path, &link.release);
        let mut claim = claim(key);
        claim.item.url = Some(fields.url.clone());
        claim.item.digest.clone_from(&fields.contents.digest);
        claims.push(claim);
    }
    claims
}

/// A project. The item of a deleted one stays: its number is never used again.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ProjectItem {
    pub(super) id: ProjectId,
    path: ProjectPath,
    visibility: Visibility,
    releases_access: ReleasesAccess,
    archived: bool,
    protected_tags: Vec<ProtectedTag>,
    #[serde(default)]
    default_branch: BranchName,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    source_url: Option<SourceUrl>,
    #[serde(default)]
    on_duplicate: OnDuplicate,
    /// In seconds.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    immutable_after: Option<u64>,
    #[serde(default)]
    only_trusted: bool,
    created_at: Timestamp,
    #[serde(default)]
    deleted: bool,
}

impl ProjectItem {
    pub(super) fn new(project: &Project) -> Self {
        Self {
            id: project.id,
            path: project.path.clone(),
            visibility: project.visibility,
            releases_access: project.releases_access,
            archived: project.archived,
            protected_tags: project.protected_tags.clone(),
            default_branch: project.default_branch.clone(),
            source_url: project.source_url.clone(),
            on_duplicate: project.policies.on_duplicate,
            immutable_after: project.policies.immutable_after.map(|grace| grace.as_secs()),
            only_trusted: project.policies.only_trusted,
            created_at: project.created_at,
            deleted: false,
        }
    }

    /// The project, unless it was deleted.
    pub(super) fn if_live(self) -> Option<Project> {
        let (project, is_deleted) = self.into_project();
        (!is_deleted).then_some(project)
    }

    /// The project as it was, if it was deleted.
    pub(super) fn if_deleted(self) -> Option<Project> {
        let (project, is_deleted) = self.into_project();
        is_deleted.then_some(project)
    }

    pub(super) fn into_state(self) -> ProjectState {
        let state = if self.deleted { ProjectState::Deleted } else { ProjectState::Live };
        state(self.path)
    }

    /// The project as it is or was, and whether it was deleted.
    pub(super) fn into_project(self) -> (Project, bool) {
        let project = Project {
            id: self.id,
            path: self.path,
            visibility: self.visibility,
            releases_access: self.releases_access,
            archived: self.archived,
            protected_tags: self.protected_tags,
            default_branch: self.default_branch,
            source_url: self.source_url,
            policies: Policies {
                on_duplicate: self.on_duplicate,
                immutable_after: self.immutable_after.map(Duration::from_secs),
                only_trusted: self.only_trusted,
            },
            created_at: self.created_at,
        };
        (project, self.deleted)
    }
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct PathItem {
    pub(super) id: ProjectId,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct TokenItem {
    hash: SecretHash,
    kind: TokenKind,
    name: String,
    user: User,
    scope: Scope,
    grants: Vec<Grant>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    job: Option<Job>,
    created_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    expires_at: Option<Timestamp>,
    revoked: bool,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    on_duplicate: Option<OnDuplicate>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    ttl: Option<i64>,
}

impl From<&Token> for TokenItem {
    fn from(token: &Token) -> Self {
        Self {
            hash: token.hash.clone(),
            kind: token.kind,
            name: token.name.clone(),
            user: token.user.clone(),
            scope: token.scope,
            grants: token.grants.clone(),
            job: token.job.clone(),
            created_at: token.created_at,
            expires_at: token.expires_at,
            revoked: token.revoked,
            on_duplicate: token.on_duplicate,
            ttl: token.expires_at.map(|at| at.plus(KEPT_AFTER_EXPIRY).unix_seconds()),
        }
    }
}

impl From<TokenItem> for Token {
    fn from(item: TokenItem) -> Self {
        Self {
            hash: item.hash,
            kind: item.kind,
            name: item.name,
            user: item.user,
            scope: item.scope,
            grants: item.grants,
            job: item.job,
            created_at: item.created_at,
            expires_at: item.expires_at,
            revoked: item.revoked,
            on_duplicate: item.on_duplicate,
        }
    }
}

/// An issuer of ID tokens.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct IssuerItem {
    url: IssuerUrl,
    audience: Audience,
    /// In seconds.
    max_age: u64,
    allows_private_addresses: bool,
    keys: Vec<PublicKey>,
    refreshed_at: Timestamp,
    created_at: Timestamp,
}

impl From<&Issuer> for IssuerItem {
    fn from(issuer: &Issuer) -> Self {
        Self {
            url: issuer.url.clone(),
            audience: issuer.audience.clone(),
            max_age: issuer.max_age.as_secs(),
            allows_private_addresses: issuer.allows_private_addresses,
            keys: issuer.keys.clone(),
            refreshed_at: issuer.refreshed_at,
            created_at: issuer.created_at,
        }
    }
}

impl From<IssuerItem> for Issuer {
    fn from(item: IssuerItem) -> Self {
        Self {
            url: item.url,
            audience: item.audience,
            max_age: Duration::from_secs(item.max_age),
            allows_private_addresses: item.allows_private_addresses,
            keys: item.keys,
            refreshed_at: item.refreshed_at,
            created_at: item.created_at,
        }
    }
}

/// New keys of an issuer: the attributes that a refresh sets.
#[derive(Debug, Serialize)]
pub(super) struct KeysOfIssuer<'a> {
    pub(super) keys: &'a [PublicKey],
    pub(super) refreshed_at: Timestamp,
}

/// The publishers of a project: an attribute for each, by its id. So two operators who add or remove
/// different ones both keep their change.
pub(super) fn publishers(item: Attributes) -> Result<Vec<Publisher>, StoreError> {
    let publishers = item.into_iter().filter(|(name, _)| name != PK && name != SK);
    publishers.map(|(_, value)| Ok(serde_dynamo::from_attribute_value(value)?)).collect()
}

/// The directory's item for this project.
pub(super) fn project_item(item: &ProjectItem) -> Result<Attributes, StoreError> {
    to_item(DirectoryKey::project(item.id).attributes(), item)
}
