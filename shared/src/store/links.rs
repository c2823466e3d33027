//! Writing links: each write is one transaction over the link and its claims.
//!
//! No transaction touches the release's item: two jobs that publish into one release share no
//! item, and so never conflict.

use aws_sdk_dynamodb::types::AttributeValue;

use super::Store;
use super::deadline::{Backoff, Deadline};
use super::error::StoreError;
use super::items::releases_key;
use super::items::{Attributes, Claim, ClaimItem, LinkItem, claims, from_item, to_item};
use super::keys::ReleasesKey;
use super::transaction::{Condition, TransactionResult, Write};
use crate::domain::link::{Conflicts, Contents, Link, LinkFields, LinkId, UncheckedLink};
use crate::domain::publisher::Stamp;
use crate::domain::release::Release;
use crate::domain::release_key::ReleaseKey;
use crate::request_record::note;

/// The result of creating a link.
#[derive(Debug)]
pub enum CreateLinkResult {
    /// It was made.
    Link(Link),
    /// Another link of the release has some of its values.
    Conflicts(Conflicts),
}

/// The result of changing a link.
#[derive(Debug)]
pub enum UpdateLinkResult {
    /// It is now this.
    Link(Link),
    /// Another link of the release has some of its new values.
    Conflicts(Conflicts),
    /// It is not as it was read: read it again.
    Changed,
}

/// The result of deleting a link.
#[derive(Debug)]
pub enum DeleteLinkResult {
    /// It is gone.
    Done,
    /// It is not as it was read: read it again.
    Changed,
}

impl Store {
    /// Creates a link of `release`. The same transaction claims its name, url and path: of simultaneous
    /// creations with one value, exactly one succeeds.
    pub async fn create_link(
        &self,
        release: &Release,
        fields: LinkFields,
        stamp: impl Into<Stamp>,
        deadline: Deadline,
    ) -> Result<CreateLinkResult, StoreError> {
        let Stamp { at, published_by } = stamp.into();
        let mut link = Link {
            id: self.take_link_id(deadline).await?,
            release: release.uid.clone(),
            fields,
            created_at: at,
            updated_at: at,
            published_by,
        };
        let unchecked = UncheckedLink::from(&link.fields);
        let mut backoff = Backoff::new(deadline);
        loop {
            let mut writes =
                vec![self.put(link_item(&release.key, &link)?, Some(Condition::absent()))];
            for claim in claims(&release.key, &link) {
                writes.push(self.put_claim(&claim)?);
            }
            match self.transact(writes, deadline).await? {
                TransactionResult::Committed => {
                    note(|record| record.link = Some(link.id));
                    return Ok(CreateLinkResult::Link(link));
                }
                TransactionResult::ConditionsFailed(failed) if failed.first() == Some(&true) => {
                    if self.is_made(&release.key, &link, deadline).await? {
                        // An earlier try was carried out and its answer lost.
                        return Ok(CreateLinkResult::Link(link));
                    }
                    // Another link's number: the counter went back, as a restored table's does.
                    link.id = self.take_link_id(deadline).await?;
                    continue;
                }
                TransactionResult::ConditionsFailed(_) => {}
            }
            let taken = self.conflicts(release, &unchecked, None, deadline).await?;
            if taken.any() {
                return Ok(CreateLinkResult::Conflicts(taken));
            }
            // The conflicting link is gone by now.
            backoff.wait("claims come and go").await?;
        }
    }

