//! What one link costs in releases of ever more links, and one release in projects of ever more
//! releases.

mod step;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use comfy_table::{Table, presets};
use harness::proxy::Proxy;
use harness::test_app;
use serde_json::{Value, json};
use shared::domain::project::ProjectId;
use shared::domain::release::NewLinks;
use shared::routes::Function;

use crate::pool::Pool;
use crate::progress::Progress;
use crate::statistics::{median, milliseconds};
use crate::test_database::TestDatabase;
use crate::{Error, Options, Verdict, binaries};
use step::{Place, Step};

/// Processor time among the most, at most so many times that among the fewest.
const MOST_CPU: f64 = 1.2;
/// So often what missed that bar is measured again. Whatever else the machine does makes a ratio
/// worse or better, as it hits the most or the fewest: no round is thrown away for a later one, and
/// the middle of all of them is judged.
const MORE_TRIES: usize = 2;
/// As many as a function's process has numbers for after one request for them.
const COUNTED: usize = 16;

/// How much there is, and how often it is measured.
struct Plan {
    links: &'static [usize],
    releases: &'static [usize],
    rounds: usize,
    requests: usize,
}

const FULL: Plan = Plan {
    links: &[10, 100, 1_000, 10_000],
    releases: &[1, 100, 10_000],
    rounds: 9,
    requests: 100,
};
const QUICK: Plan = Plan { links: &[10, 1_000], releases: &[1, 500], rounds: 5, requests: 40 };

/// Places that differ only in how much there is, and what is done there.
struct Family {
    steps: [Step; 5],
    places: Vec<Place>,
}

#[derive(Clone, Default, PartialEq)]
struct Cost {
    requests: f64,
    read_units: f64,
    write_units: f64,
}

/// Measurements of one kind of request in one place.
struct Found {
    step: Step,
    among: usize,
    cost: Cost,
    /// Processor time of a request in each round.
    cpu: Vec<f64>,
}

type Pools = HashMap<Function, Pool>;

/// Measures all places, then holds the largest to the smallest.
pub(crate) async fn prove(options: &Options) -> Result<Verdict, Error> {
    let plan = if options.quick { &QUICK } else { &FULL };
    let binaries = functions(options.functions.as_deref())?;
    // One project for the links, and one for each number of releases.
    let projects: Vec<_> = (0..=plan.releases.len() as u64).map(|n| ProjectId(20 + n)).collect();
    let database = TestDatabase::start(&projects).await?;
    let mut families = populate(&database, plan, &projects).await?;

    let proxy = Proxy::start(&database.url).await;
    let counted = pools(&binaries, &proxy.url).await?;
    let timed = pools(&binaries, &database.url).await?;
    let mut found = Vec::new();
    for family in &mut families {
        found.extend(count(family, &counted, &proxy, &database).await?);
    }
    for family in &mut families {
        let steps = family.steps;
        time(family, &steps, &timed, &database, plan, &mut found).await?;
    }
    show(&found, |_| true);
    let mut missed = judge_costs(&found);
    let mut slow = judge_cpu(&found);
    for _ in 0..MORE_TRIES {
        if slow.is_empty() {
            break;
        }
        let is_slow = |step| slow.iter().any(|(other, _)| *other == step);
        for family in &mut families {
            let steps: Vec<Step> = family.steps.into_iter().filter(|step| is_slow(*step)).collect();
            if !steps.is_empty() {
                time(family, &steps, &timed, &database, plan, &mut found).await?;
            }
        }
        show(&found, is_slow);
        slow = judge_cpu(&found);
    }
    missed.extend(slow.into_iter().map(|(_, words)| words));
    Ok(Verdict { figures: figures(&found), missed })
}

fn functions(folder: Option<&Path>) -> Result<Vec<(Function, PathBuf)>, Error> {
    let functions = Step::LINKS.into_iter().chain(Step::RELEASES).map(Step::function);
    functions.map(|function| Ok((function, binaries::find(folder, function.name())?))).collect()
}

