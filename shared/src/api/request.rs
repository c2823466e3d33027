//! A request as the endpoints see it: what API Gateway's event says, decoded once.

use std::time::{Duration, SystemTime};

use http::{HeaderMap, Method, header};
use lambda_http::request::RequestContext;
use lambda_http::{Request, RequestExt};
use percent_encoding::percent_decode_str;

use super::body::{self, Body};
use super::credentials;

use super::error::ApiError;
use super::params::{Param, Params, text};
use super::rack_params::from_query;
use crate::app::App;
use crate::authorize::credentials::Credentials;
use crate::domain::project::ProjectRef;
use crate::domain::tag_name::TagName;
use crate::domain::time::Timestamp;
use crate::domain::web_url::WebUrl;
use crate::store::deadline::Deadline;

/// A request whose bytes are in order. Whether its parameters are is for its endpoint to say.
#[derive(Debug)]
pub struct ApiRequest {
    pub method: Method,
    /// Its parameters. The body wins over the query.
    pub params: Params,
    /// The parameters of its query alone.
    pub query: Params,
    /// The decoded parameters of its path.
    pub path: PathParameters,
    pub credentials: Credentials,
    /// The URL of this installation, as this client reaches it.
    pub base: WebUrl,
    /// Its encoded path from `/api` on.
    pub encoded_path: String,
    /// The time in `If-Unmodified-Since`, if that is one.
    pub unmodified_since: Option<Timestamp>,
    /// When its answer is due.
    pub deadline: Deadline,
    /// When the function has to have answered, whatever it does: for what takes longer than a
    /// request or two to the database.
    pub last_moment: Deadline,
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
    /// `*direct_asset_path`, without its leading slash.
    pub direct_asset_path: String,
    /// `*suffix_path`: what follows the latest release.
    pub suffix_path: String,
    /// `:user_id`, as it was sent.
    pub user_id: String,
    /// `:sha`, as it was sent.
    pub sha: String,
    /// `:branch`, as it was sent.
    pub branch: String,
}

/// Time reserved for the response.
const MARGIN: Duration = Duration::from_millis(500);
/// The longest a client waits for the database, however long the function may run, but for what
/// waits until the last moment.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

impl ApiRequest {
    /// Reads a request; fails on bytes that are no text, bodies of no known type or too long, and
    /// formats other than JSON.
    pub async fn read(app: &App, request: &Request) -> Result<Self, ApiError> {
        let path = PathParameters::read(request)?;
        let query =
            request.query_string_parameters_ref().map(from_query).transpose()?.unwrap_or_default();
        let mut params = query.clone();
        let body = if request.method() == Method::GET || request.method() == Method::HEAD {
            // GitLab ignores the body of a GET too.
            Body::Params(Params::new())
        } else {
            body::read(request.headers(), request.body()).await?
        };
        let tokens = |params: &Params| credentials::read(request.headers(), params);
        refuse_other_formats(&query)?;
        match body {
            Body::Params(body) => params.extend(body),
            Body::Unsupported { media_type } => {
                return Err(ApiError::UnsupportedMediaType { media_type });
            }
        }
        let (prefix, encoded_path) = split_path(request);
        let (deadline, last_moment) = deadlines(request);
        Ok(Self {
            method: request.method().clone(),
            credentials: tokens(&params)?,
            params,
            query,
            path,
            base: base_url(app, request, prefix),
            encoded_path: encoded_path.to_owned(),
            unmodified_since: unmodified_since(request.headers()),
            deadline,
            last_moment,
        })
    }

    /// The project its path names.
    #[must_use]
    pub fn project(&self) -> ProjectRef {
        ProjectRef::parse(&self.path.id)
    }

    /// The text of a parameter that has one, before its endpoint has checked it.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        text(&self.params, name)
    }

    /// The tag its path names, where a release can have it.
    #[must_use]
    pub fn tag(&self) -> Option<TagName> {
        TagName::parse(&self.path.tag_name).ok()
    }
}

impl PathParameters {
    /// Those that are there, by GitLab's names for them.
    pub fn named(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let Self { id, tag_name, link_id, direct_asset_path, suffix_path, user_id, sha, branch } =
            self;
        let named = [
            ("id", id),
            ("tag_name", tag_name),
            ("link_id", link_id),
            ("direct_asset_path", direct_asset_path),
            ("suffix_path", suffix_path),
            ("user_id", user_id),
            ("sha", sha),
            ("branch", branch),
        ];
        let named = named.map(|(name, value)| (name, value.as_str()));
        named.into_iter().filter(|(_, value)| !value.is_empty())
    }

    fn read(request: &Request) -> Result<Self, ApiError> {
        let parameters = request.path_parameters_ref();
        let decoded = |name| {
            let encoded = parameters.and_then(|parameters| parameters.first(name));
            self::decoded(encoded.unwrap_or_default())
        };
        Ok(Self {
            id: decoded("id")?,
            tag_name: decoded("tag_name")?,
            link_id: decoded("link_id")?,
            direct_asset_path: decoded("direct_asset_path")?,
            suffix_path: decoded("suffix_path")?,
            user_id: decoded("user_id")?,
            sha: decoded("sha")?,
            branch: decoded("branch")?,
        })
    }
}

