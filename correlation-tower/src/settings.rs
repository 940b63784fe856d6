use correlation_core::http::ResponseHeaders;
use correlation_core::{Context, Policy, Source};
use http::{HeaderMap, HeaderName, HeaderValue};

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

    /// The ID as it came, if it came in a header: that value is shared, not copied.
    pub(crate) fn header_value(context: &Context, headers: &HeaderMap) -> HeaderValue {
        let id = context.id();
        // Nothing is looked up by its name, which would have to be hashed: whatever header holds
        // the ID will do. None does when white space was trimmed, or an outer layer set the ID.
        let came = match context.source() {
            Source::Header(_) => headers.values().find(|value| *value == id.as_str()),
            _ => None,
        };
        came.cloned().unwrap_or_else(|| id.into())
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self::new(Policy::new())
    }
}
