//! Colours.

use std::fmt;

use crate::record::Level;

/// A text in a colour, or as it is.
pub(super) struct Paint<T> {
    pub(super) text: T,
    /// The parameter of the escape sequence SGR (ECMA-48, section 8.3.117).
    pub(super) code: Option<u8>,
}

impl<T: fmt::Display> fmt::Display for Paint<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            None => self.text.fmt(f),
            Some(code) => {
                write!(f, "\x1b[{code}m")?;
                self.text.fmt(f)?;
                f.write_str("\x1b[0m")
            }
        }
    }
}

pub(super) const fn of_level(level: Option<Level>) -> u8 {
    match level {
        Some(Level::Error) => RED,
        Some(Level::Warn) => YELLOW,
        Some(Level::Info) => GREEN,
        Some(Level::Debug | Level::Trace) | None => DIM,
    }
}

/// Services differ from their neighbours, and never look like a level.
pub(super) fn of_service(number: usize) -> u8 {
    [
        CYAN,
        MAGENTA,
        BLUE,
        BRIGHT_CYAN,
        BRIGHT_MAGENTA,
        BRIGHT_BLUE,
    ][number % 6]
}

pub(super) const DIM: u8 = 2;
const RED: u8 = 31;
const GREEN: u8 = 32;
const YELLOW: u8 = 33;
const BLUE: u8 = 34;
const MAGENTA: u8 = 35;
const CYAN: u8 = 36;
const BRIGHT_BLUE: u8 = 94;
const BRIGHT_MAGENTA: u8 = 95;
const BRIGHT_CYAN: u8 = 96;
