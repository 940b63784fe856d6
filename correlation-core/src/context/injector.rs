//! Writes a context to a carrier, and decides which headers of the carrier it replaces.

use super::{Context, Extractor};
use crate::names::{self, TRACEPARENT, TRACESTATE, X_CORRELATION_ID, trim};
use crate::trace_context::Traceparent;

/// A carrier that an ID can be written to. The usual maps implement it, and `http::HeaderMap` does
/// with the feature `http`.
///
/// It must be an [`Extractor`], too. [`inject`](crate::inject) looks at a `traceparent` that is
/// already there: it keeps that of a tracer, and replaces one that was copied or is not valid.
///
/// The case of header names does not matter (RFC 9110, section 5.1). So a key means every spelling
/// of the name, even in a map that distinguishes case.
///
/// Implement it for the header type of your broker or client:
///
/// ```
/// use correlation_core::{CorrelationId, Extractor, Injector, inject, sync_scope};
///
/// #[derive(Default)]
/// struct Headers(Vec<(String, String)>);
///
/// impl Extractor for Headers {
///     fn get_all(&self, key: &'static str) -> impl Iterator<Item = &[u8]> {
///         let found = self.0.iter().filter(move |(name, _)| name.eq_ignore_ascii_case(key));
///         found.map(|(_, value)| value.as_bytes())
///     }
/// }
///
/// impl Injector for Headers {
///     fn remove(&mut self, key: &'static str) {
///         self.0.retain(|(name, _)| !name.eq_ignore_ascii_case(key));
///     }
///
///     fn set(&mut self, key: &'static str, value: &str) {
///         self.remove(key);
///         self.0.push((key.to_owned(), value.to_owned()));
///     }
/// }
///
/// let mut headers = Headers::default();
/// sync_scope("click-1".parse::<CorrelationId>()?, || inject(&mut headers));
/// assert_eq!(headers.0, [("x-correlation-id".to_owned(), "click-1".to_owned())]);
/// # Ok::<(), correlation_core::InvalidId>(())
/// ```
pub trait Injector: Extractor {
    /// Removes a key with all its values.
    fn remove(&mut self, key: &'static str);

    /// Sets the value of a key, which is in lower case. It replaces all values that the key has.
    fn set(&mut self, key: &'static str, value: &str);
}

impl Context {
    /// Writes this context to a carrier, as [`inject`](crate::inject) does with the current one.
    /// Use it in code that holds a context, such as a client that gets one from its framework.
    ///
    /// ```
    /// use correlation_core::{Context, CorrelationId};
    /// use std::collections::HashMap;
    ///
    /// let context = Context::from("click-1".parse::<CorrelationId>()?);
    /// let mut headers = HashMap::<String, String>::new();
    /// context.inject(&mut headers);
    /// assert_eq!(headers["x-correlation-id"], "click-1");
    /// # Ok::<(), correlation_core::InvalidId>(())
    /// ```
    pub fn inject(&self, carrier: &mut impl Injector) {
        self.inject_as(&[], carrier);
    }

    /// Writes the context as [`inject`](Self::inject) does, with the ID under more names.
    pub(crate) fn inject_as(&self, also: &[&'static str], carrier: &mut impl Injector) {
        if let Some((id, header)) = self.extra().and_then(|extra| extra.untrusted.as_ref()) {
            remove_copies(id.as_str(), header, carrier);
        }
        carrier.set(X_CORRELATION_ID, self.id().as_str());
        for name in also {
            carrier.set(name, self.id().as_str());
        }
        let (trace, untrusted) = match self.extra() {
            Some(extra) => (extra.trace.as_ref(), extra.untrusted_trace),
            None => (None, None),
        };
        if trace.is_none() && untrusted.is_none() {
            return;
        }
        let mut lines = carrier.get_all(TRACEPARENT);
        if let Some(line) = lines.next() {
            // A tracer writes one that is valid. Any other was copied from a caller.
            let sent = Traceparent::parse(trim(line)).filter(|_| lines.next().is_none());
            let is_copy = |sent: &Traceparent| {
                untrusted == Some(Some(sent.trace_id()))
                    || trace.is_some_and(|trace| trace.replaces(sent))
            };
            if !sent.as_ref().is_none_or(is_copy) {
                return;
            }
            drop(lines);
            carrier.remove(TRACEPARENT);
        } else {
            drop(lines);
        }
        carrier.remove(TRACESTATE);
        if let Some(trace) = trace {
            trace.send(self, |key, value| carrier.set(key, value));
        }
    }

    /// Passes each key and value to a function, for carriers that cannot be read.
    pub(crate) fn write<R>(&self, mut set: impl FnMut(&'static str, &str) -> R) {
        set(X_CORRELATION_ID, self.id().as_str());
        if let Some(trace) = self.trace() {
            trace.send(self, |key, value| drop(set(key, value)));
        }
    }
}

/// Removes the ID of an untrusted caller, which code has copied to a call: the header that it came
/// in, and those that others read it from.
#[cold]
fn remove_copies(id: &str, header: &'static str, carrier: &mut impl Injector) {
    let id = id.as_bytes();
    // A caller must not remove the service's own `payment-7` with the ID `7`. Only a long ID counts
    // as a part of a value, as in `b3`.
    let holds = |value: &[u8]| {
        value.split(|&byte| byte == b',').all(|one| trim(one) == id)
            || id.len() >= 16 && value.windows(id.len()).any(|part| part == id)
    };
    for name in names::MAY_HOLD_AN_ID.into_iter().chain([header]) {
        if name != TRACEPARENT && carrier.get_all(name).any(holds) {
            carrier.remove(name);
        }
    }
}
