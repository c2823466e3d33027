//! A request as the endpoints see it: what API Gateway's event says, decoded once.

use std::time::{Duration, SystemTime};

use lambda_http::http::{HeaderMap, Method};
use lambda_http::request::RequestContext;
use lambda_http::{Request, RequestExt};
use percent_encoding::percent_decode_str;

use super::body::{self, Body};
use super::credentials::Credentials;
use super::error::ApiError;
use super::params::{Param, Params, of_query};
use crate::app::{App, WebUrl};
use crate::domain::project::ProjectRef;
use crate::domain::release::TagName;
use crate::store::deadline::Deadline;

/// A request whose bytes are in order. Whether its parameters are is for its endpoint to say.
#[derive(Debug)]
pub struct Call {
    /// Its method.
    pub method: Method,
    /// Its parameters; those of the body come before those of the query.
    pub params: Params,
    /// The parameters of its query alone.
    pub query: Params,
    /// The decoded parameters of its path.
    pub path: PathParameters,
    /// Its tokens.
    pub credentials: Credentials,
    /// Where this installation is, as this client reaches it.
    pub base: WebUrl,
    /// Its encoded path from `/api` on.
    pub encoded_path: String,
    /// When its answer is due.
    pub deadline: Deadline,
}

/// The parameters in a path, decoded once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PathParameters {
    /// `:id`, as it was sent.
    pub id: String,
    /// `:tag_name`, as it was sent.
    pub tag_name: String,
    /// `:link_id`, as it was sent.
    pub link_id: String,
}

/// What is kept of the function's own time for its answer.
const MARGIN: Duration = Duration::from_millis(500);
/// The longest a client waits for the database, however long the function may run.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

impl Call {
    /// Reads a request; fails on bytes that are no text, bodies of no known type or too long, and
    /// formats other than JSON.
    pub async fn read(app: &App, request: &Request) -> Result<Self, ApiError> {
        let path = PathParameters::read(request)?;
        let query =
            request.query_string_parameters_ref().map(of_query).transpose()?.unwrap_or_default();
        let mut params = query.clone();
        let body = if request.method() == Method::GET || request.method() == Method::HEAD {
            // What a GET carries in its body is no parameter to GitLab either.
            Body::Params(Params::new())
        } else {
            body::read(request.headers(), request.body()).await?
        };
        let credentials = |params: &Params| Credentials::read(request.headers(), params);
        refuse_other_formats(&query)?;
        match body {
            Body::Params(body) => params.extend(body),
            Body::Unsupported { media_type } => {
                return Err(ApiError::UnsupportedMediaType { media_type });
            }
        }
        let (prefix, encoded_path) = split_path(request);
        Ok(Self {
            method: request.method().clone(),
            credentials: credentials(&params)?,
            params,
            query,
            path,
            base: app.web_url(request, prefix),
            encoded_path: encoded_path.to_owned(),
            deadline: deadline(request),
        })
    }

    /// The project its path names.
    #[must_use]
    pub fn project(&self) -> ProjectRef {
        ProjectRef::parse(&self.path.id)
    }

    /// The tag its path names, where a release can have it.
    #[must_use]
    pub fn tag(&self) -> Option<TagName> {
        TagName::parse(&self.path.tag_name).ok()
    }
}

impl PathParameters {
    fn read(request: &Request) -> Result<Self, ApiError> {
        let parameters = request.path_parameters_ref();
        let decoded = |name| {
            let encoded = parameters.and_then(|parameters| parameters.first(name));
            let text = percent_decode_str(encoded.unwrap_or_default())
                .decode_utf8()
                .map_err(|_| ApiError::BadRequest)?;
            if text.contains('\0') { Err(ApiError::BadRequest) } else { Ok(text.into_owned()) }
        };
        Ok(Self {
            id: decoded("id")?,
            tag_name: decoded("tag_name")?,
            link_id: decoded("link_id")?,
        })
    }
}

fn refuse_other_formats(query: &Params) -> Result<(), ApiError> {
    match query.get("format") {
        Some(Param::Text(format)) if !format.is_empty() && format != "json" => {
            Err(ApiError::NotAcceptable { format: format.clone() })
        }
        Some(Param::Text(_) | Param::Null | Param::List(_) | Param::Map(_) | Param::File)
        | None => Ok(()),
    }
}

/// The path as the client sent it, in two: what a stage or a custom domain's base path puts before
/// the API, and the API's own.
#[must_use]
pub fn split_path(request: &Request) -> (&str, &str) {
    let whole = match request.request_context_ref() {
        // REST leaves the stage out of `path` and has it in the context's.
        Some(RequestContext::ApiGatewayV1(context)) => context.path.as_deref(),
        Some(RequestContext::ApiGatewayV2(_) | _) | None => None,
    };
    let whole = whole.unwrap_or_else(|| request.raw_http_path());
    let api = ["/api/v4/", "/api/v3/"].into_iter().filter_map(|root| whole.find(root)).min();
    api.map_or(("", whole), |at| whole.split_at(at))
}

fn deadline(request: &Request) -> Deadline {
    let left = request
        .lambda_context_ref()
        // One that passed before the request began is none: cargo-lambda's emulator sends 1970.
        .and_then(|context| context.deadline().duration_since(SystemTime::now()).ok());
    let wait = left.map_or(LONGEST_WAIT, |left| left.saturating_sub(MARGIN).min(LONGEST_WAIT));
    Deadline::after(wait)
}

/// The host a request was sent to, and the scheme it used.
pub(crate) fn origin(request: &Request) -> (&str, &str) {
    let domain = match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV1(context)) => context.domain_name.as_deref(),
        Some(RequestContext::ApiGatewayV2(_) | _) | None => None,
    };
    let header =
        |name| HeaderMap::get(request.headers(), name).and_then(|value| value.to_str().ok());
    let host = domain.or_else(|| header("host")).unwrap_or("localhost");
    // API Gateway always says how it was reached. What does not is on this machine.
    let scheme = match header("x-forwarded-proto") {
        Some("https") => "https",
        Some(_) | None => "http",
    };
    (scheme, host)
}
