//! Checking parameters as Grape, GitLab's framework, does: each by its declared type, all that is
//! wrong said at once.

use super::error::{ApiError, ParamName, ParamProblem};
use super::params::{Param, Params};
use crate::domain::link::Change;
use crate::domain::time::Timestamp;

/// Parameters under inspection, and what was wrong so far.
pub struct ParamValidator<'a> {
    params: &'a Params,
    problems: Vec<ParamProblem>,
}

/// A parameter of type string. Its key may be there without a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field<'a> {
    Absent,
    /// Its key is there, with null.
    Null,
    /// It is this.
    Text(&'a str),
}

impl<'a> Field<'a> {
    /// The change that an update asks for with it.
    #[must_use]
    pub fn change(self) -> Change<Option<String>> {
        match self {
            Self::Absent => Change::Keep,
            Self::Null => Change::Set(None),
            Self::Text(text) => Change::Set(Some(text.to_owned())),
        }
    }

    /// Its text, where it has one.
    #[must_use]
    pub fn text(self) -> Option<&'a str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Absent | Self::Null => None,
        }
    }
}

/// A hash in an array, and its place there.
pub type Entry<'a> = (usize, &'a Params);

impl<'a> ParamValidator<'a> {
    /// Starts an inspection.
    #[must_use]
    pub fn new(params: &'a Params) -> Self {
        Self { params, problems: Vec::new() }
    }

    /// Notes a problem.
    pub fn problem(&mut self, problem: ParamProblem) {
        self.problems.push(problem);
    }

