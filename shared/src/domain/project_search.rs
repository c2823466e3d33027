//! Searching projects by path, by GitLab's rules for names and paths.

use super::project::ProjectPath;

/// The words of a search, each of which a path has to contain, in any case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProjectSearch {
    words: Vec<String>,
    part: PathPart,
}

/// The part of a path that is searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathPart {
    /// The project's own, after the last slash.
    Own,
    /// All of it, namespaces included.
    Whole,
}

impl ProjectSearch {
    /// Reads the words of a search. Without words it finds every project.
    #[must_use]
    pub fn parse(text: &str, part: PathPart) -> Self {
        Self { words: text.to_lowercase().split_whitespace().map(str::to_owned).collect(), part }
    }

    /// Whether the project with this path is found.
    #[must_use]
    pub fn finds(&self, path: &ProjectPath) -> bool {
        let path = path.lowercase_key();
        let searched = match self.part {
            PathPart::Own => path.rsplit_once('/').map_or(path.as_str(), |(_, own)| own),
            PathPart::Whole => &path,
        };
        self.words.iter().all(|word| searched.contains(word))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_has_to_be_in_the_searched_part() {
        let path = ProjectPath::parse("My-Group/Tools/hello-World").unwrap();
        for (text, own, whole) in [
            ("", true, true),
            (" \t", true, true),
            ("hello", true, true),
            ("WORLD hell", true, true),
            ("group", false, true),
            ("tools/hello", false, true),
            ("group world", false, true),
            ("hello missing", false, false),
        ] {
            let finds = |part| ProjectSearch::parse(text, part).finds(&path);
            assert_eq!((finds(PathPart::Own), finds(PathPart::Whole)), (own, whole), "{text:?}");
        }
    }
}
