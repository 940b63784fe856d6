//! Puts the ID at the right place of a record.

use std::sync::atomic::{AtomicU8, Ordering};

use memchr::{memchr, memmem};

use super::json;
use crate::context::Context;
use crate::names::{CORRELATION_ID, TRACE_ID};

/// The keys that a writer adds, and its format. A writer and its clones share one.
#[derive(Debug)]
pub(super) struct Tagger {
    id: Key,
    trace_id: Key,
    /// Finds two objects on one line.
    glued: memmem::Finder<'static>,
    /// A [`Format`], or 0 until a record is written.
    format: AtomicU8,
}

/// The format of a writer. It is a property of the writer, so that no message can change it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u8)]
pub(super) enum Format {
    Text = 1,
    Json = 2,
}

impl Tagger {
    pub(super) fn new(id: &str, format: Option<Format>) -> Self {
        Self {
            id: Key::new(id),
            trace_id: Key::new(TRACE_ID),
            glued: memmem::Finder::new("}{"),
            format: AtomicU8::new(format.map_or(0, |format| format as u8)),
        }
    }

    /// Makes a tagger for text.
    #[cfg(any(feature = "log", test))]
    pub(super) fn text() -> Self {
        Self::new(CORRELATION_ID, Some(Format::Text))
    }

    /// Makes a copy with another key.
    #[cfg(feature = "tracing")]
    pub(super) fn with_key(&self, id: &str) -> Self {
        Self::new(id, self.format())
    }

    /// Makes a copy with this format.
    pub(super) fn with_format(&self, format: Format) -> Self {
        Self::new(self.id.text(), Some(format))
    }

    /// Whether a record is one object on one line, as formatters write it. It is not parsed, so
    /// text between braces counts as well.
    pub(super) fn is_json_line(&self, record: &[u8]) -> bool {
        let Some(object) = record.strip_suffix(b"\n") else {
            return false;
        };
        matches!(object, [b'{', b'"', .., b'}'] | [b'{', b'}'])
            && memchr(b'\n', object).is_none()
            && self.glued.find(object).is_none()
    }

    /// Whether one of the keys stands anywhere in a record, so that only a parser can tell what it
    /// means.
    pub(super) fn finds_key(&self, record: &[u8], context: &Context) -> bool {
        let trace_id = context.trace().map(|_| &self.trace_id);
        let mut keys = [&self.id].into_iter().chain(trace_id);
        keys.any(|key| key.finder.find(record).is_some())
    }

    pub(super) fn format(&self) -> Option<Format> {
        match self.format.load(Ordering::Relaxed) {
            1 => Some(Format::Text),
            2 => Some(Format::Json),
            _ => None,
        }
    }

    /// Sets the format, unless it is already set, and returns the format that applies from now on.
    pub(super) fn settle(&self, format: Format) -> Format {
        let order = Ordering::Relaxed;
        let settled = self
            .format
            .compare_exchange(0, format as u8, order, order)
            .is_err()
            .then(|| self.format())
            .flatten();
        settled.unwrap_or(format)
    }

    /// Appends a whole record to `out`, with the fields of `context`. Use it for formatters that
    /// return one record at a time.
    #[cfg(feature = "log")]
    pub(super) fn tag(&self, out: &mut Vec<u8>, record: &[u8], context: Option<&Context>) {
        let records = super::records::Records::new(self, out, context);
        records.whole(record);
    }

    /// Appends text of one or more lines to `out`, with the fields of `context` at the end of each
    /// line that is not blank.
    pub(super) fn tag_text(&self, out: &mut Vec<u8>, mut text: &[u8], context: &Context) {
        while !text.is_empty() {
            let end = memchr(b'\n', text).map_or(text.len(), |at| at + 1);
            let (line, rest) = text.split_at(end);
            let (line, ending) = split_ending(line);
            out.extend_from_slice(line);
            if !line.trim_ascii().is_empty() && !self.id.ends(line, context.id().as_str()) {
                self.push_text(out, context);
            }
            out.extend_from_slice(ending);
            text = rest;
        }
    }

    /// Appends the fields. The ID is last, so that a search for the end of a line finds it.
    pub(super) fn push_text(&self, out: &mut Vec<u8>, context: &Context) {
        let trace_id = context.trace().map(|trace| trace.parent.trace_id_str());
        let trace_id = trace_id.map(|value| (&self.trace_id, value));
        for (key, value) in trace_id
            .into_iter()
            .chain([(&self.id, context.id().as_str())])
        {
            for part in [" ", key.text(), "=", value] {
                out.extend_from_slice(part.as_bytes());
            }
        }
    }

    /// Appends the beginning of an object to `out`, with the fields of `context` first. `object`
    /// begins with `{` and has at least one more byte that is not blank.
    pub(super) fn push_object(
        &self,
        out: &mut Vec<u8>,
        object: &[u8],
        context: &Context,
        complete: bool,
    ) {
        let trace_id = context.trace().map(|trace| trace.parent.trace_id_str());
        let trace_id = trace_id.map(|value| (&self.trace_id, value));
        let (open, members) = object.split_at(1);
        out.extend_from_slice(open);
        for (key, value) in [(&self.id, context.id().as_str())]
            .into_iter()
            .chain(trace_id)
        {
            // Log stores refuse an object that has a key twice.
            if !(complete && json::has_key(object, &key.finder)) {
                for part in [key.json.as_str(), ":\"", value, "\","] {
                    out.extend_from_slice(part.as_bytes());
                }
            }
        }
        // An object without members has no key, so something was added, and its comma goes.
        if members.trim_ascii_start().starts_with(b"}") {
            out.pop();
        }
        out.extend_from_slice(members);
    }
}

impl Default for Tagger {
    fn default() -> Self {
        Self::new(CORRELATION_ID, None)
    }
}

#[derive(Debug)]
struct Key {
    /// The key with its quotes.
    json: String,
    finder: memmem::Finder<'static>,
}

impl Key {
    pub(super) fn new(key: &str) -> Self {
        let json = format!("\"{key}\"");
        Self {
            finder: memmem::Finder::new(&json).into_owned(),
            json,
        }
    }

    pub(super) fn text(&self) -> &str {
        &self.json[1..self.json.len() - 1]
    }

    /// Whether a line ends with ` key=value`; colour codes do not count.
    pub(super) fn ends(&self, line: &[u8], value: &str) -> bool {
        let mut line = without_colours(line);
        for part in [value, "=", self.text()] {
            let Some(rest) = line.strip_suffix(part.as_bytes()) else {
                return false;
            };
            line = without_colours(rest);
        }
        line.ends_with(b" ")
    }
}

/// Returns the line without escape codes at its end: `ESC [`, digits and semicolons, `m` (ECMA-48,
/// SGR).
fn without_colours(mut line: &[u8]) -> &[u8] {
    while let [codes @ .., b'm'] = line {
        let is_code = |byte: &u8| byte.is_ascii_digit() || *byte == b';';
        let start = codes.iter().rposition(|byte| !is_code(byte));
        let Some(rest) = start.and_then(|at| codes[..=at].strip_suffix(b"\x1b[")) else {
            break;
        };
        line = rest;
    }
    line
}

pub(super) fn split_ending(line: &[u8]) -> (&[u8], &[u8]) {
    let without = line
        .strip_suffix(b"\n")
        .map_or(line, |line| line.strip_suffix(b"\r").unwrap_or(line));
    line.split_at(without.len())
}
