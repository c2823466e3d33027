//! The command line, except for the options of each group of commands.

use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use clap_complete::Shell;

use crate::connection::{ConnectionArguments, OPTIONS};
use crate::output::Output;
use crate::usage::Unread;
use crate::{issuer, link, maintenance, project, publisher, release, serve, token};

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
    /// Add, refresh and remove CI systems whose jobs publish with ID tokens.
    #[command(subcommand)]
    Issuer(issuer::Command),
    /// Choose the CI jobs that may publish in a project with their ID tokens.
    #[command(subcommand)]
    Publisher(publisher::Command),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        command().debug_assert();
    }
}
