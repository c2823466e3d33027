//! The one notion of time: milliseconds since the Unix epoch, UTC.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// A moment with millisecond precision, as GitLab's API shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The moment `millis` milliseconds after the Unix epoch.
    #[must_use]
    pub const fn from_unix_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// The wall clock's time.
    #[must_use]
    pub fn now() -> Self {
        let millis =
            SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
        Self(i64::try_from(millis).unwrap_or(i64::MAX))
    }

    /// Milliseconds since the Unix epoch.
    #[must_use]
    pub const fn unix_millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since the Unix epoch, the unit of `DynamoDB`'s time to live.
    #[must_use]
    pub const fn unix_seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// This moment plus `duration`, or the last representable one.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }

    /// The first moment after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// This moment minus `duration`, or the first representable one.
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }
}

/// ISO 8601 in UTC with milliseconds, `2019-01-03T01:56:19.539Z`: the form of GitLab's API.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(timestamp) => write!(f, "{timestamp:.3}"),
            // Only moments past the year 9999 end here: shown as what they are, a number.
            Err(_) => write!(f, "{}", self.0),
        }
    }
}

impl Timestamp {
    /// Reads a time as clients of GitLab write it, which leaves it to Ruby: ISO 8601, in which the
    /// offset may be missing, which is UTC's, and so may the time of day, which is midnight's; the
    /// same with a space before the offset, as `git log` and Ruby show it; and RFC 2822.
    pub fn parse_lenient(text: &str) -> Result<Self, InvalidTimestamp> {
        let text = text.trim();
        let with_offset = text.strip_suffix(" UTC").map(|moment| format!("{moment} +0000"));
        let spaced = with_offset.as_deref().unwrap_or(text);
        text.parse::<jiff::Timestamp>()
            .or_else(|_| jiff::Timestamp::strptime("%Y-%m-%d %H:%M:%S%.f %z", spaced))
            .or_else(|_| jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text))
            .or_else(|_| {
                let civil: jiff::civil::DateTime = text.parse()?;
                Ok(civil.to_zoned(jiff::tz::TimeZone::UTC)?.timestamp())
            })
            .map(|timestamp: jiff::Timestamp| Self(timestamp.as_millisecond()))
            .map_err(|_: jiff::Error| InvalidTimestamp)
    }
}

/// Any ISO 8601 moment with an offset; finer digits than milliseconds are cut off.
impl FromStr for Timestamp {
    type Err = InvalidTimestamp;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse::<jiff::Timestamp>()
            .map(|timestamp| Self(timestamp.as_millisecond()))
            .map_err(|_| InvalidTimestamp)
    }
}

/// The text is not an ISO 8601 moment with an offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is not a time such as 2026-01-31T12:00:00Z")]
pub struct InvalidTimestamp;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// From the year -9999 to the year 9999, which is all there is.
    const FIRST: i64 = -377_705_023_201_000;
    const LAST: i64 = 253_402_207_200_999;

    proptest! {
        #[test]
        fn a_moment_that_was_shown_is_read_back(millis in FIRST..=LAST) {
            let moment = Timestamp::from_unix_millis(millis);
            let shown = moment.to_string();
            prop_assert_eq!(Timestamp::parse_lenient(&shown), Ok(moment));
            prop_assert_eq!(shown.parse(), Ok(moment));
            let without_offset = shown.trim_end_matches('Z');
            prop_assert_eq!(Timestamp::parse_lenient(without_offset), Ok(moment));
        }

        #[test]
        fn any_text_is_a_moment_there_is_or_refused(
            text in prop_oneof![
                "[-+0-9TZtzW:., \\[\\]/a-z]{0,40}", "\\PC{0,12}",
                "[0-9]{4}-[0-9]{2}-[0-9]{2}[T ]?[-+0-9:.Z]{0,12}",
            ],
        ) {
            if let Ok(moment) = Timestamp::parse_lenient(&text) {
                prop_assert!((FIRST..=LAST).contains(&moment.unix_millis()), "{text}");
            }
        }

        #[test]
        fn no_moment_is_too_far_to_be_shown_or_moved(millis: i64, seconds: u64) {
            let moment = Timestamp::from_unix_millis(millis);
            let by = Duration::from_secs(seconds);
            prop_assert!(!moment.to_string().is_empty());
            prop_assert!(moment.minus(by) <= moment && moment <= moment.plus(by));
            prop_assert!(moment <= moment.next());
        }
    }

    #[test]
    fn is_shown_in_gitlabs_form_and_read_back() {
        let shown = "2019-01-03T01:56:19.539Z";
        let parsed: Timestamp = shown.parse().unwrap();
        assert_eq!(parsed.unix_millis(), 1_546_480_579_539);
        assert_eq!(parsed.to_string(), shown);
        assert_eq!(Timestamp::from_unix_millis(0).to_string(), "1970-01-01T00:00:00.000Z");
    }

    #[test]
    fn moments_are_read_as_clients_write_them() {
        for (text, millis) in [
            ("2019-03-15T08:00:00Z", Some(1_552_636_800_000)),
            ("2019-03-15T08:00:00.5Z", Some(1_552_636_800_500)),
            ("2019-03-15T09:00:00+01:00", Some(1_552_636_800_000)),
            ("2019-03-15T08:00:00+0000", Some(1_552_636_800_000)),
            ("2019-03-15 08:00:00Z", Some(1_552_636_800_000)),
            ("2019-03-15T08:00:00", Some(1_552_636_800_000)),
            ("2019-03-15 08:00", Some(1_552_636_800_000)),
            ("2019-03-15", Some(1_552_608_000_000)),
            ("2019-03-15 09:00:00 +0100", Some(1_552_636_800_000)),
            ("2019-03-15 08:00:00.5 +0000", Some(1_552_636_800_500)),
            ("2019-03-15 08:00:00 UTC", Some(1_552_636_800_000)),
            ("Fri, 15 Mar 2019 08:00:00 +0000", Some(1_552_636_800_000)),
            ("15 Mar 2019 09:00:00 +0100", Some(1_552_636_800_000)),
            ("2019-03-15 08:00:00 CET", None),
            (" UTC", None),
            ("2019-02-30", None),
            ("yesterday", None),
            ("", None),
            ("1552636800", None),
        ] {
            let read = Timestamp::parse_lenient(text).ok().map(Timestamp::unix_millis);
            assert_eq!(read, millis, "{text}");
        }
    }
}
