//! The question before something is deleted.

use std::io::{self, IsTerminal};

use clap::Args;

use crate::error::Error;
use crate::output::Printable;

#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Confirmation {
    /// Delete without asking. Scripts need it: without a terminal nothing can be asked.
    #[arg(long)]
    yes: bool,
}

impl Confirmation {
    /// Whether the question is answered on the command line.
    pub(crate) fn is_given(self) -> bool {
        self.yes
    }

    /// Asks whether to delete `what`, unless that is already answered. `effects` is a sentence, or
    /// empty. An error means no.
    pub(crate) fn ask(self, what: &str, effects: &str) -> Result<(), Error> {
        if self.yes {
            return Ok(());
        }
        // Without a visible question, the program would wait for an answer without end.
        if !io::stdin().is_terminal() || !Printable::stderr_is_terminal() {
            return Err(Error::Unconfirmed(what.to_owned()));
        }
        let effects = if effects.is_empty() { String::new() } else { format!("{effects} ") };
        Printable::line(&format!("Delete {what}? {effects}[y/N] ")).prompt();
        let mut answer = String::new();
        io::stdin().read_line(&mut answer)?;
        match answer.trim().to_ascii_lowercase().as_str() {
            "y" | "yes" => Ok(()),
            _ => Err(Error::Declined),
        }
    }
}
