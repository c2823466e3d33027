//! The work of `sweep`, which the table's stream starts on AWS. The embedded database never deletes the
//! records of a stream. Here, a scan of the whole table takes its place.

use std::time::Duration;

use shared::app::App;
use shared::domain::time::Timestamp;
use shared::store::error::with_causes;
use shared::store::sweep::GRACE;
use tokio::time::{Instant, interval_at};

/// How long one request of a sweep may take.
const STEP: Duration = Duration::from_secs(30);

/// Removes what deleted releases left behind, again and again.
pub(crate) async fn sweep_every(app: &App, period: Duration) {
    let mut ticks = interval_at(Instant::now() + period, period);
    loop {
        ticks.tick().await;
        match app.store.sweep(Timestamp::now().minus(GRACE), STEP).await {
            Ok(swept) => tracing::info!(links = swept.links, claims = swept.claims, "swept"),
            Err(error) => tracing::error!(cause = with_causes(&error), "a sweep failed"),
        }
    }
}
