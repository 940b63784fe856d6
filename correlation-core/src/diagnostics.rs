//! The library's own log records, one function each, and the errors of its configuration.
//!
//! Records go to `tracing` or to `log`, whichever feature is on. With both features they go to
//! `tracing` if it has a subscriber, else to `log`. With neither feature nothing is logged.

use std::borrow::Cow;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::context::{self, Context};

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

/// Whether `tracing` has a subscriber. If not, `log` may have a logger.
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

/// Logs that a header was ignored, and why. The value is never logged, since a stranger may have
/// sent it.
pub(crate) fn header_ignored(name: &str, len: usize, reason: &str) {
    emit!(debug, "ignored header {name} of {len} bytes: {reason}");
}

/// Logs that a header was ignored because it came more than once, with different values.
pub(crate) fn header_repeated(name: &str) {
    emit!(debug, "ignored header {name}: sent more than once");
}

/// Logs that the policy rejects the request, so that it is answered with 400.
pub(crate) fn rejected(why: &str) {
    emit!(debug, "rejected the request: {why}");
}

/// Logs the ID of a caller that the policy does not trust.
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

/// Returns what the log may contain of an untrusted ID: either the ID, or only its length.
///
/// A `=` inside the ID could form `|correlation_id=abc`, which a search for the ID `abc` would
/// find.
pub(crate) fn untrusted_fields(id: Option<&str>) -> (Option<&str>, Option<usize>) {
    match id {
        Some(id) if id.trim_end_matches('=').contains('=') => (None, Some(id.len())),
        id => (id, None),
    }
}

/// Warns that a policy needs the peer address, but the server does not provide it.
pub(crate) fn peer_unknown() {
    emit!(
        warn,
        "the policy needs the peer address, but this server does not provide it: no caller is \
         trusted by its address. In axum, serve with \
         `into_make_service_with_connect_info::<SocketAddr>()`, and on a Unix socket give each \
         request the extension `Peer::Local`"
    );
}

/// Warns once that a custom generator made an invalid ID. Otherwise each request could log it.
pub(crate) fn generator_failed() {
    // Not a `Once`, since other threads would wait for it while a subscriber runs.
    static TOLD: AtomicBool = AtomicBool::new(false);
    if !TOLD.swap(true, Ordering::Relaxed) {
        emit!(
            warn,
            "the custom generator made an invalid correlation ID; a UUIDv4 is used instead"
        );
    }
}

/// Logs a warning with the target `correlation`. It goes to `tracing` or to `log`, as all records of
/// this library do.
pub fn warn(what: &str) {
    emit!(warn, "{what}");
}

/// Logs the parent-id of an outbound call, which becomes the parent of the receiver's spans. The
/// call may be sent outside the scope of its context.
pub(crate) fn outbound(context: &Context, span_id: &str) {
    context::sync_scope(context.clone(), || {
        #[cfg(feature = "tracing")]
        if is_traced() {
            tracing::debug!(target: "correlation", span_id, "outbound call");
            return;
        }
        emit!(debug, "outbound call span_id={span_id}");
    });
}

/// Logs that a call goes out without the ID, because its host is not known, or is not a target.
/// `connected_to` is the setting of that name.
pub(crate) fn no_host(connected_to: Option<&str>) {
    let (host, but) = match connected_to {
        Some(host) => (host, ", which is not one of the hosts"),
        None => ("no host", ""),
    };
    emit!(
        debug,
        "sent no ID: the URI of the call has no host, and `Targets::connected_to` names {host}{but}"
    );
}

/// The error for a setting that is not valid. Its message says which setting, which entry of a
/// list, and what is allowed.
///
/// ```
/// use correlation_core::{Source, Trust};
///
/// let error = "10.0.0.0/8, localhost".parse::<Trust>().unwrap_err();
/// assert!(error.to_string().starts_with("correlation, networks, entry 2: \"localhost\""));
/// let error = "X Shop".parse::<Source>().unwrap_err();
/// assert!(error.to_string().starts_with("correlation, sources: \"X Shop\" is not a header"));
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct InvalidSetting {
    setting: &'static str,
    /// Counts from 1. It is 0 if the setting is not a list.
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

    /// Adds the position in a list, counted from 0.
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

/// Panics with the error of a setting, at the line that called the setter.
#[track_caller]
pub(crate) fn or_panic<T>(setting: Result<T, InvalidSetting>) -> T {
    match setting {
        Ok(setting) => setting,
        Err(error) => panic!("{error}"),
    }
}
