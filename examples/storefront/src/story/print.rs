//! How a story looks in a terminal.

use std::fmt;
use std::time::Duration;

use super::{Record, Story};

impl fmt::Display for Story {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sources = self.sources();
        let width = sources.iter().map(|name| name.len()).max().unwrap_or(0);
        let mut last = Duration::ZERO;
        for (record, since) in self.timed() {
            if since - last >= SILENCE {
                let silence = millis(since - last);
                writeln!(f, "{:14}... {silence:.0} ms of silence", "")?;
            }
            last = since;
            let mut lines = record.message.lines();
            let (since, first) = (millis(since), lines.next().unwrap_or(""));
            let (source, level) = (&record.source, &record.level);
            write!(f, "{since:>+9.1} ms  {source:width$}  {level:5}  ")?;
            writeln!(f, "{}", printable(first))?;
            for line in lines {
                writeln!(
                    f,
                    "{:indent$}| {}",
                    "",
                    printable(line),
                    indent = width + 23
                )?;
            }
        }
        writeln!(
            f,
            "-- {}, {}, {}, {:.1} ms",
            count(self.records.len(), "line"),
            count(sources.len(), "service"),
            count(self.files, "log file"),
            millis(last),
        )
    }
}

impl Story {
    /// Each record, and how long after the first it was written.
    fn timed(&self) -> impl Iterator<Item = (&Record, Duration)> {
        let start = self.records.first().map(|record| record.time);
        self.records.iter().map(move |record| {
            let since = record.time.since(start.unwrap_or(record.time));
            (record, since)
        })
    }
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

fn count(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

/// A log line may hold a stranger's text: it must not command the terminal.
fn printable(text: &str) -> String {
    text.replace(|c: char| c.is_control() && c != '\t', "\u{fffd}")
}

/// From this on, waiting is a part of the story.
const SILENCE: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_not_plural() {
        assert_eq!(count(1, "line"), "1 line");
        assert_eq!(count(0, "line"), "0 lines");
    }

    #[test]
    fn escape_codes_are_not_obeyed() {
        assert_eq!(printable("a\tb\u{1b}[31m"), "a\tb\u{fffd}[31m");
    }
}
