//! Projects, as far as releases are concerned: their visibility, and the rules about their tags.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};
use url::Url;

use super::access_level::AccessLevel;
use super::policies::Policies;
use super::tag_name::{TagName, is_earlier_ref_name, is_new_ref_name};
use super::time::Timestamp;

/// A project's number: unique in the installation, never given out twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ProjectId(pub u64);

impl fmt::Display for ProjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A project's full path, `namespace/…/project`, in the case its owner wrote it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ProjectPath(String);

/// The text is not a project's full path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "is not a full path (group/project or group): segments of letters, digits, '_', '-' and '.', \
     none starting with '-' or '.' or ending in '.', at most {MAX_PATH_BYTES} bytes in all"
)]
pub struct InvalidPath;

const MAX_PATH_BYTES: usize = 255;

fn is_path_segment(segment: &str) -> bool {
    segment.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
        && !segment.ends_with('.')
        && segment.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))
}

impl ProjectPath {
    /// Parses a full path; fails where no project can have it.
    pub fn parse(text: &str) -> Result<Self, InvalidPath> {
        let parses = text.len() <= MAX_PATH_BYTES
            && text.contains('/')
            && text.split('/').all(is_path_segment);
        if parses { Ok(Self(text.to_owned())) } else { Err(InvalidPath) }
    }

    /// The path as its owner wrote it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The namespace's path and the project's own.
    #[must_use]
    pub fn split(&self) -> (&str, &str) {
        self.0.rsplit_once('/').unwrap_or(("", &self.0))
    }

