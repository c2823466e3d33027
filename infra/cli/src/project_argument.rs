//! A project as the command line names it.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use shared::domain::project::{Project, ProjectRef};
use shared::store::Store;

use crate::deadline;
use crate::error::Error;

/// A project that the operator names by its number or path. It may not exist.
#[derive(Clone, Debug)]
pub(crate) struct ProjectArgument {
    text: String,
    pub(crate) project: ProjectRef,
}

impl FromStr for ProjectArgument {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self { text: text.to_owned(), project: ProjectRef::parse(text) })
    }
}

impl fmt::Display for ProjectArgument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The project with this number or path.
pub(crate) async fn find(name: &ProjectArgument, store: &Store) -> Result<Project, Error> {
    let project = store.find_project(&name.project, deadline()).await?;
    project.ok_or_else(|| Error::NoProject(name.to_string()))
}
