//! Trusted publishers: which jobs of an issuer may publish in a project, by the claims of their ID tokens.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::issuer::IssuerUrl;
use super::sha256::sha256_hex;
use super::tag_name::TagName;
use super::time::Timestamp;
use super::token::User;

/// The most publishers of a project: every request with an ID token reads them.
pub const MAX_PUBLISHERS: usize = 20;
/// The longest name and value of a claim in a rule, in bytes.
pub const MAX_CLAIM_BYTES: usize = 255;
/// How many digits a publisher's id has.
const ID_DIGITS: usize = 12;

/// The claims of a verified ID token. Numbers and booleans are texts here; lists and objects are left
/// out, so no rule can match them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claims(BTreeMap<String, String>);

impl FromIterator<(String, String)> for Claims {
    fn from_iter<T: IntoIterator<Item = (String, String)>>(claims: T) -> Self {
        Self(claims.into_iter().collect())
    }
}

impl Claims {
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The value of a claim that answers and pages repeat. `None` for one that is long or not plain.
    fn plain(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| {
            (1..=MAX_CLAIM_BYTES).contains(&value.len())
                && value.bytes().all(|byte| byte.is_ascii_graphic())
        })
    }
}

/// The claims by which events that run the code of outsiders are known, with the values that are
/// refused. GitLab's first, then GitHub's.
const UNTRUSTED_EVENTS: [(&str, &[&str]); 2] = [
    ("pipeline_source", &["merge_request_event", "external_pull_request_event"]),
    (
        "event_name",
        &[
            "pull_request",
            "pull_request_review",
            "pull_request_review_comment",
            "pull_request_target",
            "workflow_run",
        ],
    ),
];

/// The refs of proposed changes, whichever event runs them: a child pipeline of a merge request has an
/// event of its own. GitLab's and GitHub's.
const UNTRUSTED_REFS: [&str; 2] = ["refs/merge-requests/", "refs/pull/"];

/// The claims that name one project for good: of GitLab, GitHub (both of its ids),
/// Buildkite, `CircleCI` and Bitbucket. No other claim counts, whatever its name: `enterprise_id` and
/// `job_namespace_id` are numbers, too, and name many projects.
const PROJECT_IDS: [&str; 6] = [
    "project_id",
    "repository_id",
    "repository_owner_id",
    "pipeline_id",
    "oidc.circleci.com/project-id",
    "repositoryUuid",
];

/// The claims that are numbers in every token that has them.
const NUMBERS: [&str; 3] = ["project_id", "repository_id", "repository_owner_id"];

/// The claims that every token is checked for, whatever a rule demands.
const ALWAYS_CHECKED: [&str; 6] = ["iss", "aud", "exp", "iat", "nbf", "jti"];

/// A rule: which jobs of an issuer may publish in a project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Publisher {
    issuer: IssuerUrl,
    claims: BTreeMap<String, String>,
    tag_is_ref: bool,
}

impl Publisher {
    /// A rule that demands these claims. With `tag_is_ref`, a job may only write the release whose tag is
    /// its own `ref`.
    pub fn new(
        issuer: IssuerUrl,
        claims: BTreeMap<String, String>,
        tag_is_ref: bool,
    ) -> Result<Self, InvalidPublisher> {
        for (name, value) in &claims {
            if name == "sub" {
                return Err(InvalidPublisher::Subject);
            }
            let is_text = |text: &str| (1..=MAX_CLAIM_BYTES).contains(&text.len());
            let is_plain = !value.chars().any(char::is_control);
            let name_is_plain = name.bytes().all(|byte| byte.is_ascii_graphic());
            if !is_text(name) || !is_text(value) || !is_plain || !name_is_plain {
                return Err(InvalidPublisher::Claim(name.clone()));
            }
            if ALWAYS_CHECKED.contains(&name.as_str()) {
                return Err(InvalidPublisher::AlwaysChecked(name.clone()));
            }
            if never_matches(name, value) || (tag_is_ref && name == "ref_type" && value != "tag") {
                let (name, value) = (name.clone(), value.clone());
                return Err(InvalidPublisher::NeverMatches { name, value });
            }
        }
        let of_github = ["repository_id", "repository_owner_id"];
        let missing = of_github.into_iter().find(|id| !claims.contains_key(*id));
        let some_of_github = of_github.into_iter().any(|id| claims.contains_key(id));
        if let Some(missing) =
            missing.filter(|_| some_of_github || claims.contains_key("repository"))
        {
            return Err(InvalidPublisher::OneIdOnly(missing));
        }
        if !claims.keys().any(|name| pins_a_project(name)) {
            return Err(InvalidPublisher::NoId);
        }
        Ok(Self { issuer, claims, tag_is_ref })
    }

