//! Points in time, as log lines write them.

use std::fmt;
use std::time::Duration;

use jiff::civil::DateTime;
use jiff::tz::Offset;

/// When a record was written, to the nanosecond. `Display` is RFC 3339 in UTC.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Timestamp(jiff::Timestamp);

impl Timestamp {
    /// Nanoseconds since 1970-01-01 00:00 UTC, without leap seconds.
    #[must_use]
    pub fn as_nanoseconds(self) -> i128 {
        self.0.as_nanosecond()
    }

    /// How long after `earlier` this is; zero if it is not.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::try_from(self.0.duration_since(earlier.0)).unwrap_or_default()
    }

    /// A count since 1970 of seconds, milli-, micro- or nanoseconds: whatever lands between
    /// the years 1973 and 5138.
    pub(crate) fn from_epoch(text: &str) -> Option<Self> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || !digits(fraction) || whole.len() > 19 {
            return None;
        }
        // Of the fraction, as many digits as a nanosecond has.
        let unit: usize = match whole.len() {
            9..=11 => 9,
            12..=14 => 6,
            15..=17 => 3,
            18..=19 => 0,
            _ => return None,
        };
        let fraction = &fraction[..fraction.len().min(unit)];
        let nanos = format!("{whole}{fraction:0<unit$}").parse().ok()?;
        jiff::Timestamp::from_nanosecond(nanos).ok().map(Self)
    }

    /// Reads a date and time from the start of `text`: RFC 3339 and its relatives, with a space
    /// for the `T`, slashes in the date, a comma in the seconds, no colon in the offset. Without
    /// an offset it is UTC. Also returns what follows.
    pub(crate) fn leading(text: &str) -> Option<(Self, &str)> {
        let (date_time, rest) = text.split_at_checked("2026-11-22T14:15:49".len())?;
        let bytes = date_time.as_bytes();
        let separators = [bytes[4], bytes[7], bytes[10], bytes[13], bytes[16]];
        let [b'-' | b'/', b'-' | b'/', b'T' | b't' | b' ', b':', b':'] = separators else {
            return None;
        };
        let [year, month, day] = [
            number(&bytes[..4])?,
            number(&bytes[5..7])?,
            number(&bytes[8..10])?,
        ];
        let [hour, minute, second] = [
            number(&bytes[11..13])?,
            number(&bytes[14..16])?,
            number(&bytes[17..])?,
        ];
        let (nanos, rest) = fraction(rest);
        let (offset, rest) = offset(rest);
        // A leap second is the last there is: `:60`, RFC 3339, section 5.7.
        let second = if second == 60 { 59 } else { second };
        let small = |number: i32| i8::try_from(number).ok();
        let civil = DateTime::new(
            i16::try_from(year).ok()?,
            small(month)?,
            small(day)?,
            small(hour)?,
            small(minute)?,
            small(second)?,
            nanos,
        );
        let time = offset.to_timestamp(civil.ok()?).ok()?;
        // `2026-11-22T14:15:490` is none.
        let ends = !rest.starts_with(|c: char| c.is_ascii_alphanumeric());
        ends.then_some((Self(time), rest))
    }

    /// A whole text that is a time.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match Self::leading(text) {
            Some((time, rest)) => rest.trim().is_empty().then_some(time),
            None => Self::from_epoch(text),
        }
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The nanoseconds of `.440140`, if there are any, and what follows.
fn fraction(text: &str) -> (i32, &str) {
    let Some(digits) = text.strip_prefix(['.', ',']) else {
        return (0, text);
    };
    let end = digits.bytes().position(|byte| !byte.is_ascii_digit());
    let (digits, rest) = digits.split_at(end.unwrap_or(digits.len()));
    let shown = &digits[..digits.len().min(9)];
    match number(format!("{shown:0<9}").as_bytes()) {
        Some(nanos) if !digits.is_empty() => (nanos, rest),
        _ => (0, text),
    }
}

/// `Z`, `+01:00`, `+0100`, ` +01:00` or ` UTC`, and what follows.
fn offset(text: &str) -> (Offset, &str) {
    for utc in ["Z", "z", " UTC"] {
        if let Some(rest) = text.strip_prefix(utc) {
            return (Offset::UTC, rest);
        }
    }
    numeric_offset(text.strip_prefix(' ').unwrap_or(text)).unwrap_or((Offset::UTC, text))
}

