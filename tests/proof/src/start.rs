//! Start-up, memory and size of every function, beside a bare `lambda_http` hello in the same run.

use std::time::{Duration, Instant};

use comfy_table::{Table, presets};
use runtime_api::Function as Process;
use serde_json::{Value, json};
use shared::store::table_names::TableNames;

use crate::binaries::{self, Binary, HELLO};
use crate::database::Database;
use crate::process::peak_kilobytes;
use crate::progress::Progress;
use crate::statistics::{median, milliseconds, quantile};
use crate::{Error, Options, Verdict, event};

/// Start to first poll, at most so many times the hello's.
const MOST_START: f64 = 1.6;
/// Peak memory, at most so many times the hello's.
const MOST_MEMORY: f64 = 2.5;
/// The same for `web`, which renders pages. The loader writes the pointers of its Markdown parser's
/// table of 2,125 HTML entities at each start, and its code is larger.
const MOST_MEMORY_OF_PAGES: f64 = 2.75;
/// The zip file's size in bytes.
const MOST_ZIP_BYTES: u64 = 3_000_000;

const TIMEOUT: Duration = Duration::from_secs(10);

/// Measurements of one binary, over all runs.
struct Measured {
    binary: Binary,
    /// From start to first poll, with the test's certificate trusted.
    polls: Vec<f64>,
    /// From start to first poll, with what is trusted on AWS.
    default_polls: Vec<f64>,
    /// From start to first poll, and from the first event to its answer.
    answers: Vec<f64>,
    warm: Vec<f64>,
    /// Kilobytes.
    peaks: Vec<f64>,
}

/// Measurements of one binary in one run, with the names of all runs.
struct Run {
    poll: f64,
    default_poll: f64,
    answer: f64,
    warm: Vec<f64>,
    peak: f64,
}

/// So often those that miss a bar are measured again, and the hello beside them: ratios of a few
/// milliseconds. Whatever else the machine does makes one worse or better, as it hits the function
/// or the hello: no run is thrown away for a later one, and the middle of all of them is judged.
const MORE_TRIES: usize = 2;

/// Measures every binary, beside the hello.
pub(crate) async fn prove(options: &Options) -> Result<Verdict, Error> {
    let database = Database::start().await?;
    let fresh = tempfile::tempdir()?;
    let binaries = binaries::all(options.functions.as_deref(), fresh.path())?;
    let mut concerned: Vec<_> = binaries.iter().map(|binary| binary.name).collect();
    let mut all: Vec<Measured> = binaries.into_iter().map(Measured::new).collect();
    let mut judged: Vec<Judged> = Vec::new();
    for _ in 0..=MORE_TRIES {
        let mut some: Vec<&mut Measured> =
            all.iter_mut().filter(|one| concerned.contains(&one.binary.name)).collect();
        measure(&database, &mut some, options.quick).await?;
        for again in judge(&mut some) {
            match judged.iter_mut().find(|one| one.name == again.name) {
                Some(before) => *before = again,
                None => judged.push(again),
            }
        }
        let missed = judged.iter().filter(|one| !one.missed.is_empty());
        concerned = missed.map(|one| one.name).collect();
        if concerned.is_empty() {
            break;
        }
        // The baseline has as many runs.
        concerned.push(HELLO);
    }
    let missed = judged.iter().flat_map(|one| one.missed.clone()).collect();
    let figures = judged.into_iter().map(|one| one.figures).collect();
    Ok(Verdict { figures, missed })
}

/// Runs each of these binaries in turn, again and again, so that what the machine does beside hits
/// all alike, and adds what was measured to what there is.
async fn measure(
    database: &Database,
    some: &mut [&mut Measured],
    quick: bool,
) -> Result<(), Error> {
    let (runs, warm_invocations) = if quick { (15, 20) } else { (60, 50) };
    let progress = Progress::of((runs + 1) * some.len() as u64);
    for number in 0..=runs {
        for measured in &mut *some {
            let counted = number > 0;
            // The first round only brings the files into memory.
            let invocations = if counted && number % 5 == 0 { warm_invocations } else { 1 };
            let name = format!("{}-{number}", measured.binary.name);
            let run = measured.run(database, &name, invocations).await?;
            if counted {
                measured.take(run);
            }
            progress.advance();
        }
    }
    progress.end();
    Ok(())
}

struct Judged {
    name: &'static str,
    figures: Value,
    missed: Vec<String>,
}

impl Measured {
    fn new(binary: Binary) -> Self {
        Self {
            binary,
            polls: Vec::new(),
            default_polls: Vec::new(),
            answers: Vec::new(),
            warm: Vec::new(),
            peaks: Vec::new(),
        }
    }

    fn take(&mut self, run: Run) {
        self.polls.push(run.poll);
        self.default_polls.push(run.default_poll);
        self.answers.push(run.answer);
        self.warm.extend(run.warm);
        self.peaks.push(run.peak);
    }

