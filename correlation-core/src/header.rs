//! Header names and values as plain strings: what all carriers have in common.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// Removes optional white space, SP and HTAB (RFC 9110, section 5.6.3), at both ends.
pub(crate) fn trim(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}

/// The name in lower case, if it is a header name: a token (RFC 9110, section 5.6.2) of at most
/// 255 bytes.
///
/// Names come from the configuration of the process, so each distinct one is kept for its life.
pub(crate) fn name(name: &str) -> Result<&'static str, &'static str> {
    static NAMES: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    if name.is_empty() {
        return Err("a header name cannot be empty");
    }
    if name.len() > 255 || !name.bytes().all(token) {
        return Err(
            "a header name has at most 255 bytes of A-Z a-z 0-9 ! # $ % & ' * + - . ^ _ ` | ~",
        );
    }
    let name = name.to_ascii_lowercase();
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = names.get(name.as_str()) {
        return Ok(known);
    }
    let name: &'static str = name.leak();
    names.insert(name);
    Ok(name)
}

/// Adds `name` to the values of `Access-Control-Expose-Headers` (Fetch standard, section
/// "HTTP extensions, CORS protocol"), or `None` if it is there already.
pub(crate) fn expose<'h>(existing: impl Iterator<Item = &'h str>, name: &str) -> Option<String> {
    let mut merged = String::new();
    for value in existing.flat_map(|line| line.split(',')).map(str::trim) {
        if value.eq_ignore_ascii_case(name) {
            return None;
        }
        if !value.is_empty() {
            merged.push_str(value);
            merged.push_str(", ");
        }
    }
    merged.push_str(name);
    Some(merged)
}

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
        assert_eq!(name("X-Request-ID"), Ok("x-request-id"));
        assert!(std::ptr::eq(name("X-Own").unwrap(), name("x-own").unwrap()));
        for bad in ["", "two words", "colon:", "x\n", "é", &"x".repeat(256)] {
            assert!(name(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn exposed_headers_are_merged() {
        let merged = |lines: &[&str]| expose(lines.iter().copied(), "x-correlation-id");
        assert_eq!(merged(&[]).as_deref(), Some("x-correlation-id"));
        assert_eq!(
            merged(&["ETag, X-Other", "a"]).as_deref(),
            Some("ETag, X-Other, a, x-correlation-id")
        );
        assert_eq!(merged(&["ETag", "X-Correlation-ID"]), None);
    }
}
