use std::fmt;

/// Where the correlation ID of a [`Context`](crate::Context) came from.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Source {
    /// Made here, since the caller sent no ID that could be used.
    Generated,
    /// This header, in lower case.
    Header(&'static str),
    /// The trace-id of a W3C `traceparent`.
    Traceparent,
    /// A header in a format of its own, see [`Parser`](crate::Parser).
    Parser(crate::Parser),
    /// Set by code, with [`scope`](crate::scope) or its kin.
    Explicit,
}

impl Source {
    /// The name of the header in lower case, or `generated`, or `explicit`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Generated => "generated",
            Self::Header(name) => name,
            Self::Traceparent => crate::trace_context::TRACEPARENT,
            Self::Parser(parser) => parser.header(),
            Self::Explicit => "explicit",
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