    async fn run(&self, database: &Database, name: &str, invocations: usize) -> Result<Run, Error> {
        let tables = TableNames::default();
        let common = binaries::environment(&tables);
        // As on AWS: its own end point, never called here, and Amazon's certificates.
        let on_aws = Process::start(&self.binary.path, &common, TIMEOUT).await?;
        let default_poll = milliseconds(on_aws.until_first_poll().await?);
        on_aws.kill().await;

        let mut over_tls = common.to_vec();
        over_tls.push(("AWS_ENDPOINT_URL_DYNAMODB", &database.https_url));
        over_tls.push(("AWS_CA_BUNDLE", database.ca_bundle()?));
        let process = Process::start(&self.binary.path, &over_tls, TIMEOUT).await?;
        let poll = milliseconds(process.until_first_poll().await?);
        let (mut answer, mut warm) = (f64::NAN, Vec::new());
        for number in 0..invocations {
            // Only now, since what the database does for it would disturb the start.
            let unique = format!("{name}-{number}");
            let event = event::of(self.binary.name, database, &unique).await?;
            let asked = Instant::now();
            let answered = process.invoke(&event).await?;
            let took = milliseconds(asked.elapsed());
            if !event::is_success(&answered) {
                return Err(format!("{}: {answered}", self.binary.name).into());
            }
            if number == 0 {
                answer = poll + took;
            } else {
                warm.push(took);
            }
        }
        let peak = peak_kilobytes(process.pid())?;
        process.kill().await;
        // New items would make lists longer for the next function.
        database.clear().await?;
        Ok(Run { poll, default_poll, answer, warm, peak })
    }
}

/// Prints a table, and holds each of these binaries to the hello, which is one of them.
fn judge(some: &mut [&mut Measured]) -> Vec<Judged> {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN).set_header([
        "function",
        "first poll ms",
        "/hello",
        "on AWS ms",
        "/hello",
        "first answer ms",
        "warm p50 ms",
        "p99 ms",
        "peak MB",
        "/hello",
        "binary MB",
        "zip MB",
    ]);
    let hello: Vec<(f64, f64, f64)> = some
        .iter_mut()
        .filter(|measured| measured.binary.name == HELLO)
        .map(|m| (median(&mut m.polls), median(&mut m.default_polls), median(&mut m.peaks)))
        .collect();
    let (hello_poll, hello_default, hello_peak) = hello.first().copied().unwrap_or((1.0, 1.0, 1.0));
    let mut judged = Vec::new();
    for measured in some {
        let mut missed = Vec::new();
        let name = measured.binary.name;
        let (poll, on_aws) = (median(&mut measured.polls), median(&mut measured.default_polls));
        let answer = median(&mut measured.answers);
        let (p50, p99) = (quantile(&mut measured.warm, 0.5), quantile(&mut measured.warm, 0.99));
        let peak = median(&mut measured.peaks);
        let (poll_ratio, aws_ratio, peak_ratio) =
            (poll / hello_poll, on_aws / hello_default, peak / hello_peak);
        #[expect(clippy::cast_precision_loss, reason = "a file's size")]
        let megabytes = |bytes: u64| bytes as f64 / 1e6;
        table.add_row([
            name.to_owned(),
            format!("{poll:.2}"),
            format!("{poll_ratio:.2}"),
            format!("{on_aws:.2}"),
            format!("{aws_ratio:.2}"),
            format!("{answer:.2}"),
            format!("{p50:.2}"),
            format!("{p99:.2}"),
            format!("{:.1}", peak / 1e3),
            format!("{peak_ratio:.2}"),
            format!("{:.2}", megabytes(measured.binary.bytes)),
            format!("{:.2}", megabytes(measured.binary.zip_bytes)),
        ]);
        let figures = json!({
            "function": name,
            "runs": measured.polls.len(),
            "first_poll_ms": poll,
            "first_poll_to_hello": poll_ratio,
            "first_poll_on_aws_ms": on_aws,
            "first_poll_on_aws_to_hello": aws_ratio,
            "first_answer_ms": answer,
            "warm_p50_ms": p50,
            "warm_p99_ms": p99,
            "peak_kilobytes": peak,
            "peak_to_hello": peak_ratio,
            "binary_bytes": measured.binary.bytes,
            "zip_bytes": measured.binary.zip_bytes,
        });
        let most_memory = if name == "web" { MOST_MEMORY_OF_PAGES } else { MOST_MEMORY };
        for (what, ratio, most) in [
            ("first poll", poll_ratio, MOST_START),
            ("first poll on AWS", aws_ratio, MOST_START),
            ("peak memory", peak_ratio, most_memory),
        ] {
            if ratio > most {
                missed.push(format!("{name}: {what} is {ratio:.2} times the hello's, not {most}"));
            }
        }
        if measured.binary.zip_bytes > MOST_ZIP_BYTES {
            missed.push(format!("{name}: the zip has {} bytes", measured.binary.zip_bytes));
        }
        judged.push(Judged { name, figures, missed });
    }
    println!("{table}");
    judged
}
