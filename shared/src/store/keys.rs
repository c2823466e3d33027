//! The keys of every item of both tables. Reads and writes build them here and nowhere else.
//!
//! Numbers are zero-padded: keys sort like numbers. Names, urls and paths stand as hashes: a sort key
//! holds 1,024 bytes, a url may have more. Tags stand as they are and always last: no tag can look like
//! a key of another kind.
//!
//! The directory table, which functions only read:
//!
//! | item | pk | sk |
//! | --- | --- | --- |
//! | project | `project#<id>` | `project` |
//! | project's path | `path#<full path in lower case>` | `path` |
//! | user | `user#<username in lower case>` | `user` |
//! | token | `token#<hash of its secret>` | `token` |
//! | issuer of ID tokens | `issuer#<hash of its URL>` | `issuer` |
//! | publishers of a project | `publishers#<id>` | `publishers` |
//! | counter of projects, users, jobs | `counter#project`, `counter#user`, `counter#job` | `counter` |
//! | project in the list of projects | `projects` | `<id>` |
//! | project in the list of deleted projects | `deleted-projects` | `<last path in lower case>#<id>` |
//! | user in the list of users | `users` | `<username in lower case>` |
//! | token in the list of tokens | `tokens` | `<hash of its secret>` |
//! | issuer in the list of issuers | `issuers` | `<hash of its URL>` |
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

use crate::domain::issuer::IssuerUrl;
use crate::domain::link::{DirectAssetPath, LinkId, LinkName};
use crate::domain::link_url::LinkUrl;
use crate::domain::project::{ProjectId, ProjectPath};
use crate::domain::release_key::{ReleaseKey, ReleaseUid};
use crate::domain::secret::SecretHash;
use crate::domain::sha256::sha256_hex;
use crate::domain::tag_name::TagName;
use crate::domain::time::Timestamp;
use crate::domain::username::Username;

/// The partition key's attribute in both tables.
pub const PK: &str = "pk";
/// The sort key's attribute in both tables.
pub const SK: &str = "sk";

/// The sort keys of a release's partition. The release comes first: one query returns it and then its
/// links.
const RELEASE_SK: &str = "0#release";
const LINK_SK: &str = "1#link#";

/// An item's key as the database takes it.
pub type KeyAttributes = HashMap<String, AttributeValue>;

/// The key of an item of the directory table.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DirectoryKey {
    pub pk: String,
    pub sk: String,
}

impl DirectoryKey {
    /// The project with this number.
    #[must_use]
    pub fn project(id: ProjectId) -> Self {
        DirectoryKind::Project.key(&padded(id))
    }

    /// The project with this path, in whatever case.
    #[must_use]
    pub fn path(path: &ProjectPath) -> Self {
        DirectoryKind::Path.key(&path.lowercase_key())
    }

    /// The user of this name, in whatever case.
    #[must_use]
    pub fn user(username: &Username) -> Self {
        DirectoryKind::User.key(&username.lowercase_key())
    }

    /// The token whose secret has this hash.
    #[must_use]
    pub fn token(hash: &SecretHash) -> Self {
        DirectoryKind::Token.key(hash.as_str())
    }

    /// The issuer of ID tokens with this URL.
    #[must_use]
    pub fn issuer(url: &IssuerUrl) -> Self {
        DirectoryKind::Issuer.key(&sha256_hex(url.as_str()))
    }

    /// The publishers of a project, all in one item.
    #[must_use]
    pub fn publishers(project: ProjectId) -> Self {
        DirectoryKind::Publishers.key(&padded(project))
    }

    /// The last number given to a project.
    #[must_use]
    pub fn project_counter() -> Self {
        DirectoryKind::Counter.key("project")
    }

    /// The last number given to a user.
    #[must_use]
    pub fn user_counter() -> Self {
        DirectoryKind::Counter.key("user")
    }

    /// The last number given to a job.
    #[must_use]
    pub fn job_counter() -> Self {
        DirectoryKind::Counter.key("job")
    }

    /// A project in the list of projects.
    #[must_use]
    pub fn project_entry(id: ProjectId) -> Self {
        DirectoryList::Projects.entry(padded(id))
    }

    /// A project in the list of deleted projects, with its last path.
    #[must_use]
    pub fn deleted_project_entry(path: &ProjectPath, id: ProjectId) -> Self {
        DirectoryList::DeletedProjects.entry(format!("{}{}", last_path_prefix(path), padded(id)))
    }

