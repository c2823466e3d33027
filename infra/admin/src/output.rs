//! How answers are printed: a table for people, JSON for programs.

use std::io::{self, Write};

use clap::ValueEnum;
use comfy_table::{Table, presets};
use serde::Serialize;

/// The form of the answer on standard output.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Output {
    /// A table, or a sentence.
    Table,
    /// An array for a list, an object for one thing.
    Json,
}

/// What can stand in a table.
pub(crate) trait Row: Serialize {
    /// The heads of the columns.
    const HEADER: &'static [&'static str];

    /// What stands below them.
    fn cells(&self) -> Vec<String>;
}

impl Output {
    /// Prints any number of things.
    pub(crate) fn list<T: Row>(self, rows: &[T]) -> io::Result<()> {
        match self {
            Self::Table => print(&table(rows)),
            Self::Json => print_json(rows),
        }
    }

    /// Prints one thing.
    pub(crate) fn one<T: Row>(self, row: &T) -> io::Result<()> {
        match self {
            Self::Table => print(&table(std::slice::from_ref(row))),
            Self::Json => print_json(row),
        }
    }

    /// Prints what was done: a sentence for people, what it was done to for programs.
    pub(crate) fn done(self, sentence: &str, what: &impl Serialize) -> io::Result<()> {
        match self {
            Self::Table => print(&printable(sentence)),
            Self::Json => print_json(what),
        }
    }
}

fn table<T: Row>(rows: &[T]) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(T::HEADER.to_vec());
    for row in rows {
        table.add_row(row.cells().iter().map(|cell| printable(cell)).collect::<Vec<_>>());
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table.trim_fmt()
}

/// The text without characters that would move the cursor or start a terminal's commands: users of
/// the API choose some of what is shown.
pub(crate) fn printable(text: &str) -> String {
    text.replace(char::is_control, " ")
}

/// Prints lines as they are.
pub(crate) fn print(lines: &str) -> io::Result<()> {
    writeln!(io::stdout(), "{lines}")
}

/// Prints a value as JSON.
pub(crate) fn print_json<T: Serialize + ?Sized>(value: &T) -> io::Result<()> {
    print(&serde_json::to_string_pretty(value)?)
}
