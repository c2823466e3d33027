//! Checking parameters as Grape, GitLab's framework, does: each by its declared type, all that is
//! wrong said at once.

use super::error::{ApiError, ParamProblem};
use super::params::{Param, Params};

/// Parameters under inspection, and what was wrong so far.
pub struct Fields<'a> {
    params: &'a Params,
    problems: Vec<ParamProblem>,
}

/// What a parameter of type string says. Its key may be there without a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field<'a> {
    /// Its key is not there.
    Absent,
    /// Its key is there, with null.
    Null,
    /// It is this.
    Text(&'a str),
}

impl<'a> Field<'a> {
    /// Its text, where it has one.
    #[must_use]
    pub fn text(self) -> Option<&'a str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Absent | Self::Null => None,
        }
    }
}

impl<'a> Fields<'a> {
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
        match self.params.get(name) {
            None => Field::Absent,
            Some(Param::Null) => Field::Null,
            Some(Param::Text(text)) => Field::Text(text),
            Some(Param::List(_) | Param::Map(_) | Param::File) => {
                self.problem(ParamProblem::Invalid(name));
                Field::Null
            }
        }
    }

    /// A parameter of type string whose key has to be there.
    pub fn required(&mut self, name: &'static str) -> Field<'a> {
        let field = self.optional(name);
        if field == Field::Absent {
            self.problem(ParamProblem::Missing(name));
        }
        field
    }

    /// A parameter of type integer.
    pub fn integer(&mut self, name: &'static str) -> Option<i64> {
        let text = match self.params.get(name) {
            None | Some(Param::Null) => return None,
            Some(Param::Text(text)) if text.is_empty() => return None,
            Some(Param::Text(text)) => Some(text.as_str()),
            Some(Param::List(_) | Param::Map(_) | Param::File) => None,
        };
        let integer = text.and_then(parse_integer);
        if integer.is_none() {
            self.problem(ParamProblem::Invalid(name));
        }
        integer
    }

    /// Ends the inspection; fails if anything was wrong.
    pub fn finish(self) -> Result<(), ApiError> {
        if self.problems.is_empty() { Ok(()) } else { Err(ApiError::Parameters(self.problems)) }
    }
}

/// An integer as Ruby reads one: a sign, single underscores between digits, white space around.
/// What does not fit is the nearest that does: it stands for no record and no page either way.
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
    use super::*;

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
