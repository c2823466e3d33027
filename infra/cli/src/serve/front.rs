//! The embedded DynamoDB's HTTP server. It keeps out web pages, and everyone without its access key.

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, ORIGIN};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use serde_json::json;
use subtle::ConstantTimeEq;
use tokio::net::TcpListener;

use super::engine::{Answer, Engine};
use super::host;
use super::host::Requested;
use super::refusal::drain;

/// The largest body DynamoDB takes, in bytes.
const MAX_BODY_BYTES: usize = 16 * 1024 * 1024;

/// The engine, and the access key that opens it.
#[derive(Clone)]
pub(crate) struct Front {
    pub(crate) engine: Engine,
    pub(crate) access_key_id: String,
}

/// Why a request does not reach the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refusal {
    /// `Host` is not a loopback name: DNS rebinding.
    ForeignHost,
    /// A browser sent it.
    WebPage,
    NoAccessKey,
    OtherAccessKey,
    NotPost,
    TooLong,
    Incomplete,
    /// The engine panicked.
    Failed,
}

impl Refusal {
    fn status(self) -> StatusCode {
        match self {
            Self::ForeignHost | Self::WebPage => StatusCode::FORBIDDEN,
            Self::NoAccessKey | Self::OtherAccessKey | Self::Incomplete => StatusCode::BAD_REQUEST,
            Self::NotPost => StatusCode::NOT_FOUND,
            Self::TooLong => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Failed => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// DynamoDB's name for it.
    fn exception(self) -> &'static str {
        match self {
            Self::ForeignHost | Self::WebPage => "AccessDeniedException",
            Self::NoAccessKey => "MissingAuthenticationTokenException",
            Self::OtherAccessKey => "UnrecognizedClientException",
            Self::NotPost => "UnknownOperationException",
            Self::TooLong => "RequestEntityTooLargeException",
            Self::Incomplete => "SerializationException",
            Self::Failed => "InternalFailure",
        }
    }

    fn message(self) -> &'static str {
        match self {
            Self::ForeignHost => "The Host of this request is not a loopback name or address.",
            Self::WebPage => {
                "This database refuses web pages: the request has Origin or Sec-Fetch-Site."
            }
            Self::NoAccessKey => {
                "This request is not signed. Use the access key in the server's connection file."
            }
            Self::OtherAccessKey => {
                "This access key is not the one in the server's connection file. Pass that file \
                 to release-links with --connection, or its keys to AWS tools as \
                 AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
            }
            Self::NotPost => "The method is not POST.",
            Self::TooLong => "The body is larger than 16 MiB.",
            Self::Incomplete => "The body is incomplete or not UTF-8.",
            Self::Failed => "The database failed.",
        }
    }

    fn answer(self) -> Answer {
        let body = json!({
            "__type": format!("com.amazon.coral.service#{}", self.exception()),
            "message": self.message(),
        });
        Answer { status: self.status().as_u16(), body: body.to_string() }
    }
}

/// Serves the database until `stopped` resolves and the last request is answered.
pub(crate) async fn serve(
    listener: TcpListener,
    front: Front,
    stopped: impl Future<Output = ()> + Send + 'static,
) -> Result<(), crate::serve_error::ServeError> {
    let router = Router::new().fallback(respond).with_state(front);
    axum::serve(listener, router).with_graceful_shutdown(stopped).await?;
    Ok(())
}

async fn respond(State(front): State<Front>, request: Request) -> Response<Body> {
    // A preflight is refused like every other request of a page, so no response has a CORS header.
    let Answer { status, body } = front.answer(request).await.unwrap_or_else(Refusal::answer);
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or_default();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-amz-json-1.0"));
    // SDKs compare it with the body.
    let checksum = HeaderValue::from(crc32fast::hash(body.as_bytes()));
    headers.insert(HeaderName::from_static("x-amz-crc32"), checksum);
    if let Ok(id) = HeaderValue::from_str(&request_id()) {
        headers.insert(HeaderName::from_static("x-amzn-requestid"), id);
    }
    response.map(|_| Body::from(body))
}

/// 52 digits and capitals, as DynamoDB's.
fn request_id() -> String {
    std::iter::repeat_with(|| fastrand::digit(36).to_ascii_uppercase()).take(52).collect()
}

impl Front {
    async fn answer(self, request: Request) -> Result<Answer, Refusal> {
        let (head, mut body) = request.into_parts();
        refuse_web_pages(&head)?;
        // Read before the key is looked at: a client whose connection is closed while it still
        // sends may never read the refusal.
        let body = match Limited::new(&mut body, MAX_BODY_BYTES).collect().await {
            Ok(body) => body.to_bytes(),
            Err(error) if error.is::<http_body_util::LengthLimitError>() => {
                drain(&mut body).await;
                return Err(Refusal::TooLong);
            }
            Err(_) => return Err(Refusal::Incomplete),
        };
        self.check_access_key(&head.headers)?;
        if head.method != Method::POST {
            return Err(Refusal::NotPost);
        }
        let body = String::from_utf8(body.into()).map_err(|_| Refusal::Incomplete)?;
        let operation = operation(&head.headers).to_owned();
        // The engine blocks on its lock and on the disk.
        let answering = tokio::task::spawn_blocking(move || self.engine.answer(&operation, &body));
        answering.await.map_err(|_| Refusal::Failed)
    }

    fn check_access_key(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let key = access_key(headers).ok_or(Refusal::NoAccessKey)?;
        let is_ours = key.as_bytes().ct_eq(self.access_key_id.as_bytes());
        if is_ours.into() { Ok(()) } else { Err(Refusal::OtherAccessKey) }
    }
}

/// A page cannot leave out what a browser adds to its requests, nor choose their `Host`.
fn refuse_web_pages(Parts { uri, headers, .. }: &Parts) -> Result<(), Refusal> {
    match Requested::read(uri, headers) {
        Requested::Host(host) if host::is_loopback(host) => {}
        Requested::Host(_) | Requested::Nothing | Requested::Unclear => {
            return Err(Refusal::ForeignHost);
        }
    }
    if headers.contains_key(ORIGIN) || headers.contains_key("sec-fetch-site") {
        return Err(Refusal::WebPage);
    }
    Ok(())
}

/// The access key of a Signature Version 4 `Authorization` header.
fn access_key(headers: &HeaderMap) -> Option<&str> {
    let authorization = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let fields = authorization.strip_prefix("AWS4-HMAC-SHA256 ")?;
    let credential =
        fields.split([',', ' ']).find_map(|field| field.strip_prefix("Credential="))?;
    credential.split('/').next()
}

/// The operation of `X-Amz-Target`, which names its API's version first; empty if there is none.
fn operation(headers: &HeaderMap) -> &str {
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok());
    let target = target.unwrap_or_default();
    ["DynamoDB_20120810.", "DynamoDBStreams_20120810."]
        .iter()
        .find_map(|api| target.strip_prefix(api))
        .unwrap_or_default()
}
