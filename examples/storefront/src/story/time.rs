//! Points in time, as log lines write them.

use std::time::Duration;

/// Nanoseconds since 1970, in UTC.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Timestamp(i64);

impl Timestamp {
    /// Reads RFC 3339, such as `2026-11-22T14:15:49.440140Z`; `None` if it is anything else.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (seconds, rest) = text.split_at_checked(19)?;
        let [year, month, day, hour, minute, second] = fields(seconds)?;
        let (nanos, offset) = fraction(rest)?;
        let in_range = (1..=12).contains(&month)
            && (1..=31).contains(&day)
            && hour < 24
            && minute < 60
            && second <= 60;
        let seconds = ((days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
        let nanos = (seconds - zone(offset)?)
            .checked_mul(1_000_000_000)?
            .checked_add(nanos)?;
        in_range.then_some(Self(nanos))
    }

    /// How long after `earlier` this is.
    pub(super) fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

/// The six numbers of `2026-11-22T14:15:49`.
fn fields(text: &str) -> Option<[i64; 6]> {
    let bytes = text.as_bytes();
    let separators = [bytes[4], bytes[7], bytes[10], bytes[13], bytes[16]];
    if !matches!(&separators, b"--T::" | b"--t::" | b"-- ::") {
        return None;
    }
    let mut fields = [0; 6];
    let places = [0..4, 5..7, 8..10, 11..13, 14..16, 17..19];
    for (field, place) in fields.iter_mut().zip(places) {
        *field = number(text.get(place)?)?;
    }
    Some(fields)
}

/// The nanoseconds of `.440140Z`, and what is behind them.
fn fraction(text: &str) -> Option<(i64, &str)> {
    let Some(rest) = text.strip_prefix('.') else {
        return Some((0, text));
    };
    let end = rest.find(|c: char| !c.is_ascii_digit())?;
    let (digits, offset) = rest.split_at(end);
    let nanos = number(&format!("{:0<9}", digits.get(..9).unwrap_or(digits)))?;
    (end > 0).then_some((nanos, offset))
}

/// The seconds of `Z` or `+01:00`.
fn zone(text: &str) -> Option<i64> {
    if matches!(text, "Z" | "z") {
        return Some(0);
    }
    let (sign, clock) = match text.split_at_checked(1)? {
        ("+", clock) => (1, clock),
        ("-", clock) => (-1, clock),
        _ => return None,
    };
    let (hours, minutes) = clock.split_once(':')?;
    let pair = hours.len() == 2 && minutes.len() == 2;
    pair.then_some(sign * (number(hours)? * 60 + number(minutes)?) * 60)
}

/// Digits and nothing else: `parse` alone would take a sign.
fn number(text: &str) -> Option<i64> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok())?
}

/// Days from 1970-01-01, in the calendar that starts its years in March so that the leap day is
/// the last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + day_of_year
        - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_moments() {
        for (text, nanos) in [
            ("1970-01-01T00:00:00Z", 0),
            ("1970-01-01T00:00:00.000000001Z", 1),
            ("1969-12-31T23:59:59.5Z", -500_000_000),
            ("2000-02-29T12:00:00Z", 951_825_600_000_000_000),
            ("2026-11-22T14:15:49.440140Z", 1_795_356_949_440_140_000),
            (
                "2026-11-22T15:15:49.440140+01:00",
                1_795_356_949_440_140_000,
            ),
            (
                "2026-11-22 08:45:49.440140999999-05:30",
                1_795_356_949_440_140_999,
            ),
        ] {
            assert_eq!(Timestamp::parse(text), Some(Timestamp(nanos)), "{text}");
        }
    }

    #[test]
    fn anything_else_is_no_time() {
        for text in [
            "",
            "INFO",
            "2026-11-22",
            "2026-11-22T14:15:49",
            "2026-11-22T14:15:49.Z",
            "2026-11-22T14:15:49.1",
            "2026-13-22T14:15:49Z",
            "2026-11-22T24:15:49Z",
            "2026-11-22T14:15:4xZ",
            "+026-11-22T14:15:49Z",
            "2026-11-22T14:15:49+1:00",
            "2026-11-22T14:15:49.1Zjunk",
            "ääääääääääääääääääää",
            "9999-12-31T23:59:59Z",
        ] {
            assert_eq!(Timestamp::parse(text), None, "{text}");
        }
    }

    #[test]
    fn time_between_is_never_negative() {
        let (early, late) = (Timestamp(1), Timestamp(1_001));
        assert_eq!(late.since(early), Duration::from_micros(1));
        assert_eq!(early.since(late), Duration::ZERO);
    }
}
