//! Start-up, memory and size of every function, beside a bare `lambda_http` hello in the same run.

use std::time::{Duration, Instant};

use comfy_table::{Table, presets};
use runtime_api::Function as Process;
use serde_json::{Value, json};
use shared::store::TableNames;

use crate::binaries::{self, Binary, HELLO};
use crate::database::Database;
use crate::process::peak_kilobytes;
use crate::progress::Progress;
use crate::{Error, Options, Verdict, event};

/// Start to first poll, at most so many times the hello's.
const MOST_START: f64 = 1.6;
/// Peak memory, at most so many times the hello's.
const MOST_MEMORY: f64 = 2.5;
/// The zip file's size in bytes.
const MOST_ZIP_BYTES: u64 = 3_000_000;

const TIMEOUT: Duration = Duration::from_secs(10);

/// What was measured of one binary, over all runs.
struct Measured {
    binary: Binary,
    /// From start to first poll, with the test's certificate trusted.
    polls: Vec<f64>,
    /// From start to first poll, with what is trusted on AWS.
    default_polls: Vec<f64>,
    /// From start to first poll, and from the first event to its answer.
    answers: Vec<f64>,
    /// Of invocations after the first.
    warm: Vec<f64>,
    /// Kilobytes.
    peaks: Vec<f64>,
}

/// What a bar is missed by may be the machine's doing: ratios of a few milliseconds, which
/// whatever else it does can only worsen. Those that miss one are measured again so many times.
const MORE_TRIES: usize = 2;

/// Measures every binary, beside the hello.
pub(crate) async fn prove(options: &Options) -> Result<Verdict, Error> {
    let database = Database::start().await?;
    let fresh = tempfile::tempdir()?;
    let mut binaries = binaries::all(options.functions.as_deref(), fresh.path())?;
    let mut figures = Vec::new();
    let mut tries_left = MORE_TRIES;
    loop {
        let mut all = measure(&database, binaries, options.quick).await?;
        let judged = judge(&mut all);
        let missed: Vec<String> = judged.iter().flat_map(|one| one.missed.clone()).collect();
        let names: Vec<_> = judged
            .iter()
            .filter(|one| one.name == HELLO || !one.missed.is_empty())
            .map(|one| one.name)
            .collect();
        figures.extend(judged.into_iter().map(|one| one.figures));
        if missed.is_empty() || tries_left == 0 {
            return Ok(Verdict { figures: Value::Array(figures), missed });
        }
        tries_left -= 1;
        binaries = all
            .into_iter()
            .map(|measured| measured.binary)
            .filter(|binary| names.contains(&binary.name))
            .collect();
    }
}

/// Runs every binary in turn, again and again, so that what the machine does beside hits all alike.
async fn measure(
    database: &Database,
    binaries: Vec<Binary>,
    quick: bool,
) -> Result<Vec<Measured>, Error> {
    let (runs, warm_invocations) = if quick { (15, 20) } else { (60, 50) };
    let mut all: Vec<Measured> = binaries
        .into_iter()
        .map(|binary| Measured {
            binary,
            polls: Vec::new(),
            default_polls: Vec::new(),
            answers: Vec::new(),
            warm: Vec::new(),
            peaks: Vec::new(),
        })
        .collect();
    let progress = Progress::of((runs + 1) * all.len() as u64);
    for run in 0..=runs {
        for measured in &mut all {
            let counted = run > 0;
            // The first round only brings the files into memory.
            let invocations = if counted && run % 5 == 0 { warm_invocations } else { 1 };
            measured.run(database, &format!("{}-{run}", measured.binary.name), invocations).await?;
            if !counted {
                measured.forget();
            }
            progress.advance();
        }
    }
    progress.end();
    Ok(all)
}

/// What was found of one binary.
struct Judged {
    name: &'static str,
    figures: Value,
    missed: Vec<String>,
}

impl Measured {
    fn forget(&mut self) {
        for figures in [
            &mut self.polls,
            &mut self.default_polls,
            &mut self.answers,
            &mut self.warm,
            &mut self.peaks,
        ] {
            figures.clear();
        }
    }

    async fn run(
        &mut self,
        database: &Database,
        name: &str,
        invocations: usize,
    ) -> Result<(), Error> {
        let tables = TableNames::default();
        let common = binaries::environment(&tables);
        // As on AWS: its own end point, never called here, and Amazon's certificates.
        let on_aws = Process::start(&self.binary.path, &common, TIMEOUT).await?;
        self.default_polls.push(milliseconds(on_aws.until_first_poll().await?));
        on_aws.kill().await;

        let mut over_tls = common.to_vec();
        over_tls.push(("AWS_ENDPOINT_URL_DYNAMODB", &database.https_url));
        over_tls.push(("AWS_CA_BUNDLE", database.ca_bundle()?));
        let process = Process::start(&self.binary.path, &over_tls, TIMEOUT).await?;
        let poll = milliseconds(process.until_first_poll().await?);
        self.polls.push(poll);
        for number in 0..invocations {
            // Only now, since what the database does for it would disturb the start.
            let unique = format!("{name}-{number}");
            let event = event::of(self.binary.name, database, &unique).await?;
            let asked = Instant::now();
            let answer = process.invoke(&event).await?;
            let took = milliseconds(asked.elapsed());
            if !event::is_success(&answer) {
                return Err(format!("{}: {answer}", self.binary.name).into());
            }
            if number == 0 {
                self.answers.push(poll + took);
            } else {
                self.warm.push(took);
            }
        }
        self.peaks.push(peak_kilobytes(process.pid())?);
        process.kill().await;
        // What was made would make lists longer for the next.
        database.clear().await
    }
}

fn judge(all: &mut [Measured]) -> Vec<Judged> {
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
    let hello: Vec<(f64, f64, f64)> = all
        .iter_mut()
        .filter(|measured| measured.binary.name == HELLO)
        .map(|m| (median(&mut m.polls), median(&mut m.default_polls), median(&mut m.peaks)))
        .collect();
    let (hello_poll, hello_default, hello_peak) = hello.first().copied().unwrap_or((1.0, 1.0, 1.0));
    let mut judged = Vec::new();
    for measured in all {
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
        for (what, ratio, most) in [
            ("first poll", poll_ratio, MOST_START),
            ("first poll on AWS", aws_ratio, MOST_START),
            ("peak memory", peak_ratio, MOST_MEMORY),
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

pub(crate) fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

pub(crate) fn median(figures: &mut [f64]) -> f64 {
    quantile(figures, 0.5)
}

/// The figure below which this part of them lies.
pub(crate) fn quantile(figures: &mut [f64], part: f64) -> f64 {
    figures.sort_by(f64::total_cmp);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "an index into a few thousand figures"
    )]
    let at = ((figures.len().saturating_sub(1)) as f64 * part).round() as usize;
    figures.get(at).copied().unwrap_or(f64::NAN)
}
