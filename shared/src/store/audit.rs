//! Checking both tables against their own rules and against each other. The tables are read while
//! others may write: only findings in quiet tables are proof.
//!
//! Memory is bounded, whatever the tables hold: one page of a scan (1 MB) with what is looked up for
//! its items, 10,000 releases and as many projects, 1,000 findings of each kind, one bit
//! for each link number in use, and the names of the namespaces that have projects.
//!
//! Read units (4 KB each, consistent), in addition to scanning the releases table once and the
//! directory twice: at most 5 for a link and 7 if it has a path, 3 for a release, 4 for a project, and
//! 2 for a deleted project, a user, a token or a grant. If some claim is not its link's, the releases
//! table is scanned once more to name it.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt, stream};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};

use super::Store;
use super::deadline::Deadline;
use super::error::StoreError;
use super::items::{
    Attributes, ClaimItem, IndexItem, IssuerItem, LinkItem, PathItem, ProjectItem, ReleaseItem,
    TTL, TokenItem, claims, from_item,
};
use super::items::{directory_key, releases_key};
use super::keys::{DirectoryKey, DirectoryKind, DirectoryList, ReleasesKey, ReleasesKind};
use super::read::ITEMS_A_BATCH;
use super::request::Sent;
use super::scan::Table;
use crate::domain::issuer::Issuer;
use crate::domain::link::{Link, LinkId};
use crate::domain::project::ProjectState;
use crate::domain::project::{ListedProject, ProjectId};
use crate::domain::release::Release;
use crate::domain::release_key::{ReleaseKey, ReleaseUid};
use crate::domain::time::Timestamp;
use crate::domain::token::{GrantTarget, TOKEN_ID_DIGITS, Token};

/// The findings of an audit.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Audit {
    /// How many releases there are.
    pub releases: u64,
    /// How many links they have.
    pub links: u64,
    /// How many claims those links have.
    pub claims: u64,
    /// How many links and claims belong to no release: they are invisible, and a sweep removes them.
    pub unreachable: u64,
    /// Every broken rule, in words; the first [`LISTED`] of them.
    pub violations: Vec<String>,
    /// How many projects there are.
    pub projects: u64,
    /// How many tokens are kept, revoked and expired ones included.
    pub tokens: u64,
    /// Leftovers of deleted projects, which break no rule, in words; the first [`LISTED`] of them.
    pub warnings: Vec<String>,
    /// How many violations and warnings were found after the lists were full.
    pub unlisted: u64,
}

/// How many findings of each kind are listed; the rest are counted.
pub const LISTED: usize = 1_000;

/// How many releases, and how many projects, are remembered from one page to the next.
const REMEMBERED: usize = 10_000;

/// Keys of one batch read. Releases may have 256 KB each, and a response ends at 16 MB.
const RELEASES_A_BATCH: usize = 25;
/// Batch reads that are on their way at once.
const AT_ONCE: usize = 2;

impl Audit {
    fn violation(&mut self, words: String) {
        self.unlisted += u64::from(!list(&mut self.violations, words));
    }

    fn warning(&mut self, words: String) {
        self.unlisted += u64::from(!list(&mut self.warnings, words));
    }
}

/// Adds a finding, unless the list is full.
fn list(findings: &mut Vec<String>, words: String) -> bool {
    let has_room = findings.len() < LISTED;
    if has_room {
        findings.push(words);
    }
    has_room
}

impl Store {
    /// Reads both tables and checks them. `step` bounds each request, not the whole.
    pub async fn audit(&self, step: Duration) -> Result<Audit, StoreError> {
        let mut auditor = Auditor {
            store: self,
            step,
            audit: Audit::default(),
            lives: HashMap::new(),
            projects: HashMap::new(),
            numbers: LinkNumbers::default(),
            held: 0,
        };
        let mut scan = self.scan(Table::Releases);
        while let Some(items) = scan.next(Deadline::after(step)).await? {
            let page = ReleasesPage::read(items)?;
            auditor.check_releases(page).await?;
        }
        if auditor.audit.claims != auditor.held {
            let mut scan = self.scan(Table::Releases);
            while let Some(items) = scan.next(Deadline::after(step)).await? {
                auditor.check_claims(ReleasesPage::read(items)?).await?;
            }
        }
        let mut namespaces = HashSet::new();
        let mut scan = self.scan(Table::Directory);
        while let Some(items) = scan.next(Deadline::after(step)).await? {
            auditor.check_projects(items, &mut namespaces).await?;
        }
        let mut scan = self.scan(Table::Directory);
        while let Some(items) = scan.next(Deadline::after(step)).await? {
            auditor.check_rest_of_directory(items, &namespaces).await?;
        }
        Ok(auditor.audit)
    }
}

