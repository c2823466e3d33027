//! A link as it is printed.

use serde::Serialize;
use shared::domain::link::Link;

use crate::output::{Details, Row};

#[derive(Debug, Serialize)]
pub(crate) struct LinkView {
    pub(crate) id: u64,
    pub(crate) name: String,
    url: String,
    direct_asset_path: Option<String>,
    link_type: &'static str,
    created_at: String,
    updated_at: String,
}

impl From<&Link> for LinkView {
    fn from(link: &Link) -> Self {
        let Link { id, fields, created_at, updated_at, .. } = link;
        Self {
            id: id.0,
            name: fields.name.as_str().to_owned(),
            url: fields.url.as_str().to_owned(),
            direct_asset_path: fields.path.as_ref().map(|path| path.as_str().to_owned()),
            link_type: fields.link_type.as_str(),
            created_at: created_at.to_string(),
            updated_at: updated_at.to_string(),
        }
    }
}

impl Row for LinkView {
    const HEADER: &'static [&'static str] = &["ID", "NAME", "TYPE", "PATH", "URL"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.id.to_string(),
            self.name.clone(),
            self.link_type.to_owned(),
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
            ("Created at", self.created_at.clone()),
            ("Updated at", self.updated_at.clone()),
        ]
    }
}