    /// A parameter of type string.
    pub fn optional(&mut self, name: &'static str) -> Field<'a> {
        self.text_of(self.params, name, name.into())
    }

    /// A parameter of type string whose key has to be there.
    pub fn required(&mut self, name: &'static str) -> Field<'a> {
        let field = self.optional(name);
        if field == Field::Absent {
            self.problem(ParamProblem::Missing(name.into()));
        }
        field
    }

    /// A parameter of type string whose text has a form of its own. An empty one is none: forms have
    /// no null.
    pub fn optional_formed<T>(
        &mut self,
        name: &'static str,
        parse: fn(&str) -> Option<T>,
    ) -> Change<Option<T>> {
        let field = self.optional(name);
        self.formed(field, name.into(), parse)
    }

    /// The same in each of the `entries` of `list`.
    pub fn optional_formed_in<T>(
        &mut self,
        list: &str,
        entries: &[Entry<'a>],
        name: &'static str,
        parse: fn(&str) -> Option<T>,
    ) -> Vec<Change<Option<T>>> {
        let found = self.optional_in(list, entries, name);
        let of_entry = |((at, _), field): (&Entry<'a>, Field<'a>)| {
            self.formed(field, format!("{list}[{at}][{name}]").into(), parse)
        };
        entries.iter().zip(found).map(of_entry).collect()
    }

    fn formed<T>(
        &mut self,
        field: Field<'a>,
        shown: ParamName,
        parse: fn(&str) -> Option<T>,
    ) -> Change<Option<T>> {
        match field {
            Field::Absent => Change::Keep,
            Field::Null | Field::Text("") => Change::Set(None),
            Field::Text(text) => {
                let value = parse(text);
                if value.is_none() {
                    self.problem(ParamProblem::Invalid(shown));
                }
                Change::Set(value)
            }
        }
    }

    /// A parameter of type string in each of the `entries` of `list`.
    pub fn optional_in(
        &mut self,
        list: &str,
        entries: &[Entry<'a>],
        name: &'static str,
    ) -> Vec<Field<'a>> {
        let of_entry = |(at, entry): &Entry<'a>| {
            self.text_of(entry, name, format!("{list}[{at}][{name}]").into())
        };
        entries.iter().map(of_entry).collect()
    }

    /// The same where the key has to be there.
    pub fn required_in(
        &mut self,
        list: &str,
        entries: &[Entry<'a>],
        name: &'static str,
    ) -> Vec<Field<'a>> {
        let found = self.optional_in(list, entries, name);
        let absent = entries.iter().zip(&found).filter(|(_, field)| **field == Field::Absent);
        for ((at, _), _) in absent {
            self.problem(ParamProblem::Missing(format!("{list}[{at}][{name}]").into()));
        }
        found
    }

    fn text_of(&mut self, params: &'a Params, name: &str, shown: ParamName) -> Field<'a> {
        match params.get(name) {
            None => Field::Absent,
            Some(Param::Null) => Field::Null,
            Some(Param::Text(text) | Param::Scalar(text)) => Field::Text(text),
            Some(Param::List(_) | Param::Map(_) | Param::File) => {
                self.problem(ParamProblem::Invalid(shown));
                Field::Null
            }
        }
    }

    /// A parameter of type hash: its parameters, where it is there.
    pub fn hash(&mut self, name: &'static str) -> Option<&'a Params> {
        match self.params.get(name) {
            None | Some(Param::Null) => None,
            Some(Param::Text(text)) if text.is_empty() => None,
            Some(Param::Map(params)) => Some(params),
            Some(Param::Text(_) | Param::Scalar(_) | Param::List(_) | Param::File) => {
                self.problem(ParamProblem::Invalid(name.into()));
                None
            }
        }
    }

    /// A parameter of `params` that is an array of hashes; `shown` is its whole name. Each comes with
    /// its place in the array.
    ///
    /// Blank entries are left out: forms cannot hold an empty array, so clients send `name[]=` for it.
    pub fn hashes(
        &mut self,
        params: &'a Params,
        name: &str,
        shown: &'static str,
    ) -> Vec<Entry<'a>> {
        let entries = match params.get(name) {
            None | Some(Param::Null) => Some(Vec::new()),
            Some(Param::Text(text)) if text.is_empty() => Some(Vec::new()),
            Some(Param::List(list)) => list
                .iter()
                .enumerate()
                .filter(|(_, entry)| !is_blank(entry))
                .map(|(at, entry)| match entry {
                    Param::Map(params) => Some((at, params)),
                    Param::Null
                    | Param::Text(_)
                    | Param::Scalar(_)
                    | Param::List(_)
                    | Param::File => None,
                })
                .collect(),
            Some(Param::Text(_) | Param::Scalar(_) | Param::Map(_) | Param::File) => None,
        };
        entries.unwrap_or_else(|| {
            self.problem(ParamProblem::Invalid(shown.into()));
            Vec::new()
        })
    }

    /// A list that GitLab reads with `CommaSeparatedToArray`: a string with commas between values, or
    /// an array of such strings. Anything else is an empty list.
    pub fn comma_separated(&mut self, name: &'static str) -> Vec<&'a str> {
        match self.params.get(name) {
            Some(Param::Text(text)) => split(text).collect(),
            Some(Param::List(list)) => self.split_each(name, list),
            None | Some(Param::Null | Param::Scalar(_) | Param::Map(_) | Param::File) => Vec::new(),
        }
    }

    /// A list that GitLab reads with `CommaSeparatedToIntegerArray`: an array of strings with commas
    /// between integers. Anything else is an empty list.
    pub fn comma_separated_integers(&mut self, name: &'static str) -> Vec<i64> {
        match self.params.get(name) {
            Some(Param::List(list)) => {
                self.split_each(name, list).into_iter().map(leading_integer).collect()
            }
            None
            | Some(Param::Null | Param::Text(_) | Param::Scalar(_) | Param::Map(_) | Param::File) => {
                Vec::new()
            }
        }
    }

    /// GitLab splits an array or hash inside the list as Ruby prints it. No value is called so: they
    /// are refused.
    fn split_each(&mut self, name: &'static str, list: &'a [Param]) -> Vec<&'a str> {
        let mut values = Vec::new();
        for entry in list {
            match entry {
                Param::Null => {}
                Param::Text(text) | Param::Scalar(text) => values.extend(split(text)),
                Param::List(_) | Param::Map(_) | Param::File => {
                    self.problem(ParamProblem::Invalid(name.into()));
                    return Vec::new();
                }
            }
        }
        values
    }

    /// A parameter of type integer that stands in the path.
    pub fn path_integer(&mut self, name: &'static str, text: &str) -> Option<i64> {
        let integer = parse_integer(text);
        if integer.is_none() {
            self.problem(ParamProblem::Invalid(name.into()));
        }
        integer
    }

    /// A parameter of type string that is one of these words; the first where it is not there.
    pub fn word<T: Copy, const N: usize>(
        &mut self,
        name: &'static str,
        words: [(&str, T); N],
    ) -> T {
        self.optional_word(name, words).unwrap_or(words[0].1)
    }

    /// A parameter of type string that is one of these words, or is not there.
    pub fn optional_word<T: Copy, const N: usize>(
        &mut self,
        name: &'static str,
        words: [(&str, T); N],
    ) -> Option<T> {
        let text = self.optional(name).text()?;
        let found = words.iter().find(|(word, _)| *word == text);
        if found.is_none() {
            self.problem(ParamProblem::NotListed(name.into()));
        }
        found.map(|(_, value)| *value)
    }

    /// A parameter of type time.
    pub fn time(&mut self, name: &'static str) -> Option<Timestamp> {
        let text = match self.params.get(name) {
            None | Some(Param::Null) => return None,
            Some(Param::Text(text)) if text.trim().is_empty() => return None,
            Some(Param::Text(text)) => Some(text),
            Some(Param::Scalar(_) | Param::List(_) | Param::Map(_) | Param::File) => None,
        };
        let time: Option<Timestamp> = text.and_then(|text| text.parse().ok());
        if time.is_none() {
            self.problem(ParamProblem::Invalid(name.into()));
        }
        time
    }

    /// A parameter of type boolean.
    pub fn boolean(&mut self, name: &'static str) -> Option<bool> {
        // The words of dry-types, by which GitLab reads it: Python's clients send `True`.
        #[rustfmt::skip]
        let yes = [
            "1", "on", "On", "ON", "t", "true", "True", "T", "TRUE", "y", "yes", "Yes", "Y", "YES",
        ];
        #[rustfmt::skip]
        let no = [
            "0", "off", "Off", "OFF", "f", "false", "False", "F", "FALSE", "n", "no", "No", "N", "NO",
        ];
        let boolean = match self.params.get(name) {
            None | Some(Param::Null) => return None,
            Some(Param::Text(text) | Param::Scalar(text)) if text.is_empty() => return None,
            Some(Param::Text(text) | Param::Scalar(text)) if yes.contains(&text.as_str()) => {
                Some(true)
            }
            Some(Param::Text(text) | Param::Scalar(text)) if no.contains(&text.as_str()) => {
                Some(false)
            }
            Some(
                Param::Text(_) | Param::Scalar(_) | Param::List(_) | Param::Map(_) | Param::File,
            ) => None,
        };
        if boolean.is_none() {
            self.problem(ParamProblem::Invalid(name.into()));
        }
        boolean
    }

    /// Whether the key of any of these parameters is there.
    #[must_use]
    pub fn has_any(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.params.contains_key(*name))
    }

    /// A parameter of type integer.
    pub fn integer(&mut self, name: &'static str) -> Option<i64> {
        let text = match self.params.get(name) {
            None | Some(Param::Null) => return None,
            Some(Param::Text(text)) if text.is_empty() => return None,
            Some(Param::Text(text) | Param::Scalar(text)) => Some(text.as_str()),
            Some(Param::List(_) | Param::Map(_) | Param::File) => None,
        };
        let integer = text.and_then(parse_integer);
        if integer.is_none() {
            self.problem(ParamProblem::Invalid(name.into()));
        }
        integer
    }

    /// Ends the inspection; fails if anything was wrong.
    pub fn finish(self) -> Result<(), ApiError> {
        if self.problems.is_empty() { Ok(()) } else { Err(ApiError::Parameters(self.problems)) }
    }
}

fn is_blank(entry: &Param) -> bool {
    match entry {
        Param::Null => true,
        Param::Text(text) => text.is_empty(),
        Param::Scalar(_) | Param::List(_) | Param::Map(_) | Param::File => false,
    }
}

/// Splits as Ruby does: empty values at the end are dropped, others are kept.
fn split(text: &str) -> impl Iterator<Item = &str> {
    let text = text.trim_end_matches(',');
    text.split(',').map(str::trim).skip(usize::from(text.is_empty()))
}

/// The integer at the beginning of a text, or 0, like Ruby's `to_i`.
fn leading_integer(text: &str) -> i64 {
    let is_part = |(at, c): (usize, char)| {
        c.is_ascii_digit() || (at == 0 && matches!(c, '+' | '-')) || (at > 0 && c == '_')
    };
    let end = text.char_indices().find(|part| !is_part(*part)).map_or(text.len(), |(at, _)| at);
    parse_integer(text[..end].trim_end_matches('_')).unwrap_or(0)
}

/// An integer as Ruby reads one: a sign, single underscores between digits, white space around.
/// A number that does not fit becomes the nearest that does: no record and no page has either.
pub(super) fn parse_integer(text: &str) -> Option<i64> {
    let text = text.trim_matches([' ', '\t', '\n', '\r', '\u{b}', '\u{c}']);
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let well_formed = digits
        .split('_')
        .all(|run| !run.is_empty() && run.bytes().all(|byte| byte.is_ascii_digit()));
    if !well_formed {
        return None;
    }
    let magnitude = digits
        .bytes()
        .filter(|byte| *byte != b'_')
        .fold(0_i64, |sum, digit| sum.saturating_mul(10).saturating_add(i64::from(digit - b'0')));
    Some(if negative { -magnitude } else { magnitude })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn an_integer_is_read_however_it_is_spelled(
            number: i64, plus: bool, zeros in 0..3_usize, space in "[ \t]{0,2}",
        ) {
            let digits = number.unsigned_abs().to_string();
            let sign = if number < 0 { "-" } else if plus { "+" } else { "" };
            let spelled = format!("{space}{sign}{}{digits}{space}", "0".repeat(zeros));
            // The lowest number has no positive counterpart; its neighbour does as well.
            prop_assert_eq!(parse_integer(&spelled), Some(number.max(-i64::MAX)));
            let underscored: Vec<String> = digits.chars().map(String::from).collect();
            let spelled = format!("{sign}{}", underscored.join("_"));
            prop_assert_eq!(parse_integer(&spelled), Some(number.max(-i64::MAX)));
        }

        #[test]
        fn any_text_is_an_integer_or_none(text in "[-+_0-9 .x\u{663}]{0,30}|\\PC{0,8}") {
            let digits = text.chars().filter(char::is_ascii_digit).count();
            prop_assert!(parse_integer(&text).is_none() || digits > 0);
        }
    }

    #[test]
    fn integers_are_read_as_ruby_does() {
        for (text, expected) in [
            ("7", Some(7)),
            ("007", Some(7)),
            ("+1", Some(1)),
            (" 1", Some(1)),
            ("1_000", Some(1000)),
            ("-1", Some(-1)),
            ("99999999999999999999", Some(i64::MAX)),
            ("abc", None),
            ("0x1", None),
            ("1.5", None),
            ("1__0", None),
            ("_1", None),
            ("1_", None),
            ("", None),
            ("-", None),
            ("٣", None),
        ] {
            assert_eq!(parse_integer(text), expected, "{text}");
        }
    }
}
