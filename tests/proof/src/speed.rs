//! What a request costs beside the least that it could: one workload on the functions, on a
//! function that only asks the same of the database, and on the local server, in turns. And what a page
//! costs beside the API's answer, and an ID token beside a request.

mod count;
mod id_tokens;
mod operation;
mod pages;
mod target;

use crate::report::{Row, report};
use crate::statistics::{median, milliseconds, quantile};
use crate::{Error, Options, Verdict};
use operation::Operation;
use serde_json::json;
use strum::IntoEnumIterator;
use target::{Binaries, Extent, Kind, Pass, Target};

/// Processor time of a function's request, at most so many times the baseline's.
const MOST_CPU: f64 = 1.5;
/// The time until a function has answered, at most so many times the baseline's.
const MOST_P50: f64 = 1.3;

/// So often what missed a bar is measured again. Whatever else the machine does makes a ratio worse
/// or better, as it hits the functions or the baseline: no round is thrown away for a later one, and
/// the middle of all of them is judged.
const MORE_TRIES: usize = 2;

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
/// A thousand links in fifty releases each: in many small slices where all bars are, since whatever
/// disturbs one of them is not in the middle of all.
const FULL: [Plan; 3] = [
    Plan { clients: 1, slices: 25, releases: 2 },
    Plan { clients: 8, slices: 5, releases: 10 },
    Plan { clients: 64, slices: 5, releases: 10 },
];
const QUICK: [Plan; 2] =
    [Plan { clients: 1, slices: 5, releases: 2 }, Plan { clients: 8, slices: 3, releases: 2 }];

/// Measurements of one operation of one target, a figure for each slice.
struct Measured {
    kind: Kind,
    operation: Operation,
    clients: usize,
    p50: Vec<f64>,
    cpu: Vec<f64>,
    latencies: Vec<f64>,
}

/// Measures all targets, then holds the functions to the baseline.
pub(crate) async fn prove(options: &Options) -> Result<Verdict, Error> {
    let binaries = Binaries::find(options.functions.as_deref())?;
    let plans: &[Plan] = if options.quick { &QUICK } else { &FULL };
    let costs = count::costs(&binaries).await?;
    let (mut all, mut missed) = (Vec::<Measured>::new(), Vec::new());
    for round in 0..=MORE_TRIES {
        let is_concerned =
            |plan: &&Plan| round == 0 || missed.iter().any(|(clients, _)| *clients == plan.clients);
        for plan in plans.iter().filter(is_concerned) {
            for measured in measure(&binaries, *plan).await? {
                match all.iter_mut().find(|one| one.is_of_the_same(&measured)) {
                    Some(before) => before.add(measured),
                    None => all.push(measured),
                }
            }
        }
        missed = judge(&all);
        if missed.is_empty() {
            break;
        }
    }
    let pages = pages::measure(options.functions.as_deref(), options.quick).await?;
    let figures = json!({
        "requests": report(count::rows(&costs)),
        "times": report(all.iter().map(|one| row(one, &all)).collect()),
        "pages": report(pages::rows(&pages)),
        "id_tokens": report(id_tokens::measure(cpu_of_a_get(&all))?),
    });
    let missed = missed.into_iter().map(|(_, words)| words);
    Ok(Verdict { figures, missed: missed.chain(pages::judge(&pages)).collect() })
}

/// Has the targets do one operation after the other: each on all links, slice by slice and in
/// turns, so that what the machine does beside hits all alike.
async fn measure(binaries: &Binaries, plan: Plan) -> Result<Vec<Measured>, Error> {
    // The first slice is one more, not timed: it makes connections and brings files into memory.
    let extent =
        Extent { slices: plan.slices + 1, releases: plan.releases, links: LINKS_PER_RELEASE };
    let mut targets = Vec::new();
    for kind in Kind::iter() {
        targets.push(Target::start(kind, binaries, plan.clients, extent, false).await?);
    }
    let count = targets.len();
    let mut all = Vec::new();
    for operation in Operation::iter() {
        let mut measured: Vec<Measured> =
            Kind::iter().map(|kind| Measured::new(kind, operation, plan)).collect();
        for slice in 0..extent.slices {
            for turn in 0..count {
                let at = (slice + turn) % count;
                let (target, measured) = (&mut targets[at], &mut measured[at]);
                let pass = target.pass(operation, slice, plan.clients).await?;
                if slice > 0 {
                    measured.take(pass);
                }
            }
        }
        all.extend(measured);
    }
    Ok(all)
}

