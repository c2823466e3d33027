//! The help, and mistakes on the command line.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::output::{Output, Printable};

/// The exit code of a command line that cannot be used.
pub(crate) const EXIT_CODE: u8 = 2;

/// A command line that runs no command: a mistake, or a request for the help or the version.
pub(crate) struct Unread {
    error: clap::Error,
    output: Output,
}

impl Unread {
    /// `arguments` are the words of the command line: it cannot be parsed, so they are searched for
    /// `--output json`.
    pub(crate) fn new(error: clap::Error, arguments: &[OsString]) -> Self {
        let is_json = arguments.windows(2).any(|pair| pair == ["--output", "json"])
            || arguments.iter().any(|word| word == "--output=json");
        Self { error, output: if is_json { Output::Json } else { Output::Table } }
    }

    /// Prints it, and returns the exit code of the program.
    pub(crate) fn report(self) -> ExitCode {
        let Self { error, output } = self;
        if error.exit_code() == 0 {
            return match Printable::lines(&error.render().to_string()).print() {
                Ok(()) => ExitCode::SUCCESS,
                Err(_) => ExitCode::FAILURE,
            };
        }
        match output {
            Output::Table => {
                Printable::lines(&escaped(error).render().to_string()).print_as_error();
            }
            Output::Json => output.error(&sentence(error)),
        }
        ExitCode::from(EXIT_CODE)
    }
}

/// The error with line feeds and other hidden characters of typed values escaped: its own line feeds
/// are the only ones.
fn escaped(mut error: clap::Error) -> clap::Error {
    let values: Vec<_> = error.context().map(|(kind, value)| (kind, value.clone())).collect();
    let shown = |text: &str| Printable::line(text).to_string();
    for (kind, value) in values {
        let escaped = match value {
            ContextValue::String(text) => ContextValue::String(shown(&text)),
            ContextValue::Strings(texts) => {
                ContextValue::Strings(texts.iter().map(|text| shown(text)).collect())
            }
            ContextValue::StyledStr(text) if kind != ContextKind::Usage => {
                ContextValue::StyledStr(shown(&text.to_string()).into())
            }
            ContextValue::StyledStrs(texts) => ContextValue::StyledStrs(
                texts.iter().map(|text| shown(&text.to_string()).into()).collect(),
            ),
            _ => continue,
        };
        error.insert(kind, escaped);
    }
    error
}

/// The error in one line, without the usage.
fn sentence(error: clap::Error) -> String {
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        return "a command is missing: add --help to see the commands".to_owned();
    }
    let text = escaped(error).render().to_string();
    let lines = text.lines().map(str::trim).take_while(|line| {
        !line.starts_with("Usage:") && !line.starts_with("For more information")
    });
    lines.filter(|line| !line.is_empty()).fold(String::new(), |said, line| {
        match said.chars().last() {
            None => line.strip_prefix("error: ").unwrap_or(line).to_owned(),
            Some(':') => format!("{said} {line}"),
            Some(_) => format!("{said}; {line}"),
        }
    })
}
