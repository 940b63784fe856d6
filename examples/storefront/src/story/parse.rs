//! One log line, of whatever format.

use super::json::Object;
use super::text;
use super::time::Timestamp;

/// A line that belongs to the ID that was asked for.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Line {
    Record {
        time: Timestamp,
        level: String,
        /// Without the ID, with the other fields.
        message: String,
    },
    /// Has the ID but no time of its own.
    Continuation(String),
}

/// Reads one line; `None` if it does not belong to `id`.
pub(super) fn line(line: &str, id: &str) -> Option<Line> {
    // Almost every line is somebody else's: a look for the bytes is much cheaper than parsing.
    if !line.contains(id) {
        return None;
    }
    if line.starts_with('{')
        && let Ok(object) = serde_json::from_str::<Object>(line)
    {
        return object.into_line(id);
    }
    text::line(line, id)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIME: &str = "2026-11-22T14:15:49.440140Z";

    fn record(level: &str, message: &str) -> Option<Line> {
        Some(Line::Record {
            time: Timestamp::parse(TIME).unwrap(),
            level: level.to_owned(),
            message: message.to_owned(),
        })
    }

    fn read(line: &str) -> Option<Line> {
        super::line(&line.replace("TIME", TIME), "abc")
    }

    #[test]
    fn text_lines() {
        for (text, level, message) in [
            (
                "TIME  INFO shop::db: query done rows=3 correlation_id=abc",
                "INFO",
                "query done rows=3",
            ),
            (
                "TIME  WARN shop: declined: no funds correlation_id=abc trace_id=4bf9",
                "WARN",
                "declined: no funds trace_id=4bf9",
            ),
            (
                r#"TIME ERROR a{path="/x: {y" n=1}:b{c=2}: shop: failed correlation_id=abc"#,
                "ERROR",
                "failed",
            ),
            (
                r#"TIME DEBUG a{correlation_id="abc"}: shop: in a span"#,
                "DEBUG",
                "in a span",
            ),
            (
                "TIME TRACE no target correlation_id=abc",
                "TRACE",
                "no target",
            ),
            ("TIME no level correlation_id=abc", "", "no level"),
        ] {
            assert_eq!(read(text), record(level, message), "{text}");
        }
    }

    #[test]
    fn json_lines() {
        for (json, message) in [
            (
                r#"{"correlation_id":"abc","timestamp":"TIME","level":"INFO","fields":{"message":"order stored","order":7,"card":"tok_x","why":"a \"b\"","none":""},"target":"t"}"#,
                r#"order stored order=7 card=tok_x why="a \"b\"" none="""#,
            ),
            (
                r#"{"timestamp":"TIME","level":"INFO","message":"flat","z":1,"a":true,"target":"t","correlation_id":"abc","span":{"x":1}}"#,
                "flat z=1 a=true",
            ),
            (
                r#"{"correlation_id":"abc","timestamp":"TIME","level":"INFO","fields":{"message":"m","log.target":"t","log.line":6,"target":"x","level":3,"id":[1]}}"#,
                "m target=x level=3 id=[1]",
            ),
        ] {
            assert_eq!(read(json), record("INFO", message), "{json}");
        }
    }

    #[test]
    fn lines_of_others() {
        for line in [
            "",
            "abc",
            "TIME  INFO shop: about abc",
            "TIME  INFO shop: done correlation_id=abcd",
            "TIME  INFO shop: done correlation_id=abc/d",
            "TIME  INFO shop: done my_correlation_id=abc",
            r#"{"correlation_id":"abcd","timestamp":"TIME","level":"INFO","fields":{"message":"abc"}}"#,
            r#"{"timestamp":"TIME","level":"INFO","fields":{"message":"correlation_id=abc"}}"#,
            r#"{"timestamp":"TIME","span":{"correlation_id":"abc"}}"#,
        ] {
            assert_eq!(read(line), None, "{line}");
        }
    }

    #[test]
    fn lines_without_a_time_continue_the_one_above() {
        for (line, text) in [
            ("  2: shop::main correlation_id=abc", "  2: shop::main"),
            ("correlation_id=abc", ""),
            ("{\"cut off correlation_id=abc", "{\"cut off"),
            (r#"{"correlation_id":"abc","message":"no time"}"#, "no time"),
            (
                r#"{"correlation_id":"abc","timestamp":"now","message":"no"}"#,
                "no",
            ),
        ] {
            assert_eq!(
                read(line),
                Some(Line::Continuation(text.to_owned())),
                "{line}"
            );
        }
    }
}
