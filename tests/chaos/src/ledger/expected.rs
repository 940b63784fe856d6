//! What a request is to bring about.

use std::ops::RangeInclusive;

/// What is known of a request before it is sent.
#[derive(Clone, Debug)]
pub(crate) struct Expected {
    pub(crate) token: u64,
    /// The ID that is kept; `None` for a new one.
    pub(crate) kept: Option<String>,
    pub(crate) trace: Trace,
    /// What the caller has the handler write.
    pub(crate) said: Option<Said>,
    /// How many lines with its mark it writes.
    pub(crate) marked: RangeInclusive<u32>,
    /// How many without.
    pub(crate) bare: RangeInclusive<u32>,
    /// How many more without it, if the client leaves.
    pub(crate) left: u32,
}

/// The trace-id on the lines of a request.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Trace {
    None,
    Is(String),
    /// A new one, the same on all lines.
    New,
}

/// The caller's text at the end of messages of a handler.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    pub(crate) text: String,
    /// Whether it reaches a text log as it is.
    pub(crate) exact: bool,
}

impl Said {
    /// Whether a line of a message may be what has become of it.
    pub(super) fn fits(&self, message: &str, text: bool) -> bool {
        let own = |message: &str| {
            message.starts_with("tracing line ") || message.starts_with("log line ")
        };
        if !text {
            return !own(message) || message.ends_with(&self.text);
        }
        let mut lines = self
            .text
            .split('\n')
            .map(|line| line.trim_end_matches('\r'));
        !self.exact || lines.any(|line| message.ends_with(line)) || !message.contains(" line ")
    }
}

/// In every ID that a caller writes where it must not count.
pub(crate) const FORGED: &str = "forged";
