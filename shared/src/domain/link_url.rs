//! The urls that a link may have. GitLab's rules come from Ruby's Addressable and from its own blocker
//! of urls, and are looser than the URL standard.

use std::net::{Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};

/// The longest url, in characters.
pub const MAX_URL_CHARS: usize = 2048;
/// The longest url, in bytes once what is no URI's character is percent-encoded: a redirect carries
/// it in a header.
pub const MAX_ENCODED_URL_BYTES: usize = 8 * 1024;

/// A link's url, trimmed, otherwise as it was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LinkUrl(String);

/// Rails calls a text blank when nothing but white space, Unicode's included, is in it.
pub(super) fn is_blank(text: &str) -> bool {
    text.chars().all(char::is_whitespace)
}

/// A broken rule about urls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UrlViolation {
    /// It is empty or white space.
    Blank,
    /// It has more than [`MAX_URL_CHARS`] characters, or more than [`MAX_ENCODED_URL_BYTES`] when it
    /// is encoded.
    TooLong,
    /// It cannot be taken apart, or a part of it cannot be one.
    Invalid,
    /// Its scheme is not `http`, `https` or `ftp`, in lower case.
    SchemeNotAllowed,
    /// Its host starts with neither letter nor digit and is no IP address.
    HostInvalid,
}

const ALLOWED_SCHEMES: [&str; 3] = ["http", "https", "ftp"];

/// The schemes Addressable takes to need a host or a path.
const IP_BASED_SCHEMES: [&str; 13] = [
    "http", "https", "ftp", "tftp", "sftp", "ssh", "svn+ssh", "telnet", "nntp", "gopher", "wais",
    "ldap", "prospero",
];

impl LinkUrl {
    /// Parses a url.
    pub fn parse(text: &str) -> Result<Self, UrlViolation> {
        if is_blank(text) {
            return Err(UrlViolation::Blank);
        }
        let text = text.trim_matches([' ', '\t', '\n', '\r', '\u{b}', '\u{c}']);
        if text.chars().nth(MAX_URL_CHARS).is_some() || encoded_bytes(text) > MAX_ENCODED_URL_BYTES
        {
            return Err(UrlViolation::TooLong);
        }
        if text.contains(['\n', '\r']) {
            return Err(UrlViolation::Invalid);
        }
        let parts = Parts::split(text);
        parts.check_form()?;
        parts.check_policy()?;
        Ok(Self(text.to_owned()))
    }

    /// The url as it is stored and answered.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The parts of a URI by the expression of RFC 3986, appendix B; each is present or not, and every
/// text has some such parts.
struct Parts<'a> {
    text: &'a str,
    scheme: Option<&'a str>,
    authority: Option<Authority<'a>>,
    path: &'a str,
}

struct Authority<'a> {
    host: &'a str,
    port: Option<&'a str>,
}

impl<'a> Parts<'a> {
    fn split(text: &'a str) -> Self {
        let (scheme, rest) = match text.find([':', '/', '?', '#']) {
            Some(at) if at > 0 && text[at..].starts_with(':') => {
                (Some(&text[..at]), &text[at + 1..])
            }
            Some(_) | None => (None, text),
        };
        let (authority, rest) = match rest.strip_prefix("//") {
            Some(rest) => {
                let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
                (Some(Authority::split(&rest[..end])), &rest[end..])
            }
            None => (None, rest),
        };
        let path = &rest[..rest.find(['?', '#']).unwrap_or(rest.len())];
        Self { text, scheme, authority, path }
    }

    /// Whether Ruby's Addressable raises an error.
    fn check_form(&self) -> Result<(), UrlViolation> {
        if self.scheme.is_some_and(|scheme| !is_scheme(scheme)) {
            return Err(UrlViolation::Invalid);
        }
        let host = self.authority.as_ref().map_or("", |authority| authority.host);
        let needs_host = self
            .scheme
            .is_some_and(|scheme| IP_BASED_SCHEMES.contains(&scheme.to_ascii_lowercase().as_str()));
        if needs_host && host.is_empty() && self.path.is_empty() {
            return Err(UrlViolation::Invalid);
        }
        let port_parses = self
            .authority
            .as_ref()
            .and_then(|authority| authority.port)
            .is_none_or(|port| port.len() <= 5 && port.bytes().all(|b| b.is_ascii_digit()));
        if !port_parses || !is_host(host) {
            return Err(UrlViolation::Invalid);
        }
        Ok(())
    }

    /// Whether GitLab's blocker of urls refuses it.
    fn check_policy(&self) -> Result<(), UrlViolation> {
        let Some(scheme) = self.scheme.filter(|scheme| ALLOWED_SCHEMES.contains(scheme)) else {
            return Err(UrlViolation::SchemeNotAllowed);
        };
        if scheme == "ftp" {
            let folded = self.text.to_ascii_lowercase();
            if folded.contains("%0a") || folded.contains("%0d") {
                return Err(UrlViolation::Invalid);
            }
        }
        let host = self.authority.as_ref().map_or("", |authority| authority.host);
        let bare = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host);
        let is_ip = bare.parse::<Ipv6Addr>().is_ok() || bare.parse::<Ipv4Addr>().is_ok();
        if host.is_empty() || is_ip || host.starts_with(char::is_alphanumeric) {
            Ok(())
        } else {
            Err(UrlViolation::HostInvalid)
        }
    }
}

