//! What the library itself says in the log: one function a message, through `tracing` if that
//! feature is on, else through `log`, else nowhere.

use std::sync::Once;

macro_rules! emit {
    ($level:ident, $($args:tt)+) => {{
        #[cfg(feature = "tracing")]
        ::tracing::$level!(target: "correlation", $($args)+);
        #[cfg(all(feature = "log", not(feature = "tracing")))]
        ::log::$level!(target: "correlation", $($args)+);
        #[cfg(not(any(feature = "tracing", feature = "log")))]
        { let _ = format_args!($($args)+); }
    }};
}

/// A header was ignored by rule. The value itself is never logged: it is a stranger's text.
pub(crate) fn header_ignored(name: &str, len: usize, reason: &str) {
    emit!(debug, "ignored header {name} of {len} bytes: {reason}");
}

/// A header came more than once, with more than one meaning.
pub(crate) fn header_repeated(name: &str) {
    emit!(debug, "ignored header {name}: sent more than once");
}

/// A custom generator broke the rules for IDs. Once is enough: it would be once a request.
pub(crate) fn generator_failed() {
    static FIRST: Once = Once::new();
    FIRST.call_once(|| {
        emit!(
            warn,
            "the custom generator made an invalid correlation ID; a UUIDv4 is used instead"
        );
    });
}

/// A call leaves under this parent-id: the receiver's spans have it as their parent.
pub(crate) fn outbound(span_id: &str) {
    #[cfg(feature = "tracing")]
    ::tracing::debug!(target: "correlation", span_id, "outbound call");
    #[cfg(not(feature = "tracing"))]
    emit!(debug, "outbound call span_id={span_id}");
}

/// One request has ended.
pub(crate) fn access(
    method: &str,
    path: &str,
    status: Option<u16>,
    latency_ms: f64,
    outcome: &str,
) {
    #[cfg(feature = "tracing")]
    ::tracing::info!(target: "access", method, path, status, latency_ms, outcome, "request");
    #[cfg(all(feature = "log", not(feature = "tracing")))]
    {
        let status = status.map_or_else(|| "-".to_owned(), |status| status.to_string());
        ::log::info!(
            target: "access",
            "request method={method:?} path={path:?} status={status} latency_ms={latency_ms} \
             outcome={outcome:?}"
        );
    }
    #[cfg(not(any(feature = "tracing", feature = "log")))]
    let _ = (method, path, status, latency_ms, outcome);
}
