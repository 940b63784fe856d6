//! What goes out with a call or a message, and what gives way to it.

use super::Context;
use crate::names::{TRACEPARENT, TRACESTATE, X_CORRELATION_ID, trim};
use crate::trace_context::Traceparent;

/// Something an ID can be written to: implemented for the usual maps, and for `http::HeaderMap`
/// with the feature `http`.
///
/// Header names have no case (RFC 9110 section 5.1), so a key means every spelling of it here, even
/// in a map that tells them apart.
pub trait Injector {
    /// Whether one of the values under this key is `such`.
    fn has(&self, key: &'static str, such: &mut dyn FnMut(&[u8]) -> bool) -> bool;

    /// Removes a key with all its values.
    fn remove(&mut self, key: &'static str);

    /// Sets a key, which is in lower case, in place of whatever is there under it.
    fn set(&mut self, key: &'static str, value: &str);
}

impl Context {
    /// Writes this context to a carrier: [`inject`](crate::inject) for code that holds a context,
    /// such as a client that a framework hands one.
    ///
    /// ```
    /// use correlation_core::{Context, CorrelationId};
    /// use std::collections::HashMap;
    ///
    /// let context = Context::new("click-1".parse::<CorrelationId>()?);
    /// let mut headers = HashMap::<String, String>::new();
    /// context.inject(&mut headers);
    /// assert_eq!(headers["x-correlation-id"], "click-1");
    /// # Ok::<(), correlation_core::InvalidId>(())
    /// ```
    pub fn inject(&self, carrier: &mut (impl Injector + ?Sized)) {
        self.inject_as(&[], carrier);
    }

    /// As [`inject`](Self::inject), with the ID under more names.
    pub(crate) fn inject_as(&self, also: &[&'static str], carrier: &mut (impl Injector + ?Sized)) {
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
        let (mut present, mut copied) = (false, false);
        carrier.has(TRACEPARENT, &mut |value| {
            present = true;
            copied = Traceparent::parse(trim(value)).is_some_and(|parent| {
                untrusted == Some(parent.trace_id())
                    || trace.is_some_and(|trace| trace.replaces(&parent))
            });
            copied
        });
        if copied {
            carrier.remove(TRACEPARENT);
        } else if present {
            return;
        }
        carrier.remove(TRACESTATE);
        if let Some(trace) = trace {
            trace.send(|key, value| carrier.set(key, value));
        }
    }

    /// Gives each key and value to a function: for what can be added to, but not looked at.
    pub(crate) fn write<R>(&self, mut set: impl FnMut(&'static str, &str) -> R) {
        set(X_CORRELATION_ID, self.id().as_str());
        if let Some(trace) = self.trace() {
            trace.send(|key, value| drop(set(key, value)));
        }
    }
}
