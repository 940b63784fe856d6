use std::fmt;

use crate::context::Context;

/// The decision of a [`Policy`](crate::Policy) on an inbound request: its context, and whether to
/// answer it with 400.
#[derive(Clone, Debug)]
#[must_use = "the request runs in the context of the decision"]
pub struct Decision {
    context: Context,
    rejected: Option<Rejected>,
}

impl Decision {
    #[inline]
    pub(super) const fn new(context: Context, rejected: Option<Rejected>) -> Self {
        Self { context, rejected }
    }

    /// Returns the context of the request. A rejected request has a context with a new ID, which
    /// the response header carries as well.
    #[inline]
    #[must_use]
    pub const fn context(&self) -> &Context {
        &self.context
    }

    /// Converts the decision into the context to run the request in.
    #[inline]
    #[must_use]
    pub fn into_context(self) -> Context {
        self.context
    }

    /// Returns the reason to answer the request with 400, if there is one.
    ///
    /// It is always `None` unless you turn on [`reject_missing`](crate::Policy::reject_missing) or
    /// [`reject_invalid`](crate::Policy::reject_invalid).
    ///
    /// ```
    /// use correlation_core::{Policy, adapter::Rejected};
    ///
    /// let policy = Policy::new().reject_missing(true);
    /// let decision = policy.receive(|| [("Host", "example.com")], None);
    /// let reason = decision.rejected().unwrap();
    /// assert_eq!(Rejected::STATUS, 400);
    /// assert_eq!(reason.as_str(), "the request has no correlation ID");
    /// ```
    #[inline]
    #[must_use]
    pub const fn rejected(&self) -> Option<Rejected> {
        self.rejected
    }
}

/// The reason why a policy rejects a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Rejected(RejectReason);

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum RejectReason {
    Missing,
    Invalid,
}

impl Rejected {
    pub(super) const fn new(reason: RejectReason) -> Self {
        Self(reason)
    }

    /// The status of the answer: 400 Bad Request.
    pub const STATUS: u16 = 400;

    /// Returns the reason as plain text, for the body of the answer.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self.0 {
            RejectReason::Missing => "the request has no correlation ID",
            RejectReason::Invalid => "the correlation ID of the request is not valid",
        }
    }
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::error::Error for Rejected {}
