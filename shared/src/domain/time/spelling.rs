//! Times as people and programs write them, read as Ruby's `DateTime.parse` reads them: GitLab
//! leaves its times to that function.
//!
//! Ruby takes what it knows out of a text and skips the rest. This parser skips nothing, so a typo is
//! an error and not another time: `2026-07-28T10`, whose hour Ruby drops, is refused.
//! `shared/testdata/times.tsv` lists what is read, what is refused, and Ruby's answers.
//!
//! The clock and its zone are cut out first, as in Ruby. The rest has to be a date.

use jiff::civil::{Date, ISOWeekDate, Weekday, date};

/// Ruby's own limit, in bytes.
const MAX_BYTES: usize = 128;
/// The last year that `PostgreSQL`, GitLab's database, can store.
const MAX_YEAR: i64 = 294_275;
/// The Gregorian calendar repeats after this many years, weekdays included.
pub(super) const CYCLE_YEARS: i64 = 400;
/// The days in [`CYCLE_YEARS`].
pub(super) const CYCLE_DAYS: i64 = 146_097;

const DAY_MILLIS: i64 = 86_400_000;

const MONTHS: [(&str, &str); 12] = [
    ("jan", "january"),
    ("feb", "february"),
    ("mar", "march"),
    ("apr", "april"),
    ("may", "may"),
    ("jun", "june"),
    ("jul", "july"),
    ("aug", "august"),
    ("sep", "september"),
    ("oct", "october"),
    ("nov", "november"),
    ("dec", "december"),
];

const WEEKDAYS: [(&str, &str); 7] = [
    ("sun", "sunday"),
    ("mon", "monday"),
    ("tue", "tuesday"),
    ("wed", "wednesday"),
    ("thu", "thursday"),
    ("fri", "friday"),
    ("sat", "saturday"),
];

/// The abbreviations of time zones in use, as Ruby reads them, in minutes east of Greenwich.
#[rustfmt::skip]
const ZONES: [(&str, i64); 51] = [
    ("z", 0), ("ut", 0), ("utc", 0), ("gmt", 0),
    ("est", -300), ("edt", -240), ("cst", -360), ("cdt", -300), ("mst", -420), ("mdt", -360),
    ("pst", -480), ("pdt", -420), ("akst", -540), ("akdt", -480), ("hst", -600), ("hdt", -540),
    ("ast", -240), ("adt", -180), ("brt", -180), ("art", -180), ("sst", -660),
    ("wet", 0), ("west", 60), ("bst", 60), ("cet", 60), ("cest", 120), ("mez", 60), ("mesz", 120),
    ("met", 60), ("mest", 120), ("eet", 120), ("eest", 180), ("msk", 180), ("wat", 60),
    ("cat", 120), ("sast", 120), ("eat", 180), ("idt", 180), ("ist", 330), ("pkt", 300),
    ("wib", 420), ("ict", 420), ("hkt", 480), ("sgt", 480), ("awst", 480), ("jst", 540),
    ("kst", 540), ("acst", 570), ("aest", 600), ("aedt", 660), ("nzst", 720),
];

