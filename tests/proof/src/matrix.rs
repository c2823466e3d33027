//! Every caller against every operation of every kind of project, by every carrier of a token, as
//! tables of GitLab's behaviour foretell it; tokens that are almost good.

mod cell;
mod oracle;
mod scene;
mod tokens;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use comfy_table::{Table, presets};
use harness::Server;
use harness::server::EMPTY;
use harness::test_app::TestApp;
use serde_json::json;
use shared::routes::{Function, ROUTES, Verb};
use tokio::task::JoinSet;

use crate::progress::Progress;
use crate::{Error, Options, Verdict};
use cell::{Caller, Cell, Setting, all, few_settings, some};
use scene::{Outcome, Scene};

/// How many clients there are at once.
const CLIENTS: usize = 32;
const TOLD: usize = 20;

#[derive(Default)]
struct Tally {
    allowed: u64,
    refused: u64,
    disagreeing: u64,
}

/// Asks for every cell and compares.
pub(crate) async fn prove(options: &Options) -> Result<Verdict, Error> {
    let (settings, pairs) =
        if options.quick { (few_settings(), 200) } else { (Setting::all(), 2000) };
    let (reading, writing) = if options.quick { some(&settings) } else { all(&settings) };
    let app = Arc::new(TestApp::over(Server::start_with_log("WARN", &EMPTY)));
    let scene = Arc::new(Scene::set(Arc::clone(&app), &settings).await?);
    let progress = Arc::new(Progress::of((reading.len() + writing.len()) as u64));
    let mut outcomes = ask(&scene, reading, 0, &progress).await?;
    outcomes.extend(ask(&scene, writing, outcomes.len(), &progress).await?);
    progress.end();
    let traces = scene.traces().await?;
    let left_out = left_out(&outcomes, options.quick);
    let (cells, disagreeing) = show(&outcomes);

    // The rest on a server of its own, where nothing is slow because of what was made before.
    let (quiet, _) = TestApp::hello().await;
    let changed = tokens::change(&quiet).await?;
    let times = tokens::time(&quiet, pairs).await?;
    show_rest(&changed, times);

    let figures = json!({
        "cells": cells,
        "disagreeing": disagreeing,
        "traces_of_refused_writes": traces.len(),
        "changed_tokens": changed.tried,
        "changed_tokens_accepted": changed.accepted.len(),
        "wrong_tokens": {
            "near_us": times.near.as_micros(),
            "far_us": times.far.as_micros(),
            "ratio": times.ratio(),
            "pairs": times.pairs,
            "measurements": times.measurements,
        },
    });
    let mut missed = Vec::new();
    if disagreeing > 0 {
        missed.push(format!("{disagreeing} of {cells} cells disagree"));
    }
    if !times.are_equal() {
        missed.push(format!("wrong tokens differ in time by {:.2}", times.ratio()));
    }
    missed.extend(left_out);
    missed.extend(traces);
    missed.extend(changed.accepted);
    Ok(Verdict { figures, missed })
}

/// Sends the requests of these cells, many at once, in random order.
async fn ask(
    scene: &Arc<Scene>,
    mut cells: Vec<Cell>,
    first: usize,
    progress: &Arc<Progress>,
) -> Result<Vec<Outcome>, Error> {
    fastrand::shuffle(&mut cells);
    let (cells, next) = (Arc::new(cells), Arc::new(AtomicUsize::new(0)));
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        let (cells, next) = (Arc::clone(&cells), Arc::clone(&next));
        let (scene, progress) = (Arc::clone(scene), Arc::clone(progress));
        clients.spawn(async move {
            let mut outcomes = Vec::new();
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                let Some(cell) = cells.get(at) else { return Ok::<_, Error>(outcomes) };
                outcomes.push(Box::pin(scene.check(*cell, first + at)).await?);
                progress.advance();
            }
        });
    }
    let mut outcomes = Vec::new();
    while let Some(of_client) = clients.join_next().await {
        outcomes.extend(of_client??);
    }
    Ok(outcomes)
}

/// The routes of endpoints that no request took.
fn left_out(outcomes: &[Outcome], is_quick: bool) -> Vec<String> {
    ROUTES
        .iter()
        // A list of projects is of no project: `projects::list` compares it with what each caller sees.
        .filter(|route| ![Function::Web, Function::ListProjects].contains(&route.function))
        .filter(|route| !(is_quick && route.verb == Verb::Head))
        .filter(|route| !outcomes.iter().any(|outcome| outcome.route == *route))
        .map(|route| format!("no cell asks for {} {}", route.verb.as_str(), route.path))
        .collect()
}

/// Prints a row for each caller, and what disagrees; answers with how many cells there are, and how
/// many of them disagree.
fn show(outcomes: &[Outcome]) -> (u64, u64) {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    table.set_header(["caller", "cells", "to be allowed", "to be refused", "as foretold"]);
    let mut total = Tally::default();
    for caller in Caller::all() {
        let mut tally = Tally::default();
        for outcome in outcomes.iter().filter(|outcome| outcome.caller == caller) {
            if outcome.allowed {
                tally.allowed += 1;
            } else {
                tally.refused += 1;
            }
            tally.disagreeing += u64::from(outcome.disagreement.is_some());
        }
        add_row(&mut table, &caller.to_string(), &tally);
        total.allowed += tally.allowed;
        total.refused += tally.refused;
        total.disagreeing += tally.disagreeing;
    }
    add_row(&mut table, "all", &total);
    println!("{table}");
    let told = outcomes.iter().filter_map(|outcome| outcome.disagreement.as_ref());
    for disagreement in told.take(TOLD) {
        println!("{disagreement}");
    }
    (total.allowed + total.refused, total.disagreeing)
}

fn add_row(table: &mut Table, name: &str, tally: &Tally) {
    let cells = tally.allowed + tally.refused;
    let counts = [cells, tally.allowed, tally.refused, cells - tally.disagreeing];
    table.add_row([name.to_owned()].into_iter().chain(counts.map(|count| count.to_string())));
}

fn show_rest(changed: &tokens::Changed, times: tokens::Times) {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    table.set_header(["attack", "tries", "refused", "accepted"]);
    let accepted = changed.accepted.len();
    let counts = [changed.tried, changed.tried - accepted, accepted].map(|count| count.to_string());
    table.add_row(["a good token with a character changed".to_owned()].into_iter().chain(counts));
    println!("\n{table}\n");

    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    table.set_header(["wrong token", "pairs", "near a good one", "far from it", "ratio"]);
    table.add_row([
        "median time to refuse it".to_owned(),
        times.pairs.to_string(),
        format!("{} us", times.near.as_micros()),
        format!("{} us", times.far.as_micros()),
        format!("{:.3}", times.ratio()),
    ]);
    println!("{table}");
}
