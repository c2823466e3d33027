//! Reads requests from API Gateway's events, and writes responses in the form of the event's payload
//! version.
//!
//! Events are input. `lambda_http` converts them too, but it panics on a host, path, query or body
//! that it does not expect, and on a parameter without a value. A panic fails the invocation, raises
//! the function's alarm and rolls back a deployment. Here an event becomes a request or a 400.

use std::collections::{BTreeMap, HashMap};

use base64::prelude::{BASE64_STANDARD, Engine};
use http::header::{self, HeaderName};
use http::uri::Authority;
use http::{HeaderMap, HeaderValue, Method};
use lambda_http::aws_lambda_events::apigw::{
    ApiGatewayProxyRequestContext, ApiGatewayProxyResponse, ApiGatewayV2httpRequestContext,
    ApiGatewayV2httpResponse,
};
use lambda_http::request::RequestContext;
use lambda_http::{Body, Context, LambdaEvent, Request, RequestExt, Response};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use url::{Url, form_urlencoded};

use super::error::ApiError;
use super::respond::frame;
use crate::routes;

/// A response in the form that the event's kind expects.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Reply {
    /// For a REST API: payload version 1.0.
    Rest(ApiGatewayProxyResponse),
    /// For payload version 2.0, which `cargo lambda watch` sends.
    Version2(ApiGatewayV2httpResponse),
}

/// Answers an event with the response of `handle`, or with 400 if the event holds no request.
pub async fn reply<Handling>(
    event: LambdaEvent<Box<RawValue>>,
    handle: impl FnOnce(Request) -> Handling,
) -> Reply
where
    Handling: Future<Output = Response<Body>>,
{
    let version = Version::of(event.payload.get());
    version.reply(respond(event.payload.get(), event.context, handle).await)
}

/// The response to an event, before it is put into a form.
pub async fn respond<Handling>(
    event: &str,
    context: Context,
    handle: impl FnOnce(Request) -> Handling,
) -> Response<Body>
where
    Handling: Future<Output = Response<Body>>,
{
    if let Ok(request) = read(event) {
        // Boxed: the stack holds a future once for every caller that awaits it.
        return Box::pin(handle(request.with_lambda_context(context))).await;
    }
    // Without the cause: the parser's words repeat the event, and it holds tokens.
    tracing::warn!(request_id = context.request_id, "the event holds no request");
    let request = Request::default().with_lambda_context(context);
    frame(request, async |_: &Request| Err(ApiError::BadRequest)).await
}

fn read(event: &str) -> Result<Request, Unreadable> {
    match Version::of(event) {
        Version::Rest => serde_json::from_str(event).map_err(|_| Unreadable).and_then(rest),
        Version::Two => serde_json::from_str(event).map_err(|_| Unreadable).and_then(version_2),
    }
}

/// Marks a request whose path was received with repeated slashes or one at its end.
#[derive(Clone, Copy, Debug)]
struct PathWasNormalized;

/// Whether normalization changed the path of the request.
#[must_use]
pub fn path_was_normalized(request: &Request) -> bool {
    request.extensions().get::<PathWasNormalized>().is_some()
}

/// An event that holds no HTTP request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Unreadable;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    Rest,
    Two,
}

impl Version {
    /// The version an event claims to be of; anything unknown counts as a REST API's.
    fn of(event: &str) -> Self {
        #[derive(Deserialize)]
        struct Versioned<'a> {
            #[serde(borrow)]
            version: Option<&'a RawValue>,
        }
        // A list would be read as the fields in their order.
        let event = event.starts_with('{').then(|| serde_json::from_str(event).ok()).flatten();
        let version = event.and_then(|event: Versioned| event.version);
        if version.is_some_and(|version| version.get() == r#""2.0""#) {
            Self::Two
        } else {
            Self::Rest
        }
    }

    fn reply(self, response: Response<Body>) -> Reply {
        let (parts, body) = response.into_parts();
        let status_code = i64::from(parts.status.as_u16());
        let (body, is_base64_encoded) = match body {
            Body::Text(text) => (Some(Body::Text(text)), false),
            Body::Binary(bytes) => (Some(Body::Binary(bytes)), true),
            _ => (Some(Body::Text(String::new())), false),
        };
        match self {
            Self::Rest => {
                let mut reply = ApiGatewayProxyResponse::default();
                reply.status_code = status_code;
                // Only here: API Gateway would send a header twice that stands in `headers` too.
                reply.multi_value_headers = parts.headers;
                reply.body = body;
                reply.is_base64_encoded = is_base64_encoded;
                Reply::Rest(reply)
            }
            Self::Two => {
                let mut reply = ApiGatewayV2httpResponse::default();
                reply.status_code = status_code;
                reply.headers = parts.headers;
                reply.body = body;
                reply.is_base64_encoded = is_base64_encoded;
                Reply::Version2(reply)
            }
        }
    }
}

