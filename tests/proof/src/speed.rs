//! What a request costs beside the least that it could: one workload on the functions, on a
//! function that only asks the same of the database, and on the local server, in turns. And what a page
//! costs beside the API's answer.

mod connection;
mod contender;
mod count;
mod operation;
mod pages;

use comfy_table::{Table, presets};
use serde_json::{Value, json};

use crate::progress::Progress;
use crate::statistics::{median, milliseconds, quantile};
use crate::{Error, Options, Verdict};
use contender::{Binaries, Contender, Extent, Kind, Pass};
use operation::Operation;

/// Processor time of a function's request, at most so many times the floor's.
const MOST_CPU: f64 = 1.5;
/// The time until a function has answered, at most so many times the floor's.
const MOST_P50: f64 = 1.3;

/// So often what missed a bar is measured again. Whatever else the machine does makes a ratio worse
/// or better, as it hits the functions or the floor: no round is thrown away for a later one, and
/// the middle of all of them is judged.
const MORE_TRIES: usize = 2;
const MEASURED_AGAIN: [Kind; 2] = [Kind::Functions, Kind::Floor];

/// How much there is to do, and for how many clients at once.
#[derive(Clone, Copy)]
struct Plan {
    clients: usize,
    /// Everybody does an operation on one of them in turn, then on the next.
    slices: usize,
    /// In a slice.
    releases: usize,
}

const LINKS_PER_RELEASE: usize = 20;
/// What is not timed is done so few at a time: the floor's peak is read then, with no more jobs in
/// its memory.
const AT_A_TIME_UNTIMED: usize = 8;

/// A thousand links in fifty releases each: in many small slices where all bars are, since whatever
/// disturbs one of them is not in the middle of all.
const FULL: [Plan; 3] = [
    Plan { clients: 1, slices: 25, releases: 2 },
    Plan { clients: 8, slices: 5, releases: 10 },
    Plan { clients: 64, slices: 5, releases: 10 },
];
const QUICK: [Plan; 2] =
    [Plan { clients: 1, slices: 5, releases: 2 }, Plan { clients: 8, slices: 3, releases: 2 }];

/// Measurements of one operation of one contender, a figure for each slice.
struct Measured {
    kind: Kind,
    operation: Operation,
    clients: usize,
    per_second: Vec<f64>,
    p50: Vec<f64>,
    cpu: Vec<f64>,
    latencies: Vec<f64>,
    peak_kilobytes: f64,
}

/// A bar that a function misses.
struct Missed {
    operation: Operation,
    clients: usize,
    words: String,
}

/// Measures all contenders, then holds the functions to the floor.
pub(crate) async fn prove(options: &Options) -> Result<Verdict, Error> {
    let binaries = Binaries::find(options.functions.as_deref())?;
    let plans: &[Plan] = if options.quick { &QUICK } else { &FULL };
    let costs = count::costs(&binaries).await?;
    let mut all = Vec::new();
    for plan in plans {
        all.extend(measure(&binaries, *plan, &Kind::ALL, &Operation::ALL).await?);
    }
    count::show(&costs);
    show(all.iter(), &all);

    let mut missed = judge(&all);
    for _ in 0..MORE_TRIES {
        if missed.is_empty() {
            break;
        }
        for plan in plans {
            measure_again(&binaries, *plan, &missed, &mut all).await?;
        }
        let is_concerned = |one: &&Measured| {
            MEASURED_AGAIN.contains(&one.kind) && missed.iter().any(|missed| missed.concerns(one))
        };
        show(all.iter().filter(is_concerned), &all);
        missed = judge(&all);
    }
    let pages = pages::measure(options.functions.as_deref(), options.quick).await?;
    pages::show(&pages);
    let figures = json!({
        "requests": count::figures(&costs),
        "times": figures(&all),
        "pages": pages::figures(&pages),
    });
    let missed = missed.into_iter().map(|missed| missed.words);
    Ok(Verdict { figures, missed: missed.chain(pages::judge(&pages)).collect() })
}

/// Adds as many rounds again to those that missed a bar, and to the floor beside them.
async fn measure_again(
    binaries: &Binaries,
    plan: Plan,
    missed: &[Missed],
    all: &mut [Measured],
) -> Result<(), Error> {
    let is_concerned = |operation: Operation| {
        missed.iter().any(|one| one.clients == plan.clients && one.operation == operation)
    };
    if !Operation::ALL.into_iter().any(is_concerned) {
        return Ok(());
    }
    let operations: Vec<Operation> = Operation::ALL
        .into_iter()
        .filter(|operation| is_concerned(*operation) || operation.prepares_others())
        .collect();
    for again in measure(binaries, plan, &MEASURED_AGAIN, &operations).await? {
        if is_concerned(again.operation)
            && let Some(before) = all.iter_mut().find(|one| one.is_of_the_same(&again))
        {
            before.add(again);
        }
    }
    Ok(())
}

