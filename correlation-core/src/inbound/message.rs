//! Messages and whatever else is asked by key: no list of headers, no caller to answer.

use std::env;
use std::sync::LazyLock;

use super::{Extractor, Policy, Source};
use crate::context::{self, Context, Scoped};
use crate::id::CorrelationId;
use crate::names::{ENVIRONMENT, TRACEPARENT, TRACESTATE, TRACESTATE_SPELLINGS, trim};
use crate::trace_context::Traceparent;

impl Policy {
    /// The context that a message brings, by these rules, or a new one: as
    /// [`receive`](Self::receive) for anything that is asked by key.
    ///
    /// Keys of brokers are case-sensitive, so `get` is asked for each header in all its spellings.
    /// The first one with a valid value counts. Those of `x-correlation-id`, `x-request-id`,
    /// `traceparent` and `tracestate` are listed at [`extract_with`](crate::extract_with). Any
    /// other header is asked for in lower case, as Go spells it (`X-Shop-Id`), and as you wrote it.
    ///
    /// A message has no caller to answer, so it is never rejected, and a
    /// [`Trust::when`](crate::Trust::when) sees no address. No [`Trust::networks`](crate::Trust::networks) cover a message. A scope that is
    /// there already does not matter: the message knows best.
    ///
    /// A message that brought no ID gets a new one each time it is delivered: see
    /// [`continue_from`](crate::continue_from).
    ///
    /// ```
    /// use correlation_core::{Policy, Trust};
    ///
    /// let policy = Policy::new().trust(Trust::never());
    /// let context = policy.extract_with(|key| (key == "X-Request-ID").then_some("click-1"));
    /// assert_eq!(context.untrusted_id().unwrap(), &"click-1");
    /// ```
    pub fn extract_with<V>(&self, mut get: impl FnMut(&'static str) -> V) -> Context
    where
        V: IntoIterator<Item: AsRef<[u8]>>,
    {
        let mut lines = Vec::new();
        for (name, spellings) in self.watched.spellings() {
            self.ask(name, spellings, &mut get, &mut lines);
        }
        if lines.iter().any(|(name, _)| *name == TRACEPARENT) {
            self.ask(TRACESTATE, &TRACESTATE_SPELLINGS, &mut get, &mut lines);
        }
        let lines = || lines.iter().map(|(name, value)| (*name, value.as_ref()));
        self.decide(lines, None).0.into_context()
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
    pub fn continue_from<V, F>(&self, get: impl FnMut(&'static str) -> V, future: F) -> Scoped<F>
    where
        V: IntoIterator<Item: AsRef<[u8]>>,
        F: Future,
    {
        context::scope(self.extract_with(get), future)
    }

    /// Takes the values of a header under the first spelling that has a valid one; else under the
    /// first that has any, so that they are reported.
    fn ask<V>(
        &self,
        name: &'static str,
        spellings: &[&'static str],
        get: &mut impl FnMut(&'static str) -> V,
        lines: &mut Vec<(&'static str, V::Item)>,
    ) where
        V: IntoIterator<Item: AsRef<[u8]>>,
    {
        let first = lines.len();
        for &key in spellings {
            let found = lines.len();
            lines.extend(get(key).into_iter().map(|value| (name, value)));
            if self.is_valid(name, &lines[found..]) {
                lines.drain(first..found);
                return;
            }
            if found > first {
                lines.truncate(found);
            }
        }
    }

    fn is_valid(&self, name: &str, lines: &[(&str, impl AsRef<[u8]>)]) -> bool {
        let mut values = lines.iter().map(|(_, value)| trim(value.as_ref()));
        let Some(value) = values.next() else {
            return false;
        };
        match name {
            TRACEPARENT => lines.len() == 1 && Traceparent::parse(value).is_some(),
            TRACESTATE => true,
            // What is in other formats is not known before they are read.
            _ => {
                let is_plain = |source: &Source| source.name == name && source.is_plain();
                values.all(|other| other == value)
                    && (!self.sources.iter().any(is_plain) || self.accepts(value))
            }
        }
    }
}

/// The context that a message brings, by the default rules, or a new one: `get` is called with the
/// keys that may hold an ID. Anything but a valid ID counts as absent.
///
/// Whether the message brought an ID, [`Context::origin`] says. IDs may have up to 255 bytes here:
/// what any writer of this library has written is read. For other rules there is
/// [`Policy::extract_with`].
///
/// Keys of brokers are case-sensitive, so all usual spellings are asked for, in this order:
///
/// 1. `x-correlation-id`, `X-Correlation-ID`, `X-Correlation-Id`, `correlation-id`,
///    `Correlation-ID`, `Correlation-Id`, `CORRELATION_ID`, `correlation_id`, `x_correlation_id`,
///    `correlationId`, `CorrelationId`;
/// 2. `x-request-id`, `X-Request-ID`, `X-Request-Id`;
/// 3. `traceparent`, `Traceparent`, `TRACEPARENT`, of which the trace-id is taken.
///
/// Ask the headers of a message only. The correlation-id *property* of AMQP and MQTT 5 is a reply
/// key, and names one question rather than the whole action.
///
/// ```
/// use correlation_core::{Origin, extract_with};
/// use std::collections::HashMap;
///
/// let headers = HashMap::from([("X-Request-ID", b"click-1".to_vec())]);
/// assert_eq!(extract_with(|key| headers.get(key)).id(), &"click-1");
/// assert_eq!(extract_with(|_| Some("not valid")).origin(), Origin::Generated);
/// ```
///
/// # A key that comes more than once
///
/// Kafka, NATS and MQTT allow that. Let `get` return all values of the key: an ID counts if they
/// are all the same, and a `traceparent` if it comes once. So no broker's order decides.
///
/// ```
/// use correlation_core::{Origin, extract_with};
///
/// let headers = [("x-correlation-id", "click-1"), ("x-correlation-id", "click-2")];
/// let all = |key| headers.iter().filter(move |(known, _)| *known == key).map(|(_, value)| *value);
/// assert_eq!(extract_with(all).origin(), Origin::Generated);
/// ```
pub fn extract_with<V>(get: impl FnMut(&'static str) -> V) -> Context
where
    V: IntoIterator<Item: AsRef<[u8]>>,
{
    static DEFAULT: LazyLock<Policy> =
        LazyLock::new(|| Policy::new().max_len(CorrelationId::MAX_LEN));
    DEFAULT.extract_with(get)
}

/// Runs a future that handles a message in the context that the message carries, or in a new one:
/// what a consumer loop needs, in one line.
///
/// The keys that `get` is asked for are those of [`extract_with`]. A scope that is there already
/// does not matter: the message knows best. By other rules than the default ones:
/// [`Policy::continue_from`](crate::Policy::continue_from).
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
///
/// # Messages without an ID
///
/// A message that brought none gets a new one *each time it is delivered*: a broker that delivers
/// it again knows nothing of the first try. So each try of one message has a story of its own. The
/// cure is at the other end: publish in a [`scope`](crate::scope) and with
/// [`inject_with`](crate::inject_with), so that the ID is stored with the message.
pub fn continue_from<V, F>(get: impl FnMut(&'static str) -> V, future: F) -> Scoped<F>
where
    V: IntoIterator<Item: AsRef<[u8]>>,
    F: Future,
{
    context::scope(extract_with(get), future)
}

/// The context that a map brings, as [`extract_with`] does, but with keys in any case.
///
/// A key that comes more than once, in whatever case, holds an ID only if its values are the same.
///
/// ```
/// use correlation_core::{Origin, extract};
/// use std::collections::HashMap;
///
/// let mut headers = HashMap::from([("X-CORRELATION-ID", "click-1")]);
/// assert_eq!(extract(&headers).id(), &"click-1");
/// headers.insert("x-correlation-id", "click-2");
/// assert_eq!(extract(&headers).origin(), Origin::Generated);
/// ```
#[must_use]
pub fn extract(carrier: &(impl Extractor + ?Sized)) -> Context {
    extract_with(|key| carrier.get_all(key))
}

/// The context that this process was started with, or a new one: the one line of a command-line
/// program.
///
/// It reads what [`propagate_to`](crate::propagate_to) writes. Anything that is no valid ID counts
/// as absent.
///
/// ```
/// use correlation_core::{self as correlation, current};
///
/// fn run() {
///     assert!(current().is_some());
/// }
///
/// // `correlation::scope(correlation::from_env(), run()).await` for an async one
/// correlation::sync_scope(correlation::from_env(), run);
/// ```
#[must_use]
pub fn from_env() -> Context {
    extract_with(|key| {
        let (_, variable) = ENVIRONMENT.iter().find(|(known, _)| *known == key)?;
        Some(env::var_os(variable)?.into_encoded_bytes())
    })
}
