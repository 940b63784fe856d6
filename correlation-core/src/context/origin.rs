use std::fmt;

/// Where the correlation ID of a [`Context`](crate::Context) came from.
///
/// ```
/// use correlation_core::{Origin, Policy};
///
/// let policy = Policy::new();
/// let origin = |value: &'static str| {
///     let decision = policy.receive(|| [("X-Request-ID", value)], None);
///     decision.context().origin()
/// };
/// assert_eq!(origin("click-1"), Origin::Header("x-request-id"));
/// assert_eq!(origin("not valid"), Origin::Generated);
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Origin {
    /// A new ID was made, since the request or message had none that was accepted.
    Generated,
    /// Your code set the ID, for instance with [`scope`](crate::scope).
    Explicit,
    /// The ID came in this header. The name is in lower case. It is `traceparent` if the ID is the
    /// trace-id of a W3C trace context.
    Header(&'static str),
}

/// Writes the name of the header in lower case, or `generated`, or `explicit`.
impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Generated => "generated",
            Self::Explicit => "explicit",
            Self::Header(name) => name,
        })
    }
}
