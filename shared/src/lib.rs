//! The code that all functions share: the rules of a release link, the `DynamoDB` store, GitLab's wire
//! format, and the rights of callers.
//!
//! Imports point one way: `lambda -> api -> app -> authorize -> store -> domain`.

pub mod api;
pub mod app;
pub mod authorize;
pub mod aws_client;
pub mod config;
pub mod connection;
pub mod domain;
pub mod lambda;
pub mod logging;
pub mod request_record;
pub mod routes;
pub mod store;
