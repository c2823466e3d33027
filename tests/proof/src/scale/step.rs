//! Operations on one link of a release, or on one release of a project.

use serde_json::{Value, json};
use shared::domain::project::ProjectId;
use shared::domain::token::Secret;
use shared::routes::Function;

use crate::{Error, event};

/// One kind of request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    ListLinks,
    CreateLink,
    GetLink,
    Download,
    DeleteLink,
    ListReleases,
    Latest,
    CreateRelease,
    GetRelease,
    DeleteRelease,
}

impl Step {
    /// What is done among links, in the order in which one needs another; lists come first, so
    /// that what they list is what was there.
    pub(super) const LINKS: [Self; 5] =
        [Self::ListLinks, Self::CreateLink, Self::GetLink, Self::Download, Self::DeleteLink];
    pub(super) const RELEASES: [Self; 5] = [
        Self::ListReleases,
        Self::Latest,
        Self::CreateRelease,
        Self::GetRelease,
        Self::DeleteRelease,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::ListLinks => "list 20 links",
            Self::CreateLink => "create a link",
            Self::GetLink => "get a link",
            Self::Download => "download a link",
            Self::DeleteLink => "delete a link",
            Self::ListReleases => "list 20 releases",
            Self::Latest => "find the latest release",
            Self::CreateRelease => "create a release",
            Self::GetRelease => "get a release",
            Self::DeleteRelease => "delete a release",
        }
    }

    pub(super) fn function(self) -> Function {
        match self {
            Self::ListLinks => Function::ListLinks,
            Self::CreateLink => Function::CreateLink,
            Self::GetLink => Function::GetLink,
            Self::Download => Function::DownloadAsset,
            Self::DeleteLink => Function::DeleteLink,
            Self::ListReleases => Function::ListReleases,
            Self::Latest => Function::LatestRelease,
            Self::CreateRelease => Function::CreateRelease,
            Self::GetRelease => Function::GetRelease,
            Self::DeleteRelease => Function::DeleteRelease,
        }
    }

    /// Whether it makes more or fewer of what others ask for.
    pub(super) fn changes_how_many(self) -> bool {
        match self {
            Self::CreateLink | Self::DeleteLink | Self::CreateRelease | Self::DeleteRelease => true,
            Self::ListLinks
            | Self::GetLink
            | Self::Download
            | Self::ListReleases
            | Self::Latest
            | Self::GetRelease => false,
        }
    }

    /// Whether it reads all there is: GitLab's headers count it.
    pub(super) fn is_list(self) -> bool {
        matches!(self, Self::ListLinks | Self::ListReleases)
    }
}

pub(super) struct Place {
    pub(super) project: ProjectId,
    pub(super) tag: String,
    /// How many there are.
    pub(super) among: usize,
    /// The numbers of the links that were created here.
    pub(super) made: Vec<u64>,
}

impl Place {
    /// One request of this kind, the `number`th.
    pub(super) fn event(&self, step: Step, number: usize, token: &Secret) -> Result<Value, Error> {
        let releases = format!("/api/v4/projects/{}/releases", self.project);
        let release = format!("{releases}/{}", self.tag);
        let links = format!("{release}/assets/links");
        let link =
            || self.made.get(number).map(|id| format!("{links}/{id}")).ok_or("nothing was made");
        // The same length everywhere: a longer answer would cost more.
        let word = format!("one-{number:05}");
        let (method, path, body) = match step {
            Step::ListLinks => ("GET", links, Value::Null),
            Step::CreateLink => {
                let url = format!("https://e.com/{word}");
                let path = format!("/bin/{word}");
                let body = json!({ "name": word, "url": url, "direct_asset_path": path });
                ("POST", links, body)
            }
            Step::GetLink => ("GET", link()?, Value::Null),
            Step::Download => ("GET", format!("{release}/downloads/bin/{word}"), Value::Null),
            Step::DeleteLink => ("DELETE", link()?, Value::Null),
            Step::ListReleases => ("GET", releases, Value::Null),
            Step::Latest => ("GET", format!("{releases}/permalink/latest"), Value::Null),
            Step::CreateRelease => ("POST", releases, json!({ "tag_name": word })),
            Step::GetRelease => ("GET", format!("{releases}/{word}"), Value::Null),
            Step::DeleteRelease => ("DELETE", format!("{releases}/{word}"), Value::Null),
        };
        event::rest(("PRIVATE-TOKEN", token), method, &path, &body)
    }
}
