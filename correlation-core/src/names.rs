//! The names that carry the ID: headers, message keys, environment variables and log fields. Each
//! name is written only once, here.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// The HTTP header, and the message key, that carry the ID.
pub const X_CORRELATION_ID: &str = "x-correlation-id";

/// The second header that a policy reads an ID from by default.
pub const X_REQUEST_ID: &str = "x-request-id";

/// The header of a W3C trace context (Trace Context, section 3.2).
pub const TRACEPARENT: &str = "traceparent";

/// The header that accompanies [`TRACEPARENT`] (Trace Context, section 3.3).
pub const TRACESTATE: &str = "tracestate";

/// The key of the ID in a log record. Carriers without headers use the same key: the metadata of
/// apalis, and [`Carried`](crate::Carried) in JSON.
pub const CORRELATION_ID: &str = "correlation_id";

/// The key of the W3C trace-id in a log record.
pub const TRACE_ID: &str = "trace_id";

/// The environment variable of a child process for each key. OpenTelemetry's [environment
/// carrier][env] writes header names in upper case with underscores. The variable of the ID omits
/// the `X_`.
///
/// [env]: https://opentelemetry.io/docs/specs/otel/context/env-carriers/
pub(crate) const ENVIRONMENT: [(&str, &str); 3] = [
    (X_CORRELATION_ID, "CORRELATION_ID"),
    (TRACEPARENT, "TRACEPARENT"),
    (TRACESTATE, "TRACESTATE"),
];

/// Removes optional white space, SP and HTAB (RFC 9110, section 5.6.3), from both ends.
pub(crate) fn trim(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}

/// Returns the name in lower case, if it is a header name that can carry an ID. A header name is a
/// token (RFC 9110, section 5.6.2) of at most 255 bytes. The given spelling becomes one of its
/// [`spellings`].
///
/// Names come from the configuration of the process, so each distinct name is kept for the life of
/// the process.
pub(crate) fn header_name(name: &str) -> Result<&'static str, String> {
    let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    if name.is_empty() {
        return Err("a header name cannot be empty".to_owned());
    }
    if name.len() > 255 {
        let len = name.len();
        return Err(format!("a header name has at most 255 bytes, not {len}"));
    }
    if !name.bytes().all(token) {
        return Err(format!(
            "{name:?} is not a header name: RFC 9110 allows letters, digits and !#$%&'*+-.^_`|~"
        ));
    }
    if FRAMING.iter().any(|other| other.eq_ignore_ascii_case(name)) {
        return Err(format!(
            "{name:?} tells HTTP where a message goes or ends, so it cannot carry an ID"
        ));
    }
    Ok(spellings(name)[0])
}

/// Returns the name of a header whose whole value may be an ID, as [`header_name`] does.
pub(crate) fn id_header_name(name: &str) -> Result<&'static str, String> {
    match header_name(name)? {
        TRACEPARENT | TRACESTATE => Err(format!(
            "{name:?} is a header of W3C Trace Context, which holds no correlation ID"
        )),
        name => Ok(name),
    }
}

/// Headers that routing, framing and the connection depend on (RFC 9110, sections 6.5, 7.2, 7.6.1
/// and 8.6; RFC 9112, section 6.1).
const FRAMING: [&str; 9] = [
    "connection",
    "content-length",
    "host",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Returns the keys to look up a header with, in a carrier that distinguishes case. The first one
/// is the name in lower case.
///
/// The usual headers have a fixed list. Any other header also has the form that Go gives to header
/// names (`textproto.CanonicalMIMEHeaderKey`), and the spellings that this process has used.
pub(crate) fn spellings(name: &str) -> &'static [&'static str] {
    static KNOWN: Mutex<BTreeMap<&str, &[&str]>> = Mutex::new(BTreeMap::new());
    let lower = name.to_ascii_lowercase();
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let mut spellings = match known.get(lower.as_str()) {
        Some(known) if known.contains(&name) => return known,
        Some(known) => known.to_vec(),
        None => match USUAL.into_iter().find(|usual| usual[0] == lower) {
            Some(usual) => usual.to_vec(),
            None => vec![&*lower.clone().leak(), mime(&lower).leak()],
        },
    };
    if !spellings.contains(&name) {
        spellings.push(name.to_owned().leak());
    }
    let spellings: &'static [_] = spellings.leak();
    known.insert(spellings[0], spellings);
    spellings
}

