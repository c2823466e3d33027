//! How results are printed: a table for people, JSON for programs.
//!
//! Users of the API choose some of the text. [`Printable`] is the only type that can be printed. It
//! escapes the characters that move the cursor, start a terminal's commands or reverse the order of
//! letters.

use std::fmt::{self, Write as _};
use std::io::{self, ErrorKind, IsTerminal, Write as _};

use clap::ValueEnum;
use comfy_table::{Table, presets};
use serde::Serialize;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

/// The form of the result on standard output.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Output {
    /// A table, or a sentence.
    Table,
    /// An array for a list, an object for one thing.
    Json,
}

/// An error in the form for scripts.
#[derive(Serialize)]
struct Failure<'a> {
    error: &'a str,
}

/// A row of a list.
pub(crate) trait Row: Serialize {
    /// The names of the columns.
    const HEADER: &'static [&'static str];

    /// A value for each column.
    fn cells(&self) -> Vec<String>;
}

/// One thing, shown with a line for each of its fields.
pub(crate) trait Details: Serialize {
    /// The fields with their labels.
    fn fields(&self) -> Vec<(&'static str, String)>;
}

impl Output {
    /// Prints any number of things.
    pub(crate) fn list<T: Row>(self, rows: &[T]) -> io::Result<()> {
        match self {
            Self::Table => Printable::table(rows).print(),
            Self::Json => Printable::json(rows)?.print(),
        }
    }

    /// Prints one thing.
    pub(crate) fn one<T: Details>(self, thing: &T) -> io::Result<()> {
        match self {
            Self::Table => Printable::details(thing).print(),
            Self::Json => Printable::json(thing)?.print(),
        }
    }

    /// Prints the result of an action: a sentence for people, the object for programs.
    pub(crate) fn done(self, sentence: &str, what: &impl Serialize) -> io::Result<()> {
        match self {
            Self::Table => Printable::line(sentence).print(),
            Self::Json => Printable::json(what)?.print(),
        }
    }

    /// Prints an error to standard error: one line, or an object with the member `error`.
    pub(crate) fn error(self, text: &str) {
        let text = text.lines().map(str::trim).collect::<Vec<_>>().join("; ");
        let printable = match self {
            Self::Table => Ok(Printable::line(&format!("error: {text}"))),
            Self::Json => Printable::json(&Failure { error: &text }),
        };
        printable.unwrap_or_else(|_| Printable::line(&text)).print_as_error();
    }
}

/// Text without raw control characters (category Cc), format characters (Cf) and line or paragraph
/// separators (Zl, Zp), apart from the line feeds of its own layout.
pub(crate) struct Printable(String);

impl Printable {
    /// One line. Hidden characters become visible escapes such as `\n` and `\u{202e}`.
    pub(crate) fn line(text: &str) -> Self {
        Self(text.chars().fold(String::new(), push_visibly))
    }

    /// The lines of a text that has some of its own.
    pub(crate) fn lines(text: &str) -> Self {
        Self(text.lines().map(|line| Self::line(line).0).collect::<Vec<_>>().join("\n"))
    }

    /// JSON in which hidden characters stand as `\uXXXX`: the same value to every parser.
    pub(crate) fn json<T: Serialize + ?Sized>(value: &T) -> io::Result<Self> {
        let json = serde_json::to_string_pretty(value)?;
        Ok(Self(json.chars().fold(String::new(), push_for_json)))
    }

    /// Rows below the names of their columns.
    pub(crate) fn table<T: Row>(rows: &[T]) -> Self {
        let mut table = Table::new();
        table.set_header(T::HEADER.to_vec());
        for row in rows {
            table.add_row(row.cells().iter().map(|cell| Self::line(cell).0).collect::<Vec<_>>());
        }
        Self::laid_out(table)
    }

