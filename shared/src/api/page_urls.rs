//! The URLs of pages and downloads.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::domain::link::DirectAssetPath;
use crate::domain::project::Project;
use crate::domain::tag_name::TagName;
use crate::domain::web_url::WebUrl;

/// The page of a project.
#[must_use]
pub fn project_url(base: &WebUrl, project: &Project) -> String {
    format!("{base}/{}", project.path.as_str())
}

/// A release's page, below the page of its project.
#[must_use]
pub fn release_url(project_url: &str, tag: &TagName) -> String {
    format!("{project_url}/-/releases/{}", segment(tag))
}

/// The URL by which people download a file of a release, below the page of its project.
#[must_use]
pub fn direct_asset_url(project_url: &str, tag: &TagName, path: &DirectAssetPath) -> String {
    format!("{}/downloads{}", release_url(project_url, tag), segments(path.as_str()))
}

/// A tag as a segment of a path.
#[must_use]
pub fn segment(tag: &TagName) -> impl std::fmt::Display {
    utf8_percent_encode(tag.as_str(), SEGMENT)
}

/// How many bytes that takes at most.
pub(super) fn segment_bytes(tag: &TagName) -> usize {
    let of_byte =
        |byte: u8| if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) { 1 } else { 3 };
    tag.as_str().bytes().map(of_byte).sum()
}

/// A path of several segments, encoded again.
pub(super) fn segments(path: &str) -> impl std::fmt::Display {
    utf8_percent_encode(path, PATH)
}

/// The characters that Rails escapes in a segment of a path: all but those that RFC 3986 allows.
pub(super) const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'!')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b';')
    .remove(b'=')
    .remove(b':')
    .remove(b'@');

/// The same for a path of several segments.
const PATH: &AsciiSet = &SEGMENT.remove(b'/');
