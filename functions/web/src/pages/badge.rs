//! The badge with the tag of the latest release, with GitLab's parameters.

use lambda_http::http::HeaderValue;
use lambda_http::http::header;
use maud::{Markup, html};
use shared::api::{ApiError, ApiRequest, ApiResponse, release_body};
use shared::app::App;
use shared::domain::project::ProjectRef;
use shared::store::query::{LatestRelease, ReleaseList};

use super::document::{cache, is_public, typed};

const KEY_TEXT: &str = "Latest Release";
const KEY_WIDTH: u32 = 90;
const VALUE_WIDTH: u32 = 54;
/// The longest text and the greatest widths that GitLab takes. It ignores others.
const MAX_KEY_CHARS: usize = 64;
const MAX_KEY_WIDTH: u32 = 512;
const MAX_VALUE_WIDTH: u32 = 200;
const KEY_COLOR: &str = "#555";
const VALUE_COLOR: &str = "#3076af";
const NONE_COLOR: &str = "#e05d44";

pub(super) async fn answer(
    app: &App,
    request: &ApiRequest,
    project: &ProjectRef,
) -> Result<ApiResponse, ApiError> {
    let (access, latest) = if by_creation(request) {
        let (access, first) = request.authorize_releases_of(app, project, &ReleaseList).await?;
        access.may_read_code().map_err(|_| ApiError::RouteNotFound)?;
        let due = release_body::deadline(request);
        let entries = app.store.all_entries(first, due).await?;
        (access, entries.into_iter().max_by_key(|entry| entry.created_at))
    } else {
        let (access, latest) = request.authorize_releases_of(app, project, &LatestRelease).await?;
        access.may_read_code().map_err(|_| ApiError::RouteNotFound)?;
        (access, latest)
    };
    let tag = latest.as_ref().map(|latest| latest.tag.as_str());
    let svg = Badge::read(request, tag).svg().into_string();
    let mut answer = typed("image/svg+xml", svg);
    // An SVG image that is opened as a page.
    let policy = HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'; sandbox");
    answer.headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    cache(&mut answer, is_public(request, &access));
    Ok(answer)
}

/// Whether the badge shows the newest `created_at`. By default it shows the newest `released_at`.
fn by_creation(request: &ApiRequest) -> bool {
    request.text("order_by") == Some("created_at")
}

struct Badge<'a> {
    key: &'a str,
    key_width: u32,
    value: &'a str,
    value_width: u32,
    value_color: &'static str,
    is_flat_square: bool,
}

impl<'a> Badge<'a> {
    fn read(request: &'a ApiRequest, tag: Option<&'a str>) -> Self {
        let width = |name, most, default| {
            let width = request.text(name).and_then(|text| text.parse().ok());
            width.filter(|width| (1..=most).contains(width)).unwrap_or(default)
        };
        let key = request.text("key_text").filter(|text| text.chars().count() <= MAX_KEY_CHARS);
        Self {
            key: key.unwrap_or(KEY_TEXT),
            key_width: width("key_width", MAX_KEY_WIDTH, KEY_WIDTH),
            value: tag.unwrap_or("none"),
            value_width: width("value_width", MAX_VALUE_WIDTH, VALUE_WIDTH),
            value_color: if tag.is_some() { VALUE_COLOR } else { NONE_COLOR },
            is_flat_square: request.text("style") == Some("flat-square"),
        }
    }

    fn svg(&self) -> Markup {
        let width = self.key_width + self.value_width;
        let radius = if self.is_flat_square { 0 } else { 3 };
        let key_middle = f64::from(self.key_width) / 2.0;
        let value_middle = f64::from(self.key_width) + f64::from(self.value_width) / 2.0;
        let label = format!("{}: {}", self.key, self.value);
        let text = |x: f64, words: &str| {
            html! {
                @if !self.is_flat_square {
                    text x=(x) y="15" fill="#010101" fill-opacity=".3" { (words) }
                }
                text x=(x) y="14" { (words) }
            }
        };
        html! {
            svg xmlns="http://www.w3.org/2000/svg" width=(width) height="20" role="img" aria-label=(label) {
                title { (label) }
                clipPath id="corners" { rect width=(width) height="20" rx=(radius) {} }
                g clip-path="url(#corners)" {
                    rect width=(self.key_width) height="20" fill=(KEY_COLOR) {}
                    rect x=(self.key_width) width=(self.value_width) height="20" fill=(self.value_color) {}
                }
                g fill="#fff" text-anchor="middle" font-family="DejaVu Sans,Verdana,Geneva,sans-serif" font-size="11" {
                    (text(key_middle, self.key))
                    (text(value_middle, self.value))
                }
            }
        }
    }
}