    /// A user in the list of users.
    #[must_use]
    pub fn user_entry(username: &Username) -> Self {
        DirectoryList::Users.entry(username.lowercase_key())
    }

    /// A token in the list of tokens.
    #[must_use]
    pub fn token_entry(hash: &SecretHash) -> Self {
        DirectoryList::Tokens.entry(hash.as_str().to_owned())
    }

    /// An issuer in the list of issuers.
    #[must_use]
    pub fn issuer_entry(url: &IssuerUrl) -> Self {
        DirectoryList::Issuers.entry(sha256_hex(url.as_str()))
    }

    /// As the database takes it.
    #[must_use]
    pub fn attributes(&self) -> KeyAttributes {
        attributes(&self.pk, &self.sk)
    }

    /// The kind of this item; none if no version wrote such a key.
    #[must_use]
    pub fn kind(&self) -> Option<DirectoryKind> {
        DirectoryKind::ALL
            .into_iter()
            .find(|kind| self.sk == kind.sort_key() && self.pk.starts_with(kind.prefix()))
    }

    /// The list that this is an entry of.
    #[must_use]
    pub fn list(&self) -> Option<DirectoryList> {
        DirectoryList::ALL.into_iter().find(|list| self.pk == list.partition())
    }

    /// The key of the item that this entry of a list names.
    #[must_use]
    pub fn listed(&self) -> Option<Self> {
        Some(match self.list()? {
            DirectoryList::Projects => DirectoryKind::Project.key(&self.sk),
            DirectoryList::DeletedProjects => {
                DirectoryKind::Project.key(self.sk.rsplit_once('#')?.1)
            }
            DirectoryList::Users => DirectoryKind::User.key(&self.sk),
            DirectoryList::Tokens => DirectoryKind::Token.key(&self.sk),
            DirectoryList::Issuers => DirectoryKind::Issuer.key(&self.sk),
        })
    }

    /// The part of the partition key after the kind: a number, path, username or hash.
    #[must_use]
    pub fn name(&self) -> &str {
        self.pk.split_once('#').map_or("", |(_, name)| name)
    }
}

/// The kind of an item of the directory table that is no entry of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DirectoryKind {
    /// A project, or what is left of a deleted one.
    Project,
    Path,
    User,
    Token,
    /// An issuer of ID tokens.
    Issuer,
    /// The trusted publishers of a project.
    Publishers,
    Counter,
}

impl DirectoryKind {
    const ALL: [Self; 7] = [
        Self::Project,
        Self::Path,
        Self::User,
        Self::Token,
        Self::Issuer,
        Self::Publishers,
        Self::Counter,
    ];

    fn key(self, name: &str) -> DirectoryKey {
        DirectoryKey { pk: format!("{}{name}", self.prefix()), sk: self.sort_key().to_owned() }
    }

    /// The prefix of the partition keys of this kind.
    const fn prefix(self) -> &'static str {
        match self {
            Self::Project => "project#",
            Self::Path => "path#",
            Self::User => "user#",
            Self::Token => "token#",
            Self::Issuer => "issuer#",
            Self::Publishers => "publishers#",
            Self::Counter => "counter#",
        }
    }

    fn sort_key(self) -> &'static str {
        self.prefix().trim_end_matches('#')
    }
}

/// A list of the directory: a partition whose sort keys name all items of a kind.
///
/// Its partition key has no `#`, so no role that is limited to kinds of items can read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DirectoryList {
    /// The projects that are not deleted.
    Projects,
    DeletedProjects,
    Users,
    /// The tokens that are kept, revoked and expired ones included.
    Tokens,
    /// The issuers of ID tokens.
    Issuers,
}

impl DirectoryList {
    const ALL: [Self; 5] =
        [Self::Projects, Self::DeletedProjects, Self::Users, Self::Tokens, Self::Issuers];

    /// The partition key of the list's entries.
    #[must_use]
    pub const fn partition(self) -> &'static str {
        match self {
            Self::Projects => "projects",
            Self::DeletedProjects => "deleted-projects",
            Self::Users => "users",
            Self::Tokens => "tokens",
            Self::Issuers => "issuers",
        }
    }

    /// The entry with this sort key.
    #[must_use]
    pub fn entry(self, sk: String) -> DirectoryKey {
        DirectoryKey { pk: self.partition().to_owned(), sk }
    }
}

/// The prefix of the sort keys of all deleted projects with this last path.
#[must_use]
pub fn last_path_prefix(path: &ProjectPath) -> String {
    format!("{}#", path.lowercase_key())
}

