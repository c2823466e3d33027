//! The requests of the clients of a round, and their responses.

/// The fields of a link, each one of few.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Fields {
    pub(crate) name: u8,
    pub(crate) url: u8,
    pub(crate) path: Option<u8>,
}

/// Which values are taken, or were said to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Taken {
    pub(crate) name: bool,
    pub(crate) url: bool,
    pub(crate) path: bool,
}

impl Fields {
    /// Which of these values another link with those has.
    pub(crate) fn taken_by(self, other: Self) -> Taken {
        Taken {
            name: self.name == other.name,
            url: self.url == other.url,
            path: self.path.is_some() && self.path == other.path,
        }
    }
}

impl Taken {
    pub(crate) fn any(self) -> bool {
        self.name || self.url || self.path
    }

    pub(crate) fn or(self, other: Self) -> Self {
        Self {
            name: self.name || other.name,
            url: self.url || other.url,
            path: self.path || other.path,
        }
    }

    /// The values are looked up one by one, so that what is said of them need not have been true of
    /// all at one moment. Of one it was.
    pub(crate) fn may_be_said(self, said: Self) -> bool {
        (self.name && said.name) || (self.url && said.url) || (self.path && said.path)
    }
}

/// A request and, once it is answered, its answer.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    CreateLink(Fields, Option<Created>),
    UpdateLink(u64, Fields, Option<Updated>),
    DeleteLink(u64, Option<Deleted>),
    GetLink(u64, Option<Got>),
    Download(u8, Option<Downloaded>),
    CreateRelease(Option<ReleaseCreated>),
    DeleteRelease(Option<ReleaseDeleted>),
    /// No client asks this alone: a list says it.
    FindRelease(Option<ReleaseFound>),
    ListLinks(Option<Listed>),
}

#[derive(Clone, Debug)]
pub(crate) enum Created {
    Link(u64),
    /// Without a response. If the link exists, it has this number.
    Perhaps(u64),
    Taken(Taken),
    NoRelease,
}

#[derive(Clone, Debug)]
pub(crate) enum Updated {
    Link,
    Taken(Taken),
    NotFound,
}

#[derive(Clone, Debug)]
pub(crate) enum Deleted {
    Link(Fields),
    NotFound,
}

#[derive(Clone, Debug)]
pub(crate) enum Got {
    Link(Fields),
    NotFound,
}

#[derive(Clone, Debug)]
pub(crate) enum Downloaded {
    Url(u8),
    NoLink,
    NoRelease,
}

#[derive(Clone, Debug)]
pub(crate) enum ReleaseCreated {
    Release,
    Exists,
}

#[derive(Clone, Debug)]
pub(crate) enum ReleaseDeleted {
    Release,
    NotThere,
}

#[derive(Clone, Debug)]
pub(crate) enum ReleaseFound {
    Release,
    NotThere,
}

#[derive(Clone, Debug)]
pub(crate) enum Listed {
    Links(Vec<(u64, Fields)>),
    NoRelease,
}

impl Step {
    /// Whether it left everything as it was.
    pub(crate) fn reads(&self) -> bool {
        match self {
            Self::GetLink(..) | Self::Download(..) | Self::FindRelease(_) | Self::ListLinks(_) => {
                true
            }
            Self::CreateLink(_, answer) => {
                !matches!(answer, Some(Created::Link(_) | Created::Perhaps(_)) | None)
            }
            Self::UpdateLink(_, _, answer) => !matches!(answer, Some(Updated::Link) | None),
            Self::DeleteLink(_, answer) => !matches!(answer, Some(Deleted::Link(_)) | None),
            Self::CreateRelease(answer) => !matches!(answer, Some(ReleaseCreated::Release) | None),
            Self::DeleteRelease(answer) => !matches!(answer, Some(ReleaseDeleted::Release) | None),
        }
    }
}
