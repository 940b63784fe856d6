//! All records of one ID, in order.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::record::{Level, Record};
use crate::{Json, Text, Timestamp};

/// The records of one ID, with the earliest first. `Display` prints [`Timeline::text`].
///
/// ```
/// use correlation_trail::Trail;
///
/// let log = b"2026-11-22T14:15:50Z ERROR payment failed correlation_id=click-1\n";
/// let mut trail = Trail::new("click-1");
/// trail.reader("orders", &log[..])?;
///
/// let timeline = trail.finish();
/// assert_eq!(timeline.records()[0].service, "orders");
/// assert_eq!(timeline.errors(), 1);
/// print!("{}", timeline.json());
/// # std::io::Result::Ok(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Timeline {
    id: String,
    records: Vec<Record>,
    /// The timelines before this one, if a story is followed.
    before: Option<Story>,
}

impl Timeline {
    pub(crate) fn new(id: String, mut records: Vec<Record>) -> Self {
        // A record may have been written at any time that begins with the digits of its time. It is
        // placed at the last of these times, so that no cause with more digits comes after it. If
        // the next record of its file is earlier, it is placed there.
        let mut next: Option<(&str, Timestamp)> = None;
        let places: Vec<_> = records
            .iter()
            .rev()
            .map(|record| {
                let time = record.time?;
                let last = time.last_of(record.unit);
                let next_of_file =
                    next.filter(|&(file, place)| file == record.file && place >= time);
                let place = next_of_file.map_or(last, |(_, place)| last.min(place));
                next = Some((&record.file, place));
                Some(place)
            })
            .collect();
        let mut placed: Vec<_> = places
            .into_iter()
            .rev()
            .zip(std::mem::take(&mut records))
            .collect();
        // The sort is stable, so records of the same place stay in the order of reading. Records
        // without a place come last.
        placed.sort_by_key(|(place, _)| (place.is_none(), *place));
        let records = placed.into_iter().map(|(_, record)| record).collect();
        Self {
            id,
            records,
            before: None,
        }
    }

    /// Makes this timeline continue an earlier story.
    pub(crate) fn after(self, before: Option<Story>) -> Self {
        Self { before, ..self }
    }

    pub(crate) fn before(&self) -> Option<&Story> {
        self.before.as_ref()
    }

    /// Returns the ID.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the records, with the earliest first.
    #[must_use]
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// Returns the time of the first record. If a story is followed, it is the first record of all
    /// timelines.
    #[must_use]
    pub fn start(&self) -> Option<Timestamp> {
        let before = self.before.as_ref().and_then(|story| story.start);
        before.or_else(|| self.records.first()?.time)
    }

    /// Returns the time from the first record to the latest one.
    #[must_use]
    pub fn duration(&self) -> Duration {
        let last = self.records.iter().filter_map(|record| record.time).max();
        let between = last.zip(self.start());
        between.map_or(Duration::ZERO, |(last, first)| last.since(first))
    }

    /// Returns the services that wrote the records.
    #[must_use]
    pub fn services(&self) -> BTreeSet<&str> {
        self.records.iter().map(|r| r.service.as_str()).collect()
    }

    /// Returns the files that hold the records.
    #[must_use]
    pub fn files(&self) -> BTreeSet<&str> {
        self.records.iter().map(|r| r.file.as_str()).collect()
    }

    /// Returns the number of records of the level [`Level::Error`].
    #[must_use]
    pub fn errors(&self) -> usize {
        let levels = self.records.iter().map(|record| record.level);
        levels.filter(|&level| level == Some(Level::Error)).count()
    }

    /// Returns the timeline as text for people.
    pub fn text(&self) -> Text<'_> {
        Text::new(self)
    }

    /// Returns the timeline as JSON for programs.
    pub fn json(&self) -> Json<'_> {
        Json(self)
    }
}

/// The values that the lines of a story share. If a story is followed, each timeline passes them to
/// the next one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Story {
    pub(crate) start: Option<Timestamp>,
    pub(crate) last: Option<Timestamp>,
    /// The services, each with its number.
    pub(crate) services: BTreeMap<String, usize>,
}

impl Story {
    pub(crate) fn add(&mut self, timeline: &Timeline) {
        self.start = timeline.start();
        let records = timeline.records().iter();
        self.last = records
            .filter_map(|record| record.time)
            .max()
            .max(self.last);
        for service in timeline.services() {
            let number = self.services.len();
            // `entry` would copy each name.
            if !self.services.contains_key(service) {
                self.services.insert(service.to_owned(), number);
            }
        }
    }
}
