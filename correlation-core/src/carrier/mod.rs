//! The ID in and out of anything that has keys and values: headers of a client that has no
//! adapter, message headers of a broker, a map.

mod carried;
mod env;
#[cfg(feature = "serde")]
mod serde;

use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasher;

pub use carried::Carried;
pub use env::{PropagateEnv, from_env};

use crate::context::{self, Scoped};
use crate::policy::X_CORRELATION_ID;
use crate::trace_context::{TRACEPARENT, TRACESTATE};
use crate::{Context, CorrelationId, Source};

/// Writes the ambient ID to a carrier: `set` is called with each key and value to send, in lower
/// case. Outside of any scope it is not called.
///
/// The keys are `x-correlation-id`, and `traceparent` and `tracestate` as the policy's
/// [`TraceContext`](crate::TraceContext) says: by default when a valid trace context came in. What
/// `set` returns is ignored, so `insert` of most maps fits as it is.
///
/// ```
/// use correlation_core::{CorrelationId, inject_with, sync_scope};
/// use std::collections::HashMap;
///
/// let mut headers = HashMap::new();
/// sync_scope("click-1".parse::<CorrelationId>()?, || {
///     inject_with(|key, value| headers.insert(key, value.to_owned()));
/// });
/// assert_eq!(headers["x-correlation-id"], "click-1");
/// # Ok::<(), correlation_core::InvalidId>(())
/// ```
pub fn inject_with<R>(set: impl FnMut(&'static str, &str) -> R) {
    inject_parts(true, true, set);
}

fn inject_parts<R>(id: bool, trace: bool, mut set: impl FnMut(&'static str, &str) -> R) {
    // A clone, since `set` is foreign code that may open a scope.
    let Some(context) = Context::current() else {
        return;
    };
    if id {
        set(X_CORRELATION_ID, context.id().as_str());
    }
    if let Some(trace) = context.trace().filter(|_| trace) {
        let (parent, state) = trace.outbound();
        set(TRACEPARENT, parent.as_str());
        if let Some(state) = state {
            set(TRACESTATE, state);
        }
    }
}

/// Reads an ID from a carrier: `get` is called with the keys that may hold one, until it gives a
/// valid ID. Anything else counts as absent.
///
/// Keys of brokers are case-sensitive, so all usual spellings are asked for: `x-correlation-id`,
/// `X-Correlation-ID`, `Correlation-ID`, `CORRELATION_ID`, `correlation_id`, `x-request-id`,
/// `X-Request-ID`. Then the trace-id of a valid `traceparent`.
///
/// ```
/// use correlation_core::extract_with;
/// use std::collections::HashMap;
///
/// let headers = HashMap::from([("X-Request-ID", b"click-1".to_vec())]);
/// assert_eq!(extract_with(|key| headers.get(key)).unwrap(), "click-1");
/// assert_eq!(extract_with(|_| Some("not valid")), None);
/// ```
pub fn extract_with<T: AsRef<[u8]>>(get: impl FnMut(&str) -> Option<T>) -> Option<CorrelationId> {
    let context = Context::extract_with(get);
    (context.source() != Source::Generated).then(|| context.id().clone())
}

/// Runs a future that handles a message in the context that the message carries, or in a new one:
/// what a consumer loop needs, in one line.
///
/// A scope that is there already does not matter: the message knows best. By other rules than the
/// default ones: [`Policy::continue_from`](crate::Policy::continue_from).
///
/// ```
/// use correlation_core::{continue_from, current};
/// use std::collections::HashMap;
///
/// # futures_util::future::FutureExt::now_or_never(async {
/// let message = HashMap::from([("x-correlation-id", "click-1")]);
/// let seen = continue_from(|key| message.get(key), async { current() }).await;
/// assert_eq!(seen.unwrap(), "click-1");
/// # }).unwrap();
/// ```
pub fn continue_from<T, F>(get: impl FnMut(&str) -> Option<T>, future: F) -> Scoped<F>
where
    T: AsRef<[u8]>,
    F: Future,
{
    context::scope(Context::extract_with(get), future)
}

/// Something an ID can be written to: implemented for the usual maps, and for `http::HeaderMap`
/// with the feature `http`.
pub trait Injector {
    /// Sets a key, which is in lower case, to a value.
    fn set(&mut self, key: &'static str, value: &str);

    /// Whether the caller has set this key already, in whatever case: then it is left alone.
    fn contains(&self, key: &str) -> bool;
}

/// Something an ID can be read from: implemented for the usual maps, and for `http::HeaderMap`
/// with the feature `http`.
pub trait Extractor {
    /// The value under a key. Carriers that ignore case do so here too.
    fn get(&self, key: &str) -> Option<&[u8]>;
}

/// Writes the ambient ID to a map, as [`inject_with`] does, but never over what is there.
///
/// ```
/// use correlation_core::{CorrelationId, inject, sync_scope};
///
/// let mut headers = vec![("X-Correlation-ID".to_owned(), "mine".to_owned())];
/// sync_scope(CorrelationId::new(), || inject(&mut headers));
/// assert_eq!(headers.len(), 1);
/// ```
pub fn inject(carrier: &mut (impl Injector + ?Sized)) {
    // A second `traceparent` would make the receiver restart the trace, and a `tracestate` is
    // worth something only beside its own `traceparent`.
    let trace = !carrier.contains(TRACEPARENT) && !carrier.contains(TRACESTATE);
    let id = !carrier.contains(X_CORRELATION_ID);
    inject_parts(id, trace, |key, value| carrier.set(key, value));
}

/// Reads an ID from a map, as [`extract_with`] does.
#[must_use]
pub fn extract(carrier: &(impl Extractor + ?Sized)) -> Option<CorrelationId> {
    extract_with(|key| carrier.get(key))
}

macro_rules! impl_map {
    ($($map:ty $(, $hasher:ident)?;)+) => {$(
        impl<V: From<String> $(, $hasher: BuildHasher)?> Injector for $map {
            fn set(&mut self, key: &'static str, value: &str) {
                self.insert(key.to_owned(), V::from(value.to_owned()));
            }

            fn contains(&self, key: &str) -> bool {
                self.keys().any(|known| known.eq_ignore_ascii_case(key))
            }
        }
    )+};
}

impl_map! {
    HashMap<String, V, S>, S;
    BTreeMap<String, V>;
}

impl<V: AsRef<[u8]>, S: BuildHasher> Extractor for HashMap<String, V, S> {
    fn get(&self, key: &str) -> Option<&[u8]> {
        self.get(key).map(AsRef::as_ref)
    }
}

impl<V: AsRef<[u8]>> Extractor for BTreeMap<String, V> {
    fn get(&self, key: &str) -> Option<&[u8]> {
        self.get(key).map(AsRef::as_ref)
    }
}

impl<V: From<String>> Injector for Vec<(String, V)> {
    fn set(&mut self, key: &'static str, value: &str) {
        self.push((key.to_owned(), V::from(value.to_owned())));
    }

    fn contains(&self, key: &str) -> bool {
        self.iter()
            .any(|(known, _)| known.eq_ignore_ascii_case(key))
    }
}

impl<V: AsRef<[u8]>> Extractor for Vec<(String, V)> {
    /// A key that comes more than once has no value, unless it is an ID and the same each time.
    fn get(&self, key: &str) -> Option<&[u8]> {
        let mut values = self
            .iter()
            .filter(|(known, _)| known == key)
            .map(|(_, value)| value.as_ref());
        let first = values.next()?;
        // Two `traceparent` are as good as none even then: see `TraceContext`.
        values
            .all(|other| other == first && key != TRACEPARENT)
            .then_some(first)
    }
}

#[cfg(test)]
mod tests;
