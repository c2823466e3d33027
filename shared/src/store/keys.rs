//! The keys of every item of both tables. Reads and writes build them here and nowhere else.
//!
//! Numbers are zero-padded, so that the order of keys is the order of numbers. Names, urls and
//! paths stand as hashes: a sort key holds 1,024 bytes, a url may have more. Tags stand as they
//! are, always last, so that no tag can be taken for a key of another kind.
//!
//! The directory table, which functions only read:
//!
//! | item | pk |
//! | --- | --- |
//! | project | `project#<id>` |
//! | project's path | `path#<full path in lower case>` |
//! | user | `user#<username in lower case>` |
//! | token | `token#<hash of its secret>` |
//! | counter of projects, users, jobs | `counter#project`, `counter#user`, `counter#job` |
//!
//! The releases table:
//!
//! | item | pk | sk |
//! | --- | --- | --- |
//! | release | `release#<project>#<tag>` | `0#release` |
//! | link | `release#<project>#<tag>` | `1#link#<id>` |
//! | name claim | `claim#<release uid>#name#<hash>` | `claim` |
//! | url claim | `claim#<release uid>#url#<hash>` | `claim` |
//! | path claim | `path#<project>#<hash>#<tag>` | `<release uid>` |
//! | release index | `index#<project>` | `<released at>#<tag>` |
//! | counter of links | `counter#link` | `counter` |

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

use crate::domain::link::{DirectAssetPath, LinkId, LinkName, LinkUrl};
use crate::domain::project::{ProjectId, ProjectPath};
use crate::domain::release::{ReleaseKey, ReleaseUid, TagName};
use crate::domain::time::Timestamp;
use crate::domain::token::{SecretHash, sha256_hex};
use crate::domain::username::Username;

/// The partition key's attribute in both tables.
pub const PK: &str = "pk";
/// The sort key's attribute in the releases table.
pub const SK: &str = "sk";

/// The sort keys of a release's partition: the release comes first, so that one query returns it
/// and then its links.
const RELEASE_SK: &str = "0#release";
const LINK_SK: &str = "1#link#";

/// An item's key as the database takes it.
pub type KeyAttributes = HashMap<String, AttributeValue>;

/// The key of an item of the directory table.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DirectoryKey {
    /// The partition key.
    pub pk: String,
}

impl DirectoryKey {
    /// The project with this number.
    #[must_use]
    pub fn project(id: ProjectId) -> Self {
        Self::of(DirectoryKind::Project, &format!("{:020}", id.0))
    }

    /// The project with this path, in whatever case.
    #[must_use]
    pub fn path(path: &ProjectPath) -> Self {
        Self::of(DirectoryKind::Path, &path.folded())
    }

    /// The user of this name, in whatever case.
    #[must_use]
    pub fn user(username: &Username) -> Self {
        Self::of(DirectoryKind::User, &username.folded())
    }

    /// The token whose secret has this hash.
    #[must_use]
    pub fn token(hash: &SecretHash) -> Self {
        Self::of(DirectoryKind::Token, hash.as_str())
    }

    /// The last number given to a project.
    #[must_use]
    pub fn project_counter() -> Self {
        Self::of(DirectoryKind::Counter, "project")
    }

    /// The last number given to a user.
    #[must_use]
    pub fn user_counter() -> Self {
        Self::of(DirectoryKind::Counter, "user")
    }

    /// The last number given to a job.
    #[must_use]
    pub fn job_counter() -> Self {
        Self::of(DirectoryKind::Counter, "job")
    }

    fn of(kind: DirectoryKind, name: &str) -> Self {
        Self { pk: format!("{}{name}", kind.prefix()) }
    }

    /// As the database takes it.
    #[must_use]
    pub fn attributes(&self) -> KeyAttributes {
        HashMap::from([(PK.to_owned(), AttributeValue::S(self.pk.clone()))])
    }
}

/// What an item of the directory table is, by its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DirectoryKind {
    /// A project, or what is left of a deleted one.
    Project,
    /// A project's path.
    Path,
    /// A user.
    User,
    /// A token.
    Token,
    /// A counter.
    Counter,
}

impl DirectoryKind {
    const ALL: [Self; 5] = [Self::Project, Self::Path, Self::User, Self::Token, Self::Counter];

    /// What an item of the directory is; none where no version wrote its key.
    #[must_use]
    pub fn of(item: &HashMap<String, AttributeValue>) -> Option<Self> {
        let pk = item.get(PK)?.as_s().ok()?;
        Self::ALL.into_iter().find(|kind| pk.starts_with(kind.prefix()))
    }

    /// The prefix of the partition keys of this kind.
    const fn prefix(self) -> &'static str {
        match self {
            Self::Project => "project#",
            Self::Path => "path#",
            Self::User => "user#",
            Self::Token => "token#",
            Self::Counter => "counter#",
        }
    }
}

