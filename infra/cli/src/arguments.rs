//! The command line, except for the options of each group of commands.

use std::convert::Infallible;
use std::ffi::OsString;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use clap_complete::Shell;
use shared::domain::project::ProjectRef;

use crate::connection::{ConnectionArguments, OPTIONS};
use crate::output::Output;
use crate::usage::Unread;
use crate::{link, maintenance, project, release, serve, token};

/// GitLab's Releases and Release Links API, on this machine or on AWS.
///
/// Without a command, serves the API on this machine. The other commands manage an installation. They
/// find a local server by its connection file, and an installation on AWS by AWS's variables and
/// profiles.
#[derive(Debug, Parser)]
#[command(name = NAME, version, about, after_help = AFTER_HELP)]
struct CommandLine {
    /// Form of the output: tables and sentences for people, JSON for scripts. With json, errors are
    /// JSON too.
    #[arg(long, global = true, value_enum, default_value = "table")]
    output: Output,
    #[command(flatten)]
    connection: ConnectionArguments,
    #[command(subcommand)]
    command: Option<Command>,
}

const NAME: &str = "release-links";

const AFTER_HELP: &str = "\
Examples:
  release-links
  release-links project create mygroup/app --visibility public
  release-links token create --name ci --project mygroup/app
  release-links --output json release list mygroup/app";

/// Replaces the options that every command has in the help of a command.
const SHARED_OPTIONS: &str = "Options for the output and the connection: release-links --help";

/// The command line, read and checked.
#[derive(Debug)]
pub(crate) struct Arguments {
    pub(crate) output: Output,
    pub(crate) connection: ConnectionArguments,
    pub(crate) command: Command,
}

impl Arguments {
    /// Reads the command line.
    pub(crate) fn read() -> Result<Self, Unread> {
        let arguments: Vec<_> = std::env::args_os().collect();
        Self::parse(&arguments).map_err(|error| Unread::new(error, &arguments))
    }

    fn parse(arguments: &[OsString]) -> Result<Self, clap::Error> {
        let mut command = command();
        let mut matches = command.try_get_matches_from_mut(arguments)?;
        if matches.subcommand_name().is_none() {
            let serve = arguments.iter().cloned().chain([SERVE.into()]);
            matches = command.try_get_matches_from_mut(serve)?;
        }
        let CommandLine { output, mut connection, command: chosen } =
            CommandLine::from_arg_matches(&matches)?;
        let chosen =
            chosen.ok_or_else(|| command.error(ErrorKind::MissingSubcommand, "no command"))?;
        connection
            .decide(&matches, matches!(chosen, Command::Serve(_)))
            .map_err(|mistake| command.error(ErrorKind::ArgumentConflict, mistake))?;
        Ok(Self { output, connection, command: chosen })
    }
}

/// The script that completes command lines in a shell.
pub(crate) fn completions(shell: Shell) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut CommandLine::command(), NAME, &mut script);
    script
}

/// The whole command line. The help of the program shows the options that all commands share; the
/// help of a command refers to it.
fn command() -> clap::Command {
    let mut command = CommandLine::command();
    // Copies the shared options to every command.
    command.build();
    hide_shared_options(command)
}

fn hide_shared_options(command: clap::Command) -> clap::Command {
    let names: Vec<_> = command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
    names.into_iter().fold(command, |command, name| {
        command.mut_subcommand(name, |sub| {
            // Not `mut_arg`, which changes the order: clap has indexed the arguments by now.
            let sub = sub.mut_args(|argument| {
                let id = argument.get_id().as_str();
                let is_shared = OPTIONS.contains(&id) || id == "output";
                if is_shared { argument.hide(true) } else { argument }
            });
            hide_shared_options(sub.after_help(SHARED_OPTIONS))
        })
    })
}

