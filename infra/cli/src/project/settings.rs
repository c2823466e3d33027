//! The settings of a project as options of `project create` and `project update`.

use std::time::Duration;

use clap::Args;
use shared::domain::access_level::AccessLevel;
use shared::domain::policies::{OnDuplicate, Policies};
use shared::domain::project::{
    BranchName, InvalidSourceUrl, Project, ProjectPath, ProtectedTag, ReleasesAccess, SourceUrl,
    Visibility,
};
use shared::store::projects::{NewProject, ProjectChanges};

use crate::duration::{Lifetime, in_words};
use crate::error::Error;
use crate::words;

/// Settings that are absent keep their values, and have defaults in a new project.
#[derive(Args, Debug)]
pub(crate) struct Settings {
    /// Who can see the project: members (private), also every user with a token (internal), or
    /// everyone (public). Default of a new project: private.
    #[arg(long, value_parser = words::parser::<Visibility>())]
    visibility: Option<Visibility>,
    /// Who, of the people who can see the project, can see its releases: all of them (enabled),
    /// members (private), or no one (disabled). Default of a new project: enabled.
    #[arg(long, value_parser = words::parser::<ReleasesAccess>())]
    releases_access: Option<ReleasesAccess>,
    /// Tags that need a role, for example 'v*:maintainer'.
    ///
    /// A `*` matches any characters. The lowest role that may create such a tag is developer,
    /// maintainer, owner or no-one. Repeat the option for more tags: together they replace the
    /// project's earlier protected tags.
    #[arg(
        long = "protected-tag",
        value_name = "PATTERN:ROLE",
        value_parser = parse_protected_tag
    )]
    protected_tags: Vec<ProtectedTag>,
    /// Default branch of the repository, which release tools ask for. Default of a new project: main.
    #[arg(long, value_name = "BRANCH")]
    default_branch: Option<BranchName>,
    /// Page of the source code on a GitLab, for example `https://gitlab.com/mygroup/app`.
    ///
    /// Releases then link to the source archives of their tag there. An empty value removes it.
    #[arg(long, value_name = "URL", value_parser = parse_source_url)]
    source_url: Option<SourcePage>,
    /// How to handle a release or link that exists already: fail as GitLab does (reject), succeed if it
    /// has all requested values (accept), or give it those values (replace). A token or a request can
    /// override this. Default of a new project: reject.
    #[arg(long, value_parser = words::parser::<OnDuplicate>())]
    on_duplicate: Option<OnDuplicate>,
    /// How long after its creation a release becomes immutable, for example 1h; or never.
    ///
    /// Its links then stay as they are, and it cannot be deleted. Its title and notes may change.
    /// Default of a new project: never.
    #[arg(long, value_name = "DURATION|never")]
    immutable_after: Option<Lifetime>,
    /// Whether only trusted publishers can write releases and links, and no stored token. Default of a new
    /// project: false.
    #[arg(long, value_name = "BOOL")]
    only_trusted: Option<bool>,
}

/// The source URL that is given; an empty text removes it.
#[derive(Clone, Debug)]
struct SourcePage(Option<SourceUrl>);

fn parse_source_url(text: &str) -> Result<SourcePage, InvalidSourceUrl> {
    let url = if text.is_empty() { None } else { Some(SourceUrl::parse(text)?) };
    Ok(SourcePage(url))
}

impl Settings {
    /// A new project with these settings and the defaults of the others.
    pub(crate) fn project(&self, path: &ProjectPath) -> NewProject {
        NewProject {
            id: None,
            path: path.clone(),
            visibility: self.visibility.unwrap_or(Visibility::Private),
            releases_access: self.releases_access.unwrap_or(ReleasesAccess::Enabled),
            protected_tags: self.protected_tags.clone(),
            default_branch: self.default_branch.clone().unwrap_or_default(),
            source_url: self.source_url.clone().and_then(|SourcePage(url)| url),
            policies: Policies {
                on_duplicate: self.on_duplicate.unwrap_or_default(),
                immutable_after: self.immutable_after.and_then(Lifetime::duration),
                only_trusted: self.only_trusted.unwrap_or_default(),
            },
        }
    }

