//! Publishing again: creations that meet what an earlier run of a pipeline created.
//!
//! An existing link becomes what was sent in one transaction, so that a reader always finds its old or
//! its new values. Of a release, each link is written by itself, and the release's own item last: an
//! interrupted run leaves links that are whole, and the next run goes on.

use std::collections::HashMap;

use super::Store;
use super::deadline::{Backoff, Deadline};
use super::error::StoreError;
use super::links::{CreateLinkResult, UpdateLinkResult};
use super::releases::{NewRelease, READ_BATCH, ReleaseCreated};
use crate::domain::link::{Change, Conflicts, Link, LinkFields, LinkId, UncheckedLink};
use crate::domain::policies::{OnDuplicate, Outcome, Policies};
use crate::domain::release::{NewLinks, Release, ReleaseChanges};
use crate::domain::time::Timestamp;

/// The result of publishing a link.
#[derive(Debug)]
pub enum LinkPublished {
    Link(Outcome, Link),
    /// Other links have some of its values.
    Conflicts(Conflicts),
}

/// The result of publishing a release.
#[derive(Debug)]
pub enum ReleasePublished {
    /// It was created, with these links.
    Created(Release, Vec<Link>),
    /// There was one, and it has what was sent: since before, or by this.
    Existing(Outcome, Release),
    /// There is one, and it may not become what was sent.
    Exists,
    /// There is one that is immutable, and its links differ.
    Immutable,
    /// Several links of the existing one have the values of a link that was sent.
    Conflicts(LinkFields, Conflicts),
}

/// What a link that was sent needs.
enum Step {
    Create(LinkFields),
    Replace(Link, LinkFields),
}

/// The writes that make a release what was sent.
enum Plan {
    Steps(Vec<Step>),
    /// A link is missing or differs, and may not be replaced.
    Differs,
    Conflicts(LinkFields, Conflicts),
}

/// A link is read with at most three claims.
const LINKS_OF_A_BATCH: usize = READ_BATCH / 3;

impl Store {
    /// Creates a link, or by `on_duplicate` accepts or replaces the one link that has its values.
    ///
    /// A creation that meets no other link costs what [`Store::create_link`] costs.
    pub async fn publish_link(
        &self,
        release: &Release,
        fields: LinkFields,
        on_duplicate: OnDuplicate,
        now: Timestamp,
        deadline: Deadline,
    ) -> Result<LinkPublished, StoreError> {
        let mut backoff = Backoff::new(deadline);
        loop {
            let taken = match self.create_link(release, fields.clone(), now, deadline).await? {
                CreateLinkResult::Link(link) => {
                    return Ok(LinkPublished::Link(Outcome::Created, link));
                }
                CreateLinkResult::Conflicts(taken) => taken,
            };
            let may_exist = on_duplicate != OnDuplicate::Reject;
            let Some(holder) = taken.only_holder().filter(|_| may_exist) else {
                return Ok(LinkPublished::Conflicts(taken));
            };
            if let Some(link) = self.link_of_generation(release, holder, deadline).await? {
                if link.fields == fields {
                    return Ok(LinkPublished::Link(Outcome::Unchanged, link));
                }
                if on_duplicate == OnDuplicate::Accept {
                    return Ok(LinkPublished::Conflicts(taken));
                }
                match self.update_link(release, &link, fields.clone(), now, deadline).await? {
                    UpdateLinkResult::Link(link) => {
                        return Ok(LinkPublished::Link(Outcome::Replaced, link));
                    }
                    UpdateLinkResult::Conflicts(others) => {
                        return Ok(LinkPublished::Conflicts(taken.or(others)));
                    }
                    UpdateLinkResult::Changed => {}
                }
            }
            backoff.wait("the existing link changes").await?;
        }
    }

    /// The link of `release` that has exactly these fields.
    pub async fn equal_link(
        &self,
        release: &Release,
        fields: &LinkFields,
        deadline: Deadline,
    ) -> Result<Option<Link>, StoreError> {
        let taken = self.conflicts(release, &UncheckedLink::from(fields), None, deadline).await?;
        let Some(holder) = taken.only_holder() else { return Ok(None) };
        let link = self.link_of_generation(release, holder, deadline).await?;
        Ok(link.filter(|link| link.fields == *fields))
    }

    async fn link_of_generation(
        &self,
        release: &Release,
        id: LinkId,
        deadline: Deadline,
    ) -> Result<Option<Link>, StoreError> {
        let link = self.links_of_ids(&release.key, &[id], deadline).await?.pop();
        Ok(link.filter(|link| link.release == release.uid))
    }