fn padded(id: ProjectId) -> String {
    format!("{:020}", id.0)
}

fn attributes(pk: &str, sk: &str) -> KeyAttributes {
    HashMap::from([
        (PK.to_owned(), AttributeValue::S(pk.to_owned())),
        (SK.to_owned(), AttributeValue::S(sk.to_owned())),
    ])
}

/// The key of an item of the releases table.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ReleasesKey {
    pub pk: String,
    pub sk: String,
}

impl ReleasesKey {
    /// A release, first of its partition.
    #[must_use]
    pub fn release(release: &ReleaseKey) -> Self {
        Self { pk: release_partition(release), sk: RELEASE_SK.to_owned() }
    }

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
        // With the sign bit flipped, unsigned digits have the order of signed numbers.
        let ordered = released_at.unix_millis().cast_unsigned() ^ (1 << 63);
        Self { pk: index_partition(project), sk: format!("{ordered:020}#{tag}") }
    }

    /// The time by which a release is listed, from the key that [`Self::index`] makes.
    #[must_use]
    pub fn released_at(&self) -> Option<Timestamp> {
        let ordered: u64 = self.sk.split_once('#')?.0.parse().ok()?;
        Some(Timestamp::from_unix_millis((ordered ^ (1 << 63)).cast_signed()))
    }

    /// The last number given to a link.
    #[must_use]
    pub fn link_counter() -> Self {
        Self { pk: "counter#link".to_owned(), sk: "counter".to_owned() }
    }

    /// As the database takes it.
    #[must_use]
    pub fn attributes(&self) -> KeyAttributes {
        attributes(&self.pk, &self.sk)
    }

    /// The kind of this item; `None` for a key that no version wrote.
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

