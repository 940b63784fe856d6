//! Prints a timeline for programs, with one object per line.

use std::collections::BTreeSet;
use std::{fmt, io};

use serde::{Serialize, Serializer};
use serde_json::ser::Formatter;

use crate::Timeline;
use crate::clean::is_hostile;
use crate::record::Level;

/// A [`Timeline`] as JSON Lines. There is one object for each record, and each has the same keys.
#[derive(Clone, Copy, Debug)]
#[must_use = "it is printed with `{}`"]
pub struct Json<'t>(pub(crate) &'t Timeline);

impl fmt::Display for Json<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for record in self.0.records() {
            let since = record.time.zip(self.0.start()).map(|(time, start)| {
                // If a story is followed, an earlier record may arrive later.
                (time.as_nanoseconds() - start.as_nanoseconds()) as f64 / 1e6
            });
            let line = Line {
                time: record.time.map(|time| format!("{time:.9}")),
                estimated: record.estimated,
                coarse: record.coarse,
                since_ms: since,
                service: &record.service,
                level: record.level.map(Level::as_str),
                target: record.target.as_deref(),
                message: &record.message,
                fields: &record.fields,
                continuation: &record.continuation,
                file: &record.file,
                line: record.line,
            };
            let mut json = Vec::new();
            line.serialize(&mut serde_json::Serializer::with_formatter(
                &mut json, Escaping,
            ))
            .map_err(|_| fmt::Error)?;
            writeln!(f, "{}", String::from_utf8_lossy(&json))?;
        }
        Ok(())
    }
}

/// Writes JSON in which a terminal obeys nothing (RFC 8259, section 7). serde escapes only the
/// required characters.
struct Escaping;

impl Formatter for Escaping {
    fn write_string_fragment<W>(&mut self, out: &mut W, fragment: &str) -> io::Result<()>
    where
        W: ?Sized + io::Write,
    {
        let mut rest = 0;
        for (at, found) in fragment.match_indices(is_hostile) {
            out.write_all(&fragment.as_bytes()[rest..at])?;
            rest = at + found.len();
            for unit in found.encode_utf16() {
                write!(out, "\\u{unit:04x}")?;
            }
        }
        out.write_all(&fragment.as_bytes()[rest..])
    }
}

#[derive(Serialize)]
struct Line<'r> {
    time: Option<String>,
    estimated: bool,
    coarse: bool,
    since_ms: Option<f64>,
    service: &'r str,
    level: Option<&'static str>,
    target: Option<&'r str>,
    message: &'r str,
    #[serde(serialize_with = "each_key_once")]
    fields: &'r [(String, String)],
    continuation: &'r [String],
    file: &'r str,
    line: u64,
}

/// Writes an object. If a key is there twice, the first value is used, because some readers refuse
/// duplicate keys.
fn each_key_once<S: Serializer>(fields: &[(String, String)], to: S) -> Result<S::Ok, S::Error> {
    let mut seen = BTreeSet::new();
    let first = fields.iter().filter(|(key, _)| seen.insert(key));
    to.collect_map(first.map(|(key, value)| (key, value)))
}