/// The key of an item of the releases table.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ReleasesKey {
    /// The partition key.
    pub pk: String,
    /// The sort key.
    pub sk: String,
}

impl ReleasesKey {
    /// A release, first of its partition.
    #[must_use]
    pub fn release(release: &ReleaseKey) -> Self {
        Self { pk: release_partition(release), sk: RELEASE_SK.to_owned() }
    }

    /// A link of a release.
    #[must_use]
    pub fn link(release: &ReleaseKey, id: LinkId) -> Self {
        Self { pk: release_partition(release), sk: format!("{LINK_SK}{:020}", id.0) }
    }

    /// The claim of a name within one life of a release.
    #[must_use]
    pub fn name_claim(uid: &ReleaseUid, name: &LinkName) -> Self {
        Self::claim(uid, "name", name.as_str())
    }

    /// The claim of a url within one life of a release.
    #[must_use]
    pub fn url_claim(uid: &ReleaseUid, url: &LinkUrl) -> Self {
        Self::claim(uid, "url", url.as_str())
    }

    fn claim(uid: &ReleaseUid, kind: &str, value: &str) -> Self {
        Self {
            pk: format!("claim#{}#{kind}#{}", uid.as_str(), sha256_hex(value)),
            sk: "claim".to_owned(),
        }
    }

    /// The claim of a path within one life of a release. A download knows the path and not the
    /// life, so all lives of a tag share the partition.
    #[must_use]
    pub fn path_claim(release: &ReleaseKey, path: &DirectAssetPath, uid: &ReleaseUid) -> Self {
        Self { pk: path_partition(release, path), sk: uid.as_str().to_owned() }
    }

    /// A release in the list of its project, in the order of `released_at`.
    #[must_use]
    pub fn index(project: ProjectId, released_at: Timestamp, tag: &TagName) -> Self {
        // Flipping the sign bit makes the order of unsigned digits that of signed numbers.
        let ordered = released_at.unix_millis().cast_unsigned() ^ (1 << 63);
        Self { pk: index_partition(project), sk: format!("{ordered:020}#{tag}") }
    }

    /// The last number given to a link.
    #[must_use]
    pub fn link_counter() -> Self {
        Self { pk: "counter#link".to_owned(), sk: "counter".to_owned() }
    }

    /// As the database takes it.
    #[must_use]
    pub fn attributes(&self) -> KeyAttributes {
        HashMap::from([
            (PK.to_owned(), AttributeValue::S(self.pk.clone())),
            (SK.to_owned(), AttributeValue::S(self.sk.clone())),
        ])
    }

    /// What kind of item this is; none for a key that no version wrote.
    #[must_use]
    pub fn kind(&self) -> Option<ReleasesKind> {
        let (first, _) = self.pk.split_once('#')?;
        match first {
            "release" if self.sk == RELEASE_SK => Some(ReleasesKind::Release),
            "release" if self.sk.starts_with(LINK_SK) => Some(ReleasesKind::Link),
            "claim" | "path" => Some(ReleasesKind::Claim),
            "index" => Some(ReleasesKind::Index),
            "counter" => Some(ReleasesKind::Counter),
            _ => None,
        }
    }
}

/// The partition of a release and its links.
#[must_use]
pub fn release_partition(release: &ReleaseKey) -> String {
    format!("release#{:020}#{}", release.project.0, release.tag)
}

/// The partition of a project's list of releases.
#[must_use]
pub fn index_partition(project: ProjectId) -> String {
    format!("index#{:020}", project.0)
}

/// The partition of the claims of a path, one for each life of the tag that has had the path.
#[must_use]
pub fn path_partition(release: &ReleaseKey, path: &DirectAssetPath) -> String {
    let hash = sha256_hex(path.as_str());
    format!("path#{:020}#{hash}#{}", release.project.0, release.tag)
}