/// Decodes a part of a path once; an error if that is not text.
pub fn decoded(encoded: &str) -> Result<String, ApiError> {
    let text = percent_decode_str(encoded).decode_utf8().map_err(|_| ApiError::BadRequest)?;
    if text.contains('\0') { Err(ApiError::BadRequest) } else { Ok(text.into_owned()) }
}

/// The time in `If-Unmodified-Since`. GitLab ignores a value that is no time.
fn unmodified_since(headers: &HeaderMap) -> Option<Timestamp> {
    HeaderMap::get(headers, header::IF_UNMODIFIED_SINCE)?.to_str().ok()?.parse().ok()
}

fn refuse_other_formats(query: &Params) -> Result<(), ApiError> {
    match query.get("format") {
        Some(Param::Text(format)) if !format.is_empty() && format != "json" => {
            Err(ApiError::NotAcceptable { format: format.clone() })
        }
        Some(
            Param::Text(_)
            | Param::Scalar(_)
            | Param::Null
            | Param::List(_)
            | Param::Map(_)
            | Param::File,
        )
        | None => Ok(()),
    }
}

/// The path as the client sent it, in two: what a stage or a custom domain's base path puts before
/// the API, and the API's own.
#[must_use]
pub fn split_path(request: &Request) -> (&str, &str) {
    let context = match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV1(context)) => Some(context),
        Some(RequestContext::ApiGatewayV2(_) | _) | None => None,
    };
    // REST leaves the stage out of `path` and has it in the context's.
    let whole = context.and_then(|context| context.path.as_deref());
    let whole = whole.unwrap_or_else(|| request.raw_http_path());
    if context.is_some_and(|context| context.resource_path.as_deref() == Some("/")) {
        return (whole.trim_end_matches('/'), "/");
    }
    // On the fallback route, the greedy parameter is all that follows the prefix.
    // A page's own path may well hold another `/api/v4/`.
    let rest = request
        .path_parameters_ref()
        .and_then(|parameters| whole.strip_suffix(parameters.first("proxy")?)?.strip_suffix('/'))
        .map(str::len);
    let api = || ["/api/v4/", "/api/v3/"].into_iter().filter_map(|root| whole.find(root)).min();
    let (prefix, own) = whole.split_at(rest.or_else(api).unwrap_or(0));
    (prefix.trim_end_matches('/'), own)
}

fn deadlines(request: &Request) -> (Deadline, Deadline) {
    let left = request
        .lambda_context_ref()
        // One that passed before the request began is none: cargo-lambda's emulator sends 1970.
        .and_then(|context| context.deadline().duration_since(SystemTime::now()).ok());
    let left = left.map_or(LONGEST_WAIT, |left| left.saturating_sub(MARGIN));
    (Deadline::after(left.min(LONGEST_WAIT)), Deadline::after(left))
}

/// The URL of the installation for the client of this request; `prefix` is the part of the request's
/// path before the API.
#[must_use]
pub fn base_url(app: &App, request: &Request, prefix: &str) -> WebUrl {
    let (scheme, host) = origin(request);
    app.public_url().cloned().unwrap_or_else(|| WebUrl::from_request(scheme, host, prefix))
}

/// The scheme a request was sent with and the host it was sent to, which are in these headers
/// since its event was read.
fn origin(request: &Request) -> (&str, &str) {
    let header =
        |name| HeaderMap::get(request.headers(), name).and_then(|value| value.to_str().ok());
    (header("x-forwarded-proto").unwrap_or("http"), header("host").unwrap_or("localhost"))
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
    use proptest::prelude::*;

    use super::*;

    fn read(name: &str, encoded: String) -> Result<PathParameters, ApiError> {
        let parameters = HashMap::from([(name.to_owned(), encoded)]);
        PathParameters::read(&Request::default().with_path_parameters(parameters))
    }

    proptest! {
        #[test]
        fn encoded_text_is_decoded_once(text in "[^\0]{0,20}|(%2[0-9A-F]|%25|%){1,6}") {
            let encoded = utf8_percent_encode(&text, NON_ALPHANUMERIC).to_string();
            let expected = PathParameters { tag_name: text, ..PathParameters::default() };
            prop_assert_eq!(read("tag_name", encoded), Ok(expected));
        }

        #[test]
        fn any_path_is_text_without_nul_or_refused(
            encoded in "(%[0-9A-Fa-f]{2}|%00|%C3%A9|%|[a-z/.+é\0]){0,12}",
        ) {
            match read("id", encoded) {
                Ok(path) => prop_assert!(!path.id.contains('\0')),
                Err(error) => prop_assert_eq!(error, ApiError::BadRequest),
            }
        }

        #[test]
        fn a_path_without_a_percent_sign_stays_as_it_is(text in "[^%\0]{0,20}") {
            prop_assert_eq!(read("sha", text.clone()).map(|path| path.sha), Ok(text));
        }
    }
}
