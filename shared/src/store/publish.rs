//! Creations that can meet links and releases from an earlier run of a pipeline.
//!
//! One transaction replaces a link, so readers always find its old or its new values. A release is
//! replaced link by link, its own item last: after an interruption every link is complete, and the next
//! run continues.

use std::collections::HashMap;

use super::Store;
use super::deadline::{Backoff, Deadline};
use super::error::StoreError;
use super::links::{CreateLinkResult, UpdateLinkResult};
use super::releases::{NewRelease, READ_BATCH, ReleaseCreated};
use crate::domain::link::{Change, Conflicts, Link, LinkFields, LinkId, UncheckedLink};
use crate::domain::policies::{OnDuplicate, Outcome, Policies};
use crate::domain::publisher::Stamp;
use crate::domain::release::{NewLinks, Release, ReleaseChanges};
use crate::domain::time::Timestamp;
use crate::request_record::note;

/// The result of publishing a link.
#[derive(Debug)]
pub enum LinkPublished {
    Link(Outcome, Link),
    /// Existing links have these of its values.
    Conflicts(Conflicts),
}

/// The result of publishing a release.
#[derive(Debug)]
pub enum ReleasePublished {
    /// The new release with its links.
    Created(Release, Vec<Link>),
    /// The existing release, which has the requested values now.
    Existing(Outcome, Release),
    /// A release exists, and the policy does not let it change.
    Exists,
    /// The existing release is immutable, and its links would change.
    Immutable,
    /// The requested link, and the several existing links that have its values.
    Conflicts(LinkFields, Conflicts),
}

/// A write that a requested link needs.
enum Step {
    Create(LinkFields),
    Replace(Link, LinkFields),
}

/// The writes that a request for an existing release needs.
enum Plan {
    Steps(Vec<Step>),
    /// A link is missing or differs, and may not be replaced.
    Differs,
    Conflicts(LinkFields, Conflicts),
}

/// The rules for an existing release.
struct Rules<'a> {
    on_duplicate: OnDuplicate,
    is_immutable: bool,
    /// It becomes immutable before the deadline.
    ends_meanwhile: bool,
    /// The request names another commit than the release has.
    other_commit: bool,
    /// Whether the request has written anything, also before it started over.
    wrote: &'a mut bool,
}

/// Each link has up to three claims, and one read returns up to 100 items.
const LINKS_OF_A_BATCH: usize = READ_BATCH / 3;

