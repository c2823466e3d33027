//! What a request costs beside the least that it could: one workload on the functions, on a
//! function that only asks the same of the database, and on the local server, in turns.

mod connection;
mod contender;
mod count;
mod operation;

use comfy_table::{Table, presets};
use serde_json::{Value, json};

use crate::progress::Progress;
use crate::start::{median, milliseconds, quantile};
use crate::{Error, Options, Verdict};
use contender::{Binaries, Contender, Kind, Pass};
use operation::Operation;

/// Processor time of a function's request, at most so many times the floor's.
const MOST_CPU: f64 = 1.5;
/// The time until a function has answered, at most so many times the floor's.
const MOST_P50: f64 = 1.3;

/// So often what missed a bar is measured again: whatever else the machine does can only worsen a
/// ratio.
const MORE_TRIES: usize = 2;

/// How much there is to do, and for how many clients at once.
#[derive(Clone, Copy)]
struct Plan {
    clients: usize,
    /// All is done so many times, by everybody in turn.
    rounds: usize,
    releases: usize,
}

const LINKS_PER_RELEASE: usize = 20;

/// A thousand links in fifty releases each: in many small rounds where a bar is, since whatever
/// disturbs one of them is not in the middle of all.
const FULL: [Plan; 3] = [
    Plan { clients: 1, rounds: 25, releases: 2 },
    Plan { clients: 8, rounds: 5, releases: 10 },
    Plan { clients: 64, rounds: 5, releases: 10 },
];
const QUICK: [Plan; 2] =
    [Plan { clients: 1, rounds: 5, releases: 2 }, Plan { clients: 8, rounds: 1, releases: 5 }];

/// What was measured of one operation of one contender, a figure for each round.
struct Measured {
    kind: Kind,
    operation: Operation,
    clients: usize,
    per_second: Vec<f64>,
    p50: Vec<f64>,
    cpu: Vec<f64>,
    /// Of every request.
    latencies: Vec<f64>,
    peak_kilobytes: f64,
}

/// Measures all contenders, then holds the functions to the floor.
pub(crate) async fn prove(options: &Options) -> Result<Verdict, Error> {
    let binaries = Binaries::find(options.functions.as_deref())?;
    let plans: &[Plan] = if options.quick { &QUICK } else { &FULL };
    let costs = count::costs(&binaries).await?;
    let mut all = Vec::new();
    for plan in plans {
        all.extend(measure(&binaries, *plan, &Kind::ALL).await?);
    }
    count::show(&costs);
    let mut figures = show(&all);

    let mut missed = judge(&all);
    for _ in 0..MORE_TRIES {
        if missed.is_empty() {
            break;
        }
        let kinds = [Kind::Functions, Kind::Floor];
        let mut again = measure(&binaries, plans[0], &kinds).await?;
        again.retain(|one| missed.iter().any(|(operation, _)| *operation == one.operation));
        figures.extend(show(&again));
        missed = judge(&again);
    }
    let figures = json!({ "requests": count::figures(&costs), "times": figures });
    Ok(Verdict { figures, missed: missed.into_iter().map(|(_, words)| words).collect() })
}

/// Lets each contender do each operation in turn, again and again, so that what the machine does
/// beside hits all alike.
async fn measure(binaries: &Binaries, plan: Plan, kinds: &[Kind]) -> Result<Vec<Measured>, Error> {
    let mut contenders = Vec::new();
    for kind in kinds {
        let size = (plan.releases, LINKS_PER_RELEASE);
        contenders.push(Contender::start(*kind, binaries, plan.clients, size, false).await?);
    }
    let mut all: Vec<Measured> = kinds
        .iter()
        .flat_map(|kind| Operation::ALL.map(|operation| Measured::new(*kind, operation, plan)))
        .collect();
    let count = contenders.len();
    let passes = (plan.rounds + 1) * Operation::ALL.len() * count;
    let progress = Progress::of(passes as u64);
    for round in 0..=plan.rounds {
        for operation in Operation::ALL {
            for turn in 0..count {
                let contender = &mut contenders[(round + turn) % count];
                let pass = contender.pass(operation, plan.clients).await?;
                let peak = contender.peak_kilobytes(operation)?;
                progress.advance();
                // The first round only makes connections and brings files into memory.
                let measured = all
                    .iter_mut()
                    .find(|one| one.kind == contender.kind && one.operation == operation);
                if let Some(measured) = measured.filter(|_| round > 0) {
                    measured.take(pass, peak);
                }
            }
        }
    }
    progress.end();
    Ok(all)
}