    /// A line for each field.
    pub(crate) fn details(thing: &impl Details) -> Self {
        let mut table = Table::new();
        for (label, value) in thing.fields().into_iter().filter(|(_, value)| !value.is_empty()) {
            table.add_row(vec![format!("{label}:"), Self::line(&value).0]);
        }
        Self::laid_out(table)
    }

    fn laid_out(mut table: Table) -> Self {
        table.load_style(presets::NOTHING);
        for column in table.column_iter_mut() {
            column.set_padding((0, 2));
        }
        Self(table.trim_fmt())
    }

    /// Prints to standard output. A reader that stops early, such as `head`, is no error.
    pub(crate) fn print(&self) -> io::Result<()> {
        match self.print_to_a_reader() {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
            printed => printed,
        }
    }

    /// Prints to standard output a text that must not get lost: a closed pipe is an error.
    pub(crate) fn print_to_a_reader(&self) -> io::Result<()> {
        writeln!(io::stdout(), "{}", self.0)
    }

    /// Prints to standard error. A closed pipe changes nothing: the exit code still tells.
    pub(crate) fn print_as_error(&self) {
        let _ = writeln!(io::stderr(), "{}", self.0);
    }
}

impl Printable {
    /// Prints a question to standard error; the answer follows in the same line.
    pub(crate) fn prompt(&self) {
        let _ = write!(io::stderr(), "{}", self.0);
    }

    /// Whether a person can see standard error.
    pub(crate) fn stderr_is_terminal() -> bool {
        io::stderr().is_terminal()
    }
}

impl fmt::Display for Printable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_hidden(c: char) -> bool {
    matches!(
        c.general_category(),
        GeneralCategory::Control
            | GeneralCategory::Format
            | GeneralCategory::LineSeparator
            | GeneralCategory::ParagraphSeparator
    )
}

fn push_visibly(mut text: String, c: char) -> String {
    if is_hidden(c) {
        text.extend(c.escape_default());
    } else {
        text.push(c);
    }
    text
}

/// JSON's layout has no hidden character but the line feed; all others are inside strings.
fn push_for_json(mut json: String, c: char) -> String {
    if c == '\n' || !is_hidden(c) {
        json.push(c);
    } else {
        for unit in c.encode_utf16(&mut [0; 2]) {
            // Writing to a string does not fail.
            let _ = write!(json, "\\u{unit:04x}");
        }
    }
    json
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_characters_are_visible_in_a_line() {
        for (text, shown) in [
            ("plain \u{e9} \u{4e2d} \u{1f600} \\u{9b}", "plain \u{e9} \u{4e2d} \u{1f600} \\u{9b}"),
            ("a\nb\tc\0", "a\\nb\\tc\\u{0}"),
            ("\u{1b}[31m \u{7f}", "\\u{1b}[31m \\u{7f}"),
            ("\u{9b}31m \u{9d}", "\\u{9b}31m \\u{9d}"),
            ("ro\u{202e}ot \u{2066}", "ro\\u{202e}ot \\u{2066}"),
            ("\u{ad}\u{200b}\u{feff}\u{e0001}", "\\u{ad}\\u{200b}\\u{feff}\\u{e0001}"),
            ("\u{2028}\u{2029}", "\\u{2028}\\u{2029}"),
        ] {
            assert_eq!(Printable::line(text).0, shown);
        }
        assert_eq!(Printable::lines("a\u{9b}\nb\n").0, "a\\u{9b}\nb");
    }

    #[test]
    fn json_has_no_hidden_character_and_the_same_value() {
        let all: Vec<String> = ('\0'..=char::MAX).map(|c| format!("a{c}\"\\")).collect();
        let Printable(json) = Printable::json(&all).unwrap();
        assert!(!json.chars().any(|c| c != '\n' && is_hidden(c)));
        assert_eq!(serde_json::from_str::<Vec<String>>(&json).unwrap(), all);
        assert_eq!(Printable::json("\u{9b}\u{e0001}").unwrap().0, r#""\u009b\udb40\udc01""#);
    }
}