fn numeric_offset(text: &str) -> Option<(Offset, &str)> {
    let (sign, clock) = match text.split_at_checked(1)? {
        ("+", clock) => (1, clock),
        ("-", clock) => (-1, clock),
        _ => return None,
    };
    let (hours, rest) = clock.split_at_checked(2)?;
    let (minutes, rest) = rest.strip_prefix(':').unwrap_or(rest).split_at_checked(2)?;
    let seconds = (number(hours.as_bytes())? * 60 + number(minutes.as_bytes())?) * 60;
    Some((Offset::from_seconds(sign * seconds).ok()?, rest))
}

/// Up to nine digits and nothing else.
fn number(digits: &[u8]) -> Option<i32> {
    digits.iter().try_fold(0, |number, byte| {
        byte.is_ascii_digit()
            .then(|| number * 10 + i32::from(byte - b'0'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Option<String> {
        Timestamp::parse(text).map(|time| time.to_string())
    }

    #[test]
    fn known_moments() {
        for text in [
            "2026-11-22T14:15:49.440140Z",
            "2026-11-22t14:15:49.440140z",
            "2026-11-22 14:15:49.440140",
            "2026-11-22 14:15:49,440140",
            "2026/11/22 14:15:49.440140",
            "2026-11-22T15:15:49.440140+01:00",
            "2026-11-22T15:15:49.440140+0100",
            "2026-11-22 15:15:49.440140 +01:00",
            "2026-11-22 14:15:49.440140 UTC",
            "2026-11-22 08:45:49.440140-05:30",
            "1795356949.440140",
            "1795356949440.140",
            "1795356949440140",
            "1795356949440140000",
        ] {
            assert_eq!(
                shown(text).as_deref(),
                Some("2026-11-22T14:15:49.44014Z"),
                "{text}"
            );
        }
        for (text, utc) in [
            (
                "1970-01-01T00:00:00.000000001999Z",
                "1970-01-01T00:00:00.000000001Z",
            ),
            ("1969-12-31T23:59:59.5Z", "1969-12-31T23:59:59.5Z"),
            ("2000-02-29T12:00:00Z", "2000-02-29T12:00:00Z"),
            ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59Z"),
            ("1795356949", "2026-11-22T14:15:49Z"),
            ("1795356949440", "2026-11-22T14:15:49.44Z"),
        ] {
            assert_eq!(shown(text).as_deref(), Some(utc), "{text}");
        }
    }

    #[test]
    fn anything_else_is_no_time() {
        for text in [
            "",
            "INFO",
            "2026-11-22",
            "2026-11-22T14:15",
            "2026-13-22T14:15:49Z",
            "2026-02-29T14:15:49Z",
            "2026-11-22T24:15:49Z",
            "2026-11-22T14:15:4xZ",
            "+026-11-22T14:15:49Z",
            "2026-11-22T14:15:490",
            "2026-11-22T14:15:49.1Zjunk",
            "2026-11-22T14:15:49Z and more",
            "\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}",
            "42",
            "-1795356949",
            "1795356949.",
            ".5",
            "17953569494401400000",
            "99999999999999999999999999",
        ] {
            assert_eq!(shown(text), None, "{text}");
        }
    }

    #[test]
    fn what_follows_is_returned() {
        for (text, rest) in [
            ("2026-11-22T14:15:49Z INFO  x", " INFO  x"),
            ("2026-11-22T14:15:49 INFO", " INFO"),
            ("2026-11-22T14:15:49.]", ".]"),
            ("2026-11-22 14:15:49 -0", " -0"),
            ("2026-11-22T14:15:49.123456789123Z]", "]"),
        ] {
            assert_eq!(Timestamp::leading(text).unwrap().1, rest, "{text}");
        }
    }

    #[test]
    fn time_between_is_never_negative() {
        let [early, late] = ["1795356949", "1795356950.5"].map(|t| Timestamp::parse(t).unwrap());
        assert_eq!(late.since(early), Duration::from_millis(1_500));
        assert_eq!(early.since(late), Duration::ZERO);
        assert_eq!(early.as_nanoseconds(), 1_795_356_949_000_000_000);
    }
}
