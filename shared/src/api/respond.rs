//! From an event to a response: the frame around every endpoint.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use headers::{ETag, HeaderMapExt, IfNoneMatch};
use http::header::{self, HeaderName};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use lambda_http::request::RequestContext;
use lambda_http::{Body, Request, RequestExt, Response};

use super::error::ApiError;
use super::request::ApiRequest;
use super::response::{ApiResponse, OUTCOME};
use crate::app::App;
use crate::domain::sha256::sha256_hex;
use crate::domain::tag_name::TagName;
use crate::request_record::recorded;

/// Whether this process has answered a request.
static STARTED: AtomicBool = AtomicBool::new(false);

/// Answers a request with what `endpoint` makes of it; an error is logged here, once, and becomes
/// a response here. Never fails: a function that did would have API Gateway answer in its own
/// words.
pub async fn respond<'a, Endpoint>(
    app: &'a App,
    request: Request,
    endpoint: impl FnOnce(&'a App, ApiRequest) -> Endpoint,
) -> Response<Body>
where
    Endpoint: Future<Output = Result<ApiResponse, ApiError>>,
{
    // Boxed: the stack holds a future once for every caller that awaits it.
    let answer = async |request: &Request| {
        let api_request = Box::pin(ApiRequest::read(app, request)).await?;
        Box::pin(endpoint(app, api_request)).await
    };
    frame(request, answer).await
}

/// The frame alone, for an endpoint that takes requests of any form.
pub async fn frame(
    request: Request,
    endpoint: impl AsyncFnOnce(&Request) -> Result<ApiResponse, ApiError>,
) -> Response<Body> {
    frame_with(request, endpoint, |_, error| error.answer()).await
}

/// The same for an endpoint that shows errors in its own way.
pub async fn frame_with(
    request: Request,
    endpoint: impl AsyncFnOnce(&Request) -> Result<ApiResponse, ApiError>,
    show_error: impl FnOnce(&Request, &ApiError) -> ApiResponse,
) -> Response<Body> {
    let started = Instant::now();
    let request_id = request_id(&request);
    let (result, record) = Box::pin(recorded(endpoint(&request))).await;
    if let Err(error) = &result
        && let Some(cause) = error.cause()
    {
        // The template counts the lines of one version that are not transient, and rolls it back.
        let transient = error.is_transient();
        let version = version(&request);
        tracing::error!(request_id, version, transient, cause, "the request failed");
    }
    let answer = result.unwrap_or_else(|error| show_error(&request, &error));
    let response = finish(&request, answer, &request_id);
    tracing::info!(
        request_id,
        method = %request.method(),
        route = route(&request),
        status = response.status().as_u16(),
        outcome = response.headers().get(OUTCOME).and_then(|outcome| outcome.to_str().ok()),
        user = record.user,
        token = record.token,
        job = record.job,
        project = record.project.map(|project| project.0),
        tag = record.tag.as_ref().map(TagName::as_str),
        link = record.link.map(|link| link.0),
        database_requests = record.database_requests,
        read_units = record.read_units,
        write_units = record.write_units,
        cold_start = !STARTED.swap(true, Ordering::Relaxed),
        build = env!("CARGO_PKG_VERSION"),
        // The log writes 128-bit numbers as strings.
        milliseconds = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        "answered"
    );
    response
}

fn finish(request: &Request, answer: ApiResponse, request_id: &str) -> Response<Body> {
    let ApiResponse { mut status, mut headers, mut body } = answer;
    for (name, value) in [
        (header::X_FRAME_OPTIONS, "SAMEORIGIN"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'"),
        (header::VARY, "Origin"),
    ] {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    let meta = format!(r#"{{"correlation_id":"{request_id}","version":"1"}}"#);
    for (name, value) in [("x-request-id", request_id), ("x-gitlab-meta", &meta)] {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    if request.headers().contains_key(header::ORIGIN) {
        allow_any_origin(&mut headers);
    }
    if matches!(status, StatusCode::OK | StatusCode::CREATED) {
        if let Ok(validator) = etag(&body).parse::<ETag>() {
            let reads = matches!(*request.method(), Method::GET | Method::HEAD);
            if reads && is_known(request.headers(), &validator) {
                status = StatusCode::NOT_MODIFIED;
                body.clear();
            }
            headers.typed_insert(validator);
        }
        let revalidate = HeaderValue::from_static("max-age=0, private, must-revalidate");
        headers.entry(header::CACHE_CONTROL).or_insert(revalidate);
    } else {
        // A redirect says itself how long it holds.
        headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-cache"));
    }
    if request.method() == Method::HEAD {
        body.clear();
    }
    let mut response = Response::new(if body.is_empty() { Body::Empty } else { Body::Text(body) });
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

/// The headers by which a page of any origin may read an answer. It never gets one that depends on a
/// cookie: with `*`, browsers refuse answers to requests that carry cookies.
pub(crate) fn allow_any_origin(headers: &mut HeaderMap) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(
        header::ACCESS_CONTROL_EXPOSE_HEADERS,
        HeaderValue::from_static(
            "Link, X-Total, X-Total-Pages, X-Per-Page, X-Page, X-Next-Page, X-Prev-Page, \
             X-Request-Id, X-Release-Links-Outcome, ETag",
        ),
    );
}

fn etag(body: &str) -> String {
    format!("W/\"{}\"", &sha256_hex(body)[..32])
}

/// Whether the client has this version already, by RFC 9110, section 13.1.2: weakly compared, since
/// proxies that compress answers take the `W/` away.
fn is_known(headers: &HeaderMap, validator: &ETag) -> bool {
    headers.typed_get::<IfNoneMatch>().is_some_and(|known| !known.precondition_passes(validator))
}

/// The route's path as the template has it: what was asked for is in fields of its own.
fn route(request: &Request) -> Option<&str> {
    match request.request_context_ref()? {
        RequestContext::ApiGatewayV1(context) => context.resource_path.as_deref(),
        RequestContext::ApiGatewayV2(_) | _ => None,
    }
}

/// The function's version; empty outside Lambda.
fn version(request: &Request) -> &str {
    request.lambda_context_ref().map_or("", |context| &context.env_config.version)
}

/// The id of the invocation, by which a client's complaint finds its line in the log.
fn request_id(request: &Request) -> String {
    if let Some(context) = request.lambda_context_ref() {
        return context.request_id.clone();
    }
    let from_gateway = match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV1(context)) => context.request_id.clone(),
        Some(RequestContext::ApiGatewayV2(context)) => context.request_id.clone(),
        Some(_) | None => None,
    };
    from_gateway.unwrap_or_default()
}
