//! Durations as the command line has them.

use std::str::FromStr;
use std::time::Duration;

use jiff::{Span, SpanRelativeTo, SpanRound, Unit};

/// The text is not a duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected days, hours, minutes or seconds, for example 90d, 12h, 30m or 1h30m")]
pub(crate) struct InvalidDuration;

/// Parses a duration of whole seconds, in which a day has 24 hours.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, InvalidDuration> {
    let span: Span = text.parse().map_err(|_| InvalidDuration)?;
    let duration = span.to_duration(SpanRelativeTo::days_are_24_hours());
    let seconds = duration.ok().filter(|duration| duration.subsec_nanos() == 0);
    seconds.and_then(|duration| duration.try_into().ok()).ok_or(InvalidDuration)
}

/// A duration as people write it, in units of at most a day.
pub(crate) fn in_words(duration: Duration) -> String {
    let days = SpanRound::new().largest(Unit::Day).days_are_24_hours();
    let span = Span::try_from(duration).and_then(|span| span.round(days));
    span.map_or_else(|_| format!("{}s", duration.as_secs()), |span| format!("{span:#}"))
}

/// The text is not a lifetime.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidLifetime {
    #[error(transparent)]
    NotADuration(#[from] InvalidDuration),
    #[error("expected 1s to {MAX_LIFETIME_DAYS}d (a hundred years)")]
    OutOfBounds,
}

/// Longer lifetimes end on dates that some programs cannot read.
const MAX_LIFETIME_DAYS: u64 = 36_525;

/// Parses a lifetime that ends.
pub(crate) fn parse_lifetime(text: &str) -> Result<Duration, InvalidLifetime> {
    let lifetime = parse_duration(text)?;
    if lifetime.is_zero() || lifetime > Duration::from_hours(24 * MAX_LIFETIME_DAYS) {
        return Err(InvalidLifetime::OutOfBounds);
    }
    Ok(lifetime)
}

/// How long something lives: a token until it expires, a release until it is immutable.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Lifetime {
    Never,
    For(Duration),
}

impl FromStr for Lifetime {
    type Err = InvalidLifetime;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "never" { Ok(Self::Never) } else { parse_lifetime(text).map(Self::For) }
    }
}

impl Lifetime {
    /// `None` if it never ends.
    pub(crate) fn duration(self) -> Option<Duration> {
        match self {
            Self::Never => None,
            Self::For(duration) => Some(duration),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_written_as_it_is_read() {
        for text in ["90d", "12h", "30m", "1h 30m", "1d 1s"] {
            assert_eq!(in_words(parse_duration(text).unwrap()), text);
        }
    }

    #[test]
    fn a_duration_has_units_of_fixed_length() {
        for (text, seconds) in [
            ("90d", 7_776_000),
            ("12h", 43_200),
            ("30m", 1800),
            ("0s", 0),
            ("1h30m", 5400),
            ("1.5h", 5400),
        ] {
            assert_eq!(parse_duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["", "d", "90", "-1d", "1é", "1mo", "1y", "1.5s", "18446744073709551615d"] {
            assert_eq!(parse_duration(text), Err(InvalidDuration), "{text}");
        }
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