/// What an item of the releases table is, by its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReleasesKind {
    /// A release.
    Release,
    /// A link.
    Link,
    /// A claim of a name, url or path.
    Claim,
    /// A release in the list of its project.
    Index,
    /// The counter of links.
    Counter,
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    fn tag() -> impl Strategy<Value = TagName> {
        "[a-z0-9#_/%-]{1,12}".prop_filter_map("no tag", |text| TagName::parse(&text).ok())
    }

    fn project() -> impl Strategy<Value = ProjectId> {
        prop_oneof![0..20_u64, any::<u64>()].prop_map(ProjectId)
    }

    fn release() -> impl Strategy<Value = ReleaseKey> {
        (project(), tag()).prop_map(|(project, tag)| ReleaseKey { project, tag })
    }

    fn path() -> impl Strategy<Value = DirectAssetPath> {
        "/[a-c][a-c]{2,4}".prop_map(|text| DirectAssetPath::parse(&text).unwrap())
    }

    /// Something that has a key in the releases table, by its own words.
    fn keyed() -> impl Strategy<Value = (String, ReleasesKey)> {
        let uids: Vec<ReleaseUid> = (0..3).map(|_| ReleaseUid::draw()).collect();
        let uid = || prop::sample::select(uids.clone());
        let value = || "[a-c#]{1,4}";
        prop_oneof![
            release().prop_map(|r| (format!("release {r:?}"), ReleasesKey::release(&r))),
            (release(), 0..2_000_u64).prop_map(|(r, id)| {
                (format!("link {r:?} {id}"), ReleasesKey::link(&r, LinkId(id)))
            }),
            (uid(), value()).prop_map(|(uid, name)| {
                let parsed = LinkName::parse(Some(&name)).unwrap();
                (format!("name {uid:?} {name}"), ReleasesKey::name_claim(&uid, &parsed))
            }),
            (uid(), value()).prop_map(|(uid, url)| {
                let url = format!("http://e/{url}");
                let parsed = LinkUrl::parse(&url).unwrap();
                (format!("url {uid:?} {url}"), ReleasesKey::url_claim(&uid, &parsed))
            }),
            (release(), path(), uid()).prop_map(|(r, path, uid)| {
                (format!("path {r:?} {path:?} {uid:?}"), ReleasesKey::path_claim(&r, &path, &uid))
            }),
            (release(), any::<i64>()).prop_map(|(r, at)| {
                let at = Timestamp::from_unix_millis(at);
                (format!("index {r:?} {at:?}"), ReleasesKey::index(r.project, at, &r.tag))
            }),
            Just(("counter".to_owned(), ReleasesKey::link_counter())),
        ]
    }

    proptest! {
        #[test]
        fn different_things_have_different_keys(things in prop::collection::vec(keyed(), 0..60)) {
            let mut known: HashMap<ReleasesKey, String> = HashMap::new();
            for (words, key) in things {
                prop_assert!(key.kind().is_some(), "{key:?}");
                prop_assert!(key.pk.len() <= 2048 && key.sk.len() <= 1024, "{key:?}");
                let other = known.entry(key).or_insert_with(|| words.clone());
                prop_assert_eq!(other.as_str(), words.as_str());
            }
        }

        #[test]
        fn links_are_in_the_order_of_their_numbers_after_their_release(r in release(), a: u64, b: u64) {
            let (first, second) = (ReleasesKey::link(&r, LinkId(a)), ReleasesKey::link(&r, LinkId(b)));
            prop_assert_eq!(first.sk.cmp(&second.sk), a.cmp(&b));
            prop_assert_eq!(&first.pk, &second.pk);
            prop_assert!(ReleasesKey::release(&r) < first);
        }

        #[test]
        fn releases_are_listed_in_the_order_of_their_time(p in project(), t in tag(), a: i64, b: i64) {
            let key = |at| ReleasesKey::index(p, Timestamp::from_unix_millis(at), &t);
            prop_assert_eq!(key(a).cmp(&key(b)), a.cmp(&b));
        }

        #[test]
        fn projects_tokens_and_paths_have_keys_of_their_own(a in project(), b in project()) {
            prop_assert_eq!(DirectoryKey::project(a) == DirectoryKey::project(b), a == b);
            prop_assert_eq!(DirectoryKey::project(a).pk.cmp(&DirectoryKey::project(b).pk), a.cmp(&b));
        }
    }

    #[test]
    fn keys_look_as_the_table_above_says() {
        let tag = TagName::parse("v1/x").unwrap();
        let r = ReleaseKey { project: ProjectId(24), tag };
        let show = |key: ReleasesKey| format!("{} | {}", key.pk, key.sk);
        let release = "release#00000000000000000024#v1/x";
        assert_eq!(show(ReleasesKey::release(&r)), format!("{release} | 0#release"));
        assert_eq!(
            show(ReleasesKey::link(&r, LinkId(7))),
            format!("{release} | 1#link#00000000000000000007")
        );
        assert_eq!(
            show(ReleasesKey::index(r.project, Timestamp::from_unix_millis(0), &r.tag)),
            "index#00000000000000000024 | 09223372036854775808#v1/x"
        );
        assert_eq!(DirectoryKey::path(&ProjectPath::parse("G/P").unwrap()).pk, "path#g/p");
    }

    #[test]
    fn paths_that_differ_in_case_are_one_project() {
        let key = |text| DirectoryKey::path(&ProjectPath::parse(text).unwrap());
        assert_eq!(key("Group/Project"), key("group/project"));
        assert_ne!(key("group/project"), key("group/project2"));
    }
}