async fn pools(binaries: &[(Function, PathBuf)], database_url: &str) -> Result<Pools, Error> {
    let mut pools = Pools::new();
    for (function, binary) in binaries {
        pools.insert(*function, Pool::start(binary, database_url, 1).await?);
    }
    Ok(pools)
}

async fn populate(
    database: &TestDatabase,
    plan: &Plan,
    projects: &[ProjectId],
) -> Result<[Family; 2], Error> {
    let mut among_links = Vec::new();
    for among in plan.links {
        // Tags of one length have keys of one length.
        let tag = format!("with-{among:05}");
        database.release(projects[0], &tag, test_app::links("file", *among)).await?;
        among_links.push(Place { project: projects[0], tag, among: *among, made: Vec::new() });
    }
    let mut among_releases = Vec::new();
    for (project, among) in projects[1..].iter().zip(plan.releases) {
        for number in 0..*among {
            let tag = format!("v{number:05}");
            database.release(*project, &tag, NewLinks::default()).await?;
        }
        let tag = "v00000".to_owned();
        among_releases.push(Place { project: *project, tag, among: *among, made: Vec::new() });
    }
    Ok([
        Family { steps: Step::LINKS, places: among_links },
        Family { steps: Step::RELEASES, places: among_releases },
    ])
}

/// Sends so many requests of one kind, one after another.
async fn send(
    place: &mut Place,
    step: Step,
    count: usize,
    pools: &Pools,
    database: &TestDatabase,
) -> Result<(), Error> {
    let pool = pools.get(&step.function()).ok_or("no function for this")?;
    if step == Step::CreateLink {
        place.made.clear();
    }
    for number in 0..count {
        let answer = pool.invoke(&place.event(step, number, &database.token)?).await?;
        if step == Step::CreateLink {
            let body: Value = serde_json::from_str(answer["body"].as_str().unwrap_or_default())?;
            place.made.push(body["id"].as_u64().ok_or("no id")?);
        }
    }
    Ok(())
}

async fn count(
    family: &mut Family,
    pools: &Pools,
    proxy: &Proxy,
    database: &TestDatabase,
) -> Result<Vec<Found>, Error> {
    let mut found = Vec::new();
    for place in &mut family.places {
        for step in family.steps {
            proxy.take_seen();
            let count = if step.is_list() { 1 } else { COUNTED };
            send(place, step, count, pools, database).await?;
            #[expect(clippy::cast_precision_loss, reason = "some requests")]
            let part = 1.0 / count as f64;
            let mut cost = Cost::default();
            for seen in proxy.take_seen() {
                cost.requests += part;
                cost.read_units += seen.read_units * part;
                cost.write_units += seen.write_units * part;
            }
            found.push(Found { step, among: place.among, cost, cpu: Vec::new() });
        }
    }
    Ok(found)
}

/// Lets each place have each of these kinds of request in turn, again and again, so that what the
/// machine does beside hits all alike, and adds what they took to what was found.
async fn time(
    family: &mut Family,
    timed: &[Step],
    pools: &Pools,
    database: &TestDatabase,
    plan: &Plan,
    found: &mut [Found],
) -> Result<(), Error> {
    let places = family.places.len();
    // Preparations for others are done even if they are not timed.
    let steps: Vec<Step> = family
        .steps
        .into_iter()
        .filter(|step| timed.contains(step) || step.changes_how_many())
        .collect();
    let passes = (plan.rounds + 1) * steps.len() * places;
    let progress = Progress::of(passes as u64);
    for round in 0..=plan.rounds {
        for step in &steps {
            let step = *step;
            for turn in 0..places {
                let place = &mut family.places[(round + turn) % places];
                let requests = if step.is_list() { lists(place.among) } else { plan.requests };
                let pool = pools.get(&step.function()).ok_or("no function for this")?;
                let before = pool.cpu()?;
                send(place, step, requests, pools, database).await?;
                let cpu = pool.cpu()?.saturating_sub(before);
                progress.advance();
                // The first round only makes connections and brings files into memory.
                let one = found.iter_mut().find(|one| one.step == step && one.among == place.among);
                if let Some(one) = one.filter(|_| round > 0 && timed.contains(&step)) {
                    one.cpu.push(per_request(cpu, requests));
                }
            }
        }
    }
    progress.end();
    Ok(())
}

