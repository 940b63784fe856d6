//! All records of one ID, in order.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::record::{Level, Record};
use crate::{Json, Text, Timestamp};

/// The records of one ID, the earliest first. `Display` prints [`Timeline::text`].
#[derive(Clone, Debug, Default)]
pub struct Timeline {
    id: String,
    records: Vec<Record>,
    /// What was told before, where a story goes on.
    before: Option<Story>,
}

impl Timeline {
    pub(crate) fn new(id: String, mut records: Vec<Record>) -> Self {
        // A record may have been written at any time that begins with the digits that it has. It is
        // told at the last of them, so that no cause with more digits comes after it, or as late as
        // the next record of its file lets it.
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
        // Stable: records of the same place stay as they were read. Those without come last.
        placed.sort_by_key(|(place, _)| (place.is_none(), *place));
        let records = placed.into_iter().map(|(_, record)| record).collect();
        Self {
            id,
            records,
            before: None,
        }
    }

    /// Makes these the records that come after others.
    pub(crate) fn after(self, before: Option<Story>) -> Self {
        Self { before, ..self }
    }

    pub(crate) fn before(&self) -> Option<&Story> {
        self.before.as_ref()
    }

    /// The ID.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The records, the earliest first.
    #[must_use]
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// The time of the first record. For a story that is followed, it is the first one ever told.
    #[must_use]
    pub fn start(&self) -> Option<Timestamp> {
        let before = self.before.as_ref().and_then(|story| story.start);
        before.or_else(|| self.records.first()?.time)
    }

    /// The time from the first record to the latest.
    #[must_use]
    pub fn duration(&self) -> Duration {
        let last = self.records.iter().filter_map(|record| record.time).max();
        let between = last.zip(self.start());
        between.map_or(Duration::ZERO, |(last, first)| last.since(first))
    }

    /// The services that wrote the records.
    #[must_use]
    pub fn services(&self) -> BTreeSet<&str> {
        self.records.iter().map(|r| r.service.as_str()).collect()
    }

    /// The files that hold the records.
    #[must_use]
    pub fn files(&self) -> BTreeSet<&str> {
        self.records.iter().map(|r| r.file.as_str()).collect()
    }

    /// The number of records of the level [`Level::Error`].
    #[must_use]
    pub fn errors(&self) -> usize {
        let levels = self.records.iter().map(|record| record.level);
        levels.filter(|&level| level == Some(Level::Error)).count()
    }

    /// The timeline as text for people.
    pub fn text(&self) -> Text<'_> {
        Text::new(self)
    }

    /// The timeline as JSON for programs.
    pub fn json(&self) -> Json<'_> {
        Json(self)
    }
}

/// What the lines of a story share. A story that is followed hands it from one timeline to the next.
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
