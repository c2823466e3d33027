//! Searching tags and branches by name, by GitLab's rules.

use super::project::wildcard_matches;

/// A search term for names.
///
/// Names match in any case. A term is found anywhere in a name. In it the first `^` stands for the
/// beginning of the name, the first `$` for its end, and each `*` for any run of characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefSearch {
    /// Names that contain this, in lower case.
    Plain(String),
    /// Names of this form, in lower case; only `*` is special.
    Pattern(String),
    /// No name: an anchor stands where no name begins or ends.
    Nothing,
}

impl RefSearch {
    /// Reads a term; a blank one searches for nothing in particular.
    #[must_use]
    pub fn parse(term: &str) -> Option<Self> {
        if term.trim().is_empty() {
            return None;
        }
        let term = term.to_lowercase();
        Some(if term.contains(['^', '$', '*']) { pattern(&term) } else { Self::Plain(term) })
    }

    /// The entries whose names match, in their order; one whose name is exactly the plain term comes
    /// first.
    pub fn filter<T>(&self, mut entries: Vec<T>, name: impl Fn(&T) -> &str) -> Vec<T> {
        entries.retain(|entry| self.matches(&name(entry).to_lowercase()));
        if let Self::Plain(term) = self {
            let exact = |entry: &T| name(entry).eq_ignore_ascii_case(term);
            if let Some(at) = entries.iter().position(exact) {
                entries[..=at].rotate_right(1);
            }
        }
        entries
    }

    fn matches(&self, name: &str) -> bool {
        match self {
            Self::Plain(term) => name.contains(term.as_str()),
            Self::Pattern(pattern) => wildcard_matches(pattern, name),
            Self::Nothing => false,
        }
    }
}

fn pattern(term: &str) -> RefSearch {
    let is_any = |text: &str| text.bytes().all(|byte| byte == b'*');
    let (start, rest) = match term.split_once('^') {
        Some((before, rest)) if is_any(before) => ("", rest),
        Some(_) => return RefSearch::Nothing,
        None => ("*", term),
    };
    let (middle, end) = match rest.split_once('$') {
        Some((middle, after)) if is_any(after) => (middle, ""),
        Some(_) => return RefSearch::Nothing,
        None => (rest, "*"),
    };
    RefSearch::Pattern(format!("{start}{middle}{end}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(term: &str) -> Vec<&'static str> {
        let names = vec!["v1.0", "v1.0-rc1", "App-v1", "release/v2", "V1", "a$b", "v10"];
        match RefSearch::parse(term) {
            Some(search) => search.filter(names, |name| name),
            None => names,
        }
    }

    #[test]
    fn terms_are_read_by_gitlabs_rules() {
        for (term, expected) in [
            ("", &["v1.0", "v1.0-rc1", "App-v1", "release/v2", "V1", "a$b", "v10"][..]),
            (" ", &["v1.0", "v1.0-rc1", "App-v1", "release/v2", "V1", "a$b", "v10"]),
            // The exact name comes first, in whatever case.
            ("v1", &["V1", "v1.0", "v1.0-rc1", "App-v1", "v10"]),
            ("APP", &["App-v1"]),
            ("^v1", &["v1.0", "v1.0-rc1", "V1", "v10"]),
            ("v1$", &["App-v1", "V1"]),
            ("^v1$", &["V1"]),
            ("^v*0", &["v1.0", "v1.0-rc1", "v10"]),
            ("^v*0$", &["v1.0", "v10"]),
            ("e*v", &["release/v2"]),
            ("*", &["v1.0", "v1.0-rc1", "App-v1", "release/v2", "V1", "a$b", "v10"]),
            ("*^v10", &["v10"]),
            (".", &["v1.0", "v1.0-rc1"]),
            ("v1.0.", &[]),
            ("1^0", &[]),
            ("a$b", &[]),
            ("^^v", &[]),
        ] {
            assert_eq!(found(term), expected, "{term:?}");
        }
    }
}
