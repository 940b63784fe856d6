use std::fmt;

/// Where the correlation ID of a [`Context`](crate::Context) came from.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Origin {
    /// The policy made it: the caller sent no ID that the policy takes.
    Generated,
    /// Code set it, with [`scope`](crate::scope) or its kin.
    Explicit,
    /// It came in this header, whose name is in lower case: `traceparent` for the trace-id of a
    /// W3C trace context.
    Header(&'static str),
}

impl Origin {
    /// The name of the header in lower case, or `generated`, or `explicit`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Generated => "generated",
            Self::Explicit => "explicit",
            Self::Header(name) => name,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
