//! A long, mixed load on the local server: its memory stays flat, its descriptors come back, every
//! answer is the one that has to come, and the tables are sound at the end.
//!
//! The database is in another process: in memory it rightly grows by what deleted releases leave
//! behind until they are old enough to be swept, and on disk it would be the disk that is loaded.

mod client;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::report::report;
use crate::statistics::median;
use crate::{Error, Options, Verdict, process};
use client::Client;
use harness::server::EMPTY;
use harness::test_app::{TestApp, project};
use harness::{Api, Server};
use shared::domain::time::Timestamp;
use tokio::task::JoinSet;

/// How many clients there are at once.
const CLIENTS: usize = 64;
/// How long clients call before anything is measured: caches and pools fill.
const WARM_UP: Duration = Duration::from_secs(5);
/// After so long without a request nothing is on its way any more.
const QUIET: Duration = Duration::from_secs(1);
/// The connections to the database that a higher peak than the first may leave in the pool.
const SPARE_DESCRIPTORS: usize = 16;
const TOLD: usize = 20;
const MEASURED_EACH: Duration = Duration::from_secs(1);
/// Bounds each request of the sweep at the end.
const STEP: Duration = Duration::from_secs(30);

#[derive(Default)]
struct Seen {
    answers: AtomicU64,
    stop: AtomicBool,
}

/// Calls until the time is over.
pub(crate) async fn prove(options: &Options) -> Result<Verdict, Error> {
    let (length, most) = if options.quick {
        (Duration::from_secs(45), 1.25)
    } else {
        (Duration::from_mins(15), 1.1)
    };
    let app = TestApp::over(Server::start_with_log("WARN", &EMPTY));
    app.project(project(client::PROJECT, "mynamespace/hello")).await;
    let flags = ["--no-sample", "--endpoint-url", &app.server.dynamodb_url];
    let server = Server::start_with_log("WARN", &flags);
    let api = app.developer().await.at(&server.address);
    let pid = server.pid();

    let Loaded { mut unexpected, .. } = load(&api, WARM_UP, || Ok(())).await?;
    tokio::time::sleep(QUIET).await;
    let descriptors_before = process::descriptors(pid)?;
    let mut resident = Vec::new();
    let Loaded { answers, took, unexpected: more } = load(&api, length, || {
        resident.push(process::resident_kilobytes(pid)?);
        Ok(())
    })
    .await?;
    unexpected.extend(more);
    tokio::time::sleep(QUIET).await;
    let descriptors_after = process::descriptors(pid)?;
    // Each client has left what it was working on.
    let audit = app.audit().await;
    let later = Timestamp::now().plus(Duration::from_secs(1));
    app.store.sweep(later, STEP).await?;
    let left = app.audit().await.unreachable;

    let (second, last) = (quarter(&resident, 1), quarter(&resident, 3));
    let growth = last / second;
    let rate = answers / took.as_secs().max(1);
    let figures = report(vec![vec![
        ("clients", CLIENTS.into()),
        ("seconds", length.as_secs().into()),
        ("answers", answers.into()),
        ("a second", rate.into()),
        ("unexpected", unexpected.len().into()),
        ("MB, second quarter", (second / 1024.0).into()),
        ("MB, last quarter", (last / 1024.0).into()),
        ("growth", growth.into()),
        ("descriptors before", descriptors_before.into()),
        ("and after", descriptors_after.into()),
        ("links at the end", audit.links.into()),
        ("broken rules", audit.violations.len().into()),
    ]]);
    let mut missed = Vec::new();
    if growth > most || growth.is_nan() {
        missed.push(format!("memory grows by {growth:.3}, more than {most}"));
    }
    if descriptors_after > descriptors_before + SPARE_DESCRIPTORS {
        missed.push(format!("{descriptors_after} descriptors after {descriptors_before}"));
    }
    if server.has_panicked() || app.server.has_panicked() {
        missed.push("a server has panicked".to_owned());
    }
    if audit.links == 0 || left > 0 {
        missed.push(format!("{} links at the end, {left} items after a sweep", audit.links));
    }
    missed.extend(unexpected.into_iter().take(TOLD));
    missed.extend(audit.violations.iter().map(|violation| format!("the audit: {violation}")));
    Ok(Verdict { figures, missed })
}

struct Loaded {
    answers: u64,
    /// Until the last client had its answer.
    took: Duration,
    unexpected: Vec<String>,
}

/// Runs all clients for so long, and calls `each` every second.
async fn load(
    api: &Api,
    length: Duration,
    mut each: impl FnMut() -> Result<(), Error>,
) -> Result<Loaded, Error> {
    let seen = Arc::new(Seen::default());
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        clients.spawn(Client::new(api, Arc::clone(&seen)).run());
    }
    let started = Instant::now();
    while started.elapsed() < length {
        tokio::time::sleep(MEASURED_EACH).await;
        each()?;
    }
    seen.stop.store(true, Ordering::Relaxed);
    let mut unexpected = Vec::new();
    while let Some(of_client) = clients.join_next().await {
        unexpected.extend(of_client?);
    }
    let answers = seen.answers.load(Ordering::Relaxed);
    Ok(Loaded { answers, took: started.elapsed(), unexpected })
}

/// The median of a quarter of what was measured.
fn quarter(measured: &[f64], number: usize) -> f64 {
    let quarter = measured.len() / 4;
    median(&mut measured[number * quarter..(number + 1) * quarter].to_vec())
}
