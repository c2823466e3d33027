//! Answers that lead elsewhere.

use std::fmt::Write;

use http::header::{self, HeaderName};
use http::{HeaderMap, HeaderValue, StatusCode};
use lambda_http::{Request, RequestExt};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use url::{Url, form_urlencoded};

use super::credentials::TOKEN_PARAMETERS;
use super::error::ApiError;
use super::page_urls::{project_url, release_url, segment, segments};
use super::params::query_string;
use super::request::{ApiRequest, base_url, split_path};
use super::response::ApiResponse;
use super::response::MAX_HEADER_BYTES;
use crate::app::App;
use crate::authorize::access::ProjectAccess;
use crate::domain::link::LinkedFile;
use crate::domain::link_url::LinkUrl;
use crate::domain::tag_name::TagName;
use crate::domain::web_url::WebUrl;

/// The target of a redirect. It has only visible ASCII characters, which cannot end its header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location(String);

/// The characters that a header cannot carry; the rest of a URL stays as it was stored.
const NOT_IN_A_HEADER: &AsciiSet = &CONTROLS.add(b' ');

impl Location {
    /// A link's url, with percent-encoding for the characters that no header can carry. A host beyond
    /// ASCII is written as in the URL standard.
    #[must_use]
    pub fn for_link(url: &LinkUrl) -> Self {
        let text = url.as_str();
        // Only a host has a form of its own for letters beyond ASCII.
        let authority = text.find("://").map_or(0, |at| at + 3);
        let path = text[authority..].find(['/', '?', '#']).map_or(text.len(), |at| authority + at);
        if text[..path].is_ascii() {
            return Self::new(text);
        }
        match Url::parse(text) {
            Ok(url) => Self::new(url.as_str()),
            Err(_) => Self::new(text),
        }
    }

    /// A release in the API, or what lies below it, as `request` asks for it: a path, with its
    /// own parameters. A token among them is kept, since without it the way would end there.
    #[must_use]
    pub fn for_release(request: &ApiRequest, access: &ProjectAccess, tag: &TagName) -> Self {
        let project = access.project().id;
        let root = request.base.path();
        let release = format!("{root}/api/v4/projects/{project}/releases/{}", segment(tag));
        Self::below(release, &request.path.suffix_path, request)
    }

    /// A release's page, or what lies below it, as `request` asks for it.
    #[must_use]
    pub fn for_page(
        request: &ApiRequest,
        access: &ProjectAccess,
        tag: &TagName,
        suffix: &str,
    ) -> Self {
        let project_url = project_url(&request.base, access.project());
        Self::below(release_url(&project_url, tag), suffix, request)
    }

    /// A path on this server, which begins with a slash.
    #[must_use]
    pub fn local(base: &WebUrl, path: &str) -> Self {
        Self::new(&format!("{base}{path}"))
    }

    fn below(mut location: String, suffix: &str, request: &ApiRequest) -> Self {
        if !suffix.is_empty() {
            let _ = write!(location, "/{}", segments(suffix));
        }
        let mut query = request.query.clone();
        query.remove("order_by");
        if !query.is_empty() {
            let _ = write!(location, "?{}", query_string(&query));
        }
        Self::new(&location)
    }

    /// The request's own normalized path, with the whole query. A token in it is kept, since the
    /// client would be anonymous without it.
    fn normalized(app: &App, request: &Request) -> Self {
        let (prefix, path) = split_path(request);
        let mut location = format!("{}{path}", base_url(app, request, prefix).path());
        let query = request.query_string_parameters_ref();
        let mut pairs: Vec<_> = query.into_iter().flat_map(|query| query.iter()).collect();
        if !pairs.is_empty() {
            // In an order of its own: the event's is a different one each time.
            pairs.sort_by_key(|(name, _)| *name);
            let query =
                form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
            let _ = write!(location, "?{query}");
        }
        Self::new(&location)
    }

    fn new(text: &str) -> Self {
        Self(utf8_percent_encode(text, NOT_IN_A_HEADER).to_string())
    }
}

