//! The requests of the clients of a round, and their responses.

/// The fields of a link, each one of few.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Fields {
    pub(crate) name: u8,
    pub(crate) url: u8,
    pub(crate) path: Option<u8>,
}

/// Whether name, url and path are taken, or were said to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Taken(pub(crate) [bool; 3]);

impl Fields {
    /// Which of these values another link with those has.
    pub(crate) fn taken_by(self, other: Self) -> Taken {
        let has_its_path = self.path.is_some() && self.path == other.path;
        Taken([self.name == other.name, self.url == other.url, has_its_path])
    }
}

impl Taken {
    pub(crate) fn any(self) -> bool {
        self.0.contains(&true)
    }

    pub(crate) fn or(self, other: Self) -> Self {
        Self(std::array::from_fn(|at| self.0[at] || other.0[at]))
    }

    /// The values are looked up one by one, so that what is said of them need not have been true of
    /// all at one moment. Of one it was.
    pub(crate) fn may_be_said(self, said: Self) -> bool {
        (0..3).any(|at| self.0[at] && said.0[at])
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
    CreateRelease(Option<WasThere>),
    DeleteRelease(Option<WasThere>),
    /// No client asks this alone: a list says it.
    FindRelease(Option<WasThere>),
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

/// Whether the release was there before the step.
pub(crate) type WasThere = bool;

#[derive(Clone, Debug)]
pub(crate) enum Listed {
    Links(Vec<(u64, Fields)>),
    NoRelease,
}
