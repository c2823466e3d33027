//! The values of a link as arguments. Their errors are for the operator: GitLab's own words are in
//! the API.

use shared::domain::link::{DirectAssetPath, LinkName, MAX_NAME_CHARS, MAX_PATH_CHARS, Violation};
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

fn explain(violation: Violation) -> String {
    match violation {
        Violation::UrlBlank => "the URL is empty".to_owned(),
        Violation::UrlTooLong => format!(
            "the URL has more than {MAX_URL_CHARS} characters, or {MAX_ENCODED_URL_BYTES} bytes when \
             percent-encoded"
        ),
        Violation::UrlInvalid => {
            "expected a URL, for example https://downloads.example.com/app.tar.gz".to_owned()
        }
        Violation::UrlSchemeNotAllowed => {
            "the URL must start with http://, https:// or ftp://".to_owned()
        }
        Violation::UrlHostInvalid => "the URL's host is not valid".to_owned(),
        Violation::NameBlank => "the name is empty".to_owned(),
        Violation::NameTooLong => format!("the name has more than {MAX_NAME_CHARS} characters"),
        Violation::PathTooLong => format!("the path has more than {MAX_PATH_CHARS} characters"),
        Violation::PathInvalid => "expected a path such as /bin/app: a '/' and at least three \
                                   letters, digits, '-', '.', '_' or '/', without '//', ending with \
                                   a letter or digit"
            .to_owned(),
        Violation::UrlTaken => "another link has the URL".to_owned(),
        Violation::NameTaken => "another link has the name".to_owned(),
        Violation::PathTaken => "another link has the path".to_owned(),
    }
}
