//! Links and users as GitLab shows them.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;

use crate::domain::digest::{Digest, Size};
use crate::domain::link::{DirectAssetPath, Link, LinkId};
use crate::domain::project::Project;
use crate::domain::tag_name::TagName;
use crate::domain::web_url::WebUrl;

/// A link, with its keys in GitLab's order.
#[derive(Clone, Debug, Serialize)]
pub struct LinkBody<'a> {
    id: LinkId,
    name: &'a str,
    url: &'a str,
    direct_asset_url: String,
    /// Gone from GitLab since version 16; the oldest clients read it.
    external: bool,
    link_type: &'static str,
    /// Not in GitLab, and so left out where it is unknown, as is the size.
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
}

impl<'a> LinkBody<'a> {
    /// Shows `link` of the release of `tag` in `project`.
    #[must_use]
    pub fn new(base: &WebUrl, project: &Project, tag: &TagName, link: &'a Link) -> Self {
        let project_url = project_url(base, project);
        let url = link.fields.url.as_str();
        Self {
            id: link.id,
            name: link.fields.name.as_str(),
            url,
            direct_asset_url: match &link.fields.path {
                Some(path) => direct_asset_url(&project_url, tag, path),
                None => url.to_owned(),
            },
            external: !url.starts_with(&project_url),
            link_type: link.fields.link_type.as_str(),
            digest: link.fields.contents.digest.as_ref().map(Digest::as_str),
            size: link.fields.contents.size.map(Size::bytes),
        }
    }
}

#[must_use]
pub fn project_url(base: &WebUrl, project: &Project) -> String {
    format!("{base}/{}", project.path.as_str())
}

/// A user, with its keys in GitLab's order.
#[derive(Clone, Debug, Serialize)]
pub struct UserBody<'a> {
    id: u64,
    username: &'a str,
    name: &'a str,
    state: &'static str,
    locked: bool,
    avatar_url: Option<&'a str>,
    web_url: String,
}

impl<'a> UserBody<'a> {
    /// Shows the user of this number and name.
    #[must_use]
    pub fn new(base: &WebUrl, id: u64, username: &'a str) -> Self {
        Self {
            id,
            username,
            name: username,
            state: "active",
            locked: false,
            avatar_url: None,
            web_url: format!("{base}/{}", utf8_percent_encode(username, SEGMENT)),
        }
    }
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
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
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