/// A piece of a text, which is in lower case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token<'a> {
    Digits(&'a str),
    Letters(&'a str),
    /// Anything else; a run of white space is one space.
    Mark(char),
}

use Token::{Digits, Letters, Mark};

/// The moment a text names, in milliseconds since the Unix epoch. A text without a zone is in UTC,
/// one without a time of day at midnight.
pub(super) fn unix_millis(text: &str) -> Option<i64> {
    if text.len() > MAX_BYTES {
        return None;
    }
    let text = text.trim().to_ascii_lowercase();
    let (text, has_note) = without_note(&text)?;
    let tokens = tokens(text)?;
    let Some(at) = (0..tokens.len()).find(|at| starts_clock(&tokens[*at..])) else {
        return if has_note { None } else { without_colons(&tokens) };
    };
    let (before, after) = tokens.split_at(at);
    let (clock, after) = clock(after)?;
    if has_note && clock.zone.is_none() {
        return None;
    }
    let (before, is_joined) = match before {
        [before @ .., Digits(last), Letters("t")] if last.len() <= 8 => {
            (&tokens[..=before.len()], true)
        }
        [before @ .., Mark(' '), Letters("at"), Mark(' ')] => (before, false),
        [.., Mark(' ')] => (before, false),
        [..] => return None,
    };
    if !before.iter().any(|token| matches!(token, Digits(_))) {
        // Ruby takes the month in `10:00 Jul 28` for a zone.
        return None;
    }
    let after = match after {
        // Git's own form, `Tue Jul 28 10:00:00 2026 +0200`: Ruby skips its offset, so GitLab does.
        [after @ .., Mark(' '), Mark('+' | '-'), Digits(offset)]
            if offset.len() == 4 && clock.zone.is_none() =>
        {
            after
        }
        [] | [Mark(' ' | ','), ..] => after,
        [..] => return None,
    };
    let date = [before, &[Mark(' ')], after].concat();
    days(&date, is_joined)?
        .checked_mul(DAY_MILLIS)?
        .checked_add(clock.millis - clock.zone.unwrap_or(0) * 1000)
}

/// Reads a date alone, and the forms of ISO 8601 and Ruby that have a clock without colons.
fn without_colons(tokens: &[Token<'_>]) -> Option<i64> {
    match tokens {
        [Digits(date), Letters("t") | Mark(' '), Digits(clock), rest @ ..]
            if matches!(date.len(), 7 | 8) && matches!(clock.len(), 2 | 4 | 6) =>
        {
            compact(date, clock, rest)
        }
        [Digits(digits), rest @ ..] if matches!(digits.len(), 10 | 12 | 14) => {
            compact(&digits[..8], &digits[8..], rest)
        }
        [date @ .., Digits(_), Letters("z")] => {
            Some(days(&tokens[..=date.len()], true)? * DAY_MILLIS)
        }
        [date @ .., Mark(' '), Letters("z" | "utc" | "gmt")] | date => {
            Some(days(date, false)? * DAY_MILLIS)
        }
    }
}

/// Splits off a note behind the offset, and says whether there was one: programs put the zone's name
/// there, in parentheses or brackets.
fn without_note(text: &str) -> Option<(&str, bool)> {
    // Go adds its monotonic clock.
    if let Some((text, _)) = text.split_once(" m=") {
        return Some((text, true));
    }
    let Some(start) = text.find(['(', '[']) else { return Some((text, false)) };
    let (text, note) = text.split_at(start);
    let inner = note.strip_prefix('(').and_then(|note| note.strip_suffix(')'));
    let inner = inner.or_else(|| note.strip_prefix('[')?.strip_suffix(']'))?;
    (!inner.contains(['(', ')', '[', ']'])).then(|| (text.trim_end(), true))
}

fn tokens(text: &str) -> Option<Vec<Token<'_>>> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let kind = match first {
            '0'..='9' => |c: char| c.is_ascii_digit(),
            'a'..='z' => |c: char| c.is_ascii_lowercase(),
            '-' | '+' | '/' | ':' | '.' | ',' => |_: char| false,
            _ if first.is_whitespace() => |c: char| c.is_whitespace(),
            _ => return None,
        };
        let (run, after) = rest.split_at(rest.find(|c| !kind(c)).unwrap_or(rest.len()).max(1));
        tokens.push(match first {
            '0'..='9' => Digits(run),
            'a'..='z' => Letters(run),
            _ if first.is_whitespace() => Mark(' '),
            _ => Mark(first),
        });
        rest = after;
    }
    Some(tokens)
}

/// A time of day and the zone it is in.
struct Clock {
    millis: i64,
    /// In seconds east of Greenwich.
    zone: Option<i64>,
}

fn starts_clock(tokens: &[Token<'_>]) -> bool {
    matches!(
        tokens,
        [Digits(_), Mark(':') | Letters("am" | "pm"), ..]
            | [Digits(_), Mark(' '), Letters("am" | "pm"), ..]
    )
}

/// Reads `10:00:00.5 PM +0200` and the like from the beginning of the tokens; returns the rest.
fn clock<'t, 'a>(tokens: &'t [Token<'a>]) -> Option<(Clock, &'t [Token<'a>])> {
    let [Digits(hour), rest @ ..] = tokens else { return None };
    let mut rest = rest;
    let (mut minute, mut second, mut fraction) = ("0", "0", "0");
    if let [Mark(':'), Digits(found), after @ ..] = rest {
        (minute, rest) = (*found, after);
        if let [Mark(':'), Digits(found), after @ ..] = rest {
            (second, rest) = (*found, after);
            if let [Mark('.' | ','), Digits(found), after @ ..] = rest {
                (fraction, rest) = (*found, after);
            }
        }
    }
    let mut hour = number(hour, 1..=2)?;
    let spaced = rest.strip_prefix(&[Mark(' ')]).unwrap_or(rest);
    let half = match spaced {
        [Letters(half @ ("am" | "pm")), after @ ..]
        | [Letters(half @ ("a" | "p")), Mark('.'), Letters("m"), Mark('.'), after @ ..] => {
            Some((*half, after))
        }
        [..] => None,
    };
    if let Some((half, after)) = half {
        if !(1..=12).contains(&hour) {
            return None;
        }
        hour = hour % 12 + if half.starts_with('p') { 12 } else { 0 };
        rest = after;
    }
    let millis = time_of_day(hour, number(minute, 1..=2)?, number(second, 1..=2)?, fraction)?;
    let (zone, rest) = zone(rest)?;
    Some((Clock { millis, zone }, rest))
}

