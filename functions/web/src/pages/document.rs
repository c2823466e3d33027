//! The frame of every page: head, stylesheet, the bar at the top, and the headers.

use std::sync::LazyLock;

use base64::prelude::{BASE64_STANDARD, Engine};
use lambda_http::Request;
use lambda_http::http::{HeaderMap, HeaderValue, StatusCode, header};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};
use shared::api::request::{base_url, split_path};
use shared::api::{ApiError, ApiRequest, ApiResponse};
use shared::app::App;
use shared::authorize::access::ProjectAccess;
use shared::domain::time::Timestamp;
use shared::domain::token::User;
use shared::domain::web_url::WebUrl;

const STYLE: &str = include_str!("style.css");

/// Allows the stylesheet by its hash, and images. A page loads nothing else and runs no script.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let hash = BASE64_STANDARD.encode(Sha256::digest(STYLE));
    format!(
        "default-src 'none'; style-src 'sha256-{hash}'; img-src 'self' https:; base-uri 'none'; \
         form-action 'self'; frame-ancestors 'none'"
    )
});

#[derive(Clone, Copy, Debug)]
pub(super) enum Viewer<'a> {
    Anonymous,
    SigningIn,
    SignedIn { username: &'a str },
}

impl<'a> Viewer<'a> {
    pub(super) fn of(user: Option<&'a User>) -> Self {
        user.map_or(Self::Anonymous, |user| Self::SignedIn { username: &user.username })
    }
}

/// The parts of a page that differ from page to page.
pub(super) struct Document<'a> {
    pub(super) base: &'a WebUrl,
    pub(super) title: &'a str,
    pub(super) viewer: Viewer<'a>,
    /// A link to the project's feed, if the page is about a project.
    pub(super) feed: Option<&'a str>,
    /// Whether everybody sees this page.
    pub(super) is_public: bool,
    pub(super) main: Markup,
}

impl Document<'_> {
    pub(super) fn answer(self, status: StatusCode) -> ApiResponse {
        let is_kept = match self.viewer {
            Viewer::Anonymous => self.is_public,
            Viewer::SigningIn | Viewer::SignedIn { .. } => false,
        };
        let mut answer = typed("text/html; charset=utf-8", self.html().into_string());
        answer.status = status;
        harden(&mut answer);
        cache(&mut answer, is_kept);
        answer
    }

    fn html(&self) -> Markup {
        let root = self.base.path();
        html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    title { (self.title) }
                    @if let Some(feed) = self.feed {
                        link rel="alternate" type="application/atom+xml" title="Releases" href=(feed);
                    }
                    style { (PreEscaped(STYLE)) }
                }
                body {
                    header {
                        a.home href={ (root) "/" } { "Releases" }
                        @match self.viewer {
                            Viewer::Anonymous => a href={ (root) "/-/sign_in" } { "Sign in" },
                            Viewer::SigningIn => {},
                            Viewer::SignedIn { username } => {
                                form method="post" action={ (root) "/-/sign_out" } {
                                    span.user { (username) }
                                    button { "Sign out" }
                                }
                            },
                        }
                    }
                    main { (self.main) }
                    footer { a href={ (root) "/openapi.json" } { "API" } }
                }
            }
        }
    }
}

/// Adds the policy, and keeps the addresses of private pages from other sites.
fn harden(answer: &mut ApiResponse) {
    if let Ok(policy) = HeaderValue::from_str(&POLICY) {
        answer.headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    let same_origin = HeaderValue::from_static("same-origin");
    answer.headers.insert(header::REFERRER_POLICY, same_origin);
}

/// Lets caches keep what everybody sees for a minute, and nothing else. A page shows who is signed in.
pub(super) fn cache(answer: &mut ApiResponse, is_kept: bool) {
    let cache = if is_kept { "public, max-age=60" } else { "private, no-store" };
    answer.headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    answer.headers.insert(header::VARY, HeaderValue::from_static("Cookie, Origin"));
}

/// Whether a page about this project is the same for everybody who may see it without a token.
pub(super) fn is_public(request: &ApiRequest, access: &ProjectAccess) -> bool {
    access.is_open_to_everybody() && request.credentials.wanted().is_empty()
}

/// An error: as a page for browsers, in the API's form for programs.
pub(crate) fn error(app: &App, request: &Request, error: &ApiError) -> ApiResponse {
    let answer = error.answer();
    let (prefix, path) = split_path(request);
    if path.starts_with("/api/") || !prefers_html(request) {
        return answer;
    }
    let base = &base_url(app, request, prefix);
    let status = answer.status;
    let (title, sentence) = if *error == ApiError::RouteNotFound {
        (
            "Page not found",
            "It does not exist, or only a token with access to its project can see it.",
        )
    } else if status.is_server_error() {
        ("This page cannot be shown now", "The server has a problem. Try again in a minute.")
    } else {
        ("This request cannot be answered", "Check the address.")
    };
    let main = html! {
        h1 { (title) }
        p { (sentence) }
        p { a href={ (base.path()) "/" } { "All projects" } }
    };
    let viewer = Viewer::Anonymous;
    let document = Document { base, title, viewer, feed: None, is_public: false, main };
    document.answer(status)
}

/// A moment, for people and for programs.
pub(super) fn time(at: Timestamp) -> Markup {
    let text = at.to_string();
    let day = text.split('T').next().unwrap_or_default();
    html! { time datetime=(text) title=(text) { (day) } }
}

/// A command that is copied whole.
pub(super) fn command(text: &str) -> Markup {
    html! { pre { code { (text) } } }
}

/// A text as one word of a shell's command line.
pub(super) fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-:%".contains(c);
    if text.chars().all(is_plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// Whether a request is a browser's for a page: programs ask for any type, or for JSON.
pub(super) fn prefers_html(http_request: &Request) -> bool {
    let accept = http_request.headers().get(header::ACCEPT).map(HeaderValue::as_bytes);
    accept.is_some_and(|accept| accept.trim_ascii_start().starts_with(b"text/html"))
}

/// An answer with a body of this media type.
pub(super) fn typed(content_type: &'static str, body: String) -> ApiResponse {
    let mut answer = ApiResponse { status: StatusCode::OK, headers: HeaderMap::new(), body };
    answer.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    answer
}
