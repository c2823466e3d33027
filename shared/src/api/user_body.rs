//! A user as GitLab shows one.

use percent_encoding::utf8_percent_encode;
use serde::Serialize;

use super::page_urls::SEGMENT;
use crate::domain::web_url::WebUrl;

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
