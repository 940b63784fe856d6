//! The points in time that incomplete times mean.

use std::cell::Cell;
use std::time::{Duration, SystemTime};

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, ToSpan};

use super::{Time, Timestamp, Unsaid};

/// The facts about a file that complete its times.
#[derive(Clone, Debug)]
pub(crate) struct Clock {
    /// The zone of times without one.
    zone: TimeZone,
    /// The time when the file was last written. It gives the year of times without one.
    written: Cell<jiff::Timestamp>,
}

impl Clock {
    pub(crate) fn new(zone: TimeZone, written: Option<SystemTime>) -> Self {
        let written = written.and_then(|time| time.try_into().ok());
        let written = Cell::new(written.unwrap_or_else(jiff::Timestamp::now));
        Self { zone, written }
    }

    /// Lines that are read from now on are written now.
    pub(crate) fn go_on(&self) {
        self.written.set(jiff::Timestamp::now());
    }

    /// Returns the point in time that `time` means.
    pub(crate) fn moment(&self, time: Time) -> Option<Timestamp> {
        let instant = |civil: DateTime| match time.offset {
            Some(offset) => offset.to_timestamp(civil).ok(),
            None => self.zone.to_timestamp(civil).ok(),
        };
        let written = self.zone.to_datetime(self.written.get());
        let civil = |back: i64| match time.unsaid {
            Unsaid::Nothing => Some(time.civil),
            Unsaid::Year => {
                let year = i64::from(written.year()) - back;
                time.civil.with().year(year.try_into().ok()?).build().ok()
            }
            Unsaid::Date => {
                let date = written.date().checked_sub(back.days()).ok()?;
                Some(date.to_datetime(time.civil.time()))
            }
        };
        // A line is not younger than its file, except that the clocks of two machines differ. If
        // the time of a file is midnight, only its date is known.
        let day = jiff::civil::Time::midnight() == written.time();
        let hours = if time.unsaid == Unsaid::Date && !day {
            1
        } else {
            24
        };
        let limit = self.written.get() + SignedDuration::from_hours(hours);
        let moments = [0, 1].map(|back| civil(back).and_then(instant));
        let [first, _] = moments;
        let older = moments
            .into_iter()
            .flatten()
            .find(|&moment| moment <= limit);
        match time.unsaid {
            Unsaid::Nothing => first.map(Timestamp),
            Unsaid::Year | Unsaid::Date => older.or(first).map(Timestamp),
        }
    }

    /// Returns the time of a record that counts, if the record and its wrapper each have one.
    ///
    /// The inner time counts, unless only the outer one has a zone. The outer time was written
    /// later. If it is a little earlier than the inner one, it was cut. That shows that the inner
    /// time has the same zone.
    fn choose(&self, inner: Time, outer: Time) -> Time {
        let moments = self.moment(inner).zip(self.moment(outer));
        let cut = moments.is_some_and(|(inner, outer)| {
            let early = inner.since(outer);
            early > Duration::ZERO && early < Duration::from_secs(1)
        });
        let yields = inner.offset.is_none() && outer.offset.is_some() && !cut;
        if yields { outer } else { inner }
    }

    /// Returns the time of a record that has several, with the innermost first.
    pub(crate) fn best(&self, times: impl Iterator<Item = Time>) -> Option<Time> {
        times.reduce(|inner, outer| self.choose(inner, outer))
    }
}
