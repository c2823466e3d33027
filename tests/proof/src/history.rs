//! Concurrent histories of one release over a faulty database, checked for linearizability against a
//! sequential model.

mod listing;
mod model;
mod order;
mod step;
#[cfg(test)]
mod tests;
mod worker;

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::report::report;
use crate::{Error, Options, Verdict};
use harness::proxy::now_and_then;
use harness::test_app::{Proxied, RELEASES};
use order::is_linearizable;
use shared::domain::time::Timestamp;
use shared::store::audit::Audit;
use step::Step;
use todc_utils::linearizability::history::Action;
use tokio::task::JoinSet;
use worker::Worker;

/// How many clients there are at once.
const WORKERS: usize = 6;
/// How many steps each of them takes in a round: a history that is checked as one.
const STEPS: usize = 25;
/// One request to the database in so many fails.
const ONE_FAULT_IN: u64 = 10;
/// How long one request of a sweep may take.
const SWEEP_STEP: Duration = Duration::from_secs(30);

/// A request of a client, or a response.
pub(crate) type Event = (usize, Action<Step>);

/// The events, with their clients, in the order in which they were seen to begin and end.
pub(crate) type Events = Vec<Event>;

/// Runs rounds until the time is over, or one has shown something wrong.
pub(crate) async fn prove(options: &Options) -> Result<Verdict, Error> {
    let length = if options.quick { Duration::from_secs(30) } else { Duration::from_mins(10) };
    let proxied = Proxied::hello().await;
    proxied.proxy.decide(now_and_then(ONE_FAULT_IN));
    let started = Instant::now();
    let mut tally = Tally::default();
    while started.elapsed() < length && tally.missed.is_empty() {
        let round = round(&proxied, &format!("round-{}", tally.rounds)).await?;
        tally.take(&round);
    }

    let Tally { rounds, steps, lists, refused, unexpected, audited, broken, left, missed } = tally;
    let figures = report(vec![vec![
        ("histories", rounds.into()),
        ("steps", steps.into()),
        ("lists", lists.into()),
        ("refused", refused.into()),
        ("impossible responses", unexpected.into()),
        ("links audited", audited.into()),
        ("broken rules", broken.into()),
        ("left after sweeps", left.into()),
    ]]);
    Ok(Verdict { figures, missed })
}

#[derive(Default)]
struct Tally {
    rounds: u64,
    /// Answers, without those that are lists.
    steps: u64,
    lists: u64,
    /// Histories that no order explains, and lists with a link twice.
    refused: u64,
    unexpected: u64,
    /// Links that were there at the end of their round.
    audited: u64,
    broken: u64,
    left: u64,
    missed: Vec<String>,
}

impl Tally {
    fn take(&mut self, round: &Round) {
        self.rounds += 1;
        for (_, action) in &round.events {
            match action {
                Action::Response(Step::ListLinks(_)) => self.lists += 1,
                Action::Response(_) => self.steps += 1,
                Action::Call(_) => {}
            }
        }
        let twice = listing::twice(&round.events);
        let violations = &round.audit.violations;
        self.unexpected += round.unexpected.len() as u64;
        self.refused += twice.len() as u64;
        self.broken += violations.len() as u64;
        self.audited += round.audit.links;
        let broken = violations.iter().map(|what| format!("the audit: {what}"));
        self.missed.extend(round.unexpected.iter().cloned().chain(twice).chain(broken));
        if !self.missed.is_empty() {
            self.missed.push(format!("the history of that:\n{}", shown(&round.events)));
        }
        if !is_linearizable(&round.events) {
            self.refused += 1;
            let events = shown(up_to_the_first_refusal(&round.events));
            self.missed.push(format!("no order explains this history:\n{events}"));
        }
        self.left += round.left;
        if round.left > 0 {
            self.missed.push(format!("{} items are left after a sweep", round.left));
        }
    }
}

/// The history up to the first response with which it is refused.
fn up_to_the_first_refusal(events: &[Event]) -> &[Event] {
    let is_response = |(at, (_, action)): (usize, &Event)| {
        matches!(action, Action::Response(_)).then_some(at + 1)
    };
    let ends: Vec<usize> = events.iter().enumerate().filter_map(is_response).collect();
    // A part of an explained history is explained: these come first.
    let explained = ends.partition_point(|end| is_linearizable(&events[..*end]));
    &events[..ends.get(explained).copied().unwrap_or(events.len())]
}

/// A line for each beginning and end.
fn shown(events: &[Event]) -> String {
    let line = |(client, action): &Event| match action {
        Action::Call(step) => format!("  {client} asks     {step:?}"),
        Action::Response(step) => format!("  {client} answered {step:?}"),
    };
    events.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// The result for a release that six clients used at once.
struct Round {
    events: Events,
    /// Answers that cannot be, each with the client that got it and took no further step.
    unexpected: Vec<String>,
    /// The tables before the release was deleted, without writers.
    audit: Audit,
    /// How many items of no release there were when the release was deleted and all was swept.
    left: u64,
}

/// Lets clients use a new release, and checks the tables afterwards.
async fn round(proxied: &Proxied, tag: &str) -> Result<Round, Error> {
    let log = worker::EventLog::default();
    let api = proxied.api.allowing_failures();
    let mut workers = JoinSet::new();
    for number in 0..WORKERS {
        let worker = Worker::new(number, api.clone(), tag, Arc::clone(&log));
        workers.spawn(async move {
            worker.run(STEPS).await.map_err(|error| format!("client {number}: {error}"))
        });
    }
    let mut unexpected = Vec::new();
    while let Some(ended) = workers.join_next().await {
        match ended {
            Ok(Ok(())) => {}
            Ok(Err(words)) => unexpected.push(words),
            Err(error) => unexpected.push(format!("a client: {error}")),
        }
    }
    let events = std::mem::take(&mut *log.lock().map_err(|_| "a client panicked")?);

    // Neither the audit nor what puts the round away goes through the proxy.
    let app = &proxied.app;
    let audit = app.audit().await;
    proxied.api.at(&app.server.address).delete(&format!("{RELEASES}/{tag}")).await;
    let later = Timestamp::now().plus(Duration::from_secs(1));
    app.store.sweep(later, SWEEP_STEP).await?;
    let left = app.audit().await.unreachable;
    Ok(Round { events, unexpected, audit, left })
}
