//! What was written, whatever the format.

use std::fmt;

use crate::Timestamp;

/// One log record.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Record {
    /// When it was written. `None` if neither it nor anything near it in its file has a time.
    pub time: Option<Timestamp>,
    /// Whether the time is that of a line nearby, since the record has none of its own.
    pub estimated: bool,
    /// Who wrote it: as the record says, else as its file is called.
    pub service: String,
    /// How bad it is, if it says so.
    pub level: Option<Level>,
    /// The module or logger it comes from, if it says so.
    pub target: Option<String>,
    /// The text without the fields.
    pub message: String,
    /// The fields in their order, values as text. Without the ID that was looked for, where it is
    /// under a usual key such as `correlation_id`.
    pub fields: Vec<(String, String)>,
    /// The further lines: a backtrace, the rest of a long message.
    pub continuation: Vec<String>,
    /// The file it was found in.
    pub file: String,
    /// The number of its first line there, from 1.
    pub line: u64,
}

/// How bad a record is.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Level {
    /// Finest steps.
    Trace,
    /// For those who look for a mistake.
    Debug,
    /// What happens normally; also what others call notice.
    Info,
    /// What should not happen often.
    Warn,
    /// A failure; also what others call fatal, critical, alert or emergency.
    Error,
}

impl Level {
    /// Its name in capitals.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Trace => "TRACE",
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warn => "WARN",
            Self::Error => "ERROR",
        }
    }

    /// Reads any of the usual names in any case, or the number of bunyan and pino (10 to 60) or
    /// of syslog (0 to 7, RFC 5424, section 6.2.1).
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Some(match text.to_ascii_lowercase().as_str() {
            "trace" | "trc" | "verbose" | "10" => Self::Trace,
            "debug" | "dbg" | "20" | "7" => Self::Debug,
            "info" | "inf" | "information" | "informational" | "notice" | "30" | "6" | "5" => {
                Self::Info
            }
            "warn" | "warning" | "wrn" | "40" | "4" => Self::Warn,
            "error" | "err" | "fatal" | "critical" | "crit" | "panic" | "alert" | "emergency"
            | "emerg" | "severe" | "50" | "60" | "3" | "2" | "1" | "0" => Self::Error,
            _ => return None,
        })
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
