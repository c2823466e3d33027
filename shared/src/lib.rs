//! What every release-links function shares: the rules of a release link, the `DynamoDB` store,
//! GitLab's wire format, and who may do what.
//!
//! Dependencies point one way: `main -> handle -> http, access -> store -> domain`.

pub mod api;
pub mod app;
pub mod authorize;
pub mod connection;
pub mod domain;
pub mod routes;
pub mod store;
