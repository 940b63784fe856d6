use correlation_core::Policy;
use correlation_core::http::ResponseHeaders;
use http::HeaderName;

/// A policy, with the names it speaks of ready for use in header maps.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) policy: Policy,
    pub(crate) response: ResponseHeaders,
    /// The request header to set, if any.
    pub(crate) rewritten: Option<HeaderName>,
}

impl Settings {
    pub(crate) fn new(policy: Policy) -> Self {
        Self {
            response: ResponseHeaders::new(&policy),
            rewritten: policy.request_header_name().map(HeaderName::from_static),
            policy,
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self::new(Policy::new())
    }
}