/// Converts `x-shop-id` to `X-Shop-Id`.
fn mime(lower: &str) -> String {
    let upper = |part: &str| match part.split_at_checked(1) {
        Some((first, rest)) => first.to_ascii_uppercase() + rest,
        None => String::new(),
    };
    lower.split('-').map(upper).collect::<Vec<_>>().join("-")
}

pub(crate) const TRACESTATE_SPELLINGS: [&str; 3] = [TRACESTATE, "Tracestate", "TRACESTATE"];

/// The spellings of the usual headers that programs write into messages.
const USUAL: [&[&str]; 5] = [
    &[
        X_CORRELATION_ID,
        "X-Correlation-ID",
        "X-Correlation-Id",
        "correlation-id",
        "Correlation-ID",
        "Correlation-Id",
        "CORRELATION_ID",
        "correlation_id",
        "x_correlation_id",
        "correlationId",
        "CorrelationId",
    ],
    &[X_REQUEST_ID, "X-Request-ID", "X-Request-Id"],
    &[TRACEPARENT, "Traceparent", "TRACEPARENT"],
    &TRACESTATE_SPELLINGS,
    &["x-b3-traceid", "X-B3-TraceId", "X-B3-Traceid"],
];

/// The keys of headers and messages that readers take an ID from, beside [`X_CORRELATION_ID`].
pub(crate) const MAY_HOLD_AN_ID: [&str; 10] = [
    X_REQUEST_ID,
    "correlation-id",
    "correlation_id",
    "x_correlation_id",
    "correlationid",
    "b3",
    "x-b3-traceid",
    "x-amzn-trace-id",
    "x-cloud-trace-context",
    "request-id",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_optional_white_space_is_trimmed() {
        assert_eq!(trim(b" \t a b\t "), b"a b");
        assert_eq!(trim(b"\r a"), b"\r a");
        assert_eq!(trim(b" \t "), b"");
    }

    #[test]
    fn names_are_tokens_in_lower_case() {
        assert_eq!(header_name("X-Request-ID"), Ok("x-request-id"));
        assert!(std::ptr::eq(
            header_name("X-Own").unwrap(),
            header_name("x-own").unwrap()
        ));
        for bad in ["", "two words", "colon:", "x\n", "é", &"x".repeat(256)] {
            assert!(header_name(bad).is_err(), "{bad:?}");
        }
        for bad in FRAMING.into_iter().chain(["Content-Length", "HOST"]) {
            let error = header_name(bad).unwrap_err();
            assert!(error.starts_with(&format!("{bad:?} tells HTTP")), "{error}");
        }
        let longest = "x".repeat(255);
        assert_eq!(header_name(&longest), Ok(&*longest));
        // What is kept for the life of the process is kept once.
        assert!(std::ptr::eq(spellings("X-Own"), spellings("X-Own")));
    }

    #[test]
    fn a_name_is_asked_for_as_go_and_as_this_process_spells_it() {
        assert_eq!(spellings("x-cart"), ["x-cart", "X-Cart"]);
        assert_eq!(header_name("X-CaRT"), Ok("x-cart"));
        assert_eq!(spellings("x-cart"), ["x-cart", "X-Cart", "X-CaRT"]);
        assert_eq!(spellings("x--y-"), ["x--y-", "X--Y-"]);
        assert_eq!(spellings("b3"), ["b3", "B3"]);
        let usual = spellings(X_CORRELATION_ID);
        header_name("X-Correlation-Id").unwrap();
        assert_eq!(spellings(X_CORRELATION_ID), usual);
        for list in USUAL {
            assert_eq!(list[0], list[0].to_ascii_lowercase());
            assert!(list.contains(&mime(list[0]).as_str()), "{list:?}");
        }
    }
}
