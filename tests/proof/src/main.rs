//! Measures what docs/proofs.md promises, on the real binaries, as commands anyone can run.

mod binaries;
mod crash;
mod database;
mod event;
mod history;
mod matrix;
mod memory;
mod pool;
mod process;
mod progress;
mod scale;
mod soak;
mod speed;
mod start;
mod statistics;
mod test_database;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

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

#[derive(Clone, Copy, Debug, Subcommand)]
enum Proof {
    /// How fast each function starts, and how large it is, beside a bare `lambda_http` hello.
    Start,
    /// Whether concurrent histories of a release are linearizable, on a bad database.
    History,
    /// Whether what was answered is there after a kill, and nothing else.
    Crash,
    /// Whether everybody may do what GitLab lets them, everywhere and by every carrier of a token.
    Matrix,
    /// Whether memory and time stay bounded where there is more than an answer has room for.
    Memory,
    /// Whether memory stays flat and nothing leaks under a long, mixed load.
    Soak,
    /// The cost of a request, compared with a function that only makes the same database requests.
    Speed,
    /// Whether one link costs the same in a release of any size, and one release in a project.
    Scale,
    /// All of them, one after the other.
    All,
}

impl Proof {
    /// Itself, or all the others.
    fn each(self) -> Vec<Self> {
        match self {
            Self::Start
            | Self::Speed
            | Self::Scale
            | Self::History
            | Self::Crash
            | Self::Soak
            | Self::Memory
            | Self::Matrix => vec![self],
            Self::All => [
                Self::Start,
                Self::Speed,
                Self::Scale,
                Self::History,
                Self::Crash,
                Self::Memory,
                Self::Soak,
                Self::Matrix,
            ]
            .to_vec(),
        }
    }

    async fn prove(self, options: &Options) -> Result<Verdict, Error> {
        match self {
            Self::Start => start::prove(options).await,
            Self::History => history::prove(options).await,
            Self::Crash => crash::prove(options).await,
            Self::Matrix => matrix::prove(options).await,
            Self::Memory => memory::prove(options).await,
            Self::Soak => soak::prove(options).await,
            Self::Speed => speed::prove(options).await,
            Self::Scale => scale::prove(options).await,
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
    for proof in arguments.proof.each() {
        // One that cannot be carried out is missed, and keeps no other from being told.
        let verdict = Box::pin(proof.prove(options)).await.unwrap_or_else(|error| Verdict {
            figures: serde_json::Value::Null,
            missed: vec![format!("{proof:?}: {error}")],
        });
        for bar in &verdict.missed {
            eprintln!("missed: {bar}");
        }
        missed.extend(verdict.missed);
        figures.insert(format!("{proof:?}").to_lowercase(), verdict.figures);
        if let Some(file) = &options.json {
            std::fs::write(file, serde_json::to_string_pretty(&figures)?)?;
        }
    }
    Ok(missed)
}
