//! The log.

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config;

/// Writes the log as JSON lines.
///
/// Only this project's own lines can be turned up: the Lambda runtime and the HTTP stack write whole
/// events at their lowest levels, and with them the tokens of every caller.
pub fn log_to<W>(writer: W)
where
    W: for<'a> tracing_subscriber::fmt::MakeWriter<'a> + Send + Sync + 'static,
{
    let level =
        config::log_level().and_then(|level| level.parse().ok()).unwrap_or(LevelFilter::INFO);
    let ours = ["shared", "sweep", "refresh_issuers", "check_deployment", "release_links"]
        .map(|target| (target, level));
    let filter = Targets::new().with_default(LevelFilter::WARN).with_targets(ours);
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_writer(writer);
    // A second call, in a process that has a log, changes nothing.
    let _ = tracing_subscriber::registry().with(filter).with(lines).try_init();
}