    /// The id by which operators tell publishers apart: the same rule has the same id.
    #[must_use]
    pub fn id(&self) -> String {
        let parts = self.claims.iter().map(|(name, value)| format!("{name}={value}\n"));
        let text = format!("{}\n{}{}", self.issuer, parts.collect::<String>(), self.tag_is_ref);
        let mut id = sha256_hex(&text);
        id.truncate(ID_DIGITS);
        id
    }

    #[must_use]
    pub fn issuer(&self) -> &IssuerUrl {
        &self.issuer
    }

    #[must_use]
    pub fn claims(&self) -> &BTreeMap<String, String> {
        &self.claims
    }

    #[must_use]
    pub fn tag_is_ref(&self) -> bool {
        self.tag_is_ref
    }

    /// The demanded claims, those that pin a project first.
    fn demands(&self) -> impl Iterator<Item = (&str, &str)> {
        let pins =
            |pin: bool| self.claims.iter().filter(move |(name, _)| pins_a_project(name) == pin);
        pins(true).chain(pins(false)).map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

fn pins_a_project(name: &str) -> bool {
    PROJECT_IDS.contains(&name)
}

/// Whether no job that may publish has a claim with this value.
fn never_matches(name: &str, value: &str) -> bool {
    let is_number =
        value.parse().is_ok_and(|number: u64| number > 0 && number.to_string() == value);
    let has_spaces = value.trim() != value;
    has_spaces || (NUMBERS.contains(&name) && !is_number) || is_untrusted(name, value)
}

/// Whether a claim with this value says that the job runs the code of outsiders.
fn is_untrusted(name: &str, value: &str) -> bool {
    let is_event =
        UNTRUSTED_EVENTS.iter().any(|(claim, values)| *claim == name && values.contains(&value));
    let is_ref = ["ref", "ref_path"].contains(&name);
    is_event || (is_ref && UNTRUSTED_REFS.iter().any(|start| value.starts_with(start)))
}

/// Why a rule would trust the wrong jobs, or none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPublisher {
    #[error(
        "the claim sub is never used: its form changes between versions and settings of a CI system. \
         Demand the claims that it consists of"
    )]
    Subject,
    #[error(
        "the claim {0:?} or its value is empty, longer than {MAX_CLAIM_BYTES} bytes, or not plain"
    )]
    Claim(String),
    #[error(
        "no claim pins a project: names can be given to another project later, ids cannot. Demand \
         project_id of GitLab, repository_id and repository_owner_id of GitHub, pipeline_id of Buildkite, \
         oidc.circleci.com/project-id of CircleCI, or repositoryUuid of Bitbucket"
    )]
    NoId,
    #[error("the claim {0} is checked in every token and cannot be demanded")]
    AlwaysChecked(String),
    #[error("no job with {name}={value:?} may ever publish with this rule")]
    NeverMatches { name: String, value: String },
    #[error(
        "the claim {0} is missing: GitHub's repositories need repository_id and repository_owner_id"
    )]
    OneIdOnly(&'static str),
}

/// A verified ID token: the job that sends a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    pub issuer: IssuerUrl,
    pub claims: Claims,
}

/// The tags whose releases a job may write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tags {
    All,
    /// The one that the job runs for; or the claim by which it runs for no tag.
    Own(Result<OwnTag, Mismatch>),
}

/// The tag that a job runs for, by one of its claims.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnTag {
    claim: &'static str,
    /// The part of the claim's value before the tag.
    prefix: &'static str,
    tag: String,
}

