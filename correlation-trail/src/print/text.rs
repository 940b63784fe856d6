//! Prints a timeline for people, in columns.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use anstyle::{AnsiColor, Style};

use crate::Timeline;
use crate::clean::printable;
use crate::record::{Level, Record};

/// A [`Timeline`] as text.
///
/// There is one line for each record, with its time after the first record. Silences are shown
/// between them, and a summary is at the end.
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

    /// Switches terminal colours on or off. The default is off.
    pub fn color(mut self, color: bool) -> Self {
        self.color = color;
        self
    }

    /// Sets the minimum length of a silence that is shown. The default is 100 ms.
    pub fn gap(mut self, gap: Duration) -> Self {
        self.gap = gap;
        self
    }

    fn paint<T>(&self, style: Style, text: T) -> Paint<T> {
        Paint(if self.color { style } else { Style::new() }, text)
    }

    /// Prints one record. `width` is the width of the service column, and `number` is the service's
    /// number.
    fn record(
        &self,
        f: &mut fmt::Formatter<'_>,
        record: &Record,
        width: usize,
        number: usize,
    ) -> fmt::Result {
        let since = record.time.zip(self.timeline.start());
        let about = record.estimated || record.coarse;
        let since = since.map(|(time, start)| match (time < start && !about, about) {
            (true, _) => format!("-{}", shown(start.since(time))),
            (_, true) => format!("~{}", shown(time.since(start))),
            (_, false) => format!("+{}", shown(time.since(start))),
        });
        let since = since.unwrap_or_else(|| "?".to_owned());
        let level = record.level.map_or("", Level::as_str);
        let service = printable(&record.service);
        write!(
            f,
            "{}  {}  {}  ",
            self.paint(DIM, format_args!("{since:>INDENT$}")),
            self.paint(
                SERVICES[number % SERVICES.len()].on_default(),
                format_args!("{service:width$}")
            ),
            self.paint(style_of(record.level), format_args!("{level:5}")),
        )?;
        let mut gap = "";
        // A path says where the code is. A single name may be part of the story.
        if let Some(target) = record.target.as_deref()
            && !target.contains([':', '.', '/', '$'])
            && target.replace('-', "_") != record.service.replace('-', "_")
        {
            write!(f, "{}:", printable(target))?;
            gap = " ";
        }
        if !record.message.is_empty() {
            write!(f, "{gap}{}", printable(&record.message))?;
            gap = " ";
        }
        for (key, value) in &record.fields {
            let (key, value) = (printable(key), field_value(value));
            write!(f, "{gap}{}{value}", self.paint(DIM, format_args!("{key}=")))?;
            gap = " ";
        }
        writeln!(f)?;
        let indent = INDENT + width + 2 + 5 + 4;
        for line in &record.continuation {
            let line = printable(line);
            writeln!(
                f,
                "{:indent$}{}",
                "",
                self.paint(DIM, format_args!("| {line}"))
            )?;
        }
        Ok(())
    }

    fn summary(&self) -> String {
        let timeline = self.timeline;
        let mut parts = vec![
            count(timeline.records().len(), "record"),
            count(timeline.services().len(), "service"),
            count(timeline.files().len(), "file"),
            shown(timeline.duration()),
        ];
        if timeline.errors() > 0 {
            parts.push(count(timeline.errors(), "error"));
        }
        parts.extend(timeline.start().map(|start| format!("from {start}")));
        parts.join(", ")
    }
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let before = self.timeline.before();
        let mut last = before.and_then(|story| story.last);
        let mut story = before.cloned().unwrap_or_default();
        story.add(self.timeline);
        let services = story.services.keys();
        let lengths = services.map(|service| service.chars().count());
        let width = lengths.max().unwrap_or(0).min(WIDEST);
        for record in self.timeline.records() {
            let silence = record.time.zip(last).map(|(time, last)| time.since(last));
            if let Some(silence) = silence.filter(|&silence| silence >= self.gap) {
                let line = format!("... {} of silence", shown(silence));
                writeln!(f, "{:INDENT$}  {}", "", self.paint(DIM, line))?;
            }
            // A record with whole seconds only is shown later than its time.
            last = record.time.max(last);
            let number = story.services.get(&record.service);
            self.record(f, record, width, number.copied().unwrap_or(0))?;
        }
        if before.is_none() {
            writeln!(f, "-- {}", self.summary())?;
        }
        Ok(())
    }
}

impl fmt::Display for Timeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text().fmt(f)
    }
}

/// A text in a colour, if it has one.
struct Paint<T>(Style, T);

impl<T: fmt::Display> fmt::Display for Paint<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(style, text) = self;
        write!(f, "{style}{text}{style:#}")
    }
}

/// Returns the value of a field, in quotes if its end would not be visible.
fn field_value(value: &str) -> Cow<'_, str> {
    let object = value.starts_with(['{', '[']);
    if !value.is_empty() && (object || !value.contains([' ', '"', '\n', '\t'])) {
        return printable(value);
    }
    Cow::Owned(format!("{value:?}"))
}

/// Returns a duration as `31.4 ms`, `12.3 s` or `1 h 02 min`.
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

fn style_of(level: Option<Level>) -> Style {
    match level {
        Some(Level::Error) => AnsiColor::Red.on_default(),
        Some(Level::Warn) => AnsiColor::Yellow.on_default(),
        Some(Level::Info) => AnsiColor::Green.on_default(),
        Some(Level::Debug | Level::Trace) | None => DIM,
    }
}

/// The colours of the services. Each service differs from its neighbours, and none looks like a
/// level.
const SERVICES: [AnsiColor; 6] = [
    AnsiColor::Cyan,
    AnsiColor::Magenta,
    AnsiColor::Blue,
    AnsiColor::BrightCyan,
    AnsiColor::BrightMagenta,
    AnsiColor::BrightBlue,
];

const DIM: Style = Style::new().dimmed();

/// The maximum width of the service column. Otherwise one long name would fill all other lines with
/// blanks.
const WIDEST: usize = 32;

/// The width of the time column.
const INDENT: usize = 12;

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
        assert_eq!(field_value("a\u{1b}"), "a\u{fffd}");
        assert_eq!(field_value("a \u{1b}"), "\"a \\u{1b}\"");
    }

    #[test]
    fn values_show_where_they_end() {
        for (value, text) in [
            ("a", "a"),
            ("", "\"\""),
            ("a b", "\"a b\""),
            ("{\"a\": 1}", "{\"a\": 1}"),
        ] {
            assert_eq!(field_value(value), text);
        }
    }
}