/// Has the contenders do one operation after the other: each on all links, slice by slice and in
/// turns, so that what the machine does beside hits all alike.
async fn measure(
    binaries: &Binaries,
    plan: Plan,
    kinds: &[Kind],
    operations: &[Operation],
) -> Result<Vec<Measured>, Error> {
    // The first slice is one more, not timed: it makes connections and brings files into memory.
    let extent =
        Extent { slices: plan.slices + 1, releases: plan.releases, links: LINKS_PER_RELEASE };
    let mut contenders = Vec::new();
    for kind in kinds {
        contenders.push(Contender::start(*kind, binaries, plan.clients, extent, false).await?);
    }
    let count = contenders.len();
    let mut all = Vec::new();
    let progress = Progress::of((extent.slices * operations.len() * count) as u64);
    for operation in operations {
        let mut measured: Vec<Measured> =
            kinds.iter().map(|kind| Measured::new(*kind, *operation, plan)).collect();
        for slice in 0..extent.slices {
            for turn in 0..count {
                let at = (slice + turn) % count;
                let (contender, measured) = (&mut contenders[at], &mut measured[at]);
                let is_timed = slice > 0;
                let at_a_time = if is_timed { usize::MAX } else { AT_A_TIME_UNTIMED };
                let pass = contender.pass(*operation, slice, plan.clients, at_a_time).await?;
                progress.advance();
                if is_timed {
                    measured.take(pass);
                }
                // With all jobs of a slice in it, the floor may be larger than the functions.
                if contender.kind != Kind::Floor || !is_timed {
                    let peak = contender.peak_kilobytes(*operation)?;
                    measured.peak_kilobytes = measured.peak_kilobytes.max(peak);
                }
            }
        }
        all.extend(measured);
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

    fn take(&mut self, pass: Pass) {
        #[expect(clippy::cast_precision_loss, reason = "some hundred requests")]
        let requests = pass.requests as f64;
        let mut latencies: Vec<f64> = pass.latencies.into_iter().map(milliseconds).collect();
        self.per_second.push(requests / pass.wall.as_secs_f64());
        self.cpu.push(milliseconds(pass.cpu) / requests);
        self.p50.push(median(&mut latencies));
        self.latencies.extend(latencies);
    }

    fn is_of_the_same(&self, other: &Self) -> bool {
        (self.kind, self.operation, self.clients) == (other.kind, other.operation, other.clients)
    }

    /// Takes the rounds of another measurement of the same for more of its own.
    fn add(&mut self, again: Self) {
        self.per_second.extend(again.per_second);
        self.p50.extend(again.p50);
        self.cpu.extend(again.cpu);
        self.latencies.extend(again.latencies);
        self.peak_kilobytes = self.peak_kilobytes.max(again.peak_kilobytes);
    }

    fn p99(&self) -> f64 {
        quantile(&mut self.latencies.clone(), 0.99)
    }
}

impl Missed {
    fn concerns(&self, one: &Measured) -> bool {
        (self.operation, self.clients) == (one.operation, one.clients)
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

/// The bars that a function misses.
fn judge(all: &[Measured]) -> Vec<Missed> {
    let mut missed = Vec::new();
    for one in all.iter().filter(|one| one.kind == Kind::Functions) {
        let (operation, clients) = (one.operation, one.clients);
        let mut miss = |what: &str| {
            let who = if clients == 1 { "client" } else { "clients" };
            let words = format!("{}, {clients} {who}: {what}", operation.name());
            missed.push(Missed { operation, clients, words });
        };
        let Some(floor) = floor_of(one, all) else {
            miss("there is no floor");
            continue;
        };
        let cpu = ("processor time", ratio(&one.cpu, &floor.cpu), MOST_CPU);
        let p50 = ("p50", ratio(&one.p50, &floor.p50), MOST_P50);
        // Processor time is a request's own, however long it waited. Many clients' answers mostly
        // wait for their turn, for a process or a processor, so that their p50 says little of the
        // request.
        let bars: &[_] = if clients == 1 { &[cpu, p50] } else { &[cpu] };
        for (what, ratio, most) in bars {
            if ratio > most {
                miss(&format!("{what} is {ratio:.2} times the floor's, not {most}"));
            }
        }
    }
    missed
}

const NAMES: [&str; 5] = ["requests_per_second", "p50_ms", "p99_ms", "cpu_ms", "peak_megabytes"];

/// Each figure, and in proportion to the floor's.
fn beside_floor(one: &Measured, all: &[Measured]) -> [(f64, f64); 5] {
    let floor = floor_of(one, all).unwrap_or(one);
    [
        (middle(&one.per_second), ratio(&one.per_second, &floor.per_second)),
        (middle(&one.p50), ratio(&one.p50, &floor.p50)),
        (one.p99(), one.p99() / floor.p99()),
        (middle(&one.cpu), ratio(&one.cpu, &floor.cpu)),
        (one.peak_kilobytes / 1e3, one.peak_kilobytes / floor.peak_kilobytes),
    ]
}

/// Prints a table of some of all.
fn show<'a>(some: impl Iterator<Item = &'a Measured>, all: &[Measured]) {
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
    for one in some {
        let mut row = vec![
            one.clients.to_string(),
            one.operation.name().to_owned(),
            one.kind.name().to_owned(),
        ];
        for ((figure, ratio), digits) in beside_floor(one, all).iter().zip([0, 2, 2, 3, 1]) {
            row.push(format!("{figure:.digits$}"));
            row.push(format!("{ratio:.2}"));
        }
        table.add_row(row);
    }
    println!("{table}");
}

/// The same for other programs, over all rounds.
fn figures(all: &[Measured]) -> Vec<Value> {
    let figures = |one: &Measured| {
        let mut object = json!({
            "clients": one.clients,
            "operation": one.operation.name(),
            "who": one.kind.name(),
            "rounds": one.cpu.len(),
            "requests": one.latencies.len(),
        });
        for ((figure, ratio), name) in beside_floor(one, all).iter().zip(NAMES) {
            object[name] = json!(figure);
            object[format!("{name}_to_floor")] = json!(ratio);
        }
        object
    };
    all.iter().map(figures).collect()
}
