//! The names of the two tables.

/// The names the tables have in this installation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableNames {
    /// Projects, users and tokens; functions only read it.
    pub directory: String,
    /// Releases and links.
    pub releases: String,
}

impl Default for TableNames {
    fn default() -> Self {
        Self {
            directory: "release-links-directory".to_owned(),
            releases: "release-links-releases".to_owned(),
        }
    }
}
