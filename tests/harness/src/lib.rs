//! The service as its users see it: the real server as a process, a client that distrusts it, and
//! the operator's way to projects, releases and tokens.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    clippy::disallowed_methods,
    reason = "what cannot be set up for a test fails it"
)]
#![allow(
    missing_docs,
    clippy::must_use_candidate,
    clippy::return_self_not_must_use,
    reason = "for the tests beside it alone"
)]
// The claims of an ID token are one long `json!`.
#![recursion_limit = "256"]

/// The size of a page without `per_page`, as GitLab has it.
pub const DEFAULT_PER_PAGE: &str = "20";

pub mod binaries;
pub mod client;
pub mod connection;
pub mod errors;
pub mod issuer;
pub mod issuer_server;
mod link_body;
pub mod proxy;
pub mod server;
pub mod test_app;
pub mod tls;

pub use client::{Api, Reply};
pub use link_body::LinkBody;
pub use proxy::{Fault, Gate};
pub use server::Server;
pub use test_app::TestApp;
