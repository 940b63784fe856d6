use std::fmt;

/// The error for text that is not a correlation ID. The text is empty, too long, or has a byte that
/// is not allowed.
///
/// The message says what is wrong and where. Positions count from 0. The message never repeats the
/// text itself, so you can log it even when a stranger sent the text.
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
    /// A word such as `null` that stands for no ID. Only a policy checks for it.
    Placeholder,
    /// The header does not have the format that its source reads.
    Format,
    Refused,
}

impl Fault {
    /// The reason as written to a log record. It contains no part of the value.
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