/// How long what everybody may download is kept by a CDN and by clients, in seconds: long enough
/// for a CDN to take the load of a hot file, short enough for a file that moves.
const PUBLIC_SECONDS: u32 = 60;

impl ApiResponse {
    /// Redirects to `location`; fails if that is too long for a header. Redirects that everybody may
    /// read are cacheable for a short time. Those that take a token, or were requested with one in
    /// the URL, are not.
    pub fn redirect(
        request: &ApiRequest,
        location: &Location,
        access: &ProjectAccess,
    ) -> Result<Self, ApiError> {
        let has_token = TOKEN_PARAMETERS.iter().any(|name| request.query.contains_key(*name));
        let cache = if access.is_open_to_everybody() && !has_token {
            format!("public, max-age={PUBLIC_SECONDS}")
        } else {
            "private, no-store".to_owned()
        };
        Self::leading(StatusCode::FOUND, location, &cache)
    }

    /// The same to a file. Its digest is on the redirect: the server that has the file knows nothing
    /// of it.
    pub fn to_file(
        request: &ApiRequest,
        file: &LinkedFile,
        access: &ProjectAccess,
    ) -> Result<Self, ApiError> {
        let LinkedFile { url, digest } = file;
        let mut answer = Self::redirect(request, &Location::for_link(url), access)?;
        if let Some(digest) = digest {
            let digest = HeaderValue::from_str(digest.hex())
                .map_err(|error| ApiError::Internal { cause: error.to_string() })?;
            answer.headers.insert(HeaderName::from_static("x-checksum-sha256"), digest);
        }
        Ok(answer)
    }

    /// Leads a browser to another page, which depends on who is signed in.
    pub fn see_other(location: &Location) -> Result<Self, ApiError> {
        Self::leading(StatusCode::SEE_OTHER, location, "private, no-store")
    }

    /// Asks the client to send the request again, with its method and body, to its normalized path,
    /// which the gateway routes to another function.
    pub fn resend(app: &App, request: &Request) -> Result<Self, ApiError> {
        let location = Location::normalized(app, request);
        Self::leading(StatusCode::TEMPORARY_REDIRECT, &location, "private, no-store")
    }

    fn leading(status: StatusCode, location: &Location, cache: &str) -> Result<Self, ApiError> {
        if location.0.len() > MAX_HEADER_BYTES {
            return Err(ApiError::LocationTooLong);
        }
        let value = |text: &str| {
            HeaderValue::from_str(text)
                .map_err(|error| ApiError::Internal { cause: error.to_string() })
        };
        let headers = HeaderMap::from_iter([
            (header::LOCATION, value(&location.0)?),
            (header::CACHE_CONTROL, value(cache)?),
            (header::CONTENT_TYPE, HeaderValue::from_static("text/plain")),
        ]);
        let words = format!("This resource has been moved temporarily to {}.", location.0);
        let body = serde_json::Value::from(words).to_string();
        Ok(Self { status, headers, body })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_url_that_a_link_can_have_can_stand_in_a_header(
            scheme in "(https?|ftp):/{0,3}", host in "[a-z0-9@:ß日.\\[\\]\u{ad}]{0,8}",
            rest in "[/?#]?\\PC{0,12}[\t\0\x7f\u{2028}]{0,2}", filler in "[ -~é日🦀]", times in 0..2_048_usize,
        ) {
            let Ok(url) = LinkUrl::parse(&format!("{scheme}{host}{rest}{}", filler.repeat(times))) else { return Ok(()) };
            let Location(location) = Location::for_link(&url);
            prop_assert!(location.bytes().all(|byte| byte.is_ascii_graphic()), "{location}");
            prop_assert!(HeaderValue::from_str(&location).is_ok());
            prop_assert!(location.len() <= MAX_HEADER_BYTES, "{}", location.len());
            if url.as_str().bytes().all(|byte| byte.is_ascii_graphic()) {
                prop_assert_eq!(location, url.as_str());
            }
        }
    }
}