struct Auditor<'a> {
    store: &'a Store,
    step: Duration,
    audit: Audit,
    lives: HashMap<ReleaseKey, Option<Life>>,
    projects: HashMap<ProjectId, ProjectState>,
    numbers: LinkNumbers,
    /// How many claims were found that a live link holds.
    held: u64,
}

/// The attributes of a release that its other items are checked against.
#[derive(Clone, Deserialize)]
struct Life {
    uid: ReleaseUid,
    released_at: Timestamp,
}

/// The items of one page of the releases table, by kind.
#[derive(Default)]
struct ReleasesPage {
    releases: Vec<Release>,
    entries: Vec<(ReleasesKey, IndexItem)>,
    links: Vec<(ReleaseKey, Link)>,
    claims: Vec<(ReleasesKey, ClaimItem)>,
    odd: Vec<ReleasesKey>,
}

impl ReleasesPage {
    fn read(items: Vec<Attributes>) -> Result<Self, StoreError> {
        let mut page = Self::default();
        for item in items {
            let Some(key) = releases_key(&item) else { continue };
            match key.kind() {
                Some(ReleasesKind::Release) => {
                    page.releases.push(from_item::<ReleaseItem>(item)?.into());
                }
                Some(ReleasesKind::Index) => page.entries.push((key, from_item(item)?)),
                Some(ReleasesKind::Link) => {
                    let item: LinkItem = from_item(item)?;
                    let release = ReleaseKey { project: item.project, tag: item.tag.clone() };
                    page.links.push((release, item.into()));
                }
                Some(ReleasesKind::Claim) => page.claims.push((key, from_item(item)?)),
                Some(ReleasesKind::Counter) => {}
                None => page.odd.push(key),
            }
        }
        Ok(page)
    }

    /// The releases that the items of this page belong to.
    fn release_keys(&self) -> impl Iterator<Item = ReleaseKey> {
        let of_entry = |(_, entry): &(ReleasesKey, IndexItem)| ReleaseKey {
            project: entry.project,
            tag: entry.tag.clone(),
        };
        let of_claim = |(_, claim): &(ReleasesKey, ClaimItem)| release_of(claim);
        self.entries
            .iter()
            .map(of_entry)
            .chain(self.links.iter().map(|(release, _)| release.clone()))
            .chain(self.claims.iter().map(of_claim))
    }
}

fn release_of(claim: &ClaimItem) -> ReleaseKey {
    ReleaseKey { project: claim.project, tag: claim.tag.clone() }
}

fn is_held_by(claim: &ClaimItem, release: &ReleaseKey, link: &Link) -> bool {
    claim.link_id == link.id && claim.release_uid == link.release && release_of(claim) == *release
}