/// A map of an event: absent, null, or with values of which any may be null.
type Single = Option<BTreeMap<String, Option<String>>>;
type Multiple = Option<BTreeMap<String, Option<Vec<Option<String>>>>>;

/// The fields of a REST API's event that requests are made of.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RestEvent {
    path: String,
    http_method: String,
    headers: Single,
    multi_value_headers: Multiple,
    query_string_parameters: Single,
    multi_value_query_string_parameters: Multiple,
    path_parameters: Single,
    request_context: Option<RestContext>,
    body: Option<String>,
    is_base64_encoded: Option<bool>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RestContext {
    path: Option<String>,
    resource_path: Option<String>,
    domain_name: Option<String>,
    request_id: Option<String>,
}

/// The fields of an event of payload version 2.0 that requests are made of.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Version2Event {
    raw_path: String,
    raw_query_string: Option<String>,
    headers: Single,
    path_parameters: Single,
    request_context: Version2Context,
    body: Option<String>,
    is_base64_encoded: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Version2Context {
    http: Version2Http,
    domain_name: Option<String>,
    request_id: Option<String>,
}

#[derive(Deserialize)]
struct Version2Http {
    method: String,
}

fn rest(event: RestEvent) -> Result<Request, Unreadable> {
    let from_gateway = event.request_context.unwrap_or_default();
    let mut headers = headers(event.multi_value_headers, event.headers)?;
    // The gateway knows the domain it was reached by; the client's word is only for want of that.
    let host = host([from_gateway.domain_name.as_deref(), text(&headers, &header::HOST)])?;
    headers.insert(header::HOST, host);
    let mut context = ApiGatewayProxyRequestContext::default();
    context.path = from_gateway.path.map(|path| routes::normalized(&path));
    context.resource_path = from_gateway.resource_path;
    context.request_id = from_gateway.request_id;
    let parameters = event.multi_value_query_string_parameters;
    let query: HashMap<_, _> =
        values(parameters, event.query_string_parameters).into_iter().collect();
    let body = body(event.body, event.is_base64_encoded)?;
    let request = request(&event.http_method, headers, body)?
        .with_query_string_parameters(query)
        .with_path_parameters(path_parameters(event.path_parameters))
        .with_request_context(RequestContext::ApiGatewayV1(context));
    with_path(request, &event.path)
}

fn version_2(event: Version2Event) -> Result<Request, Unreadable> {
    let from_gateway = event.request_context;
    let mut headers = headers(None, event.headers)?;
    // `cargo lambda watch` leaves the port out of the domain.
    let host = host([text(&headers, &header::HOST), from_gateway.domain_name.as_deref()])?;
    headers.insert(header::HOST, host);
    let mut context = ApiGatewayV2httpRequestContext::default();
    context.request_id = from_gateway.request_id;
    let raw_query = event.raw_query_string.unwrap_or_default();
    let mut query: HashMap<String, Vec<String>> = HashMap::new();
    for (name, value) in form_urlencoded::parse(raw_query.as_bytes()) {
        query.entry(name.into_owned()).or_default().push(value.into_owned());
    }
    let body = body(event.body, event.is_base64_encoded)?;
    let request = request(&from_gateway.http.method, headers, body)?
        .with_query_string_parameters(query)
        .with_path_parameters(path_parameters(event.path_parameters))
        .with_request_context(RequestContext::ApiGatewayV2(context));
    with_path(request, &event.raw_path)
}

