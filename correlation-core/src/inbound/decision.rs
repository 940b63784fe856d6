use std::fmt;

use crate::context::Context;

/// What a [`Policy`](crate::Policy) has decided on an inbound request: its context, and whether it
/// is to be answered with 400.
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

    /// The context of the request. One that is rejected has a context with a fresh ID: it belongs
    /// in the response header all the same.
    #[inline]
    #[must_use]
    pub const fn context(&self) -> &Context {
        &self.context
    }

    /// The context of the request, to run it in.
    #[inline]
    #[must_use]
    pub fn into_context(self) -> Context {
        self.context
    }

    /// Why the request is to be answered with 400. `None` unless the policy is
    /// [set](crate::Policy::reject_missing) to [reject](crate::Policy::reject_invalid).
    #[inline]
    #[must_use]
    pub const fn rejected(&self) -> Option<Rejected> {
        self.rejected
    }
}

/// The policy wants a request to be answered with 400.
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

    /// The status to answer with: 400 Bad Request.
    pub const STATUS: u16 = 400;

    /// What was wrong: the body to answer with, as plain text.
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
