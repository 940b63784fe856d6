//! The story of one correlation ID: what any number of services wrote under it, in time order.
//!
//! Knows log lines and nothing of the services that wrote them.

mod json;
mod parse;
mod print;
mod text;
mod time;

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use self::parse::Line;
use self::time::Timestamp;

/// All records of one ID, from all files, the earliest first.
#[derive(Debug, Default)]
pub(crate) struct Story {
    records: Vec<Record>,
    files: usize,
}

/// One log record.
#[derive(Debug, Eq, PartialEq)]
struct Record {
    time: Timestamp,
    /// Who wrote it: the name of the file, without its extension.
    source: String,
    level: String,
    /// Without the ID, with the other fields.
    message: String,
}

impl Story {
    /// Reads the story of `id` from `files`: each line JSON or text, whatever suits it.
    pub(crate) fn read<P: AsRef<Path>>(
        id: &str,
        files: impl IntoIterator<Item = P>,
    ) -> io::Result<Self> {
        let mut story = Self::default();
        for path in files {
            let path = path.as_ref();
            let source = path.file_stem().unwrap_or(path.as_os_str());
            let lines = BufReader::new(File::open(path)?);
            story.add(id, &source.to_string_lossy(), lines)?;
        }
        // Stable: records of the same microsecond stay in the order of their file.
        story.records.sort_by_key(|record| record.time);
        Ok(story)
    }

    /// Everybody who has a part in it.
    pub(crate) fn sources(&self) -> BTreeSet<&str> {
        let sources = self.records.iter();
        sources.map(|record| record.source.as_str()).collect()
    }

    /// Whether some record's message starts like this.
    pub(crate) fn tells(&self, start: &str) -> bool {
        let mut records = self.records.iter();
        records.any(|record| record.message.starts_with(start))
    }

    fn add(&mut self, id: &str, source: &str, mut lines: impl BufRead) -> io::Result<()> {
        self.files += 1;
        let first = self.records.len();
        let mut line = Vec::new();
        while lines.read_until(b'\n', &mut line)? > 0 {
            // Lossy: a log file may hold anything, and one bad byte must not end the story.
            match parse::line(String::from_utf8_lossy(&line).trim_end(), id) {
                Some(Line::Record {
                    time,
                    level,
                    message,
                }) => self.records.push(Record {
                    time,
                    source: source.to_owned(),
                    level,
                    message,
                }),
                // Lines without a time belong to the record above: a backtrace, a long message.
                Some(Line::Continuation(text)) => {
                    if let Some(record) = self.records[first..].last_mut() {
                        record.message.push('\n');
                        record.message.push_str(&text);
                    }
                }
                None => {}
            }
            line.clear();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "5cb8";

    const GATEWAY: &str = concat!(
        r#"{"timestamp":"2026-11-22T14:15:49.000001Z","level":"INFO","fields":{"message":"listening"},"target":"gateway"}"#,
        "\n",
        r#"{"correlation_id":"5cb8","timestamp":"2026-11-22T14:15:50.000100Z","level":"INFO","fields":{"message":"purchase started","cart":42},"target":"gateway"}"#,
        "\n",
        r#"{"correlation_id":"5cb81","timestamp":"2026-11-22T14:15:50.000200Z","level":"INFO","fields":{"message":"another purchase","of":"5cb8"},"target":"gateway"}"#,
        "\n",
        r#"{"correlation_id":"5cb8","timestamp":"2026-11-22T14:15:50.200000Z","level":"INFO","fields":{"message":"purchase finished"},"target":"gateway"}"#,
        "\n",
    );

    const ORDERS: &[u8] = b"\
        2026-11-22T14:15:49.500000Z  INFO orders: listening\n\
        correlation_id=5cb8 before any record\n\
        \xff\xfe junk 5cb8\n\
        \n\
        {\"half a line 5cb8\n\
        2026-11-22T14:15:50.003200Z  INFO orders::book: order stored order=1 correlation_id=5cb8\n\
        2026-11-22T14:15:50.004200Z ERROR orders: oh no correlation_id=5cb8\n\
        at the second line correlation_id=5cb8\n\
        2026-11-22T14:15:50.005000Z  INFO orders: other correlation_id=5cb81\n";

    fn story() -> Story {
        let mut story = Story::default();
        story.add(ID, "orders", ORDERS).unwrap();
        story.add(ID, "gateway", GATEWAY.as_bytes()).unwrap();
        story.records.sort_by_key(|record| record.time);
        story
    }

    #[test]
    fn it_is_one_id_in_time_order_whatever_else_is_there() {
        let story = story();
        let told: Vec<_> = story
            .records
            .iter()
            .map(|record| (record.source.as_str(), record.message.as_str()))
            .collect();
        assert_eq!(
            told,
            [
                ("gateway", "purchase started cart=42"),
                ("orders", "order stored order=1"),
                ("orders", "oh no\nat the second line"),
                ("gateway", "purchase finished"),
            ]
        );
        assert_eq!(Vec::from_iter(story.sources()), ["gateway", "orders"]);
        assert!(story.tells("order stored"));
        assert!(!story.tells("listening"));
    }

    #[test]
    fn it_prints_as_columns() {
        let expected = "\
\x20    +0.0 ms  gateway  INFO   purchase started cart=42
     +3.1 ms  orders   INFO   order stored order=1
     +4.1 ms  orders   ERROR  oh no
                              | at the second line
              ... 196 ms of silence
   +199.9 ms  gateway  INFO   purchase finished
-- 4 lines, 2 services, 2 log files, 199.9 ms
";
        assert_eq!(story().to_string(), expected);
    }

    #[test]
    fn an_unknown_id_has_an_empty_story() {
        let mut story = Story::default();
        story.add("nobody", "orders", ORDERS).unwrap();
        assert!(story.sources().is_empty());
        assert_eq!(
            story.to_string(),
            "-- 0 lines, 0 services, 1 log file, 0.0 ms\n"
        );
    }

    #[test]
    fn the_files_give_the_names() {
        let missing = Story::read(ID, ["no-such-folder/orders.log"]);
        assert_eq!(missing.unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
