//! Points in time in log lines.

mod clock;

use std::fmt;
use std::time::Duration;

use jiff::SignedDuration;
use jiff::civil::DateTime;
use jiff::fmt::strtime::BrokenDownTime;
use jiff::tz::{Offset, TimeZone};

pub(crate) use self::clock::Clock;

/// The time of a record, to the nanosecond. `Display` prints it as RFC 3339 in UTC.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Timestamp(jiff::Timestamp);

impl Timestamp {
    /// Returns the nanoseconds since 1970-01-01 00:00 UTC, without leap seconds.
    #[must_use]
    pub fn as_nanoseconds(self) -> i128 {
        self.0.as_nanosecond()
    }

    /// Returns the time from `earlier` to this one. It is zero if `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::try_from(self.0.duration_since(earlier.0)).unwrap_or_default()
    }

    /// Returns the last moment that is written in the same way, if the last digit counts `unit`
    /// nanoseconds.
    pub(crate) fn last_of(self, unit: u32) -> Self {
        let rest = SignedDuration::from_nanos(i64::from(unit.max(1)) - 1);
        Self(self.0.checked_add(rest).unwrap_or(self.0))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A time as a log writes it. It may lack its zone, year or date.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Time {
    civil: DateTime,
    offset: Option<Offset>,
    unsaid: Unsaid,
    /// The nanoseconds that the last digit counts: a second, or a thousandth, millionth or
    /// billionth of it.
    pub(crate) unit: u32,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Unsaid {
    Nothing,
    Year,
    Date,
}

/// The patterns of times, and the formats with which `strptime` reads them.
///
/// In a pattern, `0` is a digit, `_` a digit or a space, `a` a letter, `-` also a slash, and `T`
/// also a space or a tab. Parts that the format does not read are unknown.
const LOOKS: [(&str, &str); 22] = [
    ("0000-00-00T00:00:00", "%Y-%m-%d %H:%M:%S"),
    ("0000.00.00T00:00:00", "%Y.%m.%d %H:%M:%S"),
    ("0000-00-00 - 00:00:00", "%Y-%m-%d - %H:%M:%S"),
    ("0000-00-00][00:00:00", "%Y-%m-%d][%H:%M:%S"),
    ("00000000 00:00:00", "%Y%m%d %H:%M:%S"),
    ("_0-aaa-0000:00:00:00", "%d-%b-%Y:%H:%M:%S"),
    ("_0-aaa-0000T00:00:00", "%d-%b-%Y %H:%M:%S"),
    ("_0-aaa-0000::00:00:00", "%d-%b-%Y::%H:%M:%S"),
    ("_0 aaa 0000 00:00:00", "%d %b %Y %H:%M:%S"),
    ("aaa _0, 0000 0:00:00 aa", "%b %d, %Y %I:%M:%S %p"),
    ("aaa _0, 0000 00:00:00 aa", "%b %d, %Y %I:%M:%S %p"),
    ("aaa _0 0000 00:00:00", "%b %d %Y %H:%M:%S"),
    ("00-00-0000T00:00:00 aa", "%m-%d-%Y %I:%M:%S %p"),
    ("00-00-0000T00:00:00", "%m-%d-%Y %H:%M:%S"),
    ("00.00.0000T00:00:00", "%d.%m.%Y %H:%M:%S"),
    ("00-00-00T00:00:00", "%y-%m-%d %H:%M:%S"),
    ("000000T00:00:00", "%y%m%d %H:%M:%S"),
    ("aaa _0 00:00:00", "%b %d %H:%M:%S"),
    ("00-00T00:00:00", "%m-%d %H:%M:%S"),
    ("00:00:00", "%H:%M:%S"),
    ("00:00aa", "%I:%M%p"),
    ("0:00aa", "%I:%M%p"),
];

/// The zones whose short names PostgreSQL and others write and that have only one meaning, with
/// their offset in hours.
const ZONES: &str = "UTC+0 GMT+0 WET+0 WEST+1 CET+1 CEST+2 EET+2 EEST+3 MSK+3 JST+9 KST+9 EST-5 \
    EDT-4 CDT-5 MDT-6 PST-8 PDT-7";

impl Time {
    /// Reads a time from the start of `text`, and returns it with the text after it.
    pub(crate) fn leading(text: &str) -> Option<(Self, &str)> {
        let text = without_weekday(text);
        LOOKS
            .iter()
            .find_map(|look| Self::of_look(text, look))
            .or_else(|| Self::leading_epoch(text))
    }

    fn of_look<'t>(text: &'t str, &(shape, format): &(&str, &str)) -> Option<(Self, &'t str)> {
        let (head, rest) = text.split_at_checked(shape.len())?;
        let plain = head
            .bytes()
            .zip(shape.bytes())
            .map(|(byte, shape)| match (shape, byte) {
                (b'0', b'0'..=b'9') | (b'_', b'0'..=b'9' | b' ') => Some(char::from(byte)),
                (b'a', _) if byte.is_ascii_alphabetic() => Some(char::from(byte)),
                (b'-', b'-' | b'/') => Some('-'),
                (b'T', b'T' | b't' | b' ' | b'\t') => Some(' '),
                _ => (shape == byte).then(|| char::from(byte)),
            });
        let plain: String = plain.collect::<Option<_>>()?;
        let (mut broken, _) = BrokenDownTime::parse_prefix(format, &plain).ok()?;
        let (nanos, unit, mut rest) = fraction(rest);
        let mut unsaid = match (format.contains("%d"), format.contains(['Y', 'y'])) {
            (false, _) => Unsaid::Date,
            (_, false) => Unsaid::Year,
            _ => Unsaid::Nothing,
        };
        if unsaid == Unsaid::Year {
            // Apache writes `Nov 22 14:15:50.200123 2026`. The leap year here has every day.
            let year = rest
                .strip_prefix(' ')
                .and_then(|rest| rest.split_at_checked(4));
            let year = year.filter(|(year, after)| {
                is_number(year) && !after.starts_with(|c: char| c.is_ascii_alphanumeric())
            });
            let said = year.and_then(|(year, after)| Some((year.parse().ok()?, after)));
            let said: Option<(i16, _)> = said.filter(|&(year, _)| (1990..2100).contains(&year));
            broken
                .set_year(Some(said.map_or(2000, |(year, _)| year)))
                .ok()?;
            if let Some((_, after)) = said {
                (unsaid, rest) = (Unsaid::Nothing, after);
            }
        }
        let date = match unsaid {
            Unsaid::Date => jiff::civil::date(2000, 1, 1),
            Unsaid::Nothing | Unsaid::Year => broken.to_date().ok()?,
        };
        let time = broken.to_time().ok()?;
        let time = time.with().subsec_nanosecond(nanos).build().ok()?;
        let civil = date.to_datetime(time);
        let (offset, rest) = offset(rest, civil);
        // `2026-11-22T14:15:490` is not a time.
        let ends = !rest.starts_with(|c: char| c.is_ascii_alphanumeric())
            && (unsaid != Unsaid::Date || !rest.starts_with(':'));
        ends.then_some((
            Self {
                civil,
                offset,
                unsaid,
                unit,
            },
            rest,
        ))
    }

    /// `1795356949.440 ` at the start of a line.
    fn leading_epoch(text: &str) -> Option<(Self, &str)> {
        let end = text.find([' ', '\t'])?;
        let (word, rest) = text.split_at(end);
        let exact = word.contains('.') || word.len() >= 13;
        Some((Self::from_epoch(word).filter(|_| exact)?, rest))
    }

    /// Reads a count of seconds, milliseconds, microseconds or nanoseconds since 1970. The unit is
    /// the one that gives a year between 1973 and 5138.
    fn from_epoch(text: &str) -> Option<Self> {
        // zap writes `1.7953569494401e9`.
        let plain = text.contains(['e', 'E']).then(|| text.parse::<f64>().ok());
        let plain = plain.flatten().map(|number| format!("{number:.6}"));
        let text = plain.as_deref().unwrap_or(text);
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        // The fraction has the digits down to a nanosecond.
        let unit = match whole.len() {
            9..=11 => 9,
            12..=14 => 6,
            15..=17 => 3,
            18..=19 => 0,
            _ => return None,
        };
        if !is_number(whole) || !is_number(fraction) {
            return None;
        }
        let nanos = format!("{whole}{fraction:0<unit$.unit$}").parse().ok()?;
        let time = jiff::Timestamp::from_nanosecond(nanos).ok()?;
        let whole_seconds = unit == 9 && !text.contains('.');
        Some(Self {
            civil: Offset::UTC.to_datetime(time),
            offset: Some(Offset::UTC),
            unsaid: Unsaid::Nothing,
            unit: if whole_seconds {
                SECOND
            } else {
                unit_of(9 - unit + fraction.len())
            },
        })
    }

    /// Reads a text that is only a time.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let whole = |(time, rest): (Self, &str)| rest.trim().is_empty().then_some(time);
        match Self::leading(text) {
            Some(read) => whole(read),
            None => Self::from_epoch(text),
        }
    }

    /// Reads the seconds and nanoseconds since 1970 in log4j2's `instant`.
    pub(crate) fn from_parts(seconds: &str, nanos: &str) -> Option<Self> {
        Self::from_epoch(&format!("{seconds}.{nanos:0>9}"))
    }

    /// Reads `1122 14:15:50.200000`, as klog writes it.
    pub(crate) fn of_klog(text: &str) -> Option<(Self, &str)> {
        let (month, rest) = text.split_at_checked(2)?;
        let (day, _) = rest.split_at_checked(2)?;
        let written = format!("{month}-{day}{}", &rest[2..]);
        let (time, after) = Self::leading(&written)?;
        let after = text.len().checked_sub(after.len())?;
        Some((time, text.get(after..)?))
    }

    /// Returns the same time in UTC, for a format that defines it so.
    pub(crate) fn in_utc(self) -> Self {
        Self {
            offset: self.offset.or(Some(Offset::UTC)),
            ..self
        }
    }

    pub(crate) fn has_zone(self) -> bool {
        self.offset.is_some()
    }

    /// Returns whether the time has a date.
    pub(crate) fn has_date(self) -> bool {
        self.unsaid != Unsaid::Date
    }
}

