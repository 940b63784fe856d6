//! All that was found, in order.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::record::{Level, Record};
use crate::{Json, Text, Timestamp};

/// The records of one ID, the earliest first. `Display` is [`Timeline::text`].
#[derive(Clone, Debug, Default)]
pub struct Timeline {
    id: String,
    records: Vec<Record>,
}

impl Timeline {
    pub(crate) fn new(id: String, mut records: Vec<Record>) -> Self {
        // Stable: records of the same time stay as they were read. Those without come last.
        records.sort_by_key(|record| (record.time.is_none(), record.time));
        Self { id, records }
    }

    /// The ID that was looked for.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The records, the earliest first.
    #[must_use]
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// When the first was written.
    #[must_use]
    pub fn start(&self) -> Option<Timestamp> {
        self.records.first().and_then(|record| record.time)
    }

    /// From the first to the last.
    #[must_use]
    pub fn duration(&self) -> Duration {
        let last = self.records.iter().rev().find_map(|record| record.time);
        let between = last.zip(self.start());
        between.map_or(Duration::ZERO, |(last, first)| last.since(first))
    }

    /// Everybody who has a part in it.
    #[must_use]
    pub fn services(&self) -> BTreeSet<&str> {
        let services = self.records.iter();
        services.map(|record| record.service.as_str()).collect()
    }

    /// The files that have a part in it.
    #[must_use]
    pub fn files(&self) -> BTreeSet<&str> {
        let files = self.records.iter();
        files.map(|record| record.file.as_str()).collect()
    }

    /// How many of the records are errors.
    #[must_use]
    pub fn errors(&self) -> usize {
        let levels = self.records.iter().map(|record| record.level);
        levels.filter(|&level| level == Some(Level::Error)).count()
    }

    /// For people to read.
    pub fn text(&self) -> Text<'_> {
        Text::new(self)
    }

    /// For programs to read.
    pub fn json(&self) -> Json<'_> {
        Json::new(self)
    }
}