impl Tags {
    /// Fails for a tag whose release the job may not write.
    pub fn allow(&self, tag: &TagName) -> Result<(), Mismatch> {
        match self {
            Self::All => Ok(()),
            Self::Own(Err(no_tag)) => Err(no_tag.clone()),
            Self::Own(Ok(own)) if own.tag == tag.as_str() => Ok(()),
            Self::Own(Ok(OwnTag { claim, prefix, tag: own })) => Err(Mismatch {
                claim: (*claim).to_owned(),
                found: Some(format!("{prefix}{own}")),
                expected: Expected::OneOf(vec![format!("{prefix}{tag}")]),
                knows_project: true,
            }),
        }
    }
}

/// The first claim because of which a job may not publish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    pub claim: String,
    /// Its value, if the token has it.
    pub found: Option<String>,
    pub expected: Expected,
    /// Whether a rule of the project pins the project of the job. The job may then know of it.
    pub knows_project: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// One of these values. None, if the project has no publisher of the issuer.
    OneOf(Vec<String>),
    /// Any value but the one found.
    Another,
}

impl Identity {
    /// Whether the job may publish in the project that has these publishers.
    pub fn check(&self, publishers: &[Publisher]) -> Result<Tags, Mismatch> {
        let candidates = publishers.iter().filter(|publisher| publisher.issuer == self.issuer);
        let mut matching = Vec::new();
        let mut closest: Option<(usize, Mismatch)> = None;
        for publisher in candidates {
            match self.first_difference(publisher) {
                None => matching.push(publisher),
                Some((depth, difference)) => match &mut closest {
                    Some((deepest, known))
                        if *deepest == depth && known.claim == difference.claim =>
                    {
                        known.knows_project |= difference.knows_project;
                        if let (Expected::OneOf(all), Expected::OneOf(more)) =
                            (&mut known.expected, difference.expected)
                        {
                            all.extend(more);
                        }
                    }
                    Some((deepest, _)) if *deepest >= depth => {}
                    Some(_) | None => closest = Some((depth, difference)),
                },
            }
        }
        if matching.is_empty() {
            let mut difference =
                closest.map_or_else(|| self.unknown_issuer(), |(_, difference)| difference);
            if let Expected::OneOf(values) = &mut difference.expected {
                values.sort_unstable();
            }
            return Err(difference);
        }
        if let Some(untrusted) = self.untrusted_event() {
            return Err(untrusted);
        }
        if matching.iter().any(|publisher| !publisher.tag_is_ref) {
            return Ok(Tags::All);
        }
        Ok(Tags::Own(self.own_tag()))
    }

    /// The tag that the job runs for. GitHub's `ref` is the whole name of the ref; GitLab's is the tag, and
    /// its `ref_path`, which GitLab before 16.0 does not have, the whole name.
    fn own_tag(&self) -> Result<OwnTag, Mismatch> {
        const TAGS: &str = "refs/tags/";
        let differs = |claim: &str, expected: String| {
            self.mismatch(claim, Expected::OneOf(vec![expected]), true)
        };
        if self.claims.get("ref_type") != Some("tag") {
            return Err(differs("ref_type", "tag".to_owned()));
        }
        let (claim, prefix) = if self.claims.get("ref_path").is_some() {
            ("ref_path", TAGS)
        } else if self.claims.get("repository_id").is_some() {
            ("ref", TAGS)
        } else {
            ("ref", "")
        };
        let tag = self.claims.get(claim).and_then(|name| name.strip_prefix(prefix));
        let tag = tag.ok_or_else(|| differs(claim, format!("{prefix}TAG")))?.to_owned();
        Ok(OwnTag { claim, prefix, tag })
    }

    fn unknown_issuer(&self) -> Mismatch {
        Mismatch {
            claim: "iss".to_owned(),
            found: Some(self.issuer.to_string()),
            expected: Expected::OneOf(Vec::new()),
            knows_project: false,
        }
    }

    /// The first demand of a rule that the claims do not meet, and how many they met before.
    fn first_difference(&self, publisher: &Publisher) -> Option<(usize, Mismatch)> {
        let mut demands = publisher.demands().enumerate();
        let (depth, (name, value)) =
            demands.find(|(_, (name, value))| self.claims.get(name) != Some(*value))?;
        let expected = Expected::OneOf(vec![value.to_owned()]);
        Some((depth, self.mismatch(name, expected, !pins_a_project(name))))
    }

