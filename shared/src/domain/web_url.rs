//! The URL of an installation.

use std::fmt;

use url::Url;

/// The URL under which the installation's pages and API are, without a slash at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebUrl(String);

impl fmt::Display for WebUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl WebUrl {
    /// The part of it after the host: empty, or with a slash before and none behind.
    #[must_use]
    pub fn path(&self) -> &str {
        let after_scheme = self.0.find("://").map_or(0, |at| at + 3);
        self.0[after_scheme..].find('/').map_or("", |at| &self.0[after_scheme + at..])
    }

    /// Its host, without the port.
    #[must_use]
    pub fn host(&self) -> &str {
        let after_scheme = self.0.find("://").map_or(0, |at| at + 3);
        let authority = self.0[after_scheme..].split('/').next().unwrap_or_default();
        match authority.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
            Some(_) | None => authority,
        }
    }

    /// Parses an absolute http or https URL; a query or fragment in it is an error.
    pub fn parse(text: &str) -> Result<Self, InvalidWebUrl> {
        let url = Url::parse(text).map_err(|_| InvalidWebUrl)?;
        let is_plain = matches!(url.scheme(), "http" | "https")
            && url.query().is_none()
            && url.fragment().is_none();
        if is_plain {
            Ok(Self(url.as_str().trim_end_matches('/').to_owned()))
        } else {
            Err(InvalidWebUrl)
        }
    }

    /// The URL by which a request reached the installation; `prefix` is what stands before the API in
    /// the request's path.
    #[must_use]
    pub fn from_request(scheme: &str, host: &str, prefix: &str) -> Self {
        Self(format!("{scheme}://{host}{prefix}"))
    }
}

/// A text that is no absolute http or https URL without query and fragment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an http(s) URL")]
pub struct InvalidWebUrl;
