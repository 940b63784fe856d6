//! For people, in columns.

use std::fmt;
use std::time::Duration;

use super::paint::{self, Paint};
use crate::record::Record;
use crate::{Timeline, Timestamp};

/// A [`Timeline`] as text: a line for each record, its time relative to the first; the silences
/// between; a summary.
#[derive(Clone, Copy, Debug)]
#[must_use = "it is printed with `{}`"]
pub struct Text<'t> {
    timeline: &'t Timeline,
    color: bool,
    gap: Duration,
}

impl<'t> Text<'t> {
    pub(crate) fn new(timeline: &'t Timeline) -> Self {
        Self {
            timeline,
            color: false,
            gap: Duration::from_millis(100),
        }
    }

    /// Whether to use the colours of a terminal. Not by default.
    pub fn color(mut self, color: bool) -> Self {
        self.color = color;
        self
    }

    /// From which length on a silence is shown: 100 ms by default.
    pub fn gap(mut self, gap: Duration) -> Self {
        self.gap = gap;
        self
    }

    fn paint<T: fmt::Display>(&self, code: u8, text: T) -> Paint<T> {
        let code = self.color.then_some(code);
        Paint { text, code }
    }

    fn record(&self, f: &mut fmt::Formatter<'_>, record: &Record, column: &Column) -> fmt::Result {
        let since = record.time.zip(self.timeline.start());
        let since = since.map(|(time, start)| shown(time.since(start)));
        let mark = if record.estimated { '~' } else { '+' };
        let since = since.map_or("?".to_owned(), |since| format!("{mark}{since}"));
        let level = record.level.map_or("", |level| level.as_str());
        let (width, number) = (column.width, column.number);
        write!(
            f,
            "{}  {}  {}  ",
            self.paint(paint::DIM, format_args!("{since:>INDENT$}")),
            self.paint(
                paint::of_service(number),
                format_args!("{:width$}", Printable(&record.service))
            ),
            self.paint(paint::of_level(record.level), format_args!("{level:5}")),
        )?;
        let mut gap = "";
        // A path is where the code is; a single name may be a part of what is said.
        if let Some(target) = record
            .target
            .as_deref()
            .filter(|target| !target.contains("::"))
            && target.replace('-', "_") != record.service.replace('-', "_")
        {
            write!(f, "{}:", Printable(target))?;
            gap = " ";
        }
        if !record.message.is_empty() {
            write!(f, "{gap}{}", Printable(&record.message))?;
            gap = " ";
        }
        for (key, value) in &record.fields {
            write!(
                f,
                "{gap}{}",
                self.paint(paint::DIM, format_args!("{}=", Printable(key)))
            )?;
            write!(f, "{}", Value(value))?;
            gap = " ";
        }
        writeln!(f)?;
        for line in &record.continuation {
            let indent = INDENT + width + 2 + 5 + 4;
            let line = format!("| {}", Printable(line));
            writeln!(f, "{:indent$}{}", "", self.paint(paint::DIM, line))?;
        }
        Ok(())
    }

    fn summary(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let timeline = self.timeline;
        write!(
            f,
            "-- {}, {}, {}, {}",
            count(timeline.records().len(), "record"),
            count(timeline.services().len(), "service"),
            count(timeline.files().len(), "file"),
            shown(timeline.duration()),
        )?;
        if timeline.errors() > 0 {
            write!(f, ", {}", count(timeline.errors(), "error"))?;
        }
        match timeline.start() {
            Some(start) => writeln!(f, ", from {start}"),
            None => writeln!(f),
        }
    }
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let services = self.timeline.services();
        let lengths = services.iter().map(|service| service.chars().count());
        let width = lengths.max().unwrap_or(0);
        let mut last: Option<Timestamp> = None;
        for record in self.timeline.records() {
            let silence = record.time.zip(last).map(|(time, last)| time.since(last));
            if let Some(silence) = silence.filter(|&silence| silence >= self.gap) {
                let line = format!("... {} of silence", shown(silence));
                writeln!(f, "{:INDENT$}  {}", "", self.paint(paint::DIM, line))?;
            }
            last = record.time.or(last);
            let number = services
                .iter()
                .position(|&service| service == record.service);
            let number = number.unwrap_or(0);
            self.record(f, record, &Column { width, number })?;
        }
        self.summary(f)
    }
}

impl fmt::Display for Timeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text().fmt(f)
    }
}

/// The column of the services, and which of them it is.
struct Column {
    width: usize,
    number: usize,
}

/// A log line may hold a stranger's text: it must not command the terminal.
struct Printable<'a>(&'a str);

impl fmt::Display for Printable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let obeyed = |c: char| c.is_control() && c != '\t' || BIDIRECTIONAL.contains(&c);
        if self.0.contains(obeyed) {
            f.pad(&self.0.replace(obeyed, "\u{fffd}"))
        } else {
            f.pad(self.0)
        }
    }
}

/// A field's value, in quotes if one could not see where it ends.
struct Value<'a>(&'a str);

impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let object = self.0.starts_with(['{', '[']);
        if !self.0.is_empty() && (object || !self.0.contains([' ', '"', '\n', '\t'])) {
            Printable(self.0).fmt(f)
        } else {
            write!(f, "{:?}", self.0)
        }
    }
}

/// `31.4 ms`, `12.3 s`, `1 h 02 min`.
fn shown(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..10 => format!("{:.1} ms", duration.as_secs_f64() * 1_000.0),
        10..600 => format!("{:.1} s", duration.as_secs_f64()),
        600..3_600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        _ => format!("{} h {:02} min", seconds / 3_600, seconds / 60 % 60),
    }
}

fn count(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

/// The column of the times.
const INDENT: usize = 12;

/// What makes a terminal show text in another order than it stands (Unicode Standard Annex 9).
const BIDIRECTIONAL: [char; 9] = [
    '\u{202a}', '\u{202b}', '\u{202c}', '\u{202d}', '\u{202e}', '\u{2066}', '\u{2067}', '\u{2068}',
    '\u{2069}',
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_fit_their_size() {
        for (millis, text) in [
            (0, "0.0 ms"),
            (9_999, "9999.0 ms"),
            (10_000, "10.0 s"),
            (599_940, "599.9 s"),
            (600_000, "10 min 00 s"),
            (3_725_000, "1 h 02 min"),
            (200 * 3_600_000, "200 h 00 min"),
        ] {
            assert_eq!(shown(Duration::from_millis(millis)), text);
        }
    }

    #[test]
    fn one_is_not_plural() {
        assert_eq!(count(1, "record"), "1 record");
        assert_eq!(count(0, "record"), "0 records");
    }

    #[test]
    fn escape_codes_are_not_obeyed() {
        assert_eq!(
            Printable("a\tb\u{1b}[31m\u{202e}").to_string(),
            "a\tb\u{fffd}[31m\u{fffd}"
        );
        assert_eq!(Value("a\u{1b}").to_string(), "a\u{fffd}");
        assert_eq!(Value("a \u{1b}").to_string(), "\"a \\u{1b}\"");
    }

    #[test]
    fn values_show_where_they_end() {
        for (value, text) in [
            ("a", "a"),
            ("", "\"\""),
            ("a b", "\"a b\""),
            ("{\"a\": 1}", "{\"a\": 1}"),
        ] {
            assert_eq!(Value(value).to_string(), text);
        }
    }
}