    fn mismatch(&self, claim: &str, expected: Expected, knows_project: bool) -> Mismatch {
        let found = self.claims.get(claim).map(str::to_owned);
        Mismatch { claim: claim.to_owned(), found, expected, knows_project }
    }

    /// The claim that says that the job runs code that has not been accepted into the project.
    fn untrusted_event(&self) -> Option<Mismatch> {
        let refused = |claim: &str| self.mismatch(claim, Expected::Another, true);
        let mut claims = self.claims.0.iter();
        if let Some((claim, _)) = claims.find(|(name, value)| is_untrusted(name, value)) {
            return Some(refused(claim));
        }
        // A pipeline of a fork that runs in its parent project: `project_id` is the fork's.
        let runs_in = self.claims.get("job_project_id");
        let is_elsewhere = runs_in.is_some() && runs_in != self.claims.get("project_id");
        is_elsewhere.then(|| refused("job_project_id"))
    }

    /// The user for whom the job runs. Its name is the issuer's host if the token names none.
    #[must_use]
    pub fn user(&self) -> User {
        let number = |name| self.claims.plain(name).and_then(|id| id.parse().ok());
        let username = self.claims.plain("user_login").or_else(|| self.claims.plain("actor"));
        User {
            id: number("user_id").or_else(|| number("actor_id")).unwrap_or_default(),
            username: username.map_or_else(|| self.issuer.host(), str::to_owned),
            external: true,
        }
    }

    /// The job as links and releases keep it.
    #[must_use]
    pub fn published_by(&self) -> PublishedBy {
        let plain = |name| self.claims.plain(name).map(str::to_owned);
        PublishedBy {
            issuer: self.issuer.clone(),
            project_path: plain("project_path").or_else(|| plain("repository")),
            job_id: plain("job_id"),
            run_id: plain("run_id"),
            sha: plain("sha"),
        }
    }
}

/// The job that published a link or release. All texts are plain ASCII of at most [`MAX_CLAIM_BYTES`]
/// bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublishedBy {
    pub issuer: IssuerUrl,
    /// The project whose job it was, by its path in the CI system.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub project_path: Option<String>,
    /// GitLab's number of the job.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub job_id: Option<String>,
    /// GitHub's number of the run.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub run_id: Option<String>,
    /// The commit that the job built.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub sha: Option<String>,
}

/// The issuer, the project and the number of the job.
impl fmt::Display for PublishedBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { issuer, project_path, job_id, run_id, sha: _ } = self;
        write!(f, "{issuer} {}", project_path.as_deref().unwrap_or_default())?;
        let number = job_id.as_ref().or(run_id.as_ref());
        number.map_or(Ok(()), |number| write!(f, " {number}"))
    }
}

impl PublishedBy {
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        let Self { issuer, project_path, job_id, run_id, sha } = self;
        let optional = [project_path, job_id, run_id, sha].into_iter().flatten();
        std::iter::once(issuer.as_str()).chain(optional.map(String::as_str))
    }
}

/// When something is written, and by which job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    pub at: Timestamp,
    /// `None` for a stored token and the operator.
    pub published_by: Option<Box<PublishedBy>>,
}