/// Removes the weekday from `Sun Nov 22 ..` and `Sun, 22 Nov ..`, because the date says more.
fn without_weekday(text: &str) -> &str {
    const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    let rest = DAYS.iter().find_map(|day| text.strip_prefix(day));
    let rest = rest.map(|rest| rest.strip_prefix(',').unwrap_or(rest));
    rest.and_then(|rest| rest.strip_prefix(' ')).unwrap_or(text)
}

/// Returns the nanoseconds of `.440140` if there are any, the unit of its last digit, and the rest.
fn fraction(text: &str) -> (i32, u32, &str) {
    let after = text.strip_prefix(['.', ',']).unwrap_or_default();
    let rest = after.trim_start_matches(is_digit);
    match &after[..after.len() - rest.len()] {
        "" => (0, SECOND, text),
        digits => {
            let nanos = format!("{digits:0<9.9}").parse().unwrap_or(0);
            (nanos, unit_of(digits.len()), rest)
        }
    }
}

/// Returns the unit of the last of this many digits. Zeros at the end may have been left out.
fn unit_of(digits: usize) -> u32 {
    match digits {
        0..=3 => SECOND / 1_000,
        4..=6 => SECOND / 1_000_000,
        _ => 1,
    }
}

/// Reads `Z`, `+01:00`, `+0100`, ` +01:00`, ` -03`, ` CET` or ` Europe/Berlin`, and returns the rest.
fn offset(text: &str, civil: DateTime) -> (Option<Offset>, &str) {
    let spaced = text.strip_prefix(' ');
    let word = spaced.unwrap_or(text);
    if let Some(rest) = text.strip_prefix(['Z', 'z']) {
        return (Some(Offset::UTC), rest);
    }
    let end = word
        .find(|c: char| !c.is_ascii_alphabetic())
        .unwrap_or(word.len());
    let named = ZONES.split(' ').find_map(|zone| {
        let hours = zone.strip_prefix(&word[..end]).filter(|_| end > 2)?;
        Offset::from_hours(hours.parse().ok()?).ok()
    });
    if named.is_some() {
        return (named, &word[end..]);
    }
    let end = word.find([' ', ']']).unwrap_or(word.len());
    let is_place = word.starts_with(|c: char| c.is_ascii_uppercase()) && word[..end].contains('/');
    let zone = is_place.then(|| TimeZone::get(&word[..end]).ok()).flatten();
    if let Some(zoned) = zone.and_then(|zone| zone.to_zoned(civil).ok()) {
        return (Some(zoned.offset()), &word[end..]);
    }
    let read = |format, word: &str| {
        let (broken, end) = BrokenDownTime::parse_prefix(format, word).ok()?;
        Some((broken.offset()?, end))
    };
    // `%:::z` reads hours only at the end of a text. In `14:15:50 -05 items`, they are no zone.
    let hours = word.get(..3).filter(|_| {
        let rest = &word[3..];
        let next = spaced.map_or(rest, |_| rest.trim_start());
        !next.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == ':')
    });
    let zone = read("%z", word).or_else(|| read("%:z", word));
    let zone = zone.or_else(|| read("%:::z", hours?));
    zone.filter(|_| word.starts_with(['+', '-']))
        .and_then(|(offset, end)| Some((Some(offset), word.get(end..)?)))
        .unwrap_or((None, text))
}

