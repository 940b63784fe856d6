//! What the library itself says: log records, one function each, and errors of the configuration.
//! Records go through `tracing` if that feature is on, else through `log`, else nowhere.

use std::borrow::Cow;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

macro_rules! emit {
    ($level:ident, $($args:tt)+) => {{
        #[cfg(feature = "tracing")]
        if cfg!(not(feature = "log")) || is_traced() {
            tracing::$level!(target: "correlation", $($args)+);
        }
        #[cfg(feature = "log")]
        if cfg!(not(feature = "tracing")) || !is_traced() {
            log::$level!(target: "correlation", $($args)+);
        }
        #[cfg(not(any(feature = "tracing", feature = "log")))]
        { let _ = format_args!($($args)+); }
    }};
}

/// Whether `tracing` has a subscriber; otherwise `log` may have a logger.
#[cfg(all(feature = "tracing", feature = "log"))]
pub(crate) fn is_traced() -> bool {
    use tracing::{dispatcher, subscriber::NoSubscriber};

    dispatcher::get_default(|dispatch| !dispatch.is::<NoSubscriber>())
}

#[cfg(not(all(feature = "tracing", feature = "log")))]
#[cfg_attr(not(any(feature = "tracing", feature = "log")), expect(dead_code))]
pub(crate) const fn is_traced() -> bool {
    cfg!(feature = "tracing")
}

/// A header was ignored by rule. The value itself is never logged: it is a stranger's text.
pub(crate) fn header_ignored(name: &str, len: usize, reason: &str) {
    emit!(debug, "ignored header {name} of {len} bytes: {reason}");
}

/// A header came more than once, with more than one meaning.
pub(crate) fn header_repeated(name: &str) {
    emit!(debug, "ignored header {name}: sent more than once");
}

/// The policy wants the request to be answered with 400.
pub(crate) fn rejected(why: &str) {
    emit!(debug, "rejected the request: {why}");
}

/// The caller sent an ID that the policy does not trust.
pub(crate) fn untrusted(id: &str) {
    let (untrusted_id, untrusted_len) = untrusted_fields(Some(id));
    #[cfg(feature = "tracing")]
    if is_traced() {
        tracing::info!(
            target: "correlation",
            untrusted_id,
            untrusted_len,
            "caller's ID is not trusted"
        );
        return;
    }
    if let Some(id) = untrusted_id {
        emit!(info, "caller's ID is not trusted untrusted_id={id:?}");
    }
    if let Some(len) = untrusted_len {
        emit!(info, "caller's ID is not trusted untrusted_len={len}");
    }
}

/// What the log may say of an ID that is not trusted: the ID, or its length alone.
///
/// A `=` inside it could make `|correlation_id=abc` of it, which is what people search for.
pub(crate) fn untrusted_fields(id: Option<&str>) -> (Option<&str>, Option<usize>) {
    match id {
        Some(id) if id.trim_end_matches('=').contains('=') => (None, Some(id.len())),
        id => (id, None),
    }
}

/// A policy asks for the address of the peer, and the server does not tell it.
pub(crate) fn peer_unknown() {
    emit!(
        warn,
        "the policy trusts by the address of the peer, which this server does not tell: nobody is \
         trusted for it"
    );
}

/// A custom generator broke the rules for IDs. Once is enough: it would be once a request.
pub(crate) fn generator_failed() {
    // No `Once`: others would wait for it while a subscriber is called.
    static TOLD: AtomicBool = AtomicBool::new(false);
    if !TOLD.swap(true, Ordering::Relaxed) {
        emit!(
            warn,
            "the custom generator made an invalid correlation ID; a UUIDv4 is used instead"
        );
    }
}

/// A closure of a policy has panicked.
pub(crate) fn closure_panicked(what: &str) {
    emit!(warn, "{what}");
}

/// A call leaves under this parent-id: the receiver's spans have it as their parent.
pub(crate) fn outbound(span_id: &str) {
    #[cfg(feature = "tracing")]
    tracing::debug!(target: "correlation", span_id, "outbound call");
    #[cfg(not(feature = "tracing"))]
    emit!(debug, "outbound call span_id={span_id}");
}

/// A call goes out without the ID, since nobody said where to.
pub(crate) fn no_host() {
    emit!(
        debug,
        "sent no ID: the URI has no host, and `Targets::connected_to` does not say whose \
         connection it is"
    );
}

/// A setting cannot be used: the message says which one, which entry of a list, and what is
/// allowed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct InvalidSetting {
    setting: &'static str,
    /// Counted from 1; 0 if the setting is no list.
    entry: usize,
    reason: Cow<'static, str>,
}

impl InvalidSetting {
    pub(crate) fn new(setting: &'static str, reason: impl Into<Cow<'static, str>>) -> Self {
        Self {
            setting,
            entry: 0,
            reason: reason.into(),
        }
    }

    /// It is this entry of a list, counted from 0.
    pub(crate) fn at(self, index: usize) -> Self {
        Self {
            entry: index + 1,
            ..self
        }
    }
}

impl fmt::Display for InvalidSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "correlation, {}", self.setting)?;
        if self.entry > 0 {
            write!(f, ", entry {}", self.entry)?;
        }
        write!(f, ": {}", self.reason)
    }
}

impl std::error::Error for InvalidSetting {}

/// The setter panics where its `try_` twin returns the error: the mistake is in the program.
#[track_caller]
pub(crate) fn or_panic<T>(setting: Result<T, InvalidSetting>) -> T {
    match setting {
        Ok(setting) => setting,
        Err(error) => panic!("{error}"),
    }
}
