//! Messages, and other carriers that are read by key. They have no list of headers, and no caller
//! waits for an answer.

use std::borrow::Cow;
use std::collections::HashMap;
use std::env;
use std::sync::{LazyLock, Mutex, PoisonError};

use super::Policy;
use super::source::Format;
use crate::context::{self, Context, Extractor, Scoped};
use crate::id::CorrelationId;
use crate::names::{ENVIRONMENT, TRACEPARENT, TRACESTATE, TRACESTATE_SPELLINGS, trim};
use crate::trace_context::Traceparent;

impl Policy {
    /// Returns the context that a message carries, by the rules of this policy, or a new one.
    ///
    /// This is [`receive`](Self::receive) for carriers that are read by key.
    ///
    /// Keys of brokers are case-sensitive, so `get` is called with each header name in all its
    /// spellings. The first spelling with a valid value counts. Of a
    /// [`Source::parsed`](crate::Source::parsed), it is the first one with any value.
    /// [`extract_with`](crate::extract_with) lists the spellings of `x-correlation-id`,
    /// `x-request-id`, `traceparent` and `tracestate`. Any other header is looked up in lower case,
    /// as Go spells it (`X-Shop-Id`), and as you wrote it.
    ///
    /// A message is never rejected, since no caller waits for an answer. A
    /// [`Trust::when`](crate::Trust::when) sees no address, and of the headers only those that this
    /// policy reads an ID or a trace from. No [`Trust::networks`](crate::Trust::networks) cover a
    /// message. The message wins over a scope that you are already in.
    ///
    /// A message without an ID gets a new one each time it is delivered: see
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
        let policy = self.for_message();
        let mut lines = Vec::new();
        for (name, spellings) in self.watched.spellings() {
            policy.ask(name, spellings, &mut get, &mut lines);
        }
        let has = |name| lines.iter().any(|(known, _)| *known == name);
        // A source may have read it already.
        if has(TRACEPARENT) && !has(TRACESTATE) {
            policy.ask(TRACESTATE, &TRACESTATE_SPELLINGS, &mut get, &mut lines);
        }
        let lines = || lines.iter().map(|(name, value)| (*name, value.as_ref()));
        policy.decide(lines, None).0.into_context()
    }

    /// Returns a policy that asks the validator once for each value of a message.
    pub(crate) fn for_message(&self) -> Cow<'_, Self> {
        let Some(check) = self.validator.clone() else {
            return Cow::Borrowed(self);
        };
        let asked = Mutex::new(HashMap::<String, bool>::new());
        Cow::Owned(self.clone().validator(move |id| {
            let answers = || asked.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(&known) = answers().get(id) {
                return known;
            }
            // A check that panics does not run again.
            answers().insert(id.to_owned(), false);
            let accepted = check(id);
            answers().insert(id.to_owned(), accepted);
            accepted
        }))
    }

    /// Runs a future in the context that a message carries, by the rules of this policy.
    /// [`continue_from`](crate::continue_from) does the same by the default rules.
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

    /// Adds the values of a header under the first spelling that has a valid one. If none is valid,
    /// adds those of the first spelling with any value, so that they are logged.
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
            _ => {
                let mut sources = self.sources.iter().filter(|source| source.name == name);
                values.all(|other| other == value)
                    && sources.any(|source| match &source.format {
                        Format::Plain => self.check_header(value).is_ok(),
                        Format::Known(parse) => self.check_known(value, parse).is_ok(),
                        // They are parsed once only.
                        Format::Traceparent | Format::Own(_) => true,
                    })
            }
        }
    }
}

/// Returns the context that a message carries, by the default rules, or a new one. `get` is called
/// with the keys that may hold an ID. A value that is not a valid ID counts as absent.
///
/// [`Context::origin`] says whether the message carried an ID. IDs may have up to 255 bytes here,
/// so that you can read any ID that this library has written. For other rules, use
/// [`Policy::extract_with`].
///
/// Keys of brokers are case-sensitive, so `get` is called with all usual spellings, in this order:
///
/// 1. `x-correlation-id`, `X-Correlation-ID`, `X-Correlation-Id`, `correlation-id`,
///    `Correlation-ID`, `Correlation-Id`, `CORRELATION_ID`, `correlation_id`, `x_correlation_id`,
///    `correlationId`, `CorrelationId`;
/// 2. `x-request-id`, `X-Request-ID`, `X-Request-Id`;
/// 3. `traceparent`, `Traceparent`, `TRACEPARENT`, whose trace-id becomes the ID.
///
/// Read only the headers of a message. The correlation-id *property* of AMQP and MQTT 5 is a reply
/// key. It names one question, not the whole action.
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
/// Kafka, NATS and MQTT allow a key more than once. Let `get` return all values of the key. An ID
/// counts if all values are the same, and a `traceparent` counts if it comes once. So the order
/// that a broker keeps never decides.
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

/// Runs a future in the context that a message carries, or in a new one. A consumer loop needs only
/// this one line.
///
/// `get` is called with the keys of [`extract_with`]. The message wins over a scope that you are
/// already in. For other rules than the default ones, use
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
/// A message without an ID gets a new one *each time it is delivered*. A broker that delivers it
/// again knows nothing of the first try, so each try has a different ID. To avoid this, publish the
/// message in a [`scope`](crate::scope) and with [`inject_with`](crate::inject_with). Then the ID
/// is stored with the message.
pub fn continue_from<V, F>(get: impl FnMut(&'static str) -> V, future: F) -> Scoped<F>
where
    V: IntoIterator<Item: AsRef<[u8]>>,
    F: Future,
{
    context::scope(extract_with(get), future)
}

/// Returns the context that a map carries, as [`extract_with`] does, but with keys in any case.
///
/// A key that comes more than once, in any case, counts only if its values are the same.
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
pub fn extract(carrier: &impl Extractor) -> Context {
    extract_with(|key| carrier.get_all(key))
}

/// Returns the context that this process was started with, or a new one. A command-line program
/// needs only this one line.
///
/// It reads the environment variables that [`propagate_to`](crate::propagate_to) writes. A value
/// that is not a valid ID counts as absent.
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
