//! A link as the API shows it.

use serde::Serialize;

/// The whole body of a link, its fields in GitLab's order.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct LinkBody<'a> {
    pub id: u64,
    pub name: &'a str,
    pub url: &'a str,
    pub direct_asset_url: &'a str,
    pub external: bool,
    pub link_type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
}

impl<'a> LinkBody<'a> {
    /// A link to another host, without a path and of the default type, of whose file nothing is known.
    pub fn new(id: u64, name: &'a str, url: &'a str) -> Self {
        let (external, link_type) = (true, "other");
        let (digest, size) = (None, None);
        Self { id, name, url, direct_asset_url: url, external, link_type, digest, size }
    }

    pub fn json(&self) -> String {
        serde_json::to_string(self).unwrap()
    }
}