impl From<Timestamp> for Stamp {
    fn from(at: Timestamp) -> Self {
        Self { at, published_by: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ISSUER: &str = "https://gitlab.example.com";

    fn claims(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn rule(pairs: &[(&str, &str)], tag_is_ref: bool) -> Result<Publisher, InvalidPublisher> {
        Publisher::new(IssuerUrl::parse(ISSUER).unwrap(), claims(pairs), tag_is_ref)
    }

    fn publisher(pairs: &[(&str, &str)]) -> Publisher {
        rule(pairs, false).unwrap()
    }

    fn identity(pairs: &[(&str, &str)]) -> Identity {
        let issuer = IssuerUrl::parse(ISSUER).unwrap();
        Identity { issuer, claims: claims(pairs).into_iter().collect() }
    }

    fn difference(identity: &Identity, publishers: &[Publisher]) -> (String, Vec<String>, bool) {
        let Mismatch { claim, expected, knows_project, .. } =
            identity.check(publishers).unwrap_err();
        match expected {
            Expected::OneOf(values) => (claim, values, knows_project),
            Expected::Another => (claim, vec!["another".to_owned()], knows_project),
        }
    }

    #[test]
    fn rules_that_trust_too_many_are_refused() {
        fn check(pairs: &[(&str, &str)]) -> Result<(), InvalidPublisher> {
            rule(pairs, false).map(|_| ())
        }
        for pins in [
            &[("project_id", "42")][..],
            &[("repository_id", "1"), ("repository_owner_id", "2"), ("repository", "a/b")],
            &[("oidc.circleci.com/project-id", "x")],
            &[("pipeline_id", "x")],
        ] {
            assert_eq!(check(pins), Ok(()), "{pins:?}");
        }
        for pins in [
            &[][..],
            &[("ref", "main")],
            &[("project_path", "a/b")],
            &[("namespace_id", "1")],
            &[("user_id", "1")],
            &[("job_namespace_id", "1")],
            &[("enterprise_id", "1")],
            &[("organization_id", "1")],
            &[("id", "1")],
        ] {
            assert_eq!(check(pins), Err(InvalidPublisher::NoId), "{pins:?}");
        }
        let subject = [("project_id", "1"), ("sub", "x")];
        assert_eq!(check(&subject), Err(InvalidPublisher::Subject));
        let one_id = check(&[("repository_id", "1")]);
        assert_eq!(one_id, Err(InvalidPublisher::OneIdOnly("repository_owner_id")));
        let one_id = check(&[("repository_owner_id", "1")]);
        assert_eq!(one_id, Err(InvalidPublisher::OneIdOnly("repository_id")));
        let long = "a".repeat(MAX_CLAIM_BYTES + 1);
        for value in ["", "a\nb", &long] {
            let claim = [("project_id", value)];
            assert_eq!(check(&claim), Err(InvalidPublisher::Claim("project_id".to_owned())));
        }
    }

    #[test]
    fn rules_that_no_job_meets_are_refused() {
        for (name, value, tag_is_ref) in [
            ("project_id", "*", false),
            ("project_id", "0", false),
            ("repository_owner_id", "042", false),
            ("environment", "production ", false),
            ("pipeline_source", "merge_request_event", false),
            ("event_name", "pull_request_review", false),
            ("ref", "refs/pull/1/merge", false),
            ("ref_type", "branch", true),
        ] {
            let refused = rule(&[("project_id", "42"), (name, value)], tag_is_ref);
            let (name, value) = (name.to_owned(), value.to_owned());
            assert_eq!(refused, Err(InvalidPublisher::NeverMatches { name, value }));
        }
        for name in ALWAYS_CHECKED {
            let refused = rule(&[("project_id", "42"), (name, "1")], false);
            assert_eq!(refused, Err(InvalidPublisher::AlwaysChecked(name.to_owned())));
        }
    }

    #[test]
    fn the_first_claim_that_differs_is_named_with_all_expected_values() {
        let rules = [
            publisher(&[("project_id", "42"), ("ref_protected", "true")]),
            publisher(&[("project_id", "43"), ("ref_protected", "true")]),
        ];
        let good = identity(&[("project_id", "43"), ("ref_protected", "true"), ("more", "x")]);
        assert_eq!(good.check(&rules), Ok(Tags::All));
        let other_project = identity(&[("project_id", "1"), ("ref_protected", "true")]);
        let expected = vec!["42".to_owned(), "43".to_owned()];
        assert_eq!(difference(&other_project, &rules), ("project_id".to_owned(), expected, false));
        let unprotected = identity(&[("project_id", "42"), ("ref_protected", "false")]);
        let expected = vec!["true".to_owned()];
        assert_eq!(difference(&unprotected, &rules), ("ref_protected".to_owned(), expected, true));
        assert_eq!(difference(&good, &[]), ("iss".to_owned(), vec![], false));
    }

    #[test]
    fn jobs_that_run_the_code_of_outsiders_are_refused() {
        let rules = [publisher(&[("project_id", "42")])];
        for (claim, value) in [
            ("pipeline_source", "merge_request_event"),
            ("pipeline_source", "external_pull_request_event"),
            ("event_name", "pull_request"),
            ("event_name", "pull_request_target"),
            ("event_name", "workflow_run"),
            ("event_name", "pull_request_review"),
            ("event_name", "pull_request_review_comment"),
            ("ref", "refs/pull/1/merge"),
            ("ref_path", "refs/merge-requests/1/head"),
            ("job_project_id", "43"),
        ] {
            let job = identity(&[("project_id", "42"), (claim, value)]);
            let another = vec!["another".to_owned()];
            assert_eq!(difference(&job, &rules), (claim.to_owned(), another, true));
        }
        let own = identity(&[
            ("project_id", "42"),
            ("job_project_id", "42"),
            ("pipeline_source", "push"),
        ]);
        assert_eq!(own.check(&rules), Ok(Tags::All));
    }

    #[test]
    fn a_job_bound_to_its_tag_may_write_no_other_release() {
        let bound = rule(&[("project_id", "42")], true).unwrap();
        let tag = |text| TagName::parse(text).unwrap();
        let on_tag = identity(&[("project_id", "42"), ("ref_type", "tag"), ("ref", "v1")]);
        let tags = on_tag.check(std::slice::from_ref(&bound)).unwrap();
        assert_eq!(tags.allow(&tag("v1")), Ok(()));
        assert_eq!(tags.allow(&tag("v2")).unwrap_err().found.as_deref(), Some("v1"));
        // Without `ref_path`, the whole name is GitHub's alone: on GitLab it is a tag of that name.
        let unlike =
            identity(&[("project_id", "42"), ("ref_type", "tag"), ("ref", "refs/tags/v1")]);
        let tags = unlike.check(std::slice::from_ref(&bound)).unwrap();
        assert!(tags.allow(&tag("v1")).is_err());
        let on_github = identity(&[
            ("project_id", "42"),
            ("repository_id", "74"),
            ("ref_type", "tag"),
            ("ref", "refs/tags/v1"),
        ]);
        assert_eq!(
            on_github.check(std::slice::from_ref(&bound)).unwrap().allow(&tag("v1")),
            Ok(())
        );
        // A tag of GitLab that looks like the whole name of another.
        let disguised = identity(&[
            ("project_id", "42"),
            ("ref_type", "tag"),
            ("ref", "refs/tags/v1"),
            ("ref_path", "refs/tags/refs/tags/v1"),
        ]);
        let tags = disguised.check(std::slice::from_ref(&bound)).unwrap();
        assert!(tags.allow(&tag("v1")).is_err());
        let on_branch = identity(&[("project_id", "42"), ("ref_type", "branch"), ("ref", "v1")]);
        let tags = on_branch.check(std::slice::from_ref(&bound)).unwrap();
        let Mismatch { claim, found, expected, .. } = tags.allow(&tag("v1")).unwrap_err();
        assert_eq!((claim.as_str(), found.as_deref()), ("ref_type", Some("branch")));
        assert_eq!(expected, Expected::OneOf(vec!["tag".to_owned()]));
        let free = publisher(&[("project_id", "42")]);
        assert_eq!(on_branch.check(&[bound, free]), Ok(Tags::All));
    }

    #[test]
    fn the_same_rule_has_the_same_id_and_another_one_another() {
        let rule = publisher(&[("project_id", "42")]);
        assert_eq!(rule.id(), publisher(&[("project_id", "42")]).id());
        assert_ne!(rule.id(), publisher(&[("project_id", "43")]).id());
    }

    #[test]
    fn repeated_claims_are_plain_and_short() {
        let job =
            identity(&[("user_login", "a\u{202e}b"), ("sha", &"a".repeat(300)), ("job_id", "7")]);
        assert_eq!(job.user().username, "gitlab.example.com");
        let by = job.published_by();
        assert_eq!((by.sha, by.job_id.as_deref()), (None, Some("7")));
    }
}
