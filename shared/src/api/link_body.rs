//! A link as GitLab shows it.

use serde::Serialize;

use super::page_urls::{direct_asset_url, project_url};
use crate::domain::digest::{Digest, Size};
use crate::domain::link::{Link, LinkId};
use crate::domain::project::Project;
use crate::domain::publisher::PublishedBy;
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
    /// The job that published it, likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    published_by: Option<&'a PublishedBy>,
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
            published_by: link.published_by.as_deref(),
        }
    }
}
