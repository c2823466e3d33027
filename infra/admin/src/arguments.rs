//! The command line, apart from what each group of subcommands says of itself.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use shared::domain::project::ProjectRef;

use crate::connection::Connection;
use crate::output::Output;
use crate::{maintenance, projects, releases, tokens};

/// Manages the projects, tokens and releases of a release-links installation.
#[derive(Debug, Parser)]
#[command(name = "release-links-admin", version, about, subcommand_required = true)]
pub(crate) struct Arguments {
    /// How to print the answer.
    #[arg(long, global = true, value_enum, default_value = "table")]
    pub(crate) output: Output,
    #[command(flatten)]
    pub(crate) connection: Connection,
    #[command(subcommand)]
    pub(crate) command: Command,
}

impl Arguments {
    /// Reads the command line. The error is clap's: a mistake, the help or the version.
    pub(crate) fn read() -> Result<Self, clap::Error> {
        let mut command = Self::command();
        let matches = command.try_get_matches_from_mut(std::env::args_os())?;
        let mut arguments = Self::from_arg_matches(&matches)?;
        arguments
            .connection
            .decide(&matches)
            .map_err(|mistake| command.error(ErrorKind::ArgumentConflict, mistake))?;
        Ok(arguments)
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Projects: the places releases are in.
    #[command(subcommand)]
    Project(projects::Command),
    /// Tokens: who may do what.
    #[command(subcommand)]
    Token(tokens::Command),
    /// Releases: what links are added to.
    #[command(subcommand)]
    Release(releases::Command),
    #[command(flatten)]
    Maintenance(maintenance::Command),
}

/// A project as the operator names it, by number or path, which may or may not be there.
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
#[error("is not a number of days, hours, minutes or seconds such as 90d, 12h, 30m or 1s")]
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

/// The text is not how long a token can live.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidLifetime {
    #[error(transparent)]
    NotADuration(#[from] InvalidDuration),
    #[error("is not between 1s and {MAX_LIFETIME_DAYS}d, a hundred years")]
    OutOfBounds,
}

/// Past that, an expiry may be no date that programs can read.
const MAX_LIFETIME_DAYS: u64 = 36_525;

/// Parses how long a token lives.
pub(crate) fn parse_lifetime(text: &str) -> Result<Duration, InvalidLifetime> {
    let lifetime = parse_duration(text)?;
    if lifetime.is_zero() || lifetime > Duration::from_hours(24 * MAX_LIFETIME_DAYS) {
        return Err(InvalidLifetime::OutOfBounds);
    }
    Ok(lifetime)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
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
