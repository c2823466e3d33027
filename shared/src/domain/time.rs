//! The one notion of time: milliseconds since the Unix epoch, UTC.

mod spelling;

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::SignedDuration;
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
        // `jiff` ends in the year 9999, so it is asked about the same day of the cycle around 2000.
        const CYCLE_MILLIS: i64 = spelling::CYCLE_DAYS * 86_400_000;
        let cycles = self.0.div_euclid(CYCLE_MILLIS);
        let shown = jiff::civil::date(1970, 1, 1).at(0, 0, 0, 0)
            + SignedDuration::from_millis(self.0.rem_euclid(CYCLE_MILLIS));
        let year = i64::from(shown.year()) + cycles * spelling::CYCLE_YEARS;
        let sign = if year < 0 { "-" } else { "" };
        write!(f, "{sign}{:04}-{}Z", year.abs(), shown.strftime("%m-%dT%H:%M:%S.%3f"))
    }
}

/// A time as people and programs write it: whatever Ruby's `DateTime.parse` reads, which GitLab
/// leaves its times to, unless Ruby had to guess. Digits finer than milliseconds are cut off.
impl FromStr for Timestamp {
    type Err = InvalidTimestamp;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        spelling::unix_millis(text).map(Self).ok_or(InvalidTimestamp)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is not a time such as 2026-01-31T12:00:00Z")]
pub struct InvalidTimestamp;

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    /// From the beginning of the year 0 to the end of the year 294275.
    const FIRST: i64 = -62_167_219_200_000;
    const LAST: i64 = 9_224_286_393_599_999;
    const DAY: i64 = 86_400_000;

    proptest! {
        #[test]
        fn a_moment_that_was_shown_is_read_back(millis in FIRST..=LAST) {
            let moment = Timestamp::from_unix_millis(millis);
            let shown = moment.to_string();
            prop_assert_eq!(shown.parse(), Ok(moment));
            let without_offset = shown.trim_end_matches('Z');
            prop_assert_eq!(without_offset.parse(), Ok(moment));
        }

        #[test]
        fn any_text_is_a_moment_there_is_or_refused(
            text in prop_oneof![
                "[-+0-9TZtzW:., \\[\\]/a-z]{0,40}", "\\PC{0,12}",
                "[0-9]{4}-[0-9]{2}-[0-9]{2}[T ]?[-+0-9:.Z]{0,12}",
                "(tue,? )?[0-9]{1,4}( |-|)(jul|may)( |-|)[0-9]{1,5} [0-9:]{2,8} ?(pm|est|\\+0200|é)?",
            ],
        ) {
            if let Ok(moment) = text.parse::<Timestamp>() {
                // An offset leads at most a day beyond.
                let range = FIRST - DAY..=LAST + DAY;
                prop_assert!(range.contains(&moment.unix_millis()), "{text}");
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

    /// A text of the table, which stands in lines and columns.
    fn unescaped(text: &str) -> String {
        text.replace("\\t", "\t").replace("\\u00a0", "\u{a0}").replace("\\u202f", "\u{202f}")
    }

    #[test]
    fn every_spelling_in_the_table_is_read_as_ruby_reads_it() {
        let table = include_str!("../../testdata/times.tsv");
        let mut counts = HashMap::new();
        for row in table.lines().filter(|line| !line.starts_with("# ")) {
            let [text, ruby, mark] = row.split('\t').collect::<Vec<_>>()[..] else {
                panic!("{row:?} is no row")
            };
            let read = unescaped(text).parse::<Timestamp>();
            let read = read.map_or_else(|_| "invalid".to_owned(), |read| read.to_string());
            let expected = if mark == "refused" { "invalid" } else { ruby };
            assert_eq!(read, expected, "{text}");
            *counts.entry((mark, ruby == "invalid")).or_insert(0) += 1;
        }
        assert!(counts[&("same", false)] > 250 && counts[&("same", true)] > 50, "{counts:?}");
    }

    #[test]
    fn texts_without_a_date_are_refused() {
        for text in ["", " ", " UTC", "(UTC)", "m=+1", &"2026-07-28 ".repeat(12)] {
            assert!(text.parse::<Timestamp>().is_err(), "{text}");
        }
        assert!(format!("2026-07-28{}", " ".repeat(118)).parse::<Timestamp>().is_ok());
        assert!(format!("2026-07-28{}", " ".repeat(119)).parse::<Timestamp>().is_err());
    }
}
