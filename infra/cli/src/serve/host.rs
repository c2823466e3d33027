//! Which hosts a server on a loopback address answers to. A web page whose domain is made to resolve
//! to 127.0.0.1 (DNS rebinding) still sends that domain as `Host`.

use std::net::{IpAddr, SocketAddr};

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, Response, Uri, header};
use axum::middleware::Next;
use shared::api::error_response::GatewayError;
use shared::domain::web_url::WebUrl;
use url::Url;

use super::refusal::refuse;

/// The host that a request is for. If the request line names one, as in HTTP/2 and in a request to a
/// proxy, the `Host` header does not count (RFC 9112, 3.2.2; RFC 9113, 8.3.1).
pub(crate) enum Requested<'a> {
    Host(&'a str),
    /// As in HTTP/1.0.
    Nothing,
    /// More than one header, or bytes that are no host.
    Unclear,
}

impl<'a> Requested<'a> {
    pub(crate) fn read(uri: &'a Uri, headers: &'a HeaderMap) -> Self {
        if let Some(authority) = uri.authority() {
            return Self::Host(authority.as_str());
        }
        let mut hosts = headers.get_all(header::HOST).iter();
        match (hosts.next().map(HeaderValue::to_str), hosts.next()) {
            (None, _) => Self::Nothing,
            (Some(Ok(host)), None) => Self::Host(host),
            (Some(_), _) => Self::Unclear,
        }
    }
}

/// Whether a host, with or without a port, is `localhost` or a loopback address.
pub(crate) fn is_loopback(host: &str) -> bool {
    name(host)
        .is_some_and(|name| name == "localhost" || name.parse().is_ok_and(is_loopback_address))
}

/// Whether this machine alone can reach an address, an IPv4 address in IPv6 form included.
fn is_loopback_address(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

/// A host without port and brackets, in lower case; `None` if it is no host.
fn name(host: &str) -> Option<String> {
    let authority: Authority = host.parse().ok()?;
    let name = authority.host();
    // A URL may have user information before an `@`; a `Host` has a name and at most a port.
    let has_only_a_port = match host.strip_prefix(name)? {
        "" => true,
        rest => rest.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok()),
    };
    has_only_a_port.then(|| name.trim_matches(['[', ']']).to_ascii_lowercase())
}

/// The hosts that the API answers to.
#[derive(Clone)]
pub(crate) enum Hosts {
    /// All: other machines reach it by names that it cannot know.
    Any,
    /// Those of loopback, and the host of `--public-url`.
    Loopback { public: Option<String> },
}

impl Hosts {
    /// The hosts of an API that listens at `address`.
    pub(crate) fn of(address: SocketAddr, public_url: Option<&WebUrl>) -> Self {
        if !is_loopback_address(address.ip()) {
            return Self::Any;
        }
        let public = public_url.and_then(|url| Url::parse(&url.to_string()).ok());
        Self::Loopback { public: public.and_then(|url| url.host_str().and_then(name)) }
    }

    fn admit(&self, host: &str) -> bool {
        match self {
            Self::Any => true,
            // A malformed host is no browser's, and gets an answer of its own.
            Self::Loopback { public } => {
                is_loopback(host) || name(host).is_none_or(|name| Some(name) == *public)
            }
        }
    }
}

/// Refuses a request to a host that is not one of `hosts`.
pub(crate) async fn check(
    State(hosts): State<Hosts>,
    request: Request,
    next: Next,
) -> Response<Body> {
    match Requested::read(request.uri(), request.headers()) {
        Requested::Host(host) if !hosts.admit(host) => refuse(GatewayError::ForeignHost),
        Requested::Unclear => refuse(GatewayError::BadRequest),
        Requested::Host(_) | Requested::Nothing => next.run(request).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_loopback_address_refuses_foreign_hosts() {
        for (address, admits) in [
            ("127.0.0.1:80", false),
            ("[::1]:80", false),
            ("[::ffff:127.0.0.1]:80", false),
            ("0.0.0.0:80", true),
            ("[::ffff:192.0.2.1]:80", true),
        ] {
            let hosts = Hosts::of(address.parse().unwrap(), None);
            assert_eq!(hosts.admit("evil.example"), admits, "{address}");
            assert!(hosts.admit("[::ffff:127.0.0.1]:80"), "{address}");
        }
    }
}
