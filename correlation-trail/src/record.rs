//! One record, in the form that all formats share.

use std::fmt;

use crate::Timestamp;

/// One log record.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Record {
    /// The time of the record. It is `None` if neither the record nor a line near it has one.
    pub time: Option<Timestamp>,
    /// Whether `time` is the time of a line nearby, because the record itself has none.
    pub estimated: bool,
    /// Whether the time has whole seconds only. The record stands after all others of the same
    /// second, unless a later record of its file stands earlier.
    pub coarse: bool,
    /// The nanoseconds that the last digit of the time counts.
    pub(crate) unit: u32,
    /// The service that the record names, otherwise the name of its file.
    pub service: String,
    /// The level, if the record has one.
    pub level: Option<Level>,
    /// The module or logger, if the record names one.
    pub target: Option<String>,
    /// The text without the fields.
    pub message: String,
    /// The fields in their order, with values as text. The ID itself is left out if its key is a
    /// usual one, such as `correlation_id`.
    pub fields: Vec<(String, String)>,
    /// The lines that follow the first: a backtrace, the rest of a message.
    pub continuation: Vec<String>,
    /// The file that holds the record.
    pub file: String,
    /// The number of the first line of the record in that file. The first line of a file is 1.
    pub line: u64,
}

/// The severity of a record.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Level {
    /// The finest steps.
    Trace,
    /// Details that help to find a mistake.
    Debug,
    /// Normal operation. This includes what other formats call notice.
    Info,
    /// Something that should be rare.
    Warn,
    /// A failure. This includes what other formats call fatal, critical, alert or emergency.
    Error,
}

impl Level {
    /// The name in capital letters.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        ["TRACE", "DEBUG", "INFO", "WARN", "ERROR"][self as usize]
    }

    /// Reads a usual name in any case, or a number of bunyan and pino (10 to 60) or of syslog (0 to
    /// 7, RFC 5424, section 6.2.1).
    pub(crate) fn parse(text: &str) -> Option<Self> {
        // `slog` of Go writes the levels in between as `ERROR+2`.
        let end = text.find(['+', '-']).filter(|&end| end > 0);
        Some(
            match text[..end.unwrap_or(text.len())]
                .to_ascii_lowercase()
                .as_str()
            {
                "trace" | "trc" | "trce" | "verbose" | "vrb" | "finest" | "finer" | "10" => {
                    Self::Trace
                }
                "debug" | "dbg" | "dbug" | "fine" | "config" | "20" | "7" => Self::Debug,
                "info" | "inf" | "information" | "informational" | "notice" | "log" | "system"
                | "note" | "statement" | "detail" | "hint" | "success" | "i" | "30" | "6" | "5" => {
                    Self::Info
                }
                "warn" | "warning" | "wrn" | "w" | "40" | "4" => Self::Warn,
                "error" | "err" | "eror" | "fail" | "ftl" | "fatal" | "e" | "f" | "dpanic"
                | "critical" | "crit" | "panic" | "alert" | "emergency" | "emerg" | "severe"
                | "50" | "60" | "3" | "2" | "1" | "0" => Self::Error,
                _ => return None,
            },
        )
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_have_many_names() {
        for (text, level) in [
            ("INFO", Some(Level::Info)),
            ("warning", Some(Level::Warn)),
            ("Fatal", Some(Level::Error)),
            ("30", Some(Level::Info)),
            ("3", Some(Level::Error)),
            ("7", Some(Level::Debug)),
            ("", None),
            ("INFORM", None),
            ("35", None),
        ] {
            assert_eq!(Level::parse(text), level, "{text}");
        }
        assert_eq!(format!("{:5}|", Level::Warn), "WARN |");
    }
}
