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
    /// The headers an ID may come in.
    sources: Vec<HeaderName>,
}

impl Settings {
    pub(crate) fn new(policy: Policy) -> Self {
        Self {
            response: ResponseHeaders::new(&policy),
            rewritten: policy.request_header_name().map(HeaderName::from_static),
            sources: policy
                .header_names()
                .iter()
                .copied()
                .map(HeaderName::from_static)
                .collect(),
            policy,
        }
    }

    /// The ID as it came, if it came in a header: that value is shared, not copied.
    pub(crate) fn header_value(&self, context: &Context, headers: &HeaderMap) -> HeaderValue {
        let came = match context.source() {
            Source::Header(source) => {
                let name = self.sources.iter().find(|name| name.as_str() == source);
                name.and_then(|name| headers.get(name))
            }
            _ => None,
        };
        // Not so when white space was trimmed, or when the context is that of an outer layer.
        came.filter(|value| *value == context.id().as_str())
            .cloned()
            .unwrap_or_else(|| context.id().into())
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self::new(Policy::new())
    }
}