    /// The given settings that `project` does not have, each as a clause of a sentence.
    pub(crate) fn differences(&self, project: &Project) -> Vec<String> {
        let mut differences = Vec::new();
        let mut compare = |name: &str, is: &str, wanted: Option<&str>| {
            if let Some(wanted) = wanted.filter(|wanted| *wanted != is) {
                let shown = |text: &str| if text.is_empty() { "none" } else { text }.to_owned();
                differences.push(format!("{name} is {}, not {}", shown(is), shown(wanted)));
            }
        };
        let visibility = self.visibility.map(words::word);
        compare("visibility", words::word(project.visibility), visibility);
        let access = self.releases_access.map(words::word);
        compare("releases access", words::word(project.releases_access), access);
        let tags = (!self.protected_tags.is_empty()).then(|| join(&self.protected_tags));
        compare("protected tags", &join(&project.protected_tags), tags.as_deref());
        let branch = self.default_branch.as_ref().map(BranchName::as_str);
        compare("default branch", project.default_branch.as_str(), branch);
        let text = |url: &Option<SourceUrl>| {
            url.as_ref().map(SourceUrl::as_str).unwrap_or_default().to_owned()
        };
        let url = self.source_url.as_ref().map(|SourcePage(url)| text(url));
        compare("source URL", &text(&project.source_url), url.as_deref());
        let Policies { on_duplicate, immutable_after, only_trusted } = project.policies;
        let wanted = self.on_duplicate.map(words::word);
        compare("on duplicate", words::word(on_duplicate), wanted);
        let wanted = self.immutable_after.map(|after| grace(after.duration()));
        compare("immutable after", &grace(immutable_after), wanted.as_deref());
        let wanted = self.only_trusted.map(|only| only.to_string());
        compare("only trusted", &only_trusted.to_string(), wanted.as_deref());
        differences
    }
}

/// The changes of `project update`.
#[derive(Args, Debug)]
pub(crate) struct Changes {
    #[command(flatten)]
    settings: Settings,
    /// Remove all protected tags.
    #[arg(long, conflicts_with = "protected_tags")]
    no_protected_tags: bool,
    /// Remove the source URL.
    #[arg(long, conflicts_with = "source_url")]
    no_source_url: bool,
}

impl Changes {
    /// The changes; an error if there are none.
    pub(crate) fn into_changes(self) -> Result<ProjectChanges, Error> {
        let Self { settings, no_protected_tags, no_source_url } = self;
        let tags = settings.protected_tags;
        let changes = ProjectChanges {
            visibility: settings.visibility,
            releases_access: settings.releases_access,
            archived: None,
            protected_tags: (no_protected_tags || !tags.is_empty()).then_some(tags),
            default_branch: settings.default_branch,
            source_url: settings
                .source_url
                .map(|SourcePage(url)| url)
                .or_else(|| no_source_url.then_some(None)),
            on_duplicate: settings.on_duplicate,
            immutable_after: settings
                .immutable_after
                .map(|after| after.duration().map(|grace| grace.as_secs())),
            only_trusted: settings.only_trusted,
        };
        match &changes {
            ProjectChanges {
                visibility: None,
                releases_access: None,
                archived: None,
                protected_tags: None,
                default_branch: None,
                source_url: None,
                on_duplicate: None,
                immutable_after: None,
                only_trusted: None,
            } => Err(Error::Usage("name a setting to change, for example --visibility public")),
            _ => Ok(changes),
        }
    }
}

/// The role of a protected tag that no role may create.
pub(super) const NO_ONE: &str = "no-one";

/// A protected tag as the option takes it.
pub(super) fn protected_tag(tag: &ProtectedTag) -> String {
    format!("{}:{}", tag.pattern, tag.create_level.map_or(NO_ONE, words::word))
}

/// The grace before a release becomes immutable.
pub(super) fn grace(immutable_after: Option<Duration>) -> String {
    immutable_after.map_or_else(|| "never".to_owned(), in_words)
}

fn join(tags: &[ProtectedTag]) -> String {
    tags.iter().map(protected_tag).collect::<Vec<_>>().join(", ")
}

/// The text is not a rule about tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected PATTERN:ROLE with developer, maintainer, owner or no-one, for example v*:maintainer"
)]
struct InvalidProtectedTag;

/// Parses a pattern, which may have colons itself, and a role.
fn parse_protected_tag(text: &str) -> Result<ProtectedTag, InvalidProtectedTag> {
    let (pattern, level) = text.rsplit_once(':').ok_or(InvalidProtectedTag)?;
    let create_level = match words::find(level) {
        Some(level) if level >= AccessLevel::Developer => Some(level),
        None if level == NO_ONE => None,
        Some(_) | None => return Err(InvalidProtectedTag),
    };
    if pattern.is_empty() {
        return Err(InvalidProtectedTag);
    }
    Ok(ProtectedTag { pattern: pattern.to_owned(), create_level })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_colon_ends_the_pattern() {
        for (text, pattern, create_level) in [
            ("v*:maintainer", "v*", Some(AccessLevel::Maintainer)),
            ("v*:developer", "v*", Some(AccessLevel::Developer)),
            ("a:b*:owner", "a:b*", Some(AccessLevel::Owner)),
            ("*:no-one", "*", None),
        ] {
            let pattern = pattern.to_owned();
            let tag = ProtectedTag { pattern, create_level };
            assert_eq!(protected_tag(&tag), text);
            assert_eq!(parse_protected_tag(text), Ok(tag));
        }
    }

    #[test]
    fn a_rule_needs_a_pattern_and_a_role_that_may_create_tags() {
        for text in ["", "v*", "v*:", ":owner", "v*:guest", "v*:reporter", "v*:Owner", "v*:noone"] {
            assert_eq!(parse_protected_tag(text), Err(InvalidProtectedTag), "{text}");
        }
    }
}
