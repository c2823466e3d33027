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
mod architecture_rules;
mod clients;
mod concurrency;
mod db_request_counts;
mod deploy;
mod examples;
mod fault_injection;
mod headers;
mod hidden;
mod id_tokens;
mod imports;
mod lambda;
mod local;
mod local_access;
mod logs;
mod pages;
mod path_linearizability;
mod projects;
mod properties;
mod publish_again;
mod redirects;
mod release_lifecycle;
mod scale;
mod slashes;
mod user_job_version;
mod web;