    /// Changes `current` into `fields`, provided that it still is as it was read. A value that
    /// stays keeps its claim; one that changes moves it in the same transaction.
    pub async fn update_link(
        &self,
        release: &Release,
        current: &Link,
        fields: LinkFields,
        stamp: impl Into<Stamp>,
        deadline: Deadline,
    ) -> Result<UpdateLinkResult, StoreError> {
        if fields == current.fields {
            return Ok(UpdateLinkResult::Link(current.clone()));
        }
        let Stamp { at, published_by } = stamp.into();
        let link = Link { fields, updated_at: at, published_by, ..current.clone() };
        let before = claims(&release.key, current);
        let after = claims(&release.key, &link);
        let is_in =
            |claims: &[Claim], key: &ReleasesKey| claims.iter().any(|claim| claim.key == *key);

        let mut writes = vec![self.put(link_item(&release.key, &link)?, Some(as_read(current)))];
        for claim in &after {
            if !is_in(&before, &claim.key) {
                writes.push(self.put_claim(claim)?);
            } else if before.iter().any(|held| held.leads_elsewhere_than(claim)) {
                // The claim of a path says where the path leads, and to what.
                writes.push(self.put(to_item(claim.key.attributes(), &claim.item)?, None));
            }
        }
        for claim in &before {
            if !is_in(&after, &claim.key) {
                writes.push(self.delete(&claim.key, None));
            }
        }

        let unchecked = UncheckedLink::from(&link.fields);
        let mut backoff = Backoff::new(deadline);
        loop {
            match self.transact(writes.clone(), deadline).await? {
                TransactionResult::Committed => {
                    note(|record| record.link = Some(link.id));
                    return Ok(UpdateLinkResult::Link(link));
                }
                TransactionResult::ConditionsFailed(failed) if failed.first() == Some(&true) => {
                    return Ok(UpdateLinkResult::Changed);
                }
                TransactionResult::ConditionsFailed(_) => {}
            }
            let taken = self.conflicts(release, &unchecked, Some(link.id), deadline).await?;
            if taken.any() {
                return Ok(UpdateLinkResult::Conflicts(taken));
            }
            backoff.wait("claims come and go").await?;
        }
    }

    /// Deletes `current` and its claims, provided that it still is as it was read.
    pub async fn delete_link(
        &self,
        release: &Release,
        current: &Link,
        deadline: Deadline,
    ) -> Result<DeleteLinkResult, StoreError> {
        let key = ReleasesKey::link(&release.key, current.id);
        let mut writes = vec![self.delete(&key, Some(as_read(current)))];
        writes.extend(
            claims(&release.key, current).iter().map(|claim| self.delete(&claim.key, None)),
        );
        match self.transact(writes, deadline).await? {
            TransactionResult::Committed => Ok(DeleteLinkResult::Done),
            TransactionResult::ConditionsFailed(_) => Ok(DeleteLinkResult::Changed),
        }
    }

    /// The links other than `except` that have values of `unchecked`, by one consistent read of the
    /// claims.
    pub async fn conflicts(
        &self,
        release: &Release,
        unchecked: &UncheckedLink,
        except: Option<LinkId>,
        deadline: Deadline,
    ) -> Result<Conflicts, StoreError> {
        let uid = &release.uid;
        let url = unchecked.url.as_ref().ok().map(|url| ReleasesKey::url_claim(uid, url));
        let name = unchecked.name.as_ref().ok().map(|name| ReleasesKey::name_claim(uid, name));
        let path = unchecked
            .path
            .as_ref()
            .and_then(|path| path.as_ref().ok())
            .map(|path| ReleasesKey::path_claim(&release.key, path, uid));
        let keys: Vec<_> = [&url, &name, &path].into_iter().flatten().cloned().collect();
        let mut held = Vec::new();
        for item in self.batch_get(&[], &keys, deadline).await?.releases {
            let key = releases_key(&item);
            let holder = from_item::<ClaimItem>(item)?.link_id;
            if Some(holder) != except {
                held.push((key, holder));
            }
        }
        let holder = |key: &Option<ReleasesKey>| {
            let found = held.iter().find(|(held, _)| key.is_some() && held == key);
            found.map(|(_, holder)| *holder)
        };
        Ok(Conflicts { url: holder(&url), name: holder(&name), path: holder(&path) })
    }

