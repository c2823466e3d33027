//! Bot users: the users of tokens for which the operator names no user, as GitLab has them for its
//! project and group access tokens.

use shared::domain::token::GrantTarget;
use shared::domain::username::{InvalidUsername, Username};

/// The longest slugs: together with the words around them they fit into a username.
const MAX_NAMESPACE_CHARS: usize = 180;
const MAX_NAME_CHARS: usize = 60;

/// The bot user of a token with this name. `first` is the place of its first role.
pub(crate) fn username(first: &GrantTarget, name: &str) -> Result<Username, InvalidUsername> {
    let owner = match first {
        GrantTarget::Project(id) => format!("project_{id}"),
        GrantTarget::Namespace(path) => {
            format!("group_{}", slug(path.as_str(), MAX_NAMESPACE_CHARS))
        }
    };
    Username::parse(&format!("{owner}_bot_{}", slug(name, MAX_NAME_CHARS)))
}

/// The letters and digits of ASCII in lower case, with a hyphen for each run of other characters.
/// Random digits if there are none: bots of different tokens must not share a user by chance.
fn slug(text: &str, most: usize) -> String {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let mut slug = words.collect::<Vec<_>>().join("-").to_ascii_lowercase();
    slug.truncate(most);
    match slug.trim_end_matches('-') {
        "" => format!("{:08x}", fastrand::u32(..)),
        slug => slug.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use shared::domain::project::{NamespacePath, ProjectId};

    use super::*;

    #[test]
    fn a_bot_is_named_after_the_place_and_the_token() {
        let project = GrantTarget::Project(ProjectId(42));
        for (name, bot) in [
            ("ci", "project_42_bot_ci"),
            ("  Deploy: Größe (v1.0) ", "project_42_bot_deploy-gr-e-v1-0"),
            ("x.git", "project_42_bot_x-git"),
        ] {
            assert_eq!(username(&project, name).unwrap().as_str(), bot);
        }
        let namespace = GrantTarget::Namespace(NamespacePath::parse("_My.group/sub_/x-").unwrap());
        assert_eq!(username(&namespace, "ci").unwrap().as_str(), "group_my-group-sub-x_bot_ci");
    }

    #[test]
    fn every_name_and_place_gives_a_username() {
        let longest = NamespacePath::parse(&"a".repeat(255)).unwrap();
        let odd = NamespacePath::parse("_").unwrap();
        let project = GrantTarget::Project(ProjectId(u64::MAX));
        for target in [project, GrantTarget::Namespace(longest), GrantTarget::Namespace(odd)] {
            for name in ["", "\u{202e}", "中文", "-_.", &"ab ".repeat(100)] {
                assert!(username(&target, name).is_ok(), "{target:?} {name}");
            }
        }
        let target = GrantTarget::Project(ProjectId(1));
        assert_ne!(username(&target, "中"), username(&target, "文"));
    }
}