fn time_of_day(hour: i64, minute: i64, second: i64, fraction: &str) -> Option<i64> {
    let exists = hour <= 23 && minute <= 59 && second <= 60 || (hour, minute, second) == (24, 0, 0);
    let fraction: String = fraction.chars().chain("000".chars()).take(3).collect();
    // A leap second is the second before it, as in Ruby.
    let seconds = hour * 3600 + minute * 60 + second.min(59);
    Some((exists.then_some(seconds)?) * 1000 + fraction.parse::<i64>().ok()?)
}

/// Reads a zone, in seconds east of Greenwich, from the beginning of the tokens, if one is there.
fn zone<'t, 'a>(tokens: &'t [Token<'a>]) -> Option<(Option<i64>, &'t [Token<'a>])> {
    let spaced = tokens.strip_prefix(&[Mark(' ')]).unwrap_or(tokens);
    let (sign, hours, after) = match spaced {
        [Letters("utc" | "gmt" | "ut"), Mark(sign @ ('+' | '-')), Digits(hours), after @ ..]
        | [Mark(sign @ ('+' | '-')), Digits(hours), after @ ..] => (*sign, *hours, after),
        [Letters(name), after @ ..] => {
            return match zone_minutes(name) {
                Some(minutes) => Some((Some(minutes * 60), after)),
                // The name of a month or weekday belongs to the date.
                None => Some((None, tokens)),
            };
        }
        [..] => return Some((None, tokens)),
    };
    let (hours, minutes, seconds, after) = match after {
        [Mark(':'), Digits(minutes), Mark(':'), Digits(seconds), after @ ..] => {
            (number(hours, 1..=2)?, number(minutes, 2..=2)?, number(seconds, 2..=2)?, after)
        }
        [Mark(':'), Digits(minutes), after @ ..] => {
            (number(hours, 1..=2)?, number(minutes, 2..=2)?, 0, after)
        }
        after => {
            let digits = number(hours, 1..=4)?;
            let digits = if hours.len() <= 2 { digits * 100 } else { digits };
            (digits / 100, digits % 100, 0, after)
        }
    };
    if hours > 23 || minutes > 59 || seconds > 59 {
        return None;
    }
    // `+0200 CEST`: the offset counts.
    let after = match after {
        [Mark(' '), Letters(name)] if zone_minutes(name).is_some() => &[],
        after => after,
    };
    let east = hours * 3600 + minutes * 60 + seconds;
    Some((Some(if sign == '-' { -east } else { east }), after))
}

fn zone_minutes(name: &str) -> Option<i64> {
    ZONES.iter().find(|(zone, _)| *zone == name).map(|(_, minutes)| *minutes)
}

