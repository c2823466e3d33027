//! A link as it is printed.

use serde::Serialize;
use shared::domain::digest::{Digest, Size};
use shared::domain::link::{Contents, Link, LinkFields};

use crate::output::{Details, Row};

#[derive(Debug, Serialize)]
pub(crate) struct LinkView {
    pub(crate) id: u64,
    pub(crate) name: String,
    url: String,
    direct_asset_path: Option<String>,
    link_type: &'static str,
    digest: Option<String>,
    size: Option<Size>,
    created_at: String,
    updated_at: String,
}

impl From<&Link> for LinkView {
    fn from(link: &Link) -> Self {
        let Link { id, fields, created_at, updated_at, .. } = link;
        let LinkFields { name, url, path, link_type, contents } = fields;
        let Contents { digest, size } = contents;
        Self {
            id: id.0,
            name: name.as_str().to_owned(),
            url: url.as_str().to_owned(),
            direct_asset_path: path.as_ref().map(|path| path.as_str().to_owned()),
            link_type: link_type.as_str(),
            digest: digest.as_ref().map(Digest::as_str).map(str::to_owned),
            size: *size,
            created_at: created_at.to_string(),
            updated_at: updated_at.to_string(),
        }
    }
}

impl Row for LinkView {
    const HEADER: &'static [&'static str] = &["ID", "NAME", "TYPE", "SIZE", "PATH", "URL"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.id.to_string(),
            self.name.clone(),
            self.link_type.to_owned(),
            self.size.map(|size| size.to_string()).unwrap_or_default(),
            self.direct_asset_path.clone().unwrap_or_default(),
            self.url.clone(),
        ]
    }
}

impl Details for LinkView {
    fn fields(&self) -> Vec<(&'static str, String)> {
        vec![
            ("ID", self.id.to_string()),
            ("Name", self.name.clone()),
            ("URL", self.url.clone()),
            ("Path", self.direct_asset_path.clone().unwrap_or_default()),
            ("Type", self.link_type.to_owned()),
            ("Digest", self.digest.clone().unwrap_or_default()),
            ("Size", self.size.map(|size| format!("{} bytes", size.bytes())).unwrap_or_default()),
            ("Created at", self.created_at.clone()),
            ("Updated at", self.updated_at.clone()),
        ]
    }
}
