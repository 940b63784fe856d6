//! What adapters ask of a policy.

use super::{Policy, Trust, X_CORRELATION_ID};
use crate::header;

impl Policy {
    /// The response header to set, if any: for adapters.
    #[must_use]
    pub const fn response_header_name(&self) -> Option<&'static str> {
        self.response_header
    }

    /// The request header to set to the final ID, if asked for: for adapters.
    #[must_use]
    pub fn request_header_name(&self) -> Option<&'static str> {
        self.rewrite_request
            .then(|| self.headers.first().copied().unwrap_or(X_CORRELATION_ID))
    }

    /// Whether [`receive`](Self::receive) asks for the peer's address at all: for adapters to
    /// which it costs something.
    #[must_use]
    pub const fn wants_peer(&self) -> bool {
        matches!(self.trust, Trust::When(_))
    }

    /// The new value of `Access-Control-Expose-Headers`, given its present lines, if it is to
    /// change: for adapters.
    #[must_use]
    pub fn exposed_headers<'h>(&self, present: impl Iterator<Item = &'h str>) -> Option<String> {
        let name = self.response_header.filter(|_| self.expose_to_browsers)?;
        header::expose(present, name)
    }
}
