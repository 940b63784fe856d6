//! Reads one line of a log in any format.
//!
//! First, each row of `wrap::WRAPPERS` removes the text that a container, a collector or a store
//! wrote around the line, in any nesting. Then the first row of `FORMATS` that knows the rest reads
//! it. A new format needs a function, a row, and a case in `tests/cases/lines.txt`.

mod access;
mod csv;
mod document;
mod fields;
mod head;
mod json;
mod keys;
mod lines;
mod logfmt;
mod objects;
mod text;
mod trace;
mod wrap;

pub(crate) use self::document::{Tee, is_document, read_document};
pub(crate) use self::trace::is_trace;
pub(crate) use self::wrap::Body;

use crate::record::Level;
use crate::time::Time;

/// The parts of a line. No line is an error: a line of an unknown format is a message.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Parsed {
    pub(crate) time: Option<Time>,
    pub(crate) level: Option<Level>,
    pub(crate) service: Option<String>,
    pub(crate) target: Option<String>,
    pub(crate) message: String,
    pub(crate) fields: Vec<(String, String)>,
    /// The times in the wrappers around it, with the inner one first.
    pub(crate) outer_times: Vec<Time>,
    /// It is certainly a record, and a whole one: an object, or an access log line.
    pub(crate) whole: bool,
    /// The message is in the lines below.
    pub(crate) is_head: bool,
    /// It continues in the lines below, and has to be read with them.
    pub(crate) is_open: bool,
    /// The meanings that were taken from an unsure name, and where its pair is in `fields`.
    unsure: Vec<(&'static str, usize)>,
}

impl Parsed {
    /// Adds the values of the wrapper where the line itself has none.
    fn within(mut self, outer: Self) -> Self {
        self.outer_times.extend(outer.time);
        self.outer_times.extend(outer.outer_times);
        self.level = self.level.or(outer.level);
        self.service = self
            .service
            .filter(|name| !name.is_empty())
            .or(outer.service);
        self.target = self.target.or(outer.target);
        self.fields.extend(outer.fields);
        self
    }

    /// Returns whether the line has a part that only a record has.
    fn is_record(&self) -> bool {
        self.whole || self.is_head || self.time.is_some() || self.level.is_some()
    }
}

/// The formats. The first that knows a line reads it.
const FORMATS: [fn(&str) -> Option<Parsed>; 6] = [
    json::parse,
    lines::klog,
    lines::logcat,
    lines::dotnet,
    logfmt::parse,
    text::parse,
];

/// Reads one line without its ending. The text may itself hold several lines.
pub(crate) fn parse(line: &str) -> Parsed {
    let mut parsed = if line.starts_with('{') {
        json::parse(line).unwrap_or_else(|| parse_text(line))
    } else {
        parse_text(line)
    };
    // This is a collector's object around a line that is a record itself.
    if parsed.whole
        && (parsed.message.starts_with("{\"") || Time::leading(&parsed.message).is_some())
    {
        let body = Body::of(&parsed.message);
        let inner = body.complete(parse_text_or_json(&body.text));
        if inner.whole || inner.time.is_some() && inner.level.is_some() {
            parsed = inner.within(parsed);
            parsed.whole = true;
        }
    }
    parsed
}

fn parse_text_or_json(line: &str) -> Parsed {
    json::parse(line).unwrap_or_else(|| parse_text(line))
}

fn parse_text(line: &str) -> Parsed {
    let end = (0..=LONGEST_TEXT.min(line.len())).rfind(|&at| line.is_char_boundary(at));
    let line = &line[..end.unwrap_or(0)];
    // Only a query in a CSV row has several lines.
    let whole = csv::postgres(line).map(|parsed| (parsed, ""));
    let (mut parsed, more) = whole.unwrap_or_else(|| {
        let (first, more) = line.split_once('\n').unwrap_or((line, ""));
        let read = FORMATS.iter().find_map(|format| format(first));
        (read.unwrap_or_default(), more)
    });
    if !more.is_empty() {
        parsed.message = format!("{}\n{more}", parsed.message);
    }
    parsed
}

/// Returns whether an unindented line starts a record and does not continue another one.
pub(crate) fn starts_record(line: &str) -> bool {
    line.starts_with("{\"") || line.starts_with("[{\"") || parse(line).is_record()
}

/// The maximum number of bytes of a line of text that are read. The rest is never shown.
const LONGEST_TEXT: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;
    use crate::time::Clock;

    const TIME: &str = "2026-11-22T14:15:49.44Z";

    /// `TIME LEVEL SERVICE TARGET [MESSAGE] FIELDS`, `T` for the one time of all tests.
    fn shown(line: &str) -> String {
        let written = "2026-11-22T15:00:00Z".parse::<jiff::Timestamp>().unwrap();
        let clock = Clock::new(TimeZone::UTC, Some(written.into()));
        let body = Body::of(line);
        let parsed = body.complete(parse(&body.text));
        let times = parsed.time.iter().chain(&parsed.outer_times).copied();
        let time = clock.best(times).and_then(|time| clock.moment(time));
        let time = time.map(|time| time.to_string());
        let time = time.map(|time| if time == TIME { "T".to_owned() } else { time });
        let level = parsed.level.map(|level| level.to_string());
        let mut parts = [time, level, parsed.service, parsed.target]
            .map(|part| part.unwrap_or_else(|| "-".to_owned()))
            .to_vec();
        parts.push(format!("[{}]", parsed.message));
        let fields = parsed.fields.iter();
        parts.extend(fields.map(|(key, value)| format!("{key}={value}")));
        parts.join(" ").replace('\n', "\\n")
    }

    #[test]
    fn each_line_is_read() {
        let mut lines = include_str!("../../tests/cases/lines.txt").lines();
        let mut wrong = Vec::new();
        while let Some(line) = lines.next() {
            if !line.is_empty() && !line.starts_with("# ") {
                let expected = lines.next().and_then(|next| next.strip_prefix("=> "));
                let line = line.replace("<time>", TIME).replace("<tab>", "\t");
                if Some(shown(&line).as_str()) != expected {
                    wrong.push(format!("{line}\n=> {}\n!= {expected:?}", shown(&line)));
                }
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        for blank in ["", "  {}  "] {
            assert_eq!(shown(blank), "- - - - []");
        }
    }

    #[test]
    fn a_record_starts_with_a_time_or_a_brace() {
        for (line, starts) in [
            ("2026-11-22T14:15:49Z done", true),
            ("  2026-11-22T14:15:49Z  INFO pretty", true),
            ("ts=2026-11-22T14:15:49Z msg=done", true),
            (r#"{"message":"no time"}"#, true),
            (r#"[{"message":"no time"}]"#, true),
            ("{", false),
            ("   0: std::rt", false),
            ("level=info", true),
            ("", false),
        ] {
            assert_eq!(starts_record(line), starts, "{line}");
        }
    }
}