    /// The numbers of the links that have values of these links, at most 33, by one consistent read.
    pub(super) async fn holder_ids(
        &self,
        release: &Release,
        links: &[LinkFields],
        deadline: Deadline,
    ) -> Result<Vec<LinkId>, StoreError> {
        let keys: Vec<_> = links.iter().flat_map(|fields| claim_keys(release, fields)).collect();
        let items = self.batch_get(&[], &keys, deadline).await?.releases;
        let mut ids = Vec::new();
        for item in items {
            ids.push(from_item::<ClaimItem>(item)?.link_id);
        }
        ids.sort_unstable();
        ids.dedup();
        Ok(ids)
    }

    /// Whether what has the link's number is this link, though somebody may have changed it since:
    /// when it was made stays.
    async fn is_made(
        &self,
        release: &ReleaseKey,
        link: &Link,
        deadline: Deadline,
    ) -> Result<bool, StoreError> {
        let there = self.links_of_ids(release, &[link.id], deadline).await?.pop();
        Ok(there.is_some_and(|there| {
            there.release == link.release && there.created_at == link.created_at
        }))
    }

    /// The links of these numbers, at most a hundred, of whatever generation, in any order.
    pub(super) async fn links_of_ids(
        &self,
        release: &ReleaseKey,
        ids: &[LinkId],
        deadline: Deadline,
    ) -> Result<Vec<Link>, StoreError> {
        let keys: Vec<_> = ids.iter().map(|id| ReleasesKey::link(release, *id)).collect();
        let items = self.batch_get(&[], &keys, deadline).await?.releases.into_iter();
        items.map(|item| Ok(Link::from(from_item::<LinkItem>(item)?))).collect()
    }

    fn put_claim(&self, claim: &Claim) -> Result<Write, StoreError> {
        let item = to_item(claim.key.attributes(), &claim.item)?;
        Ok(self.put(item, Some(Condition::absent())))
    }
}

pub(super) fn link_item(release: &ReleaseKey, link: &Link) -> Result<Attributes, StoreError> {
    to_item(ReleasesKey::link(release, link.id).attributes(), &LinkItem::new(release, link))
}

/// The keys of the claims of a link of this release.
fn claim_keys(release: &Release, fields: &LinkFields) -> Vec<ReleasesKey> {
    let uid = &release.uid;
    let path = fields.path.as_ref().map(|path| ReleasesKey::path_claim(&release.key, path, uid));
    let url = ReleasesKey::url_claim(uid, &fields.url);
    let name = ReleasesKey::name_claim(uid, &fields.name);
    [Some(url), Some(name), path].into_iter().flatten().collect()
}

/// The condition that the link belongs to the same generation of its release and still has the values
/// as read: this write moves or deletes the claims of the unique ones, and keeps digest and size.
fn as_read(link: &Link) -> Condition {
    let fields = &link.fields;
    let text = |value: &str| AttributeValue::S(value.to_owned());
    let mut condition = Condition::new(
        "release_uid = :uid AND #name = :name AND #url = :url",
        [("#name", "name"), ("#url", "url")],
        [
            (":uid", text(link.release.as_str())),
            (":name", text(fields.name.as_str())),
            (":url", text(fields.url.as_str())),
        ],
    );
    if let Some(path) = &fields.path {
        condition.expression.push_str(" AND direct_asset_path = :path");
        condition.values.insert(":path".to_owned(), text(path.as_str()));
    } else {
        condition.expression.push_str(" AND attribute_not_exists(direct_asset_path)");
    }
    let Contents { digest, size } = &fields.contents;
    let digest = digest.as_ref().map(|digest| text(digest.as_str()));
    let size = size.map(|size| AttributeValue::N(size.bytes().to_string()));
    for (name, placeholder, value, value_name) in
        [("digest", "#digest", digest, ":digest"), ("size", "#size", size, ":size")]
    {
        condition.names.insert(placeholder.to_owned(), name.to_owned());
        let clause = if let Some(value) = value {
            condition.values.insert(value_name.to_owned(), value);
            format!(" AND {placeholder} = {value_name}")
        } else {
            format!(" AND attribute_not_exists({placeholder})")
        };
        condition.expression.push_str(&clause);
    }
    condition
}
