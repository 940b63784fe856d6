//! Messages and whatever else is asked by key: no list of headers, no caller to answer.

use std::sync::LazyLock;

use super::{Policy, X_CORRELATION_ID, X_REQUEST_ID};
use crate::Context;
use crate::context::{self, Scoped};
use crate::header::trim;
use crate::trace_context::{TRACEPARENT, TRACESTATE};

impl Policy {
    /// The context that a message brings, by these rules, or a new one: as
    /// [`receive`](Self::receive) for anything that is asked by key.
    ///
    /// Keys of brokers are case-sensitive, so the two usual headers are asked for in all their
    /// spellings, as [`extract_with`](crate::extract_with) lists them; the first valid one counts.
    /// Any other header is asked for in lower case.
    ///
    /// A message has no caller to answer, so [`OnMissing`](crate::OnMissing) and
    /// [`OnInvalid`](crate::OnInvalid) do not apply, and a [`Trust::when`](crate::Trust::when) sees
    /// no address. A scope that is there already does not matter: the message knows best.
    ///
    /// ```
    /// use correlation_core::{Policy, Trust};
    ///
    /// let policy = Policy::new().trust(Trust::Never);
    /// let context = policy.extract_with(|key| (key == "X-Request-ID").then_some("click-1"));
    /// assert_eq!(context.upstream_id().unwrap(), &"click-1");
    /// ```
    pub fn extract_with<T: AsRef<[u8]>>(&self, mut get: impl FnMut(&str) -> Option<T>) -> Context {
        let mut values = Vec::new();
        let parsed = self.parsers.iter().flat_map(|parser| parser.headers());
        for &name in self.headers.iter().chain(parsed) {
            if name != TRACEPARENT {
                values.extend(self.first(name, &mut get).map(|value| (name, value)));
            }
        }
        for name in [TRACEPARENT, TRACESTATE] {
            values.extend(get(name).map(|value| (name, value)));
        }
        let lines = || values.iter().map(|(name, value)| (*name, value.as_ref()));
        match self.choose(lines, |value| value, None, &mut None) {
            Ok(context) => context,
            Err(rejected) => rejected.context().clone(),
        }
    }

    /// Runs a future that handles a message in the context that the message brings by these
    /// rules, as [`continue_from`](crate::continue_from) does by the default ones.
    ///
    /// ```
    /// use correlation_core::{Generator, Policy, current};
    ///
    /// # futures_util::future::FutureExt::now_or_never(async {
    /// let policy = Policy::new().generator(Generator::hex());
    /// let seen = policy.continue_from(|_| None::<&str>, async { current() }).await;
    /// assert_eq!(seen.unwrap().as_str().len(), 32);
    /// # }).unwrap();
    /// ```
    pub fn continue_from<T, F>(&self, get: impl FnMut(&str) -> Option<T>, future: F) -> Scoped<F>
    where
        T: AsRef<[u8]>,
        F: Future,
    {
        context::scope(self.extract_with(get), future)
    }

    /// The first valid value under any spelling of a header; else the first value at all, so that
    /// it is reported.
    fn first<T: AsRef<[u8]>>(
        &self,
        name: &str,
        get: &mut impl FnMut(&str) -> Option<T>,
    ) -> Option<T> {
        let alone = [name];
        let spellings = match name {
            X_CORRELATION_ID => &SPELLINGS[..5],
            X_REQUEST_ID => &SPELLINGS[5..],
            _ => &alone,
        };
        let mut invalid = None;
        for key in spellings {
            let Some(value) = get(key) else { continue };
            if self.check(trim(value.as_ref())).is_ok() {
                return Some(value);
            }
            invalid = invalid.or(Some(value));
        }
        invalid
    }
}

impl Context {
    /// The context that a message brings, by the default rules, or a new one. For other rules
    /// there is [`Policy::extract_with`].
    ///
    /// ```
    /// use correlation_core::{Context, sync_scope};
    ///
    /// let context = Context::extract_with(|key| (key == "CORRELATION_ID").then_some("click-1"));
    /// sync_scope(context, || { /* handle the message */ });
    /// ```
    pub fn extract_with<T: AsRef<[u8]>>(get: impl FnMut(&str) -> Option<T>) -> Self {
        static DEFAULT: LazyLock<Policy> = LazyLock::new(Policy::new);
        DEFAULT.extract_with(get)
    }
}

/// What a carrier is asked for, for each of the two usual headers.
pub(crate) const SPELLINGS: [&str; 7] = [
    "x-correlation-id",
    "X-Correlation-ID",
    "Correlation-ID",
    "CORRELATION_ID",
    "correlation_id",
    "x-request-id",
    "X-Request-ID",
];
