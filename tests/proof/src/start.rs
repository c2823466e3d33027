//! Start-up, memory and size of every function, beside a bare `lambda_http` hello in the same run.

use std::time::{Duration, Instant};

use runtime_api::Function as Process;
use shared::store::table_names::TableNames;

use crate::binaries::{self, Binary, HELLO};
use crate::database::Database;
use crate::process::peak_kilobytes;
use crate::report::{Row, report};
use crate::statistics::{median, milliseconds, quantile};
use crate::{Error, Options, Verdict, event};

/// The bars of a function.
struct Bars {
    /// Start to first poll, at most so many times the hello's.
    start: f64,
    /// Peak memory, at most so many times the hello's.
    memory: f64,
    /// The zip file's size in bytes.
    zip_bytes: u64,
}

/// With link-time optimization. Runs of the same functions give memory ratios of 2.44 to 2.50.
const OPTIMIZED: Bars = Bars { start: 1.6, memory: 2.6, zip_bytes: 3_000_000 };
/// Without it.
const UNOPTIMIZED: Bars = Bars { start: 1.9, memory: 3.15, zip_bytes: 3_750_000 };
/// `web` renders pages. The loader writes the pointers of its Markdown parser's table of 2,125 HTML
/// entities at each start, and its code is larger.
const PAGES: Bars = Bars { memory: 3.2, ..UNOPTIMIZED };

impl Bars {
    fn of(function: &str) -> Result<Self, Error> {
        Ok(match function {
            "web" => PAGES,
            name if name == HELLO || binaries::is_optimized(name)? => OPTIMIZED,
            _ => UNOPTIMIZED,
        })
    }
}

const TIMEOUT: Duration = Duration::from_secs(10);

/// Measurements of one binary, over all runs.
struct Measured {
    binary: Binary,
    /// From start to first poll, with the test's certificate trusted.
    polls: Vec<f64>,
    /// From start to first poll, with the default certificates, as on AWS.
    default_certificate_polls: Vec<f64>,
    /// From start to the first answer, without the time before the first event.
    answers: Vec<f64>,
    warm: Vec<f64>,
    /// Kilobytes.
    peaks: Vec<f64>,
}

/// After a miss, everything is measured again, at most this many times, and the median over all runs
/// counts: other work on the machine changes single runs.
const MORE_TRIES: usize = 2;

/// Measures every binary, beside the hello.
pub(crate) async fn prove(options: &Options) -> Result<Verdict, Error> {
    let database = Database::start().await?;
    let fresh = tempfile::tempdir()?;
    let binaries = binaries::all(options.functions.as_deref(), fresh.path())?;
    let mut all: Vec<Measured> = binaries.into_iter().map(Measured::new).collect();
    let (mut rows, mut missed) = (Vec::new(), Vec::new());
    for _ in 0..=MORE_TRIES {
        measure(&database, &mut all, options.quick).await?;
        (rows, missed) = judge(&mut all)?;
        if missed.is_empty() {
            break;
        }
    }
    Ok(Verdict { figures: report(rows), missed })
}

/// Runs the binaries in turn, so that other work on the machine affects all of them, and adds the
/// measurements to the earlier ones.
async fn measure(database: &Database, all: &mut [Measured], quick: bool) -> Result<(), Error> {
    let (runs, warm_invocations) = if quick { (15, 20) } else { (60, 50) };
    for number in 0..=runs {
        for measured in &mut *all {
            let counted = number > 0;
            // The first round only brings the files into memory.
            let invocations = if counted && number % 5 == 0 { warm_invocations } else { 1 };
            let name = format!("{}-{number}", measured.binary.name);
            measured.run(database, &name, invocations, counted).await?;
        }
    }
    Ok(())
}

impl Measured {
    fn new(binary: Binary) -> Self {
        Self {
            binary,
            polls: Vec::new(),
            default_certificate_polls: Vec::new(),
            answers: Vec::new(),
            warm: Vec::new(),
            peaks: Vec::new(),
        }
    }

    /// Starts the binary twice, has it answer some events, and keeps what was measured if it counts.
    async fn run(
        &mut self,
        database: &Database,
        name: &str,
        invocations: usize,
        counts: bool,
    ) -> Result<(), Error> {
        let tables = TableNames::default();
        let common = binaries::environment(&tables);
        // As on AWS: its own end point, never called here, and Amazon's certificates.
        let with_defaults = Process::start(&self.binary.path, &common, TIMEOUT).await?;
        let default_certificate_poll = milliseconds(with_defaults.until_first_poll().await?);
        with_defaults.kill().await;

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
        if counts {
            self.polls.push(poll);
            self.default_certificate_polls.push(default_certificate_poll);
            self.answers.push(answer);
            self.warm.extend(warm);
            self.peaks.push(peak);
        }
        Ok(())
    }
}

/// Compares each of these binaries with the hello, which is one of them.
fn judge(all: &mut [Measured]) -> Result<(Vec<Row>, Vec<String>), Error> {
    let hello: Vec<(f64, f64, f64)> = all
        .iter_mut()
        .filter(|measured| measured.binary.name == HELLO)
        .map(|m| {
            (median(&mut m.polls), median(&mut m.default_certificate_polls), median(&mut m.peaks))
        })
        .collect();
    let (hello_poll, hello_default, hello_peak) = hello.first().copied().unwrap_or((1.0, 1.0, 1.0));
    let (mut rows, mut missed) = (Vec::new(), Vec::new());
    for measured in all {
        let name = measured.binary.name;
        let poll = median(&mut measured.polls);
        let default_certificate_poll = median(&mut measured.default_certificate_polls);
        let answer = median(&mut measured.answers);
        let (p50, p99) = (quantile(&mut measured.warm, 0.5), quantile(&mut measured.warm, 0.99));
        let peak = median(&mut measured.peaks);
        let (poll_ratio, default_certificate_ratio, peak_ratio) =
            (poll / hello_poll, default_certificate_poll / hello_default, peak / hello_peak);
        #[expect(clippy::cast_precision_loss, reason = "a file's size")]
        let megabytes = |bytes: u64| bytes as f64 / 1e6;
        rows.push(vec![
            ("function", name.into()),
            ("runs", measured.polls.len().into()),
            ("first poll ms", poll.into()),
            ("to hello's", poll_ratio.into()),
            ("first poll on AWS ms", default_certificate_poll.into()),
            ("on AWS to hello's", default_certificate_ratio.into()),
            ("first answer ms", answer.into()),
            ("warm p50 ms", p50.into()),
            ("warm p99 ms", p99.into()),
            ("peak MB", (peak / 1e3).into()),
            ("peak to hello's", peak_ratio.into()),
            ("binary MB", megabytes(measured.binary.bytes).into()),
            ("zip MB", megabytes(measured.binary.zip_bytes).into()),
        ]);
        let bars = Bars::of(name)?;
        for (what, ratio, most) in [
            ("first poll", poll_ratio, bars.start),
            ("first poll on AWS", default_certificate_ratio, bars.start),
            ("peak memory", peak_ratio, bars.memory),
        ] {
            if ratio > most {
                missed.push(format!("{name}: {what} is {ratio:.2} times the hello's, not {most}"));
            }
        }
        if measured.binary.zip_bytes > bars.zip_bytes {
            missed.push(format!("{name}: the zip has {} bytes", measured.binary.zip_bytes));
        }
    }
    Ok((rows, missed))
}
