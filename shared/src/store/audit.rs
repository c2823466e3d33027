//! Checking the releases table against its own rules. The table is read while others may write:
//! only what a quiet table shows is proof.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use serde::Serialize;

use super::deadline::Deadline;
use super::items::{ClaimItem, IndexItem, LinkItem, ReleaseItem, claims, from_item};
use super::keys::{ReleasesKey, ReleasesKind};
use super::read::releases_key;
use super::scan::Table;
use super::{Store, StoreError};
use crate::domain::link::{Link, LinkId};
use crate::domain::release::{Release, ReleaseKey, ReleaseUid};

/// What an audit found.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Audit {
    /// How many releases there are.
    pub releases: u64,
    /// How many links they have.
    pub links: u64,
    /// How many claims those links have.
    pub claims: u64,
    /// How many links and claims belong to no release: nobody sees them, a sweep removes them.
    pub unreachable: u64,
    /// Every broken rule, in words.
    pub violations: Vec<String>,
}

#[derive(Default)]
struct Contents {
    releases: HashMap<ReleaseKey, Release>,
    indexed: HashSet<(ReleaseKey, ReleaseUid)>,
    links: BTreeMap<LinkId, (ReleaseKey, Link)>,
    claims: HashMap<ReleasesKey, ClaimItem>,
}

impl Store {
    /// Reads the whole releases table and checks it. `step` bounds each request, not the whole.
    pub async fn audit(&self, step: Duration) -> Result<Audit, StoreError> {
        let mut table = Contents::default();
        let mut audit = Audit::default();
        let mut scan = self.scan(Table::Releases);
        while let Some(items) = scan.next(Deadline::after(step)).await? {
            for item in items {
                let key = releases_key(&item);
                match key.as_ref().and_then(ReleasesKey::kind) {
                    Some(ReleasesKind::Release) => {
                        let release = Release::from(from_item::<ReleaseItem>(item)?);
                        table.releases.insert(release.key.clone(), release);
                    }
                    Some(ReleasesKind::Index) => {
                        let item: IndexItem = from_item(item)?;
                        let release = ReleaseKey { project: item.project, tag: item.tag };
                        if !table.indexed.insert((release.clone(), item.uid)) {
                            audit.violation(format!("{} is listed twice", show(&release)));
                        }
                    }
                    Some(ReleasesKind::Link) => {
                        let item: LinkItem = from_item(item)?;
                        let release = ReleaseKey { project: item.project, tag: item.tag.clone() };
                        let link = Link::from(item);
                        if let Some((other, _)) =
                            table.links.insert(link.id, (release.clone(), link.clone()))
                        {
                            audit.violation(format!(
                                "link {} is in {} and in {}",
                                link.id.0,
                                show(&release),
                                show(&other)
                            ));
                        }
                    }
                    Some(ReleasesKind::Claim) => {
                        let claim = from_item::<ClaimItem>(item)?;
                        table.claims.extend(key.map(|key| (key, claim)));
                    }
                    Some(ReleasesKind::Counter) => {}
                    None => audit.violation(format!("an item of no kind: {item:?}")),
                }
            }
        }
        table.check(&mut audit);
        Ok(audit)
    }
}

impl Audit {
    fn violation(&mut self, words: String) {
        self.violations.push(words);
    }
}

impl Contents {
    fn check(&self, audit: &mut Audit) {
        let is_live = |release: &ReleaseKey, uid: &ReleaseUid| {
            self.releases.get(release).is_some_and(|live| live.uid == *uid)
        };
        for (key, release) in &self.releases {
            audit.releases += 1;
            if !self.indexed.contains(&(key.clone(), release.uid.clone())) {
                audit.violation(format!("{} is missing from its project's list", show(key)));
            }
        }
        for (key, uid) in &self.indexed {
            if !is_live(key, uid) {
                audit.violation(format!("{} is listed and not there", show(key)));
            }
        }
        // A claim is one item, so that each link's claims all being its own also says that no two
        // live links share a value.
        let mut expected: HashMap<ReleasesKey, LinkId> = HashMap::new();
        for (release, link) in self.links.values() {
            if !is_live(release, &link.release) {
                // A creation that was cut off may lack claims: it was never to be seen.
                audit.unreachable += 1;
                continue;
            }
            audit.links += 1;
            for claim in claims(release, link) {
                let held = self.claims.get(&claim.key);
                if held.map(|held| held.link_id) != Some(link.id) {
                    audit.violation(format!(
                        "link {} of {} does not hold {:?}",
                        link.id.0,
                        show(release),
                        claim.key
                    ));
                }
                if held.is_some_and(|held| held.url != claim.item.url) {
                    audit.violation(format!("{:?} leads elsewhere than its link", claim.key));
                }
                if let Some(other) = expected.insert(claim.key, link.id) {
                    audit.violation(format!("links {} and {} share a value", link.id.0, other.0));
                }
            }
        }
        for (key, claim) in &self.claims {
            let release = ReleaseKey { project: claim.project, tag: claim.tag.clone() };
            if !is_live(&release, &claim.release_uid) {
                audit.unreachable += 1;
                continue;
            }
            audit.claims += 1;
            if expected.get(key) != Some(&claim.link_id) {
                audit.violation(format!("{key:?} is held for nothing by link {}", claim.link_id.0));
            }
        }
    }
}

fn show(release: &ReleaseKey) -> String {
    format!("release {} of project {}", release.tag, release.project)
}