/// Returns whether the text has only digits, and at least one.
pub(crate) fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_digit(c: char) -> bool {
    c.is_ascii_digit()
}

/// One second in nanoseconds.
const SECOND: u32 = 1_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn clock(zone: TimeZone) -> Clock {
        let written = "2026-11-22T15:00:00Z".parse::<jiff::Timestamp>().unwrap();
        Clock::new(zone, Some(written.into()))
    }

    fn moment(text: &str) -> Option<Timestamp> {
        clock(TimeZone::UTC).moment(Time::parse(text)?)
    }

    #[test]
    fn each_text_is_a_time_or_none() {
        for case in include_str!("../../tests/cases/times.txt").lines() {
            if let Some((text, utc)) = case.split_once(" => ") {
                let time = moment(text).map(|time| time.to_string());
                assert_eq!(time.as_deref().unwrap_or("-"), utc, "{text}");
            }
        }
        assert_eq!(moment(""), None);
    }

    #[test]
    fn what_follows_is_returned() {
        for (text, rest) in [
            ("2026-11-22T14:15:49Z INFO  x", " INFO  x"),
            ("2026-11-22T14:15:49 INFO", " INFO"),
            ("2026-11-22T14:15:49.]", ".]"),
            ("2026-11-22 14:15:49 -0", " -0"),
            ("2026-11-22 14:15:49 - a", " - a"),
            ("2026-11-22 14:15:49 -05 items", " -05 items"),
            ("2026-11-22 14:15:49 -05 3", " -05 3"),
            ("2026-11-22 14:15:49 -03 [812] LOG", " [812] LOG"),
            ("2026-11-22 14:15:49 +03 [812] LOG", " [812] LOG"),
            ("2026-11-22 14:15:49.441 -03 INFO x", " INFO x"),
            ("2026-11-22 14:15:49.441-03 INFO x", " INFO x"),
            ("2026-11-22 14:15:49.441 -03,\"shop\"", ",\"shop\""),
            ("2026-11-22 14:15:49.441 -03]", "]"),
            ("2026-11-22T14:15:49.123456789123Z]", "]"),
            ("Sun Nov 22 14:15:49.123456 2026] x", "] x"),
            ("Nov 22 14:15:49 2027x y", " 2027x y"),
        ] {
            assert_eq!(Time::leading(text).unwrap().1, rest, "{text}");
        }
    }

    #[test]
    fn time_between_is_never_negative() {
        let [early, late] = ["1795356949", "1795356950.5"].map(|text| moment(text).unwrap());
        assert_eq!(late.since(early), Duration::from_millis(1_500));
        assert_eq!(early.since(late), Duration::ZERO);
        assert_eq!(early.as_nanoseconds(), 1_795_356_949_000_000_000);
    }

    #[test]
    fn what_is_not_said_is_of_the_file() {
        let clock = clock(TimeZone::fixed(Offset::constant(1)));
        for (text, utc) in [
            ("2026-11-22 15:15:50", "2026-11-22T14:15:50Z"),
            ("2026-11-22 15:15:50Z", "2026-11-22T15:15:50Z"),
            ("Nov 22 15:15:50", "2026-11-22T14:15:50Z"),
            ("Dec 31 15:15:50", "2025-12-31T14:15:50Z"),
            ("15:15:50.2", "2026-11-22T14:15:50.2Z"),
            ("23:15:50.2", "2026-11-21T22:15:50.2Z"),
        ] {
            let time = Time::parse(text).and_then(|time| clock.moment(time));
            assert_eq!(time.unwrap().to_string(), utc, "{text}");
        }
    }

    #[test]
    fn the_inner_time_yields_to_a_zone_that_it_does_not_have() {
        let clock = clock(TimeZone::UTC);
        for (inner, outer, chosen) in [
            ("2026-11-22T14:15:50.1Z", "2026-11-22T14:15:50.2Z", 0),
            ("2026-11-22T14:15:50.1Z", "Nov 22 14:15:51", 0),
            ("2026-11-22 15:15:50.1", "2026-11-22T14:15:50.2Z", 1),
            ("2026-11-22 14:15:50.1", "2026-11-22T14:15:50.2Z", 1),
            ("2026-11-22 14:15:50.2", "2026-11-22T14:15:50Z", 0),
            ("2026-11-22 15:15:50.1", "2026-11-22 14:15:50.2", 0),
        ] {
            let times = [inner, outer].map(|text| Time::parse(text).unwrap());
            let best = clock.best(times.into_iter());
            assert_eq!(best, Some(times[chosen]), "{inner}");
        }
    }
}