    /// Creates a release, or by `on_duplicate` accepts or changes the `existing` one. What the existing
    /// one has and `new` does not name stays; its commit and its author stay too. `released_at` is the
    /// given time, if one was given.
    pub async fn publish_release(
        &self,
        new: NewRelease,
        mut existing: Option<Release>,
        released_at: Option<Timestamp>,
        (on_duplicate, policies): (OnDuplicate, Policies),
        now: Timestamp,
        deadline: Deadline,
    ) -> Result<ReleasePublished, StoreError> {
        let mut backoff = Backoff::new(deadline);
        loop {
            if let Some(release) = existing {
                let changes = ReleaseChanges {
                    name: new.name.clone().map_or(Change::Keep, |name| Change::Set(Some(name))),
                    description: new
                        .description
                        .clone()
                        .map_or(Change::Keep, |notes| Change::Set(Some(notes))),
                    released_at,
                };
                let links = new.links.clone();
                let is_immutable = policies.is_immutable(release.created_at, now);
                let rules = (on_duplicate, is_immutable);
                let published =
                    self.change_to(release, links, &changes, rules, now, deadline).await?;
                if let Some(published) = published {
                    return Ok(published);
                }
                backoff.wait("the existing release changes").await?;
            } else {
                match self.create_release(new.clone(), now, deadline).await? {
                    ReleaseCreated::Release(release, links) => {
                        return Ok(ReleasePublished::Created(release, links));
                    }
                    ReleaseCreated::Exists if on_duplicate == OnDuplicate::Reject => {
                        return Ok(ReleasePublished::Exists);
                    }
                    ReleaseCreated::Exists => {}
                }
            }
            existing = self.get_release(&new.key, deadline).await?;
        }
    }

    /// Changes an existing release into what was sent. `None` if another writer changed it meanwhile.
    async fn change_to(
        &self,
        release: Release,
        links: NewLinks,
        changes: &ReleaseChanges,
        (on_duplicate, is_immutable): (OnDuplicate, bool),
        now: Timestamp,
        deadline: Deadline,
    ) -> Result<Option<ReleasePublished>, StoreError> {
        let may_replace = match on_duplicate {
            OnDuplicate::Reject => return Ok(Some(ReleasePublished::Exists)),
            OnDuplicate::Accept => false,
            OnDuplicate::Replace => true,
        };
        let steps = match self.plan(&release, links, may_replace, deadline).await? {
            Plan::Steps(steps) => steps,
            Plan::Differs => return Ok(Some(ReleasePublished::Exists)),
            Plan::Conflicts(fields, taken) => {
                return Ok(Some(ReleasePublished::Conflicts(fields, taken)));
            }
        };
        if is_immutable && !steps.is_empty() {
            return Ok(Some(ReleasePublished::Immutable));
        }
        let after = changes.apply(&release, now);
        let is_equal = Release { updated_at: release.updated_at, ..after } == release;
        if !is_equal && !may_replace {
            return Ok(Some(ReleasePublished::Exists));
        }
        let outcome =
            if is_equal && steps.is_empty() { Outcome::Unchanged } else { Outcome::Replaced };
        for step in steps {
            if !self.take(&release, step, now, deadline).await? {
                return Ok(None);
            }
        }
        if is_equal {
            return Ok(Some(ReleasePublished::Existing(outcome, release)));
        }
        let updated = self.update_release(&release, changes, now, deadline).await?;
        Ok(updated.map(|release| ReleasePublished::Existing(outcome, release)))
    }

    /// Decides by the links as they are what to write, before anything is written.
    async fn plan(
        &self,
        release: &Release,
        links: NewLinks,
        may_replace: bool,
        deadline: Deadline,
    ) -> Result<Plan, StoreError> {
        let sent = links.into_fields();
        let mut there = self.holders(release, &sent, deadline).await?;
        let mut steps = Vec::new();
        for fields in sent {
            let holder = |is_held: &dyn Fn(&LinkFields) -> bool| {
                there.values().find(|link| is_held(&link.fields)).map(|link| link.id)
            };
            let taken = Conflicts {
                url: holder(&|held| held.url == fields.url),
                name: holder(&|held| held.name == fields.name),
                path: holder(&|held| held.path.is_some() && held.path == fields.path),
            };
            let holder = taken.only_holder();
            match holder.and_then(|holder| there.get_mut(&holder)) {
                Some(link) if link.fields == fields => {}
                Some(_) | None if !may_replace => return Ok(Plan::Differs),
                Some(link) => {
                    steps.push(Step::Replace(link.clone(), fields.clone()));
                    // The next links that were sent may take the values that this one gives up.
                    link.fields = fields;
                }
                None if taken.any() => return Ok(Plan::Conflicts(fields, taken)),
                None => steps.push(Step::Create(fields)),
            }
        }
        Ok(Plan::Steps(steps))
    }

    /// The links of `release` that have values of the links that were sent.
    async fn holders(
        &self,
        release: &Release,
        sent: &[LinkFields],
        deadline: Deadline,
    ) -> Result<HashMap<LinkId, Link>, StoreError> {
        let mut there = HashMap::new();
        for batch in sent.chunks(LINKS_OF_A_BATCH) {
            let ids = self.holder_ids(release, batch, deadline).await?;
            for link in self.links_of_ids(&release.key, &ids, deadline).await? {
                if link.release == release.uid {
                    there.insert(link.id, link);
                }
            }
        }
        Ok(there)
    }

    /// Writes one link. False if it is not as it was read.
    async fn take(
        &self,
        release: &Release,
        step: Step,
        now: Timestamp,
        deadline: Deadline,
    ) -> Result<bool, StoreError> {
        Ok(match step {
            Step::Create(fields) => match self.create_link(release, fields, now, deadline).await? {
                CreateLinkResult::Link(_) => true,
                CreateLinkResult::Conflicts(_) => false,
            },
            Step::Replace(link, fields) => {
                match self.update_link(release, &link, fields, now, deadline).await? {
                    UpdateLinkResult::Link(_) => true,
                    UpdateLinkResult::Conflicts(_) | UpdateLinkResult::Changed => false,
                }
            }
        })
    }
}