fn request(method: &str, mut headers: HeaderMap, body: Body) -> Result<Request, Unreadable> {
    let scheme = match text(&headers, &X_FORWARDED_PROTO) {
        Some("https") => "https",
        // API Gateway always sends this header. Without it, the request came from this machine.
        Some(_) | None => "http",
    };
    headers.insert(X_FORWARDED_PROTO, HeaderValue::from_static(scheme));
    let mut request = Request::new(body);
    *request.method_mut() = Method::from_bytes(method.as_bytes()).map_err(|_| Unreadable)?;
    *request.headers_mut() = headers;
    Ok(request)
}

/// The request with its path as Rails routes it, whatever the gateway was sent.
fn with_path(request: Request, received: &str) -> Result<Request, Unreadable> {
    if !received.starts_with('/') {
        return Err(Unreadable);
    }
    let path = routes::normalized(received);
    let was_normalized = path != received;
    let mut request = request.with_raw_http_path(path);
    if was_normalized {
        request.extensions_mut().insert(PathWasNormalized);
    }
    Ok(request)
}

const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Headers that hold a list, of which each line adds to the others (RFC 9110, section 5.3).
const LISTS: [HeaderName; 3] =
    [header::ACCEPT, header::ACCESS_CONTROL_REQUEST_HEADERS, header::IF_NONE_MATCH];

/// Each header as one line: of a list all lines joined, as payload version 2.0 has them; of any
/// other the last, as in the single-valued form of the event.
fn headers(multiple: Multiple, single: Single) -> Result<HeaderMap, Unreadable> {
    let mut headers = HeaderMap::new();
    for (name, mut lines) in values(multiple, single) {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| Unreadable)?;
        let line = if LISTS.contains(&name) { Some(lines.join(", ")) } else { lines.pop() };
        let Some(line) = line else { continue };
        let line = HeaderValue::from_bytes(line.as_bytes()).map_err(|_| Unreadable)?;
        headers.try_insert(name, line).map_err(|_| Unreadable)?;
    }
    Ok(headers)
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// The values of each name, at least one: all of the multi-valued form, and of the single-valued
/// what that lacks.
fn values(multiple: Multiple, single: Single) -> BTreeMap<String, Vec<String>> {
    let single = single.unwrap_or_default().into_iter().map(|(name, value)| (name, vec![value]));
    let multiple = multiple.unwrap_or_default().into_iter();
    let multiple = multiple.map(|(name, values)| (name, values.unwrap_or_default()));
    single
        .chain(multiple)
        .map(|(name, values)| (name, values.into_iter().flatten().collect::<Vec<_>>()))
        .filter(|(_, values)| !values.is_empty())
        .collect()
}

/// The parameters of the path, still encoded; a greedy one is a path itself.
fn path_parameters(parameters: Single) -> HashMap<String, String> {
    let parameters = parameters.unwrap_or_default().into_iter();
    parameters
        .filter_map(|(name, value)| {
            let normalized = routes::normalized(&value?);
            Some((name, normalized.trim_start_matches('/').to_owned()))
        })
        .collect()
}

fn body(body: Option<String>, is_base64_encoded: Option<bool>) -> Result<Body, Unreadable> {
    match body {
        None => Ok(Body::Empty),
        Some(text) if is_base64_encoded == Some(true) => {
            BASE64_STANDARD.decode(text).map(Body::Binary).map_err(|_| Unreadable)
        }
        Some(text) => Ok(Body::Text(text)),
    }
}

/// The first of these hosts that can stand in a URL. If none was named, it is this machine.
fn host(named: [Option<&str>; 2]) -> Result<HeaderValue, Unreadable> {
    let mut named = named.into_iter().flatten().peekable();
    if named.peek().is_none() {
        return Ok(HeaderValue::from_static("localhost"));
    }
    let host = named.find(|host| is_host(host)).ok_or(Unreadable)?;
    HeaderValue::from_str(host).map_err(|_| Unreadable)
}

/// Whether a text is a host, perhaps with a port, and nothing else.
fn is_host(text: &str) -> bool {
    let Ok(url) = Url::parse(&format!("http://{text}/")) else { return false };
    text.parse::<Authority>().is_ok()
        && url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none()
}
