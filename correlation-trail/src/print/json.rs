//! For programs: an object a line.

use std::collections::BTreeSet;
use std::fmt;

use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::Timeline;
use crate::record::{Level, Record};

/// A [`Timeline`] as JSON Lines: an object for each record, always with the same keys.
#[derive(Clone, Copy, Debug)]
#[must_use = "it is printed with `{}`"]
pub struct Json<'t> {
    timeline: &'t Timeline,
}

impl<'t> Json<'t> {
    pub(crate) fn new(timeline: &'t Timeline) -> Self {
        Self { timeline }
    }
}

impl fmt::Display for Json<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for record in self.timeline.records() {
            let since = record.time.zip(self.timeline.start());
            let line = Line {
                time: record.time.map(|time| format!("{time:.9}")),
                estimated: record.estimated,
                since_ms: since.map(|(time, start)| time.since(start).as_nanos() as f64 / 1e6),
                service: &record.service,
                level: record.level.map(Level::as_str),
                target: record.target.as_deref(),
                message: &record.message,
                fields: Fields(record),
                continuation: &record.continuation,
                file: &record.file,
                line: record.line,
            };
            let line = serde_json::to_string(&line).map_err(|_| fmt::Error)?;
            writeln!(f, "{line}")?;
        }
        Ok(())
    }
}

#[derive(serde::Serialize)]
struct Line<'r> {
    time: Option<String>,
    estimated: bool,
    since_ms: Option<f64>,
    service: &'r str,
    level: Option<&'static str>,
    target: Option<&'r str>,
    message: &'r str,
    fields: Fields<'r>,
    continuation: &'r [String],
    file: &'r str,
    line: u64,
}

/// An object. Of a key that is there twice, the first: some readers refuse such objects.
struct Fields<'r>(&'r Record);

impl Serialize for Fields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let mut seen = BTreeSet::new();
        for (key, value) in &self.0.fields {
            if seen.insert(key) {
                map.serialize_entry(key, value)?;
            }
        }
        map.end()
    }
}
