//! A line of a service's log, read without a copy where that can be.

use std::borrow::Cow;

use memchr::memmem;
use serde::Deserialize;

/// What a line says, and whose it says that it is.
#[derive(Debug)]
pub(crate) struct Line<'a> {
    /// The ID that a search of the log would find.
    pub(crate) id: Option<Cow<'a, str>>,
    /// The trace-id beside it.
    pub(crate) trace: Option<Cow<'a, str>>,
    /// The request that it is of, told by its text: see [`mark`].
    pub(crate) token: Option<u64>,
    /// The message, in text with what stands before it.
    pub(crate) message: Cow<'a, str>,
}

/// What a request writes into everything that can reach the log, so that a line can be told to be of
/// this request whatever ID it has.
pub(crate) fn mark(token: u64) -> String {
    format!("~~{token}~~")
}

/// The request of a text with a [`mark`] in it.
pub(crate) fn token(text: &str) -> Option<u64> {
    let mut rest = text;
    loop {
        let at = memmem::find(rest.as_bytes(), b"~~")?;
        let after = &rest[at + 2..];
        let digits = after.bytes().take_while(u8::is_ascii_digit).count();
        if digits > 0 && after[digits..].starts_with("~~") {
            return after[..digits].parse().ok();
        }
        rest = &rest[at + 1..];
    }
}

impl<'a> Line<'a> {
    /// One JSON object with each key once.
    pub(crate) fn json(line: &'a str) -> Result<Self, String> {
        // serde refuses a key of these that is there twice.
        let record: Record<'_> =
            serde_json::from_str(line).map_err(|error| format!("no JSON record: {error}"))?;
        let quoted = memmem::find_iter(line.as_bytes(), b"\"correlation_id\":").count();
        if quoted != usize::from(record.correlation_id.is_some()) {
            return Err("the ID is not at the top level only".to_owned());
        }
        let fields = record.fields.and_then(|fields| fields.message);
        let message = fields.or(record.message).unwrap_or_default();
        Ok(Self {
            id: record.correlation_id,
            trace: record.trace_id,
            token: token(&message),
            message,
        })
    }

    /// Text that ends with ` correlation_id=ID`, if it has one.
    pub(crate) fn text(line: &'a str) -> Self {
        let (rest, id) = field(line, " correlation_id=");
        let (message, trace) = match id {
            Some(_) => field(rest, " trace_id="),
            None => (rest, None),
        };
        // The caller's own words, with the mark of its ID: no text of a handler.
        let told = message.contains(UNTRUSTED);
        Self {
            id: id.map(Cow::Borrowed),
            trace: trace.map(Cow::Borrowed),
            token: if told { None } else { token(message) },
            message: Cow::Borrowed(message),
        }
    }
}

/// The value of a field at the end of a line, and what stands before it.
fn field<'a>(line: &'a str, key: &str) -> (&'a str, Option<&'a str>) {
    let at = memmem::rfind(line.as_bytes(), key.as_bytes());
    let found = at.map(|at| (&line[..at], &line[at + key.len()..]));
    match found {
        Some((rest, value)) if !value.is_empty() && value.bytes().all(is_allowed) => {
            (rest, Some(value))
        }
        _ => (line, None),
    }
}

/// The alphabet of IDs, as DESIGN and README state it: on purpose not asked of the library.
pub(crate) fn is_allowed(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_.:+/=#@|~".contains(&byte)
}

#[derive(Deserialize)]
struct Record<'a> {
    #[serde(borrow)]
    correlation_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    trace_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    fields: Option<Fields<'a>>,
    /// The report of a panic has it here.
    #[serde(borrow)]
    message: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Fields<'a> {
    #[serde(borrow)]
    message: Option<Cow<'a, str>>,
}

pub(crate) const UNTRUSTED: &str = "caller's ID is not trusted";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_found_between_other_tildes() {
        assert_eq!(token("a~~b ~~~12~~ ~~x~~"), Some(12));
        assert_eq!(token("~~12~ ~~"), None);
        assert_eq!(token(&mark(7)), Some(7));
    }

    #[test]
    fn json_has_the_id_once() {
        let line = Line::json(r#"{"correlation_id":"c-1","fields":{"message":"a ~~3~~"}}"#);
        let line = line.unwrap();
        assert_eq!((line.id.as_deref(), line.token), (Some("c-1"), Some(3)));
        for wrong in [
            r#"{"correlation_id":"c-1","correlation_id":"c-1"}"#,
            r#"{"fields":{"message":"a","correlation_id":"c-1"}}"#,
            r#"{"fields":{"message":"a"}}{"#,
            "text",
        ] {
            assert!(Line::json(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn text_has_the_id_at_its_end() {
        let line = Line::text("INFO a: b ~~3~~ correlation_id=x trace_id=t correlation_id=c-1");
        assert_eq!(line.id.as_deref(), Some("c-1"));
        assert_eq!(line.trace.as_deref(), Some("t"));
        assert_eq!(line.message, "INFO a: b ~~3~~ correlation_id=x");
        assert_eq!(Line::text("a correlation_id=c-1 b").id, None);
    }
}