/// The command that runs if none is named.
const SERVE: &str = "serve";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve the API on this machine, over an embedded DynamoDB. This is the default command.
    #[command(name = SERVE)]
    Serve(serve::Arguments),
    /// Create, show, change and delete projects.
    #[command(subcommand)]
    Project(project::Command),
    /// Create, show, rotate and revoke access tokens.
    #[command(subcommand)]
    Token(token::Command),
    /// Create, show and delete releases.
    #[command(subcommand)]
    Release(release::Command),
    /// Create, show, change and delete the links of a release.
    #[command(subcommand)]
    Link(link::Command),
    #[command(flatten)]
    Maintenance(maintenance::Command),
    /// Print a script that completes commands in a shell, for example in bash.
    ///
    /// Bash: source <(release-links completions bash). Zsh: put the output into a file _release-links
    /// in a folder of $fpath. Fish: release-links completions fish | source.
    Completions {
        /// The shell.
        shell: Shell,
    },
}

/// A project that the operator names by its number or path. It may not exist.
#[derive(Clone, Debug)]
pub(crate) struct ProjectArgument {
    text: String,
    pub(crate) project: ProjectRef,
}

impl FromStr for ProjectArgument {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self { text: text.to_owned(), project: ProjectRef::parse(text) })
    }
}

impl fmt::Display for ProjectArgument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The text is not a duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a number of days, hours, minutes or seconds, for example 90d, 12h, 30m or 1s")]
pub(crate) struct InvalidDuration;

/// Parses a whole number with the letter of its unit.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, InvalidDuration> {
    let units = [('d', 24 * 60 * 60), ('h', 60 * 60), ('m', 60), ('s', 1)];
    let (digits, seconds) = units
        .into_iter()
        .find_map(|(letter, seconds)| Some((text.strip_suffix(letter)?, seconds)))
        .ok_or(InvalidDuration)?;
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(InvalidDuration);
    }
    let number: u64 = digits.parse().map_err(|_| InvalidDuration)?;
    number.checked_mul(seconds).map(Duration::from_secs).ok_or(InvalidDuration)
}

/// The text is not a lifetime of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidLifetime {
    #[error(transparent)]
    NotADuration(#[from] InvalidDuration),
    #[error("expected 1s to {MAX_LIFETIME_DAYS}d (a hundred years)")]
    OutOfBounds,
}

/// Longer lifetimes end on dates that some programs cannot read.
const MAX_LIFETIME_DAYS: u64 = 36_525;

/// Parses the lifetime of a token.
pub(crate) fn parse_lifetime(text: &str) -> Result<Duration, InvalidLifetime> {
    let lifetime = parse_duration(text)?;
    if lifetime.is_zero() || lifetime > Duration::from_hours(24 * MAX_LIFETIME_DAYS) {
        return Err(InvalidLifetime::OutOfBounds);
    }
    Ok(lifetime)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        command().debug_assert();
    }

    #[test]
    fn a_duration_is_a_number_and_a_unit() {
        for (text, seconds) in [("90d", 7_776_000), ("12h", 43_200), ("30m", 1800), ("0s", 0)] {
            assert_eq!(parse_duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["", "d", "90", "+1d", "-1d", "1.5h", "1 d", "1w", "1D", "1é", "1h30m"] {
            assert_eq!(parse_duration(text), Err(InvalidDuration), "{text}");
        }
        assert_eq!(parse_duration("18446744073709551615d"), Err(InvalidDuration));
    }

    #[test]
    fn a_token_lives_from_a_second_to_a_hundred_years() {
        for text in ["1s", "90d", "36525d"] {
            assert_eq!(parse_lifetime(text).ok(), parse_duration(text).ok(), "{text}");
        }
        for text in ["0s", "0d", "36526d", "3155760001s", "5000000d"] {
            assert_eq!(parse_lifetime(text), Err(InvalidLifetime::OutOfBounds), "{text}");
        }
        assert_eq!(parse_lifetime("90"), Err(InvalidLifetime::NotADuration(InvalidDuration)));
    }
}
