//! The pages that GitLab has about releases outside its API. `direct_asset_url` and `_links.self`
//! name some of them.
//!
//! Their paths have raw slashes, in the namespace of the project for example, so no other route of
//! the gateway can name their parts.

mod badge;
mod document;
mod feed;
pub(crate) mod home;
mod project;
mod release;
pub(crate) mod session;
mod sha256sums;

use lambda_http::Request;
use lambda_http::http::Method;
use shared::api::redirect::Location;
use shared::api::request::decoded;
use shared::api::{ApiError, ApiRequest, ApiResponse, release_params};
use shared::app::App;
use shared::authorize::access::AccessError;
use shared::domain::link::DirectAssetPath;
use shared::domain::project::{ProjectPath, ProjectRef};
use shared::domain::tag_name::TagName;
use shared::store::query::{Download, LatestRelease};

pub(crate) use document::error;
use document::prefers_html;

/// A page about a project's releases.
pub(crate) struct Page {
    project: ProjectRef,
    kind: Kind,
}

enum Kind {
    Releases,
    Release(TagName),
    Sha256Sums(TagName),
    Feed,
    Badge,
    Download { tag: TagName, path: DirectAssetPath },
    Latest { suffix: String },
}

impl Page {
    /// The page that a request asks for. `None` if no page has its path; an error if the path begins
    /// like a page's and cannot be one.
    pub(crate) fn parse(method: &Method, encoded_path: &str) -> Option<Result<Self, ApiError>> {
        let path = encoded_path.strip_prefix('/')?;
        if !reads(method) || path.starts_with("-/") || path == "api" || path.starts_with("api/") {
            return None;
        }
        let (project, rest) = match path.split_once("/-/") {
            Some((project, rest)) => (project, Some(rest)),
            None if path.contains('/') => (path, None),
            None => return None,
        };
        Some(Self::read(project, rest))
    }

    fn read(project: &str, rest: Option<&str>) -> Result<Self, ApiError> {
        let project =
            ProjectPath::parse(&decoded(project)?).map_err(|_| ApiError::RouteNotFound)?;
        let kind = match rest {
            None | Some("releases") => Kind::Releases,
            Some("releases.atom") => Kind::Feed,
            Some("badges/release.svg") => Kind::Badge,
            Some(rest) => {
                let below = rest.strip_prefix("releases/").ok_or(ApiError::RouteNotFound)?;
                Kind::below_releases(below)?
            }
        };
        Ok(Self { project: ProjectRef::Path(project), kind })
    }
}

impl Kind {
    fn below_releases(path: &str) -> Result<Self, ApiError> {
        if let Some(suffix) = path.strip_prefix("permalink/latest") {
            let suffix = suffix.strip_prefix('/').or(suffix.is_empty().then_some(suffix));
            let suffix = decoded(suffix.ok_or(ApiError::RouteNotFound)?)?;
            release_params::file_path("suffix_path", &suffix)
                .map_err(|_| ApiError::RouteNotFound)?;
            return Ok(Self::Latest { suffix });
        }
        let tag =
            |encoded: &str| TagName::parse(&decoded(encoded)?).map_err(|_| ApiError::RouteNotFound);
        let Some((encoded_tag, path)) = path.split_once("/downloads/") else {
            // A slash of the tag is encoded.
            return match path.split_once('/') {
                None => Ok(Self::Release(tag(path)?)),
                Some((encoded_tag, "SHA256SUMS")) => Ok(Self::Sha256Sums(tag(encoded_tag)?)),
                Some((_, _)) => Err(ApiError::RouteNotFound),
            };
        };
        let path = decoded(path)?;
        release_params::file_path("direct_asset_path", &path)
            .map_err(|_| ApiError::RouteNotFound)?;
        let path =
            DirectAssetPath::parse(&format!("/{path}")).map_err(|_| ApiError::RouteNotFound)?;
        Ok(Self::Download { tag: tag(encoded_tag)?, path })
    }

    async fn answer(
        &self,
        app: &App,
        request: &ApiRequest,
        project: &ProjectRef,
    ) -> Result<ApiResponse, ApiError> {
        match self {
            Self::Releases => project::answer(app, request, project).await,
            Self::Release(tag) => release::answer(app, request, project, tag).await,
            Self::Sha256Sums(tag) => sha256sums::answer(app, request, project, tag).await,
            Self::Feed => feed::answer(app, request, project).await,
            Self::Badge => badge::answer(app, request, project).await,
            Self::Download { tag, path } => {
                let query = Download { tag: tag.clone(), path: Some(path.clone()) };
                let (access, target) = request.authorize_releases_of(app, project, &query).await?;
                let target = target.unwrap_or_default();
                let file = app.store.file_of(target, request.deadline).await?;
                ApiResponse::to_file(request, &file.ok_or(ApiError::RouteNotFound)?, &access)
            }
            Self::Latest { suffix } => {
                let (access, latest) =
                    request.authorize_releases_of(app, project, &LatestRelease).await?;
                let latest = latest.ok_or(ApiError::RouteNotFound)?;
                let location = Location::for_page(request, &access, &latest.tag, suffix);
                ApiResponse::redirect(request, &location, &access)
            }
        }
    }

    /// Whether callers without access are sent to the form to sign in. Programs get 404 for files
    /// and images instead.
    fn asks_to_sign_in(&self, http_request: &Request) -> bool {
        match self {
            Self::Releases | Self::Release(_) => true,
            Self::Sha256Sums(_) | Self::Download { .. } | Self::Latest { .. } => {
                prefers_html(http_request)
            }
            Self::Feed | Self::Badge => false,
        }
    }
}

/// Answers with the page. Callers without access learn nothing: a page that they may not see and one
/// that does not exist get the same answer.
pub(crate) async fn answer(
    app: &App,
    http_request: &Request,
    page: Page,
) -> Result<ApiResponse, ApiError> {
    let mut request = Box::pin(ApiRequest::read(app, http_request)).await?;
    let has_cookie = session::add_cookie(&mut request, http_request);
    let answer = page.kind.answer(app, &request, &page.project).await;
    match answer {
        Err(ApiError::Refused(
            AccessError::ProjectInvisible
            | AccessError::Forbidden
            | AccessError::JobTokenNotAllowed { .. },
        )) => {
            let is_anonymous = request.credentials.wanted().is_empty();
            if is_anonymous && page.kind.asks_to_sign_in(http_request) {
                session::redirect_to_form(&request, http_request, None)
            } else {
                Err(ApiError::RouteNotFound)
            }
        }
        Err(error) => session::refused(&request, http_request, has_cookie, error),
        Ok(answer) => Ok(answer),
    }
}

/// Whether a request reads.
pub(crate) fn reads(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
}