/// A list of many takes long enough to be measured once.
fn lists(among: usize) -> usize {
    (1_000 / among).clamp(1, 10)
}

fn per_request(cpu: Duration, requests: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "some requests")]
    let requests = requests as f64;
    milliseconds(cpu) / requests
}

/// All of one kind, beside that among the fewest.
fn beside_fewest(found: &[Found]) -> impl Iterator<Item = (&Found, &Found)> {
    found.iter().filter_map(|one| {
        let same = found.iter().filter(|other| other.step == one.step);
        same.min_by_key(|other| other.among).map(|fewest| (one, fewest))
    })
}

fn ratio(one: &Found, fewest: &Found) -> f64 {
    let rounds = one.cpu.iter().zip(&fewest.cpu).map(|(one, fewest)| one / fewest);
    median(&mut rounds.collect::<Vec<_>>())
}

fn judge_costs(found: &[Found]) -> Vec<String> {
    beside_fewest(found)
        .filter(|(one, fewest)| !one.step.is_list() && one.cost != fewest.cost)
        .map(|(one, fewest)| {
            let (step, among, few) = (one.step.name(), one.among, fewest.among);
            format!("{step}: it costs another thing among {among} than among {few}")
        })
        .collect()
}

fn judge_cpu(found: &[Found]) -> Vec<(Step, String)> {
    let most = |step| found.iter().filter(|one| one.step == step).map(|one| one.among).max();
    beside_fewest(found)
        .filter(|(one, _)| !one.step.is_list() && most(one.step) == Some(one.among))
        .filter_map(|(one, fewest)| {
            let ratio = ratio(one, fewest);
            let (step, among, few) = (one.step.name(), one.among, fewest.among);
            (ratio > MOST_CPU).then(|| {
                let words = format!(
                    "{step}: processor time among {among} is {ratio:.2} times that among {few}, \
                     not {MOST_CPU}"
                );
                (one.step, words)
            })
        })
        .collect()
}

/// Prints a table of some kinds of request.
fn show(found: &[Found], is_shown: impl Fn(Step) -> bool) {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN).set_header([
        "request",
        "among",
        "requests",
        "read units",
        "write units",
        "CPU ms",
        "/fewest",
    ]);
    for (one, fewest) in sorted(found).into_iter().filter(|(one, _)| is_shown(one.step)) {
        let Cost { requests, read_units, write_units } = one.cost;
        table.add_row([
            one.step.name().to_owned(),
            one.among.to_string(),
            format!("{requests:.2}"),
            format!("{read_units:.2}"),
            format!("{write_units:.2}"),
            format!("{:.3}", median(&mut one.cpu.clone())),
            format!("{:.2}", ratio(one, fewest)),
        ]);
    }
    println!("{table}");
}

/// The same of all for other programs, over all rounds.
fn figures(found: &[Found]) -> Value {
    let figures = |(one, fewest): (&Found, &Found)| {
        json!({
            "request": one.step.name(),
            "among": one.among,
            "requests": one.cost.requests,
            "read_units": one.cost.read_units,
            "write_units": one.cost.write_units,
            "rounds": one.cpu.len(),
            "cpu_ms": median(&mut one.cpu.clone()),
            "cpu_to_fewest": ratio(one, fewest),
        })
    };
    sorted(found).into_iter().map(figures).collect()
}

/// All of one kind together, the fewest first.
fn sorted(found: &[Found]) -> Vec<(&Found, &Found)> {
    let mut sorted: Vec<_> = beside_fewest(found).collect();
    sorted.sort_by_key(|(one, _)| (one.step as usize, one.among));
    sorted
}