impl Auditor<'_> {
    async fn check_releases(&mut self, page: ReleasesPage) -> Result<(), StoreError> {
        self.learn_lives(&page).await?;
        let (links, dead_links): (Vec<_>, Vec<_>) = page
            .links
            .into_iter()
            .partition(|(release, link)| self.is_live(release, &link.release));
        let live_claims = page.claims.iter().filter(|(_, claim)| self.is_live_claim(claim)).count();
        self.audit.releases += page.releases.len() as u64;
        self.audit.links += links.len() as u64;
        self.audit.claims += live_claims as u64;
        // A creation that was cut off may lack claims: it was never to be seen.
        self.audit.unreachable += (dead_links.len() + page.claims.len() - live_claims) as u64;
        for key in &page.odd {
            self.audit.violation(format!("{} is an item of no kind", show_key(key)));
        }
        for (release, link) in links.iter().chain(&dead_links) {
            if !self.numbers.insert(link.id) {
                let (id, release) = (link.id.0, show(release));
                self.audit.violation(format!("link {id} of {release} has another link's number"));
            }
        }
        self.check_owners(&page.releases).await?;
        self.check_listed(&page.releases).await?;
        self.check_entries(&page.entries);
        self.check_links(&links).await
    }

    /// Finds out which life of each release of this page is live.
    async fn learn_lives(&mut self, page: &ReleasesPage) -> Result<(), StoreError> {
        if self.lives.len() > REMEMBERED {
            self.lives.clear();
        }
        for Release { key, uid, released_at, .. } in &page.releases {
            let life = Life { uid: uid.clone(), released_at: *released_at };
            self.lives.insert(key.clone(), Some(life));
        }
        let unknown: HashSet<ReleaseKey> =
            page.release_keys().filter(|release| !self.lives.contains_key(release)).collect();
        let keys = unknown.iter().map(ReleasesKey::release).collect();
        let mut found = self.read_releases_table(keys, RELEASES_A_BATCH).await?;
        for release in unknown {
            let life = found.remove(&ReleasesKey::release(&release));
            self.lives.insert(release, life);
        }
        Ok(())
    }

    fn life(&self, release: &ReleaseKey) -> Option<&Life> {
        self.lives.get(release)?.as_ref()
    }

    fn is_live(&self, release: &ReleaseKey, uid: &ReleaseUid) -> bool {
        self.life(release).is_some_and(|life| life.uid == *uid)
    }

    fn is_live_claim(&self, claim: &ClaimItem) -> bool {
        self.is_live(&release_of(claim), &claim.release_uid)
    }

    /// Checks that the directory knows whose releases these are.
    async fn check_owners(&mut self, releases: &[Release]) -> Result<(), StoreError> {
        self.learn_projects(releases.iter().map(|release| release.key.project)).await?;
        for release in releases {
            let (project, release) = (release.key.project, show(&release.key));
            match self.project(project) {
                ProjectState::Live(_) => {}
                ProjectState::Deleted(_) => self.audit.warning(format!(
                    "{release} outlived its project: `project delete {project}` deletes it"
                )),
                ProjectState::Unknown => self.audit.violation(format!(
                    "{release} has no project: the directory does not know the number \
                     (`project delete {project}` deletes its releases)"
                )),
            }
        }
        Ok(())
    }

    async fn check_listed(&mut self, releases: &[Release]) -> Result<(), StoreError> {
        let entry = |release: &Release| {
            ReleasesKey::index(release.key.project, release.released_at, &release.key.tag)
        };
        let keys = releases.iter().map(entry).collect();
        let found = self.read_releases_table::<IndexItem>(keys, ITEMS_A_BATCH).await?;
        for release in releases {
            if found.get(&entry(release)).is_none_or(|item| item.uid != release.uid) {
                let release = show(&release.key);
                self.audit.violation(format!("{release} is missing from its project's list"));
            }
        }
        Ok(())
    }

    fn check_entries(&mut self, entries: &[(ReleasesKey, IndexItem)]) {
        for (key, entry) in entries {
            let release = ReleaseKey { project: entry.project, tag: entry.tag.clone() };
            let fault = match self.life(&release) {
                Some(life) if life.uid == entry.uid => {
                    let listed = ReleasesKey::index(entry.project, life.released_at, &entry.tag);
                    (*key != listed).then_some("is listed twice")
                }
                Some(_) | None => Some("is listed and not there"),
            };
            if let Some(fault) = fault {
                self.audit.violation(format!("{} {fault}", show(&release)));
            }
        }
    }

    /// Checks that each link holds its claims. A claim is one item, so this also says that no two
    /// links share a value.
    async fn check_links(&mut self, links: &[(ReleaseKey, Link)]) -> Result<(), StoreError> {
        let expected = || links.iter().map(|(release, link)| claims(release, link));
        let keys = expected().flatten().map(|claim| claim.key).collect();
        let found = self.read_releases_table::<ClaimItem>(keys, ITEMS_A_BATCH).await?;
        for ((release, link), claims) in links.iter().zip(expected()) {
            for claim in claims {
                let held = found.get(&claim.key);
                if held.is_some_and(|held| is_held_by(held, release, link)) {
                    self.held += 1;
                } else {
                    self.audit.violation(format!(
                        "link {} of {} does not hold {}",
                        link.id.0,
                        show(release),
                        show_key(&claim.key)
                    ));
                }
                if let Some(held) = held {
                    let key = show_key(&claim.key);
                    if held.url != claim.item.url {
                        self.audit.violation(format!("{key} leads elsewhere than its link"));
                    }
                    if held.digest != claim.item.digest {
                        self.audit.violation(format!("{key} has another digest than its link"));
                    }
                }
            }
        }
        Ok(())
    }

    /// Checks that each live claim of this page is one of its link's.
    async fn check_claims(&mut self, mut page: ReleasesPage) -> Result<(), StoreError> {
        self.learn_lives(&page).await?;
        page.claims.retain(|(_, claim)| self.is_live_claim(claim));
        let link_key = |claim: &ClaimItem| ReleasesKey::link(&release_of(claim), claim.link_id);
        let keys = page.claims.iter().map(|(_, claim)| link_key(claim)).collect();
        let found = self.read_releases_table::<LinkItem>(keys, ITEMS_A_BATCH).await?;
        let links: HashMap<ReleasesKey, Link> =
            found.into_iter().map(|(key, item)| (key, Link::from(item))).collect();
        for (key, claim) in &page.claims {
            let is_its_links = links.get(&link_key(claim)).is_some_and(|link| {
                link.release == claim.release_uid
                    && claims(&release_of(claim), link).iter().any(|own| own.key == *key)
            });
            if !is_its_links {
                let key = show_key(key);
                self.audit
                    .violation(format!("{key} is held for nothing by link {}", claim.link_id.0));
            }
        }
        Ok(())
    }

    /// Checks the projects of a page of the directory, and adds the namespaces that they are in.
    async fn check_projects(
        &mut self,
        items: Vec<Attributes>,
        namespaces: &mut HashSet<String>,
    ) -> Result<(), StoreError> {
        let mut projects: Vec<ListedProject> = Vec::new();
        let mut deleted: Vec<(DirectoryKey, String)> = Vec::new();
        for item in items {
            if directory_key(&item).and_then(|key| key.kind()) != Some(DirectoryKind::Project) {
                continue;
            }
            let (project, is_deleted) = from_item::<ProjectItem>(item)?.into_project();
            if is_deleted {
                let entry = DirectoryKey::deleted_project_entry(&project.path, project.id);
                deleted.push((entry, format!("project {}", project.id)));
            } else {
                projects.push(ListedProject::from(&project));
            }
        }
        self.audit.projects += projects.len() as u64;
        self.check_entries_of_projects(&projects).await?;
        let keys = projects.iter().map(|project| DirectoryKey::path(&project.path)).collect();
        let found: Vec<(_, PathItem)> = self.store.read_directory(keys, self.step).await?;
        let found: HashMap<_, _> = found.into_iter().collect();
        for ListedProject { id, path, .. } in projects {
            let folded = path.lowercase_key();
            let ends = folded.match_indices('/').map(|(end, _)| end);
            namespaces.extend(ends.map(|end| folded[..end].to_owned()));
            let item = found.get(&DirectoryKey::path(&path));
            if item.is_none_or(|item| item.id != id) {
                let path = path.as_str();
                self.audit.violation(format!("project {id} is not found by its path {path}"));
            }
        }
        self.check_listed_in_directory(deleted).await
    }

    /// Checks that the list of projects has each of these, and the same of it as its own item.
    async fn check_entries_of_projects(
        &mut self,
        projects: &[ListedProject],
    ) -> Result<(), StoreError> {
        let keys = projects.iter().map(|project| DirectoryKey::project_entry(project.id)).collect();
        let found: Vec<(_, ListedProject)> = self.store.read_directory(keys, self.step).await?;
        let found: HashMap<_, _> = found.into_iter().collect();
        for project in projects {
            let id = project.id;
            match found.get(&DirectoryKey::project_entry(id)) {
                None => self
                    .audit
                    .violation(format!("project {id} is missing from the list of projects")),
                Some(listed) if listed != project => self.audit.violation(format!(
                    "the list of projects has another path or visibility for project {id}"
                )),
                Some(_) => {}
            }
        }
        Ok(())
    }

    async fn check_rest_of_directory(
        &mut self,
        items: Vec<Attributes>,
        namespaces: &HashSet<String>,
    ) -> Result<(), StoreError> {
        let mut paths: Vec<(DirectoryKey, ProjectId)> = Vec::new();
        let mut tokens: Vec<Token> = Vec::new();
        let mut listed: Vec<(DirectoryKey, String)> = Vec::new();
        let mut entries: Vec<DirectoryKey> = Vec::new();
        let now = Timestamp::now();
        for item in items {
            let Some(key) = directory_key(&item) else { continue };
            // The database removes an expired token and its entry at different moments.
            let is_kept = ttl(&item).is_none_or(|ttl| ttl > now.unix_seconds());
            match key.kind() {
                Some(DirectoryKind::Path) => paths.push((key, from_item::<PathItem>(item)?.id)),
                Some(DirectoryKind::Token) => {
                    let token = Token::from(from_item::<TokenItem>(item)?);
                    if is_kept {
                        listed.push((DirectoryKey::token_entry(&token.hash), show_token(&token)));
                    }
                    tokens.push(token);
                }
                Some(DirectoryKind::User) => {
                    let name = key.name();
                    let entry = DirectoryList::Users.entry(name.to_owned());
                    listed.push((entry, format!("user {name}")));
                }
                Some(DirectoryKind::Issuer) => {
                    let issuer = Issuer::from(from_item::<IssuerItem>(item)?);
                    let shown = format!("issuer {}", issuer.url);
                    listed.push((DirectoryKey::issuer_entry(&issuer.url), shown));
                }
                Some(
                    DirectoryKind::Project | DirectoryKind::Publishers | DirectoryKind::Counter,
                ) => {}
                None if key.list().is_some() => {
                    if is_kept {
                        entries.push(key);
                    }
                }
                None => self.audit.violation("an item of the directory is of no kind".to_owned()),
            }
        }
        self.audit.tokens += tokens.len() as u64;
        tokens.retain(|token| token.check_active(now).is_ok());
        let granted = tokens.iter().flat_map(|token| &token.grants);
        let granted = granted.filter_map(|grant| match &grant.target {
            GrantTarget::Project(id) => Some(*id),
            GrantTarget::Namespace(_) => None,
        });
        self.learn_projects(paths.iter().map(|(_, id)| *id).chain(granted)).await?;
        for (key, id) in &paths {
            self.check_path(&key.pk, *id);
        }
        for token in &tokens {
            self.check_token(token, namespaces);
        }
        self.check_listed_in_directory(listed).await?;
        self.check_directory_entries(entries).await
    }

    /// Checks that each of these items is in its list, by the entry that it should have.
    async fn check_listed_in_directory(
        &mut self,
        items: Vec<(DirectoryKey, String)>,
    ) -> Result<(), StoreError> {
        let keys = items.iter().map(|(entry, _)| entry.clone()).collect();
        let found = self.existing(keys).await?;
        for (entry, item) in items {
            if let Some(list) = entry.list()
                && !found.contains(&entry)
            {
                self.audit.violation(format!("{item} is missing from {}", show_list(list)));
            }
        }
        Ok(())
    }

    async fn existing(
        &self,
        keys: HashSet<DirectoryKey>,
    ) -> Result<HashSet<DirectoryKey>, StoreError> {
        let found: Vec<(_, IgnoredAny)> = self.store.read_directory(keys, self.step).await?;
        Ok(found.into_iter().map(|(key, _)| key).collect())
    }

    /// Checks that each of these entries names an item that belongs in its list.
    async fn check_directory_entries(
        &mut self,
        entries: Vec<DirectoryKey>,
    ) -> Result<(), StoreError> {
        self.learn_projects(entries.iter().filter_map(listed_project)).await?;
        let others = entries.iter().filter(|entry| listed_project(entry).is_none());
        let keys = others.filter_map(DirectoryKey::listed).collect();
        let found = self.existing(keys).await?;
        for entry in entries {
            let Some(list) = entry.list() else { continue };
            let fault = if let Some(id) = listed_project(&entry) {
                let state = self.project(id);
                if project_entry(id, state).as_ref() == Some(&entry) {
                    continue;
                }
                let fault = match (state, list) {
                    (ProjectState::Unknown, _) => "which does not exist".to_owned(),
                    (ProjectState::Deleted(path), DirectoryList::DeletedProjects) => {
                        format!("which last had the path {}", path.as_str())
                    }
                    (ProjectState::Deleted(_), _) => "which was deleted".to_owned(),
                    (ProjectState::Live(_), _) => "which was not deleted".to_owned(),
                };
                format!("project {id}, {fault}")
            } else {
                if entry.listed().is_some_and(|key| found.contains(&key)) {
                    continue;
                }
                format!("{}, which does not exist", show_listed(list, &entry.sk))
            };
            self.audit.violation(format!("{} names {fault}", show_list(list)));
        }
        Ok(())
    }

    fn check_path(&mut self, pk: &str, id: ProjectId) {
        let fault = match self.project(id) {
            ProjectState::Live(path) if DirectoryKey::path(path).pk == pk => return,
            ProjectState::Live(path) => format!("which has the path {}", path.as_str()),
            ProjectState::Deleted(_) => "which was deleted".to_owned(),
            ProjectState::Unknown => "which is not there".to_owned(),
        };
        self.audit.violation(format!("{pk} leads to project {id}, {fault}"));
    }

    fn check_token(&mut self, token: &Token, namespaces: &HashSet<String>) {
        let shown = show_token(token);
        let mut grants_something = token.grants.is_empty();
        for grant in &token.grants {
            match &grant.target {
                GrantTarget::Namespace(path) => {
                    grants_something |= namespaces.contains(&path.as_str().to_ascii_lowercase());
                }
                GrantTarget::Project(id) => match self.project(*id) {
                    ProjectState::Live(_) => grants_something = true,
                    ProjectState::Deleted(_) => {}
                    ProjectState::Unknown => self.audit.violation(format!(
                        "{shown} grants a role in project {id}, which the directory does not know"
                    )),
                },
            }
        }
        if !grants_something {
            self.audit.warning(format!("{shown} grants nothing that exists"));
        }
    }

    /// Finds out what the directory knows of these projects.
    async fn learn_projects(
        &mut self,
        ids: impl Iterator<Item = ProjectId>,
    ) -> Result<(), StoreError> {
        if self.projects.len() > REMEMBERED {
            self.projects.clear();
        }
        let wanted: HashSet<ProjectId> = ids.collect();
        let unknown: Vec<ProjectId> =
            wanted.into_iter().filter(|id| !self.projects.contains_key(id)).collect();
        self.projects.extend(self.store.find_projects(&unknown, self.step).await?);
        Ok(())
    }

    fn project(&self, id: ProjectId) -> &ProjectState {
        self.projects.get(&id).unwrap_or(&ProjectState::Unknown)
    }

    /// Items of the releases table by key, parsed as `T`. Attributes that `T` lacks, such as long
    /// descriptions, are dropped batch by batch.
    async fn read_releases_table<T: DeserializeOwned + Send>(
        &self,
        keys: HashSet<ReleasesKey>,
        batch: usize,
    ) -> Result<HashMap<ReleasesKey, T>, StoreError> {
        let keys: Vec<_> = keys.into_iter().collect();
        let mut reads: Vec<Sent<'_, Vec<(ReleasesKey, T)>>> = Vec::new();
        for keys in keys.chunks(batch) {
            reads.push(Box::pin(async move {
                let rows = self.store.batch_get(&[], keys, Deadline::after(self.step)).await?;
                let keyed = |item| Some((releases_key(&item)?, item));
                let items = rows.releases.into_iter().filter_map(keyed);
                items.map(|(key, item)| Ok((key, from_item(item)?))).collect()
            }));
        }
        let found: Vec<Vec<(ReleasesKey, T)>> =
            stream::iter(reads).buffer_unordered(AT_ONCE).try_collect().await?;
        Ok(found.into_iter().flatten().collect())
    }
}