    /// The form by which paths are compared: GitLab's are case-insensitive.
    #[must_use]
    pub fn lowercase_key(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

impl TryFrom<String> for ProjectPath {
    type Error = InvalidPath;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl FromStr for ProjectPath {
    type Err = InvalidPath;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl From<ProjectPath> for String {
    fn from(path: ProjectPath) -> Self {
        path.0
    }
}

/// The path of a group or user: what a grant for many projects names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct NamespacePath(String);

impl NamespacePath {
    /// Parses a namespace's full path; fails where no namespace can have it.
    pub fn parse(text: &str) -> Result<Self, InvalidPath> {
        let parses = text.len() <= MAX_PATH_BYTES && text.split('/').all(is_path_segment);
        if parses { Ok(Self(text.to_owned())) } else { Err(InvalidPath) }
    }

    /// The path as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `project` lies in this namespace or in one below it.
    #[must_use]
    pub fn contains(&self, project: &ProjectPath) -> bool {
        let (namespace, project) = (self.0.to_ascii_lowercase(), project.lowercase_key());
        project.strip_prefix(&namespace).is_some_and(|rest| rest.starts_with('/'))
    }
}

impl TryFrom<String> for NamespacePath {
    type Error = InvalidPath;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl FromStr for NamespacePath {
    type Err = InvalidPath;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl From<NamespacePath> for String {
    fn from(path: NamespacePath) -> Self {
        path.0
    }
}

/// How a request names a project: its number or its full path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProjectRef {
    /// By number.
    Id(ProjectId),
    /// By full path, compared without regard to case.
    Path(ProjectPath),
    /// Text that can name no project; the answer is the one for a project that is not there.
    Nothing,
}

impl ProjectRef {
    /// Reads the decoded `:id` of a request: digits are a number, a slash makes a path.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        // `+24`, which Rust takes for a number, is none to GitLab.
        let digits = text.bytes().all(|byte| byte.is_ascii_digit()).then_some(text);
        if let Some(id) = digits.and_then(|digits| digits.parse().ok()) {
            Self::Id(ProjectId(id))
        } else if let Ok(path) = ProjectPath::parse(text) {
            Self::Path(path)
        } else {
            Self::Nothing
        }
    }
}

/// The visibility of a project.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr, VariantArray,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Visibility {
    Private,
    /// Every signed-in user who is not external.
    Internal,
    /// Everybody.
    Public,
}

impl Visibility {
    /// GitLab's word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// Who, among those who see the project, sees its releases.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr, VariantArray,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum ReleasesAccess {
    /// Everybody who sees the project.
    Enabled,
    Private,
    /// No caller.
    Disabled,
}

impl ReleasesAccess {
    /// GitLab's word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// The name of a branch of a project's repository, which is elsewhere: release tools ask for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BranchName(String);

/// The text is not a branch's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is not a branch name that GitLab accepts")]
pub struct InvalidBranchName;

impl BranchName {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for BranchName {
    type Err = InvalidBranchName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if is_new_ref_name(text) { Ok(Self(text.to_owned())) } else { Err(InvalidBranchName) }
    }
}

/// A stored name: earlier versions also accepted spaces, `HEAD` and `refs/heads/x`.
impl TryFrom<String> for BranchName {
    type Error = InvalidBranchName;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if is_earlier_ref_name(&text) { Ok(Self(text)) } else { Err(InvalidBranchName) }
    }
}

impl From<BranchName> for String {
    fn from(branch: BranchName) -> Self {
        branch.0
    }
}

/// GitLab's own default.
impl Default for BranchName {
    fn default() -> Self {
        Self("main".to_owned())
    }
}

/// The page of a project on a GitLab that has its code: releases link to the archives below it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SourceUrl(String);

/// The longest source URL, in bytes: every release repeats it four times.
pub const MAX_SOURCE_URL_BYTES: usize = 1024;

/// The text is not the URL of a project's page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "is not the http(s) URL of a project on a GitLab, such as https://gitlab.com/group/app: \
     without credentials, query, fragment and '.git', at most {MAX_SOURCE_URL_BYTES} bytes"
)]
pub struct InvalidSourceUrl;

impl SourceUrl {
    /// Parses the URL of a project's page. Slashes at its end are dropped.
    pub fn parse(text: &str) -> Result<Self, InvalidSourceUrl> {
        let url = Url::parse(text).map_err(|_| InvalidSourceUrl)?;
        let is_plain = matches!(url.scheme(), "http" | "https")
            && url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none();
        // A clone URL ends in `.git`, and a page below the project's has a segment `-`. GitLab has no
        // archives below either.
        let path = url.path().trim_end_matches('/');
        let names_project =
            path.strip_prefix('/').is_some_and(|path| ProjectPath::parse(path).is_ok())
                && !path.to_ascii_lowercase().ends_with(".git");
        let page = url.as_str().trim_end_matches('/');
        if is_plain && names_project && page.len() <= MAX_SOURCE_URL_BYTES {
            Ok(Self(page.to_owned()))
        } else {
            Err(InvalidSourceUrl)
        }
    }

    /// The URL, without a slash at its end.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The project's own path there, the last segment.
    #[must_use]
    pub fn project(&self) -> &str {
        self.0.rsplit_once('/').map_or("", |(_, project)| project)
    }
}

impl FromStr for SourceUrl {
    type Err = InvalidSourceUrl;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl TryFrom<String> for SourceUrl {
    type Error = InvalidSourceUrl;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<SourceUrl> for String {
    fn from(url: SourceUrl) -> Self {
        url.0
    }
}

/// Tags only some roles may create, and so whose releases only they may change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProtectedTag {
    /// The tag's name, in which `*` stands for any run of characters.
    pub pattern: String,
    /// The lowest role that may create such a tag. Without one, no role may.
    pub create_level: Option<AccessLevel>,
}

impl ProtectedTag {
    /// Whether this rule speaks of `tag`.
    #[must_use]
    pub fn matches(&self, tag: &TagName) -> bool {
        wildcard_matches(&self.pattern, tag.as_str())
    }
}

/// Greedy leftmost matching of the parts between the stars: linear, where backtracking would let
/// one pattern of many stars cost exponential time.
pub(super) fn wildcard_matches(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(mut remaining) = text.strip_prefix(first) else {
        return false;
    };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        match remaining.find(part) {
            Some(at) => remaining = &remaining[at + part.len()..],
            None => return false,
        }
    }
    remaining.ends_with(last)
}

/// A project and all that decides who may see and change its releases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Project {
    pub id: ProjectId,
    pub path: ProjectPath,
    pub visibility: Visibility,
    pub releases_access: ReleasesAccess,
    /// An archived project can be read and not changed.
    pub archived: bool,
    /// The rules about its tags.
    pub protected_tags: Vec<ProtectedTag>,
    /// Its repository's default branch.
    pub default_branch: BranchName,
    /// The page of its code, if releases are to link to archives of it.
    pub source_url: Option<SourceUrl>,
    pub policies: Policies,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A project's number as the directory knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProjectState {
    /// The path of an existing project.
    Live(ProjectPath),
    /// The last path of a deleted project.
    Deleted(ProjectPath),
    /// No project has, or ever had, the number.
    Unknown,
}