impl<'a> Authority<'a> {
    fn split(text: &'a str) -> Self {
        // User information reaches to the last '@' before which no bracket stands.
        let userinfo_end =
            text.rmatch_indices('@').map(|(at, _)| at).find(|at| !text[..*at].contains(['[', ']']));
        let host_and_port = userinfo_end.map_or(text, |at| &text[at + 1..]);
        match host_and_port.rsplit_once(':') {
            Some((host, port)) if !port.contains(['@', '[', ']']) => {
                Self { host, port: Some(port) }
            }
            Some(_) | None => Self { host: host_and_port, port: None },
        }
    }
}

/// How long a url is at most once it is percent-encoded.
fn encoded_bytes(text: &str) -> usize {
    let of_byte = |byte: u8| {
        let stays = byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&()*+,;=%".contains(&byte);
        if stays { 1 } else { 3 }
    };
    text.bytes().map(of_byte).sum()
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '+' | '-'))
}

fn is_host(host: &str) -> bool {
    let forbidden = |c: char| {
        c.is_whitespace() || matches!(c, '<' | '>' | '{' | '}' | '/' | '\\' | '?' | '#' | '@' | '"')
    };
    let literal = host.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
    !host.contains(forbidden)
        && literal.is_none_or(|literal| {
            literal.chars().all(|c| c.is_ascii_alphanumeric() || "-._~!$&'()*+,;=:".contains(c))
        })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Urls, nearly urls, and anything.
    fn text() -> impl Strategy<Value = String> {
        let known = prop::sample::select(vec![
            "http", "https", "ftp", "ssh", "HTTP", ":", "//", "/", "?", "#", "@", "[", "]", "::1",
            "1.2.3.4", "e.com", "größe", "-", "_", "%0a", "%0D", " ", "\n", "\r", "\t", "\u{a0}",
            "<", "\\", "80",
        ]);
        let part = prop_oneof![4 => known.prop_map(str::to_owned), 1 => "\\PC{0,3}"];
        let parts = proptest::collection::vec(part, 0..10).prop_map(|parts| parts.concat());
        prop_oneof![parts.clone(), parts.prop_map(|rest| format!("https://e{rest}"))]
    }

    proptest! {
        #[test]
        fn any_text_is_a_url_that_stays_one_or_refused(text in text()) {
            let Ok(url) = LinkUrl::parse(&text) else { return Ok(()) };
            prop_assert_eq!(LinkUrl::parse(url.as_str()), Ok(url.clone()));
            let stored = url.as_str();
            prop_assert!(text.contains(stored));
            prop_assert!(!stored.contains(['\r', '\n']));
            let (scheme, _) = stored.split_once(':').unwrap();
            prop_assert!(ALLOWED_SCHEMES.contains(&scheme), "{stored}");
        }
    }

    #[test]
    fn urls_gitlab_accepts_are_accepted() {
        for url in [
            "https://example.com",
            "http://localhost",
            "http://127.0.0.1:3000/x",
            "http://10.0.0.1",
            "http://192.168.10.15:3000/msi",
            "http://[::1]/x",
            "http://[::1]:80/",
            "ftp://f.example/x",
            "https://user:pass@e.com/",
            "https://größe.example/",
            "https://e.com/a b",
            "https://e.com/<x>",
            "https://e.com/%zz",
            "https://e.com:0/",
            "https://e.com:99999/",
            "http:foo",
            "https:///p",
            "https://e.com:/",
            "https://e.com?q",
            "https://e.com#f",
            "https://e.com/%0a",
            "http:///",
        ] {
            assert_eq!(LinkUrl::parse(url).map(|u| u.0), Ok(url.to_owned()), "{url}");
        }
    }

    #[test]
    fn urls_gitlab_refuses_are_refused_with_its_reason() {
        use UrlViolation::{Blank, HostInvalid, Invalid, SchemeNotAllowed, TooLong};
        for (url, violation) in [
            ("", Blank),
            (" \t\n", Blank),
            ("\u{a0}", Blank),
            ("hoge", SchemeNotAllowed),
            ("/x", SchemeNotAllowed),
            ("HTTP://e.com", SchemeNotAllowed),
            ("javascript:alert(1)", SchemeNotAllowed),
            ("ssh://h", SchemeNotAllowed),
            ("//e.com", SchemeNotAllowed),
            (":x", SchemeNotAllowed),
            ("data:text/html,x", SchemeNotAllowed),
            ("http://", Invalid),
            ("https://?q", Invalid),
            ("http:", Invalid),
            ("http://a\nb", Invalid),
            ("http://a\r\nb", Invalid),
            ("http://e.com:x/", Invalid),
            ("http://e.com:123456/", Invalid),
            ("http://e<.com", Invalid),
            ("http://e .com", Invalid),
            ("http://[a b]", Invalid),
            ("1http://e.com", Invalid),
            ("ht_tp://e.com", Invalid),
            ("ftp://e.com/%0a", Invalid),
            ("ftp://e.com/%0Dx", Invalid),
            ("https://-a.com", HostInvalid),
            ("https://_a.com", HostInvalid),
            ("https://*.e.com", HostInvalid),
            ("https://.e.com", HostInvalid),
            (&format!("https://e.com/{}", "x".repeat(2035)), TooLong),
            (&format!("https://e.com/{}", "é".repeat(1_364)), TooLong),
            (&format!("https://e.com/{}", "🦀".repeat(682)), TooLong),
        ] {
            assert_eq!(LinkUrl::parse(url), Err(violation), "{url:?}");
        }
    }

    #[test]
    fn the_url_is_trimmed_and_2048_characters_fit() {
        assert_eq!(LinkUrl::parse(" \nhttp://e.com\t").unwrap().as_str(), "http://e.com");
        assert!(LinkUrl::parse(&format!("https://e.com/{}", "x".repeat(2034))).is_ok());
    }
}