/// Numbers of links that were seen, a bit each: they come from one counter and so lie close together.
#[derive(Default)]
struct LinkNumbers(BTreeMap<u64, [u64; 16]>);

impl LinkNumbers {
    /// Notes a number; false if it was noted before.
    fn insert(&mut self, LinkId(number): LinkId) -> bool {
        let words = self.0.entry(number >> 10).or_default();
        let word = &mut words[((number >> 6) & 15) as usize];
        let bit = 1 << (number & 63);
        let is_new = *word & bit == 0;
        *word |= bit;
        is_new
    }
}

fn show(release: &ReleaseKey) -> String {
    format!("release {} of project {}", release.tag, release.project)
}

fn show_token(token: &Token) -> String {
    format!("token {} ({}) of {}", token.id(), token.name, token.user.username)
}

fn show_list(list: DirectoryList) -> &'static str {
    match list {
        DirectoryList::Projects => "the list of projects",
        DirectoryList::DeletedProjects => "the list of deleted projects",
        DirectoryList::Users => "the list of users",
        DirectoryList::Tokens => "the list of tokens",
        DirectoryList::Issuers => "the list of issuers",
    }
}

/// The item that an entry with this sort key names, by what operators call it.
fn show_listed(list: DirectoryList, sk: &str) -> String {
    match list {
        DirectoryList::Projects | DirectoryList::DeletedProjects => format!("project {sk}"),
        DirectoryList::Users => format!("user {sk}"),
        DirectoryList::Issuers => format!("issuer {sk}"),
        DirectoryList::Tokens => format!("token {}", sk.get(..TOKEN_ID_DIGITS).unwrap_or(sk)),
    }
}

