//! Concurrent histories of one release, checked for linearizability against a sequential model of
//! it, while the database behind it is bad.
//!
//! Lists are not in the histories: a query of the database promises no more than that each item it
//! returns was committed. They are checked for that.

mod listing;
mod model;
mod worker;

use std::sync::Arc;
use std::time::{Duration, Instant};

use comfy_table::{Table, presets};
use harness::proxy::now_and_then;
use harness::world::Proxied;
use serde_json::json;
use todc_utils::linearizability::WGLChecker;
use todc_utils::linearizability::history::{Action, History};
use tokio::task::JoinSet;

use crate::progress::Progress;
use crate::{Error, Options, Verdict};
use listing::List;
use model::{Release, Step};
use worker::Worker;

/// How many clients there are at once.
const WORKERS: usize = 6;
/// How many steps each of them takes in a round: a history that is checked as one.
const STEPS: usize = 25;
/// One request to the database in so many fails.
const ONE_FAULT_IN: u64 = 10;

/// What happened, in the order in which it was seen to begin and end, with who did it.
pub(crate) type Events = Vec<(usize, Action<Step>)>;

/// Runs rounds until the time is over.
pub(crate) async fn prove(options: &Options) -> Result<Verdict, Error> {
    let length = if options.quick { Duration::from_secs(30) } else { Duration::from_mins(10) };
    let proxied = Arc::new(Proxied::hello().await);
    proxied.proxy.decide(now_and_then(ONE_FAULT_IN));
    let progress = Progress::over(length);
    let started = Instant::now();
    let mut missed = Vec::new();
    let (mut rounds, mut steps, mut lists) = (0_u64, 0, 0);
    while started.elapsed() < length && missed.is_empty() {
        let seed = fastrand::u64(..);
        let (events, listed) = round(&proxied, seed).await?;
        steps += events.len() / 2;
        lists += listed.len();
        rounds += 1;
        if !is_linearizable(&events) {
            missed.push(format!(
                "a history is not linearizable (seed {seed}):\n{}",
                shown(&small(events.clone()))
            ));
        }
        for list in &listed {
            missed.extend(list.violations(&events));
        }
        progress.show(started.elapsed());
    }
    progress.end();
    let audit = proxied.world.audit().await;
    missed.extend(audit.violations.iter().map(|violation| format!("the audit: {violation}")));

    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    table.set_header(["histories", "steps", "lists", "refused", "broken rules in the tables"]);
    let refused = missed.len() - audit.violations.len();
    table.add_row([
        rounds.to_string(),
        steps.to_string(),
        lists.to_string(),
        refused.to_string(),
        audit.violations.len().to_string(),
    ]);
    println!("{table}");
    let figures = json!({
        "histories": rounds,
        "steps": steps,
        "lists": lists,
        "refused": refused,
        "audit_violations": audit.violations.len(),
        "one_fault_in": ONE_FAULT_IN,
    });
    Ok(Verdict { figures, missed })
}

/// A release that nobody has used before, and what came of using it at once.
async fn round(proxied: &Proxied, seed: u64) -> Result<(Events, Vec<List>), Error> {
    let events = worker::Story::default();
    let tag = format!("round-{seed:016x}");
    let mut workers = JoinSet::new();
    for number in 0..WORKERS {
        let worker = Worker::new(number, seed, proxied.api.clone(), &tag, Arc::clone(&events));
        workers.spawn(worker.run(STEPS));
    }
    let mut lists = Vec::new();
    while let Some(listed) = workers.join_next().await {
        lists.extend(listed??);
    }
    // What is left is not in the way of the next round, and the audit stays quick.
    proxied.api.delete(&format!("/projects/20/releases/{tag}")).await;
    let events = std::mem::take(&mut *events.lock().map_err(|_| "a worker panicked")?);
    Ok((events, lists))
}

fn is_linearizable(events: &Events) -> bool {
    WGLChecker::<Release>::is_linearizable(History::from_actions(events.clone()))
}

/// The same history without the reads that are not needed to see that it is wrong.
fn small(mut events: Events) -> Events {
    let mut at = 0;
    while at < events.len() {
        let (who, ref action) = events[at];
        let end = events[at + 1..].iter().position(|(other, _)| *other == who);
        let reads = match (action, end.map(|end| &events[at + 1 + end].1)) {
            (Action::Call(_), Some(Action::Response(step))) => step.reads(),
            _ => false,
        };
        if let Some(end) = end.filter(|_| reads) {
            let mut fewer = events.clone();
            fewer.remove(at + 1 + end);
            fewer.remove(at);
            if !is_linearizable(&fewer) {
                events = fewer;
                continue;
            }
        }
        at += 1;
    }
    events
}

/// A line for each beginning and end.
fn shown(events: &Events) -> String {
    let line = |(who, action): &(usize, Action<Step>)| match action {
        Action::Call(step) => format!("  {who} asks     {step:?}"),
        Action::Response(step) => format!("  {who} answered {step:?}"),
    };
    events.iter().map(line).collect::<Vec<_>>().join("\n")
}