/// A project in the list of projects: enough to decide who sees it, and to find it by its path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedProject {
    pub id: ProjectId,
    pub path: ProjectPath,
    pub visibility: Visibility,
    /// Whether it is read-only.
    pub archived: bool,
}

impl From<&Project> for ListedProject {
    fn from(project: &Project) -> Self {
        let Project { id, path, visibility, archived, .. } = project;
        Self { id: *id, path: path.clone(), visibility: *visibility, archived: *archived }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A pattern's stars, tried at every length: slow, and plain.
    fn slowly_matches(pattern: &[u8], text: &[u8]) -> bool {
        match pattern {
            [] => text.is_empty(),
            [b'*', rest @ ..] => (0..=text.len()).any(|at| slowly_matches(rest, &text[at..])),
            [byte, rest @ ..] => text.first() == Some(byte) && slowly_matches(rest, &text[1..]),
        }
    }

    proptest! {
        #[test]
        fn stars_match_what_they_match_when_every_length_is_tried(
            pattern in "[ab*]{0,7}", text in "[ab]{0,9}",
        ) {
            let expected = slowly_matches(pattern.as_bytes(), text.as_bytes());
            let found = wildcard_matches(&pattern, &text);
            prop_assert_eq!(found, expected, "{:?} {:?}", pattern, text);
        }

        #[test]
        fn any_pattern_can_be_asked_about_any_tag(pattern in "[*é]{0,300}", text in "é{0,100}") {
            let has_enough = pattern.matches('é').count() <= text.matches('é').count();
            let expected = pattern == text || pattern.contains('*') && has_enough;
            prop_assert_eq!(wildcard_matches(&pattern, &text), expected);
        }

        #[test]
        fn a_folded_path_is_one_and_its_own_folded_form(
            text in "[aZ0_.-]{1,5}(/[aZ0_.-]{1,5}){0,3}",
        ) {
            let Ok(path) = ProjectPath::parse(&text) else { return Ok(()) };
            let folded = ProjectPath::parse(&path.lowercase_key()).unwrap();
            prop_assert_eq!(folded.as_str(), path.lowercase_key());
            prop_assert_eq!(folded.lowercase_key(), path.lowercase_key());
            let shouted = ProjectPath::parse(&text.to_ascii_uppercase()).unwrap();
            prop_assert_eq!(shouted.lowercase_key(), path.lowercase_key());
            let (namespace, name) = path.split();
            prop_assert_eq!(format!("{namespace}/{name}"), text);
            prop_assert!(NamespacePath::parse(namespace).unwrap().contains(&shouted));
        }

        #[test]
        fn any_text_names_a_project_or_nothing(text in "\\PC{0,12}|[-+0-9]{0,24}|[a-z/.]{0,8}") {
            match ProjectRef::parse(&text) {
                ProjectRef::Id(ProjectId(id)) => {
                    let digits = text.trim_start_matches('0');
                    let shown = id.to_string();
                    prop_assert_eq!(digits, shown.trim_start_matches('0'));
                }
                ProjectRef::Path(path) => prop_assert_eq!(path.as_str(), text),
                ProjectRef::Nothing => {}
            }
        }
    }

    #[test]
    fn a_number_a_path_and_anything_else_are_told_apart() {
        assert_eq!(ProjectRef::parse("24"), ProjectRef::Id(ProjectId(24)));
        assert_eq!(ProjectRef::parse("007"), ProjectRef::Id(ProjectId(7)));
        assert!(matches!(ProjectRef::parse("g/p"), ProjectRef::Path(_)));
        assert!(matches!(ProjectRef::parse("a/b/c.d-e"), ProjectRef::Path(_)));
        for nothing in
            ["", "foo", "-1", "+24", "99999999999999999999", "/p", "g/", "g//p", "g/-p", "g/p."]
        {
            assert_eq!(ProjectRef::parse(nothing), ProjectRef::Nothing, "{nothing}");
        }
    }

    #[test]
    fn new_branch_names_are_gitlabs_and_stored_ones_stay_readable() {
        for (text, is_new, is_stored) in [
            ("main", true, true),
            ("feature/x", true, true),
            ("a b", false, true),
            ("HEAD", false, true),
            ("refs/heads/main", false, true),
            (&"x".repeat(300), false, true),
            ("-x", false, false),
            ("feature/.x", false, false),
            ("", false, false),
        ] {
            assert_eq!(text.parse::<BranchName>().is_ok(), is_new, "{text}");
            assert_eq!(BranchName::try_from(text.to_owned()).is_ok(), is_stored, "{text}");
        }
    }

    #[test]
    fn a_source_url_is_the_plain_page_of_a_project() {
        for (text, page, project) in [
            ("https://gitlab.com/group/app", "https://gitlab.com/group/app", "app"),
            ("HTTP://E.com:8080/a/b/c-d//", "http://e.com:8080/a/b/c-d", "c-d"),
            ("https://e.com/root/a/b", "https://e.com/root/a/b", "b"),
        ] {
            let url = SourceUrl::parse(text).unwrap();
            assert_eq!((url.as_str(), url.project()), (page, project));
            assert_eq!(SourceUrl::parse(url.as_str()), Ok(url));
        }
        let long = format!("https://e.com/a/{}", "x".repeat(MAX_SOURCE_URL_BYTES));
        for refused in [
            "",
            "gitlab.com/group/app",
            "ftp://e.com/a/b",
            "https://e.com",
            "https://e.com/",
            "https://user@e.com/a/b",
            "https://:pw@e.com/a/b",
            "https://e.com/a/b?c",
            "https://e.com/a/b#c",
            "https://e.com/a/b?",
            "https://e.com//a",
            "https://e.com/a",
            "https://e.com/a/b.git",
            "https://e.com/a/b.GIT",
            "https://e.com/a/b/-/tree/main",
            "https://e.com/-/b",
            "https://e.com/a/b c",
            "https://e.com/a/b%2Fc",
            "https://e.com/a/ü",
            "https://e.com/a/b\u{202e}",
            "https:///",
            &long,
        ] {
            assert_eq!(SourceUrl::parse(refused), Err(InvalidSourceUrl), "{refused}");
        }
    }

    #[test]
    fn a_namespace_contains_its_projects_and_no_namesakes() {
        let group = NamespacePath::parse("My/Group").unwrap();
        let contains = |path| group.contains(&ProjectPath::parse(path).unwrap());
        assert!(contains("my/group/project"));
        assert!(contains("My/Group/sub/project"));
        assert!(!contains("my/groupies/project"));
        assert!(!contains("my/group"));
    }

    #[test]
    fn stars_of_a_protected_tag_match_any_run() {
        for (pattern, text, expected) in [
            ("v1", "v1", true),
            ("v1", "v1.0", false),
            ("v*", "v", true),
            ("v*", "v1/rc", true),
            ("*", "", true),
            ("v*-rc*", "v1.0-rc2", true),
            ("v*-rc*", "v1.0", false),
            ("*a", "aba", true),
            ("a*a", "a", false),
            ("*-stable", "9-stable-1", false),
        ] {
            assert_eq!(wildcard_matches(pattern, text), expected, "{pattern} {text}");
        }
    }
}