/// The entry that a project in this state has in a list.
fn project_entry(id: ProjectId, state: &ProjectState) -> Option<DirectoryKey> {
    match state {
        ProjectState::Live(_) => Some(DirectoryKey::project_entry(id)),
        ProjectState::Deleted(path) => Some(DirectoryKey::deleted_project_entry(path, id)),
        ProjectState::Unknown => None,
    }
}

/// The project that an entry of a list names.
fn listed_project(entry: &DirectoryKey) -> Option<ProjectId> {
    let item = entry.listed()?;
    let id = ProjectId(item.name().parse().ok()?);
    (item == DirectoryKey::project(id)).then_some(id)
}

/// The moment from which on the database may remove an item, in Unix seconds.
fn ttl(item: &Attributes) -> Option<i64> {
    item.get(TTL)?.as_n().ok()?.parse().ok()
}

fn show_key(key: &ReleasesKey) -> String {
    format!("{} | {}", key.pk, key.sk)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_number_is_new_once() {
        let mut numbers = LinkNumbers::default();
        for number in [0, 1, 63, 64, 1023, 1024, 1025, 65_536, u64::MAX] {
            assert!(numbers.insert(LinkId(number)), "{number}");
        }
        for number in [0, 1, 63, 64, 1023, 1024, 1025, 65_536, u64::MAX] {
            assert!(!numbers.insert(LinkId(number)), "{number}");
        }
        assert!(numbers.insert(LinkId(2)) && numbers.insert(LinkId(u64::MAX - 1)));
    }

    #[test]
    fn findings_past_the_limit_are_counted() {
        let mut audit = Audit::default();
        for n in 0..LISTED + 2 {
            audit.violation(n.to_string());
        }
        audit.warning("w".to_owned());
        assert_eq!((audit.violations.len(), audit.warnings.len()), (LISTED, 1));
        assert_eq!(audit.unlisted, 2);
    }
}
