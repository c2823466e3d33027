//! The values of a link as arguments. Their errors are for the operator: GitLab's own words are in
//! the API.

use shared::domain::digest::{Digest, MAX_SIZE, Size};
use shared::domain::link::{
    DirectAssetPath, LinkName, MAX_NAME_CHARS, MAX_PATH_CHARS, ValidationError,
};
use shared::domain::link_url::{LinkUrl, MAX_ENCODED_URL_BYTES, MAX_URL_CHARS};

pub(super) fn name(text: &str) -> Result<LinkName, String> {
    LinkName::parse(Some(text)).map_err(explain)
}

pub(super) fn url(text: &str) -> Result<LinkUrl, String> {
    LinkUrl::parse(text).map_err(|violation| explain(violation.into()))
}

pub(super) fn path(text: &str) -> Result<DirectAssetPath, String> {
    DirectAssetPath::parse(text).map_err(explain)
}

pub(super) fn digest(text: &str) -> Result<Digest, String> {
    Digest::parse(text).ok_or_else(|| "expected sha256: and 64 hexadecimal digits".to_owned())
}

pub(super) fn size(text: &str) -> Result<Size, String> {
    Size::parse(text)
        .ok_or_else(|| format!("expected a number of bytes between 0 and {MAX_SIZE}, in digits"))
}

fn explain(violation: ValidationError) -> String {
    match violation {
        ValidationError::UrlBlank => "the URL is empty".to_owned(),
        ValidationError::UrlTooLong => format!(
            "the URL has more than {MAX_URL_CHARS} characters, or {MAX_ENCODED_URL_BYTES} bytes when \
             percent-encoded"
        ),
        ValidationError::UrlInvalid => {
            "expected a URL, for example https://downloads.example.com/app.tar.gz".to_owned()
        }
        ValidationError::UrlSchemeNotAllowed => {
            "the URL must start with http://, https:// or ftp://".to_owned()
        }
        ValidationError::UrlHostInvalid => "the URL's host is not valid".to_owned(),
        ValidationError::NameBlank => "the name is empty".to_owned(),
        ValidationError::NameTooLong => format!("the name has more than {MAX_NAME_CHARS} characters"),
        ValidationError::PathTooLong => format!("the path has more than {MAX_PATH_CHARS} characters"),
        ValidationError::PathInvalid => "expected a path such as /bin/app: a '/' and at least three \
                                   letters, digits, '-', '.', '_' or '/', without '//', ending with \
                                   a letter or digit"
            .to_owned(),
        ValidationError::UrlTaken => "another link has the URL".to_owned(),
        ValidationError::NameTaken => "another link has the name".to_owned(),
        ValidationError::PathTaken => "another link has the path".to_owned(),
    }
}
