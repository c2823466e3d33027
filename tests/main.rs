//! Black-box tests of the whole service: the real server, a real DynamoDB API, whole answers.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test that cannot go on fails"
)]

mod access;
mod admin;
mod caller;
mod clients;
mod concurrency;
mod deploy;
mod examples;
mod faults;
mod headers;
mod hidden;
mod lambda;
mod lives;
mod local;
mod local_access;
mod logs;
mod moves;
mod pages;
mod projects;
mod properties;
mod redirects;
mod round_trips;
mod scale;
mod slashes;
mod tidy;
mod web;