impl Measured {
    fn new(kind: Kind, operation: Operation, plan: Plan) -> Self {
        Self {
            kind,
            operation,
            clients: plan.clients,
            p50: Vec::new(),
            cpu: Vec::new(),
            latencies: Vec::new(),
        }
    }

    fn take(&mut self, pass: Pass) {
        #[expect(clippy::cast_precision_loss, reason = "some hundred requests")]
        let requests = pass.requests as f64;
        let mut latencies: Vec<f64> = pass.latencies.into_iter().map(milliseconds).collect();
        self.cpu.push(milliseconds(pass.cpu) / requests);
        self.p50.push(median(&mut latencies));
        self.latencies.extend(latencies);
    }

    fn is_of_the_same(&self, other: &Self) -> bool {
        (self.kind, self.operation, self.clients) == (other.kind, other.operation, other.clients)
    }

    /// Takes the rounds of another measurement of the same for more of its own.
    fn add(&mut self, again: Self) {
        self.p50.extend(again.p50);
        self.cpu.extend(again.cpu);
        self.latencies.extend(again.latencies);
    }

    fn p99(&self) -> f64 {
        quantile(&mut self.latencies.clone(), 0.99)
    }
}

/// The processor time of a function that gets a link for one client, in milliseconds.
fn cpu_of_a_get(all: &[Measured]) -> f64 {
    let get = (Kind::Functions, Operation::Get, 1);
    let measured = all.iter().find(|one| (one.kind, one.operation, one.clients) == get);
    measured.map_or(f64::NAN, |one| middle(&one.cpu))
}

/// One figure for all rounds.
fn middle(rounds: &[f64]) -> f64 {
    median(&mut rounds.to_vec())
}

/// The same beside the baseline's: of each round, then in the middle.
fn ratio(rounds: &[f64], baseline: &[f64]) -> f64 {
    median(
        &mut rounds.iter().zip(baseline).map(|(one, baseline)| one / baseline).collect::<Vec<_>>(),
    )
}

/// The baseline's measurements of the same operation.
fn baseline_of<'a>(one: &'a Measured, all: &'a [Measured]) -> &'a Measured {
    let is_baseline = |other: &&Measured| {
        let of_one = (Kind::Baseline, one.operation, one.clients);
        (other.kind, other.operation, other.clients) == of_one
    };
    all.iter().find(is_baseline).unwrap_or(one)
}

/// The bars that a function misses, each with the number of clients.
fn judge(all: &[Measured]) -> Vec<(usize, String)> {
    let mut missed = Vec::new();
    for one in all.iter().filter(|one| one.kind == Kind::Functions) {
        let (operation, clients) = (one.operation, one.clients);
        let mut miss = |what: &str| {
            let who = if clients == 1 { "client" } else { "clients" };
            let words = format!("{operation}, {clients} {who}: {what}");
            missed.push((clients, words));
        };
        let baseline = baseline_of(one, all);
        let cpu = ("processor time", ratio(&one.cpu, &baseline.cpu), MOST_CPU);
        let p50 = ("p50", ratio(&one.p50, &baseline.p50), MOST_P50);
        // Processor time is a request's own, however long it waited. Many clients' answers mostly
        // wait for their turn, for a process or a processor, so that their p50 says little of the
        // request.
        let bars: &[_] = if clients == 1 { &[cpu, p50] } else { &[cpu] };
        for (what, ratio, most) in bars {
            if ratio > most {
                miss(&format!("{what} is {ratio:.2} times the baseline's, not {most}"));
            }
        }
    }
    missed
}

/// Each figure, and in proportion to the baseline's.
fn row(one: &Measured, all: &[Measured]) -> Row {
    let baseline = baseline_of(one, all);
    vec![
        ("clients", one.clients.into()),
        ("operation", one.operation.to_string().into()),
        ("who", one.kind.to_string().into()),
        ("rounds", one.cpu.len().into()),
        ("p50 ms", middle(&one.p50).into()),
        ("p50 to baseline's", ratio(&one.p50, &baseline.p50).into()),
        ("p99 ms", one.p99().into()),
        ("p99 to baseline's", (one.p99() / baseline.p99()).into()),
        ("CPU ms", middle(&one.cpu).into()),
        ("CPU to baseline's", ratio(&one.cpu, &baseline.cpu).into()),
    ]
}
