//! Measures what docs/proofs.md promises, on the real binaries, as commands anyone can run.

mod binaries;
mod database;
mod event;
mod history;
mod memory;
mod pool;
mod process;
mod report;
mod soak;
mod speed;
mod start;
mod statistics;
mod test_database;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use strum::{Display, EnumIter, IntoEnumIterator};

type Error = Box<dyn std::error::Error + Send + Sync>;

/// Measures release-links; exits with 1 where a bar is missed.
#[derive(Debug, Parser)]
#[command(name = "proof", version, about)]
struct Arguments {
    #[command(subcommand)]
    proof: Proof,
    #[command(flatten)]
    options: Options,
}

#[derive(Args, Debug)]
struct Options {
    /// Fewer runs: to see that it works, not to quote.
    #[arg(long, global = true)]
    quick: bool,
    /// Also write the figures to this file.
    #[arg(long, value_name = "FILE", global = true)]
    json: Option<PathBuf>,
    /// The output folder of `cargo lambda build`. Without it, the functions are built here.
    #[arg(long, value_name = "DIR", global = true)]
    functions: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, Display, EnumIter, PartialEq, Subcommand)]
#[strum(serialize_all = "lowercase")]
enum Proof {
    /// How fast each function starts, and how large it is, beside a bare `lambda_http` hello.
    Start,
    /// The cost of a request, compared with a function that only makes the same database requests.
    Speed,
    /// Whether concurrent histories of a release are linearizable, on a bad database.
    History,
    /// Whether memory and time stay bounded where there is more than an answer has room for.
    Memory,
    /// Whether memory stays flat and nothing leaks under a long, mixed load.
    Soak,
    /// All of them, one after the other.
    All,
}

impl Proof {
    async fn prove(self, options: &Options) -> Result<Verdict, Error> {
        match self {
            Self::Start => start::prove(options).await,
            Self::Speed => speed::prove(options).await,
            Self::History => history::prove(options).await,
            Self::Memory => memory::prove(options).await,
            Self::Soak => soak::prove(options).await,
            Self::All => Err("all are proven one by one".into()),
        }
    }
}

struct Verdict {
    figures: serde_json::Value,
    missed: Vec<String>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match prove(&arguments).await {
        Ok(missed) if missed.is_empty() => ExitCode::SUCCESS,
        Ok(missed) => {
            eprintln!("{} missed", missed.len());
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn prove(arguments: &Arguments) -> Result<Vec<String>, Error> {
    let options = &arguments.options;
    let mut figures = serde_json::Map::new();
    let mut missed = Vec::new();
    let chosen = |proof: &Proof| [*proof, Proof::All].contains(&arguments.proof);
    for proof in Proof::iter().filter(|proof| *proof != Proof::All && chosen(proof)) {
        eprintln!("{proof}");
        // One that cannot be carried out is missed, and keeps no other from being told.
        let verdict = Box::pin(proof.prove(options)).await.unwrap_or_else(|error| Verdict {
            figures: serde_json::Value::Null,
            missed: vec![format!("{proof}: {error}")],
        });
        for bar in &verdict.missed {
            eprintln!("missed: {bar}");
        }
        missed.extend(verdict.missed);
        figures.insert(proof.to_string(), verdict.figures);
        if let Some(file) = &options.json {
            std::fs::write(file, serde_json::to_string_pretty(&figures)?)?;
        }
    }
    Ok(missed)
}
