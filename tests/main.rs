//! Black-box tests of the whole service: the real server, a real DynamoDB API, whole answers.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test that cannot go on fails"
)]

mod harness;

mod access;
mod concurrency;
mod faults;

mod projects;
mod round_trips;
mod web;