/// `20260728T100000.5+0200`, in its parts.
fn compact(date: &str, clock: &str, rest: &[Token<'_>]) -> Option<i64> {
    let part = |at: usize| number(clock.get(at..at + 2).unwrap_or("0"), 1..=2);
    let (fraction, rest) = match rest {
        [Mark('.' | ','), Digits(fraction), rest @ ..] if clock.len() == 6 => (*fraction, rest),
        rest => ("0", rest),
    };
    // Ruby skips other zones here.
    let zone = match rest {
        [] | [Letters("z")] | [Mark(' '), Letters("z" | "utc" | "gmt")] => 0,
        [Mark('+' | '-'), Digits(_)] | [Mark(' '), Mark('+' | '-'), Digits(_)] => zone(rest)?.0?,
        [..] => return None,
    };
    let millis = time_of_day(part(0)?, part(2)?, part(4)?, fraction)?;
    Some(days(&[Digits(date)], false)? * DAY_MILLIS + millis - zone * 1000)
}

/// The number of a date's day, counted from 1970-01-01. `is_joined`: a clock follows after a `T`,
/// where Ruby misreads dates by week and by day of the year.
fn days(tokens: &[Token<'_>], is_joined: bool) -> Option<i64> {
    let (shape, numbers, month) = shape(tokens)?;
    match (shape.as_str(), numbers.as_slice(), month) {
        ("0-0-0" | "+0-0-0" | "0/0/0" | "0.0.0", [year, month, day], None) if year.len() >= 4 => {
            by_month(number(year, 4..=6)?, number(month, 1..=2)?, day)
        }
        _ if is_joined => match (shape.as_str(), numbers.as_slice()) {
            ("0", [digits]) if digits.len() == 8 => compact_date(digits),
            _ => None,
        },
        ("0-0-0" | "0/0/0" | "0.0.0", [day, month, year], None) => {
            by_month(number(year, 4..=4)?, number(month, 1..=2)?, day)
        }
        ("0 M 0" | "0-M-0" | "0/M/0" | "0M0", [year, day], Some(month)) if year.len() == 4 => {
            by_month(number(year, 4..=4)?, month, day)
        }
        (
            "0 M 0" | "0-M-0" | "0/M/0" | "0M0" | "M 0 0" | "M 0, 0" | "M. 0, 0" | "M-0-0",
            [day, year],
            Some(month),
        ) => by_month(year_of(year)?, month, day),
        ("0-w0-0", [year, week, day], None) => by_week(year, week, day),
        ("0w0", [year, digits], None) if digits.len() == 3 => {
            by_week(year, &digits[..2], &digits[2..])
        }
        ("0-0", [year, day], None) if day.len() == 3 => by_day(year, day),
        ("0", [digits], None) => compact_date(digits),
        _ => None,
    }
}

fn compact_date(digits: &str) -> Option<i64> {
    match digits.len() {
        8 => by_month(number(&digits[..4], 4..=4)?, number(&digits[4..6], 2..=2)?, &digits[6..]),
        7 => by_day(&digits[..4], &digits[4..]),
        _ => None,
    }
}

/// A date's tokens with `0` for a number and `M` for the name of a month, the numbers, and the month.
/// The weekday is left out, as it may contradict the date in Ruby too.
fn shape<'a>(tokens: &[Token<'a>]) -> Option<(String, Vec<&'a str>, Option<i64>)> {
    let (mut shape, mut numbers, mut month, mut has_weekday) = (String::new(), vec![], None, false);
    for token in tokens {
        match *token {
            Digits(digits) => {
                numbers.push(digits);
                shape.push('0');
            }
            Letters("w") => shape.push('w'),
            Letters("th" | "st" | "nd" | "rd") if shape.ends_with('0') => {}
            Letters(name) => match position(&MONTHS, name).or((name == "sept").then_some(8)) {
                Some(at) if month.is_none() => {
                    month = Some(at + 1);
                    shape.push('M');
                }
                None if !has_weekday => {
                    position(&WEEKDAYS, name)?;
                    has_weekday = true;
                }
                Some(_) | None => return None,
            },
            Mark(' ') if shape.is_empty() || shape.ends_with(' ') => {}
            Mark(',') if shape.is_empty() && has_weekday => {}
            Mark(mark) => shape.push(mark),
        }
    }
    let end = shape.trim_end().trim_end_matches(',').len();
    shape.truncate(end);
    Some((shape, numbers, month))
}

fn position<const N: usize>(names: &[(&str, &str); N], name: &str) -> Option<i64> {
    let at = names.iter().position(|(short, long)| *short == name || *long == name)?;
    i64::try_from(at).ok()
}

/// A year of two digits is within a century around 2019, as POSIX has it and mail needs it.
fn year_of(digits: &str) -> Option<i64> {
    let year = number(digits, 2..=4)?;
    match digits.len() {
        2 => Some(if year < 69 { 2000 + year } else { 1900 + year }),
        4 => Some(year),
        _ => None,
    }
}

fn by_month(year: i64, month: i64, day: &str) -> Option<i64> {
    let (month, day) = (i8::try_from(month).ok()?, i8::try_from(number(day, 1..=2)?).ok()?);
    in_year(year, |year| Date::new(year, month, day).ok())
}

fn by_week(year: &str, week: &str, day: &str) -> Option<i64> {
    let week = i8::try_from(number(week, 2..=2)?).ok()?;
    let day = Weekday::from_monday_one_offset(i8::try_from(number(day, 1..=1)?).ok()?).ok()?;
    in_year(number(year, 4..=4)?, |year| Some(ISOWeekDate::new(year, week, day).ok()?.date()))
}

fn by_day(year: &str, day: &str) -> Option<i64> {
    let day = i16::try_from(number(day, 3..=3)?).ok()?;
    in_year(number(year, 4..=4)?, |year| date(year, 1, 1).with().day_of_year(day).build().ok())
}

/// The number of a day of this year. `jiff` ends in the year 9999, so it is asked about the same year
/// of another cycle of the calendar.
fn in_year(year: i64, find: impl FnOnce(i16) -> Option<Date>) -> Option<i64> {
    let cycles = (year - 2000).div_euclid(CYCLE_YEARS);
    let found = find(i16::try_from(year - cycles * CYCLE_YEARS).ok()?)?;
    let days = found.duration_since(date(1970, 1, 1)).as_hours() / 24;
    (year <= MAX_YEAR).then_some(cycles * CYCLE_DAYS + days)
}

fn number(digits: &str, length: std::ops::RangeInclusive<usize>) -> Option<i64> {
    length.contains(&digits.len()).then(|| digits.parse().ok())?
}