/// The kind of an item of the releases table, by its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReleasesKind {
    Release,
    Link,
    /// A claim of a name, url or path.
    Claim,
    /// A release in the list of its project.
    Index,
    Counter,
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;
    use crate::domain::secret::Secret;
    use crate::domain::token_kind::TokenKind;

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

    fn project_path() -> impl Strategy<Value = ProjectPath> {
        "[a-c]{1,2}(/[a-c0-9_.-]{0,2}[a-c0-9]){1,2}"
            .prop_filter_map("no path", |text| ProjectPath::parse(&text).ok())
    }

    /// Something that has a key in the directory table, by its own words, and the entry of a list
    /// that names it.
    fn in_directory() -> impl Strategy<Value = (String, DirectoryKey, Option<DirectoryKey>)> {
        let hashes: Vec<SecretHash> =
            (0..3).map(|_| Secret::generate(TokenKind::Access).hash()).collect();
        prop_oneof![
            project().prop_map(|id| {
                let entry = DirectoryKey::project_entry(id);
                (format!("project {id}"), DirectoryKey::project(id), Some(entry))
            }),
            (project_path(), project()).prop_map(|(path, id)| {
                let entry = DirectoryKey::deleted_project_entry(&path, id);
                (format!("project {id}"), DirectoryKey::project(id), Some(entry))
            }),
            project_path().prop_map(|path| {
                (format!("path {}", path.lowercase_key()), DirectoryKey::path(&path), None)
            }),
            "[a-c]{1,3}|project|user|job|counter".prop_map(|text| {
                let username = Username::parse(&text).unwrap();
                let entry = DirectoryKey::user_entry(&username);
                (format!("user {text}"), DirectoryKey::user(&username), Some(entry))
            }),
            prop::sample::select(hashes).prop_map(|hash| {
                let entry = DirectoryKey::token_entry(&hash);
                (format!("token {hash:?}"), DirectoryKey::token(&hash), Some(entry))
            }),
            "[a-c]{1,3}".prop_map(|host| {
                let url = IssuerUrl::parse(&format!("https://{host}")).unwrap();
                let entry = DirectoryKey::issuer_entry(&url);
                (format!("issuer {host}"), DirectoryKey::issuer(&url), Some(entry))
            }),
            project().prop_map(|id| {
                (format!("publishers {id}"), DirectoryKey::publishers(id), None)
            }),
            Just(("projects".to_owned(), DirectoryKey::project_counter(), None)),
            Just(("users".to_owned(), DirectoryKey::user_counter(), None)),
            Just(("jobs".to_owned(), DirectoryKey::job_counter(), None)),
        ]
    }

    /// Something that has a key in the releases table, by its own words.
    fn keyed() -> impl Strategy<Value = (String, ReleasesKey)> {
        let uids: Vec<ReleaseUid> = (0..3).map(|_| ReleaseUid::generate()).collect();
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
            prop_assert_eq!(key(a).released_at(), Some(Timestamp::from_unix_millis(a)));
        }

        #[test]
        fn different_things_have_different_keys_in_the_directory(
            things in prop::collection::vec(in_directory(), 0..60),
        ) {
            let mut known: HashMap<DirectoryKey, String> = HashMap::new();
            for (words, key, entry) in things {
                prop_assert!(key.kind().is_some() && key.list().is_none(), "{key:?}");
                if let Some(entry) = entry {
                    prop_assert!(entry.kind().is_none() && entry.list().is_some(), "{entry:?}");
                    prop_assert_eq!(entry.listed(), Some(key.clone()));
                    prop_assert!(entry.sk.len() <= 1024, "{:?}", entry);
                    let listed = format!("{} of {words}", entry.pk);
                    let other = known.entry(entry).or_insert_with(|| listed.clone());
                    prop_assert_eq!(other.as_str(), listed.as_str());
                }
                let other = known.entry(key).or_insert_with(|| words.clone());
                prop_assert_eq!(other.as_str(), words.as_str());
            }
        }

        #[test]
        fn a_list_of_projects_is_in_the_order_of_their_numbers(a in project(), b in project()) {
            let key = DirectoryKey::project_entry;
            prop_assert_eq!(key(a).sk.cmp(&key(b).sk), a.cmp(&b));
        }

        #[test]
        fn a_last_path_is_the_prefix_of_its_own_deleted_projects_alone(
            a in project_path(), b in project_path(), id in project(),
        ) {
            let entry = DirectoryKey::deleted_project_entry(&a, id);
            prop_assert_eq!(entry.sk.starts_with(&last_path_prefix(&b)), a.lowercase_key() == b.lowercase_key());
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
        let show = |key: DirectoryKey| format!("{} | {}", key.pk, key.sk);
        let (path, user) = (ProjectPath::parse("G/P").unwrap(), Username::parse("Ann").unwrap());
        let (id, hash) = (ProjectId(24), Secret::generate(TokenKind::Access).hash());
        let (padded, digits) = ("00000000000000000024", hash.as_str());
        let issuer = IssuerUrl::parse("https://gitlab.example.com").unwrap();
        let issuer_digits = "dfe2eead3cf715944bcefad3334ea66713786c98985bf359f59663e638f3768b";
        for (key, shown) in [
            (DirectoryKey::project(id), format!("project#{padded} | project")),
            (DirectoryKey::path(&path), "path#g/p | path".to_owned()),
            (DirectoryKey::user(&user), "user#ann | user".to_owned()),
            (DirectoryKey::token(&hash), format!("token#{digits} | token")),
            (DirectoryKey::publishers(id), format!("publishers#{padded} | publishers")),
            (DirectoryKey::issuer(&issuer), format!("issuer#{issuer_digits} | issuer")),
            (DirectoryKey::issuer_entry(&issuer), format!("issuers | {issuer_digits}")),
            (DirectoryKey::project_counter(), "counter#project | counter".to_owned()),
            (DirectoryKey::user_counter(), "counter#user | counter".to_owned()),
            (DirectoryKey::job_counter(), "counter#job | counter".to_owned()),
            (DirectoryKey::project_entry(id), format!("projects | {padded}")),
            (
                DirectoryKey::deleted_project_entry(&path, id),
                format!("deleted-projects | g/p#{padded}"),
            ),
            (DirectoryKey::user_entry(&user), "users | ann".to_owned()),
            (DirectoryKey::token_entry(&hash), format!("tokens | {digits}")),
        ] {
            assert_eq!(show(key), shown);
        }
    }

    #[test]
    fn a_key_that_no_version_wrote_is_of_no_kind() {
        for (pk, sk) in [("project#1", "publishers"), ("project#1", ""), ("project", "project")] {
            let key = DirectoryKey { pk: pk.to_owned(), sk: sk.to_owned() };
            assert_eq!((key.kind(), key.list(), key.listed()), (None, None, None), "{key:?}");
        }
    }

    #[test]
    fn paths_that_differ_in_case_are_one_project() {
        let key = |text| DirectoryKey::path(&ProjectPath::parse(text).unwrap());
        assert_eq!(key("Group/Project"), key("group/project"));
        assert_ne!(key("group/project"), key("group/project2"));
    }
}