impl Store {
    /// Creates a link. If values are taken, `on_duplicate` decides whether the link that has them is
    /// accepted or replaced.
    ///
    /// Without taken values it costs the same as [`Store::create_link`].
    pub async fn publish_link(
        &self,
        release: &Release,
        fields: LinkFields,
        on_duplicate: OnDuplicate,
        stamp: Stamp,
        deadline: Deadline,
    ) -> Result<LinkPublished, StoreError> {
        let mut backoff = Backoff::new(deadline);
        loop {
            let taken =
                match self.create_link(release, fields.clone(), stamp.clone(), deadline).await? {
                    CreateLinkResult::Link(link) => {
                        return Ok(LinkPublished::Link(Outcome::Created, link));
                    }
                    CreateLinkResult::Conflicts(taken) => taken,
                };
            let may_exist = on_duplicate != OnDuplicate::Reject;
            if !may_exist {
                return Ok(LinkPublished::Conflicts(taken));
            }
            let Some(holder) = taken.only_holder() else {
                // A read of several claims is no snapshot: one can be of a link that is gone by now, and
                // another of its successor. Such a pair is not read twice.
                let unchecked = UncheckedLink::from(&fields);
                if self.conflicts(release, &unchecked, None, deadline).await? == taken {
                    return Ok(LinkPublished::Conflicts(taken));
                }
                backoff.wait("the existing links change").await?;
                continue;
            };
            if let Some(link) = self.link_of_generation(release, holder, deadline).await? {
                let fields = fields.clone().with_known_contents(&link.fields);
                if link.fields == fields {
                    note(|record| record.link = Some(link.id));
                    return Ok(LinkPublished::Link(Outcome::Unchanged, link));
                }
                if on_duplicate == OnDuplicate::Accept {
                    return Ok(LinkPublished::Conflicts(taken));
                }
                match self.update_link(release, &link, fields, stamp.clone(), deadline).await? {
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

    /// The link of `release` with exactly these fields.
    pub async fn equal_link(
        &self,
        release: &Release,
        fields: &LinkFields,
        deadline: Deadline,
    ) -> Result<Option<Link>, StoreError> {
        let taken = self.conflicts(release, &UncheckedLink::from(fields), None, deadline).await?;
        let Some(holder) = taken.only_holder() else { return Ok(None) };
        let link = self.link_of_generation(release, holder, deadline).await?;
        let known = |link: &Link| fields.clone().with_known_contents(&link.fields);
        Ok(link.filter(|link| link.fields == known(link)))
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

    /// Creates a release. If one exists, `on_duplicate` decides whether it is accepted or changed. An
    /// existing release keeps its author, its commit, and everything that the request does not name.
    /// `released_at` is `None` if the request does not name a time.
    pub async fn publish_release(
        &self,
        new: NewRelease,
        mut existing: Option<Release>,
        released_at: Option<Timestamp>,
        (on_duplicate, policies): (OnDuplicate, Policies),
        stamp: Stamp,
        deadline: Deadline,
    ) -> Result<ReleasePublished, StoreError> {
        let mut backoff = Backoff::new(deadline);
        let mut wrote = false;
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
                // Several writes take time, and no link may change after the end of the grace: a request
                // that could still be writing then is refused.
                let last_write = stamp.at.plus(deadline.remaining());
                let rules = Rules {
                    on_duplicate,
                    is_immutable: policies.is_immutable(release.created_at, stamp.at),
                    ends_meanwhile: policies.is_immutable(release.created_at, last_write),
                    other_commit: new.commit.is_some() && new.commit != release.commit,
                    wrote: &mut wrote,
                };
                let published =
                    self.change_to(release, links, &changes, rules, &stamp, deadline).await?;
                if let Some(published) = published {
                    return Ok(published);
                }
                backoff.wait("the existing release changes").await?;
            } else {
                match self.create_release(new.clone(), stamp.clone(), deadline).await? {
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

    /// Gives an existing release the requested values. `None` if another writer changed it meanwhile.
    async fn change_to(
        &self,
        release: Release,
        links: NewLinks,
        changes: &ReleaseChanges,
        rules: Rules<'_>,
        stamp: &Stamp,
        deadline: Deadline,
    ) -> Result<Option<ReleasePublished>, StoreError> {
        let Rules { on_duplicate, is_immutable, ends_meanwhile, other_commit, wrote } = rules;
        let may_replace = match on_duplicate {
            OnDuplicate::Reject => return Ok(Some(ReleasePublished::Exists)),
            OnDuplicate::Accept => false,
            OnDuplicate::Replace => true,
        };
        let steps = match self.plan(&release, links, may_replace, deadline).await? {
            Plan::Steps(steps) => steps,
            Plan::Differs if is_immutable => return Ok(Some(ReleasePublished::Immutable)),
            Plan::Differs => return Ok(Some(ReleasePublished::Exists)),
            Plan::Conflicts(fields, taken) => {
                return Ok(Some(ReleasePublished::Conflicts(fields, taken)));
            }
        };
        if (is_immutable && !steps.is_empty()) || (ends_meanwhile && steps.len() > 1) {
            return Ok(Some(ReleasePublished::Immutable));
        }
        let after = changes.apply(&release, stamp.at);
        let is_equal = Release { updated_at: release.updated_at, ..after } == release;
        if (!is_equal || other_commit) && !may_replace {
            return Ok(Some(ReleasePublished::Exists));
        }
        *wrote |= !is_equal;
        for step in steps {
            if !self.run_step(&release, step, stamp, deadline).await? {
                return Ok(None);
            }
            *wrote = true;
        }
        let outcome = if *wrote { Outcome::Replaced } else { Outcome::Unchanged };
        if is_equal {
            return Ok(Some(ReleasePublished::Existing(outcome, release)));
        }
        let updated = self.update_release(&release, changes, stamp.at, deadline).await?;
        Ok(updated.map(|release| ReleasePublished::Existing(outcome, release)))
    }

    /// Compares the requested links with the existing ones, and returns the necessary writes.
    async fn plan(
        &self,
        release: &Release,
        links: NewLinks,
        may_replace: bool,
        deadline: Deadline,
    ) -> Result<Plan, StoreError> {
        let mut requested = links.into_fields();
        let mut existing = self.holders(release, &requested, deadline).await?;
        let mut steps = Vec::new();
        // A link may need a value that another one gives up: then the other one is written first.
        loop {
            let before = requested.len();
            let mut blocked = Vec::new();
            for fields in requested {
                match step(&mut existing, fields, may_replace) {
                    PlannedStep::Write(step) => steps.push(step),
                    PlannedStep::Nothing => {}
                    PlannedStep::Differs => return Ok(Plan::Differs),
                    PlannedStep::Blocked(fields, taken) => blocked.push((fields, taken)),
                }
            }
            if blocked.len() == before {
                // Also two links that exchange values: no order of writes does that.
                return Ok(match blocked.into_iter().next() {
                    Some((fields, taken)) => Plan::Conflicts(fields, taken),
                    None => Plan::Steps(steps),
                });
            }
            requested = blocked.into_iter().map(|(fields, _)| fields).collect();
        }
    }

    /// The existing links that have values of the requested links.
    async fn holders(
        &self,
        release: &Release,
        requested: &[LinkFields],
        deadline: Deadline,
    ) -> Result<HashMap<LinkId, Link>, StoreError> {
        let mut existing = HashMap::new();
        for batch in requested.chunks(LINKS_OF_A_BATCH) {
            let ids = self.holder_ids(release, batch, deadline).await?;
            for link in self.links_of_ids(&release.key, &ids, deadline).await? {
                if link.release == release.uid {
                    existing.insert(link.id, link);
                }
            }
        }
        Ok(existing)
    }

    /// Writes one link. False if another writer changed it, or took its values.
    async fn run_step(
        &self,
        release: &Release,
        step: Step,
        stamp: &Stamp,
        deadline: Deadline,
    ) -> Result<bool, StoreError> {
        Ok(match step {
            Step::Create(fields) => {
                match self.create_link(release, fields, stamp.clone(), deadline).await? {
                    CreateLinkResult::Link(_) => true,
                    CreateLinkResult::Conflicts(_) => false,
                }
            }
            Step::Replace(link, fields) => {
                match self.update_link(release, &link, fields, stamp.clone(), deadline).await? {
                    UpdateLinkResult::Link(_) => true,
                    UpdateLinkResult::Conflicts(_) | UpdateLinkResult::Changed => false,
                }
            }
        })
    }
}

/// The step for one requested link.
enum PlannedStep {
    Write(Step),
    /// The link has all values.
    Nothing,
    /// It needs a write that the policy does not allow.
    Differs,
    /// Other links have its values.
    Blocked(LinkFields, Conflicts),
}

/// Compares a requested link with the existing ones, which change as if its step were written.
fn step(
    existing: &mut HashMap<LinkId, Link>,
    fields: LinkFields,
    may_replace: bool,
) -> PlannedStep {
    let holder = |is_held: &dyn Fn(&LinkFields) -> bool| {
        existing.values().find(|link| is_held(&link.fields)).map(|link| link.id)
    };
    let taken = Conflicts {
        url: holder(&|held| held.url == fields.url),
        name: holder(&|held| held.name == fields.name),
        path: holder(&|held| held.path.is_some() && held.path == fields.path),
    };
    let held = taken.only_holder().and_then(|holder| existing.get_mut(&holder));
    let fields = match &held {
        Some(link) => fields.with_known_contents(&link.fields),
        None => fields,
    };
    match held {
        Some(link) if link.fields == fields => PlannedStep::Nothing,
        Some(_) | None if !may_replace => PlannedStep::Differs,
        Some(link) => {
            let step = Step::Replace(link.clone(), fields.clone());
            // Later links of the request may use the values that this link no longer has.
            link.fields = fields;
            PlannedStep::Write(step)
        }
        None if taken.any() => PlannedStep::Blocked(fields, taken),
        None => PlannedStep::Write(Step::Create(fields)),
    }
}
