//! The dimensions of the matrix.

use std::fmt;

use shared::domain::access_level::AccessLevel;
use shared::domain::project::{ReleasesAccess, Visibility};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Given {
    InProject,
    InNamespace,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Caller {
    Nobody,
    /// With a token of the right form that was never given out.
    Unknown,
    Expired,
    Revoked,
    /// An external user without a role.
    External,
    /// A user without a role.
    Stranger,
    Member(AccessLevel, Given),
    /// A developer with a token that only reads.
    Reader,
    /// A user without a role, with a token that only reads.
    StrangeReader,
    /// A job of the project that is asked for, of a developer.
    JobHere,
    /// A job of another project, of a user without a role here.
    JobElsewhere,
    /// A job of this project whose token's time is over.
    EndedJob,
    /// A job of this project whose token was withdrawn.
    RevokedJob,
}

const LEVELS: [AccessLevel; 6] = [
    AccessLevel::Guest,
    AccessLevel::Planner,
    AccessLevel::Reporter,
    AccessLevel::Developer,
    AccessLevel::Maintainer,
    AccessLevel::Owner,
];

impl Caller {
    pub(crate) fn all() -> Vec<Self> {
        let mut all = vec![
            Self::Nobody,
            Self::Unknown,
            Self::Expired,
            Self::Revoked,
            Self::External,
            Self::Stranger,
        ];
        for given in [Given::InProject, Given::InNamespace] {
            all.extend(LEVELS.map(|level| Self::Member(level, given)));
        }
        all.extend([
            Self::Reader,
            Self::StrangeReader,
            Self::JobHere,
            Self::JobElsewhere,
            Self::EndedJob,
            Self::RevokedJob,
        ]);
        all
    }

    /// The carrier such a caller would choose.
    pub(crate) fn own_carrier(self) -> Carrier {
        match self {
            Self::JobHere | Self::JobElsewhere | Self::EndedJob | Self::RevokedJob => {
                Carrier::JobToken
            }
            Self::Nobody
            | Self::Unknown
            | Self::Expired
            | Self::Revoked
            | Self::External
            | Self::Stranger
            | Self::Member(..)
            | Self::Reader
            | Self::StrangeReader => Carrier::PrivateToken,
        }
    }
}

impl fmt::Display for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = match self {
            Self::Nobody => "nobody",
            Self::Unknown => "unknown token",
            Self::Expired => "expired token",
            Self::Revoked => "revoked token",
            Self::External => "external user",
            Self::Stranger => "stranger",
            Self::Member(level, Given::InProject) => {
                return write!(f, "{}", format!("{level:?}").to_lowercase());
            }
            Self::Member(level, Given::InNamespace) => {
                return write!(f, "{} of the namespace", format!("{level:?}").to_lowercase());
            }
            Self::Reader => "developer, read_api",
            Self::StrangeReader => "stranger, read_api",
            Self::JobHere => "job",
            Self::JobElsewhere => "job of another project",
            Self::EndedJob => "ended job",
            Self::RevokedJob => "revoked job",
        };
        f.write_str(words)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Carrier {
    PrivateToken,
    Bearer,
    PrivateQuery,
    AccessQuery,
    BearerQuery,
    JobToken,
    JobQuery,
    /// Another name of the same.
    TokenQuery,
    PrivateBody,
    AccessBody,
    JobBody,
}

impl Carrier {
    /// Those every request can have.
    pub(crate) const OF_ALL: [Self; 8] = [
        Self::PrivateToken,
        Self::Bearer,
        Self::PrivateQuery,
        Self::AccessQuery,
        Self::BearerQuery,
        Self::JobToken,
        Self::JobQuery,
        Self::TokenQuery,
    ];
    /// Those of a request with a body.
    pub(crate) const OF_BODIES: [Self; 3] = [Self::PrivateBody, Self::AccessBody, Self::JobBody];
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protection {
    /// No rule speaks of them.
    None,
    Developers,
    Maintainers,
    Nobody,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Setting {
    /// Whether there is such a project at all.
    pub(crate) exists: bool,
    pub(crate) visibility: Visibility,
    pub(crate) access: ReleasesAccess,
    pub(crate) archived: bool,
    pub(crate) protection: Protection,
}

impl Setting {
    const NO_PROJECT: Self = Self {
        exists: false,
        visibility: Visibility::Private,
        access: ReleasesAccess::Enabled,
        archived: false,
        protection: Protection::None,
    };

    pub(crate) fn all() -> Vec<Self> {
        let mut all = Vec::new();
        for visibility in [Visibility::Private, Visibility::Internal, Visibility::Public] {
            for access in
                [ReleasesAccess::Enabled, ReleasesAccess::Private, ReleasesAccess::Disabled]
            {
                for archived in [false, true] {
                    for protection in [
                        Protection::None,
                        Protection::Developers,
                        Protection::Maintainers,
                        Protection::Nobody,
                    ] {
                        let exists = true;
                        all.push(Self { exists, visibility, access, archived, protection });
                    }
                }
            }
        }
        all.push(Self::NO_PROJECT);
        all
    }

    /// Whether only its visibility may be in a caller's way.
    pub(crate) fn is_plain(self) -> bool {
        self.access == ReleasesAccess::Enabled
            && !self.archived
            && self.protection == Protection::None
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    ListLinks,
    GetLink,
    CreateLink,
    UpdateLink,
    DeleteLink,
    ListReleases,
    GetRelease,
    CreateRelease,
    UpdateRelease,
    DeleteRelease,
    Download,
    Latest,
    BelowLatest,
    Project,
    Member,
    MergeRequests,
    Tags,
    Tag,
    DeleteTag,
    Commit,
    Branches,
    Branch,
    User,
    Job,
    Version,
    DownloadPage,
    LatestPage,
    BelowLatestPage,
}

impl Action {
    pub(crate) const ALL: [Self; 28] = [
        Self::ListLinks,
        Self::GetLink,
        Self::CreateLink,
        Self::UpdateLink,
        Self::DeleteLink,
        Self::ListReleases,
        Self::GetRelease,
        Self::CreateRelease,
        Self::UpdateRelease,
        Self::DeleteRelease,
        Self::Download,
        Self::Latest,
        Self::BelowLatest,
        Self::Project,
        Self::Member,
        Self::MergeRequests,
        Self::Tags,
        Self::Tag,
        Self::DeleteTag,
        Self::Commit,
        Self::Branches,
        Self::Branch,
        Self::User,
        Self::Job,
        Self::Version,
        Self::DownloadPage,
        Self::LatestPage,
        Self::BelowLatestPage,
    ];

    pub(crate) fn method(self) -> &'static str {
        match self {
            Self::CreateLink | Self::CreateRelease => "POST",
            Self::UpdateLink | Self::UpdateRelease => "PUT",
            Self::DeleteLink | Self::DeleteRelease | Self::DeleteTag => "DELETE",
            Self::ListLinks
            | Self::GetLink
            | Self::ListReleases
            | Self::GetRelease
            | Self::Download
            | Self::Latest
            | Self::BelowLatest
            | Self::Project
            | Self::Member
            | Self::MergeRequests
            | Self::Tags
            | Self::Tag
            | Self::Commit
            | Self::Branches
            | Self::Branch
            | Self::User
            | Self::Job
            | Self::Version
            | Self::DownloadPage
            | Self::LatestPage
            | Self::BelowLatestPage => "GET",
        }
    }

    pub(crate) fn writes(self) -> bool {
        self.method() != "GET"
    }

    /// The status of a good answer.
    pub(crate) fn success(self) -> u16 {
        match self {
            Self::CreateLink | Self::CreateRelease => 201,
            Self::DeleteTag => 204,
            _ if self.redirects() => 302,
            _ => 200,
        }
    }

    fn redirects(self) -> bool {
        matches!(
            self,
            Self::Download
                | Self::Latest
                | Self::BelowLatest
                | Self::DownloadPage
                | Self::LatestPage
                | Self::BelowLatestPage
        )
    }

    /// Whether the project is to let the caller read its code: of the API, what leads to a release
    /// by its tag.
    pub(crate) fn needs_code(self) -> bool {
        matches!(self, Self::GetRelease | Self::Download | Self::Latest | Self::BelowLatest)
    }

    /// Whether GitLab looks for a job's token there.
    pub(crate) fn takes_jobs(self) -> bool {
        !matches!(
            self,
            Self::Project
                | Self::Member
                | Self::MergeRequests
                | Self::Tags
                | Self::Tag
                | Self::DeleteTag
                | Self::Commit
                | Self::Branches
                | Self::Branch
                | Self::User
                | Self::Version
        )
    }

    /// Whether no project is named.
    pub(crate) fn is_global(self) -> bool {
        matches!(self, Self::User | Self::Job | Self::Version)
    }
}

/// One request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cell {
    /// Which project, by its place in the list of them.
    pub(crate) place: usize,
    pub(crate) caller: Caller,
    pub(crate) action: Action,
    pub(crate) carrier: Carrier,
    /// Whether only the head of the answer is asked for.
    pub(crate) head: bool,
}

impl Cell {
    pub(crate) fn method(&self) -> &'static str {
        if self.head { "HEAD" } else { self.action.method() }
    }
}

/// Every cell: reads first, because writes change the items.
pub(crate) fn all(settings: &[Setting]) -> (Vec<Cell>, Vec<Cell>) {
    chosen(settings, |_, _| true)
}

/// A fair part of them: everything by the carrier a caller would choose in plain projects, and in
/// the others one action of each kind; every carrier at one reading and one writing action.
pub(crate) fn some(settings: &[Setting]) -> (Vec<Cell>, Vec<Cell>) {
    chosen(settings, |cell, setting| {
        let own = cell.carrier == cell.caller.own_carrier();
        if setting.is_plain() {
            let carried = setting.visibility == Visibility::Private
                && matches!(cell.action, Action::ListLinks | Action::CreateLink);
            (own || carried) && !cell.head
        } else {
            let kinds =
                [Action::ListLinks, Action::GetRelease, Action::CreateLink, Action::CreateRelease];
            own && kinds.contains(&cell.action) && !cell.head
        }
    })
}

/// The settings of the quick matrix: the plain ones, and each way of withdrawing rights once.
pub(crate) fn few_settings() -> Vec<Setting> {
    let mut few: Vec<_> = Setting::all().into_iter().filter(|one| one.is_plain()).collect();
    let plain = few.iter().find(|one| one.visibility == Visibility::Internal).copied();
    few.extend(plain.into_iter().flat_map(|plain| {
        [
            Setting { access: ReleasesAccess::Private, ..plain },
            Setting { access: ReleasesAccess::Disabled, ..plain },
            Setting { archived: true, ..plain },
            Setting { protection: Protection::Maintainers, ..plain },
            Setting { protection: Protection::Nobody, ..plain },
        ]
    }));
    few
}

fn chosen(
    settings: &[Setting],
    is_chosen: impl Fn(&Cell, Setting) -> bool,
) -> (Vec<Cell>, Vec<Cell>) {
    let (mut reading, mut writing) = (Vec::new(), Vec::new());
    for (place, setting) in settings.iter().enumerate() {
        for action in Action::ALL {
            let once = if action.is_global() {
                place == 0
            } else {
                // Rules about tags do not restrict reading.
                action.writes() || setting.protection == Protection::None
            };
            if !once {
                continue;
            }
            for caller in Caller::all() {
                let mut carriers = Carrier::OF_ALL.to_vec();
                if action.writes() {
                    carriers.extend(Carrier::OF_BODIES);
                }
                if caller == Caller::Nobody {
                    carriers.truncate(1);
                }
                for carrier in carriers {
                    for head in [false, true] {
                        let cell = Cell { place, caller, action, carrier, head };
                        // A head is asked for by the carrier the caller would choose.
                        let is_one = !head || (!action.writes() && carrier == caller.own_carrier());
                        if !is_one || !is_chosen(&cell, *setting) {
                            continue;
                        }
                        if action.writes() { writing.push(cell) } else { reading.push(cell) }
                    }
                }
            }
        }
    }
    (reading, writing)
}
