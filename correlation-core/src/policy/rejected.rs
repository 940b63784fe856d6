use std::fmt;

use crate::Context;

/// What to do when the caller sent no ID that can be used.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum OnMissing {
    /// Make a new one.
    #[default]
    Generate,
    /// Answer 400, with a new ID in the response header.
    Reject,
}

/// What to do with a header that does not hold a valid ID.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum OnInvalid {
    /// Treat it as absent: the next source has its turn. It is never repaired or cut.
    #[default]
    Ignore,
    /// Answer 400, with a new ID in the response header.
    Reject,
}

/// The policy wants this request to be answered with 400.
#[derive(Clone, Debug)]
pub struct Rejected {
    context: Box<Context>,
    why: Why,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Why {
    Missing,
    Invalid,
}

impl Rejected {
    pub(super) fn new(context: Context, why: Why) -> Self {
        Self {
            context: Box::new(context),
            why,
        }
    }

    /// The status to answer with: 400 Bad Request.
    pub const STATUS: u16 = 400;

    /// The context of the request, with a fresh ID: it belongs in the response header all the
    /// same.
    #[must_use]
    pub const fn context(&self) -> &Context {
        &self.context
    }
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.why {
            Why::Missing => "the request has no correlation ID",
            Why::Invalid => "the correlation ID of the request is not valid",
        })
    }
}

impl std::error::Error for Rejected {}
