//! Which hosts a server on a loopback address answers to. A web page whose domain is made to resolve
//! to 127.0.0.1 (DNS rebinding) still sends that domain as `Host`.

use std::net::{IpAddr, SocketAddr};

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{Response, header};
use axum::middleware::Next;
use shared::app::WebUrl;
use shared::http::error::GatewayError;
use url::Url;

use crate::gateway;

/// Whether a `Host`, with or without a port, is `localhost` or a loopback address.
pub(crate) fn is_loopback(host: &str) -> bool {
    name(host).is_some_and(|name| {
        name == "localhost" || name.parse().is_ok_and(|address: IpAddr| address.is_loopback())
    })
}

/// A `Host` without port and brackets, in lower case; `None` if it is no host.
fn name(host: &str) -> Option<String> {
    let authority: Authority = host.parse().ok()?;
    let name = authority.host();
    // A URL may have user information before an `@`; a `Host` may not.
    (!host.contains('@')).then(|| name.trim_matches(['[', ']']).to_ascii_lowercase())
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
        if !address.ip().is_loopback() {
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
    let host = request.headers().get(header::HOST).map(|host| host.to_str().unwrap_or_default());
    if host.is_none_or(|host| hosts.admit(host)) {
        next.run(request).await
    } else {
        gateway::refuse(GatewayError::ForeignHost)
    }
}