impl Measured {
    fn new(kind: Kind, operation: Operation, plan: Plan) -> Self {
        Self {
            kind,
            operation,
            clients: plan.clients,
            per_second: Vec::new(),
            p50: Vec::new(),
            cpu: Vec::new(),
            latencies: Vec::new(),
            peak_kilobytes: 0.0,
        }
    }

    fn take(&mut self, pass: Pass, peak_kilobytes: f64) {
        #[expect(clippy::cast_precision_loss, reason = "some hundred requests")]
        let requests = pass.requests as f64;
        let mut latencies: Vec<f64> = pass.latencies.into_iter().map(milliseconds).collect();
        self.per_second.push(requests / pass.wall.as_secs_f64());
        self.cpu.push(milliseconds(pass.cpu) / requests);
        self.p50.push(median(&mut latencies));
        self.latencies.extend(latencies);
        self.peak_kilobytes = peak_kilobytes;
    }

    fn p99(&self) -> f64 {
        quantile(&mut self.latencies.clone(), 0.99)
    }
}

/// One figure for all rounds.
fn middle(rounds: &[f64]) -> f64 {
    median(&mut rounds.to_vec())
}

/// The same beside the floor's: of each round, then in the middle.
fn ratio(rounds: &[f64], floor: &[f64]) -> f64 {
    median(&mut rounds.iter().zip(floor).map(|(one, floor)| one / floor).collect::<Vec<_>>())
}

fn floor_of<'a>(one: &Measured, all: &'a [Measured]) -> Option<&'a Measured> {
    all.iter().find(|other| {
        other.kind == Kind::Floor
            && other.operation == one.operation
            && other.clients == one.clients
    })
}

/// The bars that a function misses at one client, by the operation.
fn judge(all: &[Measured]) -> Vec<(Operation, String)> {
    let mut missed = Vec::new();
    for one in all.iter().filter(|one| one.kind == Kind::Functions && one.clients == 1) {
        let name = one.operation.name();
        let Some(floor) = floor_of(one, all) else {
            missed.push((one.operation, format!("{name}: there is no floor")));
            continue;
        };
        for (what, ratio, most) in [
            ("processor time", ratio(&one.cpu, &floor.cpu), MOST_CPU),
            ("p50", ratio(&one.p50, &floor.p50), MOST_P50),
        ] {
            if ratio > most {
                let words = format!("{name}: {what} is {ratio:.2} times the floor's, not {most}");
                missed.push((one.operation, words));
            }
        }
    }
    missed
}

/// Prints a table; answers with the figures in it.
fn show(all: &[Measured]) -> Vec<Value> {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN).set_header([
        "clients",
        "operation",
        "who",
        "requests/s",
        "/floor",
        "p50 ms",
        "/floor",
        "p99 ms",
        "/floor",
        "CPU ms",
        "/floor",
        "peak MB",
        "/floor",
    ]);
    let mut figures = Vec::new();
    let mut sorted: Vec<&Measured> = all.iter().collect();
    sorted.sort_by_key(|one| (one.clients, one.operation as usize));
    for one in sorted {
        let floor = floor_of(one, all).unwrap_or(one);
        let cells = [
            (middle(&one.per_second), ratio(&one.per_second, &floor.per_second)),
            (middle(&one.p50), ratio(&one.p50, &floor.p50)),
            (one.p99(), one.p99() / floor.p99()),
            (middle(&one.cpu), ratio(&one.cpu, &floor.cpu)),
            (one.peak_kilobytes / 1e3, one.peak_kilobytes / floor.peak_kilobytes),
        ];
        let mut row = vec![
            one.clients.to_string(),
            one.operation.name().to_owned(),
            one.kind.name().to_owned(),
        ];
        for ((figure, ratio), digits) in cells.iter().zip([0, 2, 2, 3, 1]) {
            row.push(format!("{figure:.digits$}"));
            row.push(format!("{ratio:.2}"));
        }
        table.add_row(row);
        let mut object = json!({
            "clients": one.clients,
            "operation": one.operation.name(),
            "who": one.kind.name(),
            "requests": one.latencies.len(),
        });
        let names = ["requests_per_second", "p50_ms", "p99_ms", "cpu_ms", "peak_megabytes"];
        for ((figure, ratio), name) in cells.iter().zip(names) {
            object[name] = json!(figure);
            object[format!("{name}_to_floor")] = json!(ratio);
        }
        figures.push(object);
    }
    println!("{table}");
    figures
}
