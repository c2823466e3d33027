//! The pages of releases that GitLab has outside its API: `direct_asset_url` names one of them.
//!
//! `/<namespace>/<project>/-/releases/<tag>/downloads/<path>` leads to the link's url, and
//! `/<namespace>/<project>/-/releases/permalink/latest[/<suffix>]` to the latest release's page or
//! what lies below it. The path has slashes where it pleases, so no route of the gateway's can name
//! its parts.

use lambda_http::Request;
use lambda_http::http::Method;
use shared::access::Refusal;
use shared::app::App;
use shared::domain::link::DirectAssetPath;
use shared::domain::project::{ProjectPath, ProjectRef};
use shared::domain::release::TagName;
use shared::http::admit::enter_releases_of;
use shared::http::call::decoded;
use shared::http::redirect::Location;
use shared::http::{Answer, ApiError, Call, release_params};
use shared::store::read::Selection;

/// A page of a project's releases.
pub(crate) struct Page {
    project: ProjectRef,
    kind: Kind,
}

enum Kind {
    Download { tag: TagName, path: DirectAssetPath },
    Latest { suffix: String },
}

impl Page {
    /// The page a request asks for. None where its path is no page's; an error where it is one that
    /// cannot be.
    pub(crate) fn of(method: &Method, encoded_path: &str) -> Option<Result<Self, ApiError>> {
        let reads = matches!(*method, Method::GET | Method::HEAD);
        let (project, rest) = encoded_path.strip_prefix('/')?.split_once("/-/releases/")?;
        reads.then(|| Self::read(project, rest))
    }

    fn read(project: &str, rest: &str) -> Result<Self, ApiError> {
        let project = ProjectPath::parse(&decoded(project)?).map(ProjectRef::Path);
        let kind = if let Some(suffix) = rest.strip_prefix("permalink/latest") {
            let suffix = suffix.strip_prefix('/').or(suffix.is_empty().then_some(suffix));
            let suffix = decoded(suffix.ok_or(ApiError::RouteNotFound)?)?;
            release_params::file_path("suffix_path", &suffix)
                .map_err(|_| ApiError::RouteNotFound)?;
            Kind::Latest { suffix }
        } else {
            let (tag, path) = rest.split_once("/downloads/").ok_or(ApiError::RouteNotFound)?;
            let path = decoded(path)?;
            release_params::file_path("direct_asset_path", &path)
                .map_err(|_| ApiError::RouteNotFound)?;
            Kind::Download {
                tag: TagName::parse(&decoded(tag)?).map_err(|_| ApiError::RouteNotFound)?,
                path: DirectAssetPath::parse(&format!("/{path}"))
                    .map_err(|_| ApiError::RouteNotFound)?,
            }
        };
        Ok(Self { project: project.map_err(|_| ApiError::RouteNotFound)?, kind })
    }
}

/// Leads to where the page leads. To who may not know of it there is no such page.
pub(crate) async fn answer(app: &App, request: &Request, page: Page) -> Result<Answer, ApiError> {
    let call = Box::pin(Call::read(app, request)).await?;
    let selection = match &page.kind {
        Kind::Download { tag, path } => Selection::Download(tag, path),
        Kind::Latest { suffix: _ } => Selection::Latest,
    };
    let entered = enter_releases_of(app, &call, &page.project, selection).await.map_err(hidden)?;
    let location = match &page.kind {
        Kind::Download { .. } => {
            let url = app.store.url_of(entered.target, call.deadline).await?;
            Location::of_link(&url.ok_or(ApiError::RouteNotFound)?)
        }
        Kind::Latest { suffix } => {
            let latest = entered.listed.latest().ok_or(ApiError::RouteNotFound)?;
            Location::of_page(&call, &entered.admission, &latest.tag, suffix)
        }
    };
    Answer::redirect(&call, &location, &entered.admission)
}

/// A page that is not there and one that the caller may not see look the same. That a token is bad
/// is said all the same: it says nothing about the page.
fn hidden(error: ApiError) -> ApiError {
    match error {
        ApiError::Refused(refusal) => match refusal {
            Refusal::ProjectInvisible | Refusal::Forbidden | Refusal::JobTokenNotAllowed { .. } => {
                ApiError::RouteNotFound
            }
            Refusal::UnknownToken | Refusal::DeadToken(_) | Refusal::InsufficientScope => {
                ApiError::Refused(refusal)
            }
        },
        other => other,
    }
}
