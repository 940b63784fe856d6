use std::fmt;

/// The text is not a correlation ID: it is empty, too long, or has a byte outside the alphabet.
///
/// The message says what is wrong and where. It never repeats the text itself, so it is safe to
/// log even when the text came from a stranger.
///
/// ```
/// use correlation_core::CorrelationId;
///
/// let error = "order 66".parse::<CorrelationId>().unwrap_err();
/// assert_eq!(error.to_string(), "byte 0x20 at position 5 is not allowed in a correlation ID");
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct InvalidId(pub(crate) Fault);

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Fault {
    Empty,
    TooLong {
        len: usize,
        max: usize,
    },
    Byte {
        byte: u8,
        position: usize,
    },
    /// It stands for nothing: only a policy asks for that.
    Placeholder,
    /// The header is not in the format of its source.
    Format,
    Refused,
}

impl Fault {
    /// The word for a log record: nothing of the value itself.
    pub(crate) const fn reason(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::TooLong { .. } => "too long",
            Self::Byte { .. } => "byte not allowed",
            Self::Placeholder => "a placeholder",
            Self::Format => "not in its format",
            Self::Refused => "refused by the validator",
        }
    }
}

impl fmt::Display for InvalidId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Fault::Empty => f.write_str("a correlation ID cannot be empty"),
            Fault::TooLong { len, max } => {
                write!(f, "a correlation ID has at most {max} bytes, not {len}")
            }
            Fault::Byte { byte, position } => write!(
                f,
                "byte {byte:#04x} at position {position} is not allowed in a correlation ID"
            ),
            Fault::Placeholder => f.write_str("the correlation ID is a placeholder"),
            Fault::Format => f.write_str("the header has no correlation ID in it"),
            Fault::Refused => f.write_str("the correlation ID was refused by the validator"),
        }
    }
}

impl std::error::Error for InvalidId {}
