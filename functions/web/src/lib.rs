//! Everything but the endpoints of the API: wrong paths and methods, OPTIONS, CORS preflight requests,
//! and the pages for people.

mod health;
mod pages;

use lambda_http::http::header::{self, HeaderName};
use lambda_http::http::{HeaderMap, HeaderValue, Method, StatusCode};
use lambda_http::{Body, Request, Response};
use shared::api::event::path_was_normalized;
use shared::api::request::{base_url, split_path};
use shared::api::respond::frame_with;
use shared::api::response::MAX_HEADER_BYTES;
use shared::api::{ApiError, ApiResponse};
use shared::app::App;
use shared::domain::web_url::WebUrl;
use shared::routes::{Function, Verb, allowed_methods, find};

use pages::{Page, session};

/// Answers as GitLab does where there is nothing.
pub async fn handle(app: &App, request: Request) -> Response<Body> {
    // Boxed: the stack holds a future once for every caller that awaits it.
    let answer = async |request: &Request| Box::pin(answer(app, request)).await;
    frame_with(request, answer, |request, error| pages::error(app, request, error)).await
}

async fn answer(app: &App, request: &Request) -> Result<ApiResponse, ApiError> {
    let (prefix, path) = split_path(request);
    if let Some(answer) = session::answer(app, request, path).await {
        return answer;
    }
    if pages::reads(request.method())
        && let Some(answer) = health::answer(app, request, path).await
    {
        return answer;
    }
    if path == "/" && pages::reads(request.method()) {
        return pages::home::answer(app, request).await;
    }
    if let Some(page) = Page::parse(request.method(), path) {
        return pages::answer(app, request, page?).await;
    }
    // API Gateway routes a path with repeated slashes here, whichever function it names without them.
    // `web` can neither call that function nor do its work.
    if path_was_normalized(request) && find(request.method(), path).route.function != Function::Web
    {
        return ApiResponse::resend(app, request);
    }
    if path == "/openapi.json" && pages::reads(request.method()) {
        return Ok(contract(&base_url(app, request, prefix)));
    }
    if path == "/api/v3" || path.starts_with("/api/v3/") {
        return Err(ApiError::ApiV3Gone);
    }
    if uploads_a_file(request.method(), path) {
        return Err(ApiError::FilesNotStored);
    }
    if request.method() != Method::OPTIONS {
        return Err(ApiError::RouteNotFound);
    }
    if let Some(answer) = preflight(request.headers()) {
        return Ok(answer);
    }
    // GitLab's order: OPTIONS itself first, HEAD last.
    let allowed: Vec<&str> =
        allowed_methods(path).filter(|verb| *verb != Verb::Head).map(Verb::as_str).collect();
    if allowed.is_empty() {
        return Err(ApiError::RouteNotFound);
    }
    let allow = format!("OPTIONS, {}, HEAD", allowed.join(", "));
    let allow = HeaderValue::from_str(&allow)
        .map_err(|error| ApiError::Internal { cause: error.to_string() })?;
    Ok(ApiResponse {
        status: StatusCode::NO_CONTENT,
        headers: HeaderMap::from_iter([(header::ALLOW, allow)]),
        body: String::new(),
    })
}

/// The OpenAPI description of this installation.
fn contract(url: &WebUrl) -> ApiResponse {
    const CONTRACT: &str = include_str!(concat!(env!("OUT_DIR"), "/openapi.json"));
    let here = serde_json::Value::from(url.to_string()).to_string();
    let body = CONTRACT.replacen(concat!('"', env!("OPENAPI_HERE"), '"'), &here, 1);
    let mut answer = ApiResponse::from_json(StatusCode::OK, body);
    let public = HeaderValue::from_static("public, max-age=60");
    answer.headers.insert(header::CACHE_CONTROL, public);
    answer
}

/// Whether a tool wants to upload a file, by GitLab's routes for project uploads and generic packages.
/// No project is looked up, so the answer is the same for every project and caller.
fn uploads_a_file(method: &Method, path: &str) -> bool {
    let Some(below) = path.strip_prefix("/api/v4/projects/") else { return false };
    let segments: Vec<&str> = below.split('/').collect();
    matches!(*method, Method::POST | Method::PUT)
        && matches!(segments[..], [_, "uploads"] | [_, "packages", "generic", ..])
}

/// The answer to a browser that asks whether a page of another origin may send a request: any
/// origin, method and header may, since nothing here trusts a cookie.
fn preflight(asked: &HeaderMap) -> Option<ApiResponse> {
    asked.get(header::ORIGIN)?;
    asked.get(header::ACCESS_CONTROL_REQUEST_METHOD)?;
    let mut headers = HeaderMap::new();
    let mut allow = |name: HeaderName, value: &'static str| {
        headers.insert(name, HeaderValue::from_static(value));
    };
    allow(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*");
    allow(header::ACCESS_CONTROL_ALLOW_METHODS, "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
    allow(header::ACCESS_CONTROL_MAX_AGE, "7200");
    let wanted = asked.get(header::ACCESS_CONTROL_REQUEST_HEADERS);
    if let Some(wanted) = wanted.filter(|wanted| wanted.len() <= MAX_HEADER_BYTES) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, wanted.clone());
    }
    Some(ApiResponse { status: StatusCode::OK, headers, body: String::new() })
}
