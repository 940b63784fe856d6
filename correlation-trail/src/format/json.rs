//! A JSON object of one line: `tracing`, bunyan, pino, ECS, logstash, slog, structured-logger.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::Parsed;

/// Reads a line that is an object.
pub(super) fn parse(line: &str) -> Option<Parsed> {
    let line = line.trim_ascii();
    if !line.starts_with('{') {
        return None;
    }
    let Members(members) = serde_json::from_str(line).ok()?;
    let has = |key: &str| members.iter().any(|(name, _)| name == key);
    // The keys that each record of bunyan has; elsewhere `name` is anybody's.
    let bunyan = ["name", "hostname", "pid", "v"].into_iter().all(has);
    let mut parsed = Parsed::default();
    for (key, value) in &members {
        match (key.as_str(), object(value)) {
            ("name", None) if bunyan => parsed.service = Some(text(value)),
            ("hostname" | "pid" | "v", None) if bunyan => {}
            // Where `tracing` puts what it does not put at the top; flexi_logger, log4rs and
            // json-subscriber use the other names.
            ("fields", Some(inner)) => fields(&mut parsed, inner),
            ("kv" | "mdc" | "attributes", Some(inner)) => {
                for (key, value) in inner {
                    parsed.field(&key, text(value));
                }
            }
            // ECS as objects: `"log":{"level":"info"}` for `"log.level":"info"`.
            (outer @ ("log" | "service" | "process"), Some(inner)) => {
                for (key, value) in inner {
                    parsed.set(&format!("{outer}.{key}"), text(value));
                }
            }
            (_, _) => parsed.set(key, text(value)),
        }
    }
    if parsed.message.is_empty() {
        // structlog.
        parsed.message = parsed.take_field("event").unwrap_or_default();
    }
    Some(parsed)
}

/// The `fields` of `tracing`: besides the message they have no meaning of their own.
fn fields(parsed: &mut Parsed, inner: Vec<(String, &RawValue)>) {
    for (key, value) in inner {
        match key.as_str() {
            "message" if parsed.message.is_empty() => parsed.message = text(value),
            _ if key.starts_with("log.") => {}
            _ => parsed.field(&key, text(value)),
        }
    }
}

/// The members of an object, if it is one.
fn object(value: &RawValue) -> Option<Vec<(String, &RawValue)>> {
    let is_object = value.get().starts_with('{');
    is_object.then(|| {
        serde_json::from_str(value.get())
            .ok()
            .map(|Members(members)| members)
    })?
}

/// A string without its quotes, anything else as it stands.
fn text(value: &RawValue) -> String {
    serde_json::from_str(value.get()).unwrap_or_else(|_| value.get().to_owned())
}

/// The members of an object in the order of the line, all of them. A map would sort the fields
/// and refuse nothing that stands twice.
struct Members<'j>(Vec<(String, &'j RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(InOrder)
    }
}

struct InOrder;

impl<'de> Visitor<'de> for InOrder {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Members(members))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::shown;
    use super::*;

    #[test]
    fn each_dialect() {
        for (line, expected) in [
            // tracing, tracing with flattened fields, with a record of the `log` crate
            (
                r#"{"correlation_id":"abc","timestamp":"T","level":"INFO","fields":{"message":"stored","order":7,"a":"b c","ok":true},"target":"shop::db","span":{"name":"x"},"spans":[{}]}"#,
                "T INFO - shop::db [stored] correlation_id=abc order=7 a=b c ok=true",
            ),
            (
                r#"{"timestamp":"T","level":"WARN","message":"flat","z":1,"a":null,"target":"shop","correlation_id":"abc"}"#,
                "T WARN - shop [flat] z=1 a=null correlation_id=abc",
            ),
            (
                r#"{"timestamp":"T","level":"INFO","fields":{"message":"m","log.target":"t","log.line":6,"level":3,"time":"x"},"filename":"f","line_number":3,"threadId":"1"}"#,
                "T INFO - - [m] level=3 time=x",
            ),
            // bunyan, pino
            (
                r#"{"v":0,"name":"shop","msg":"[DB - START]","level":50,"hostname":"h","pid":1,"time":"T","target":"a","line":5,"file":"f"}"#,
                "T ERROR shop a [[DB - START]]",
            ),
            (
                r#"{"level":30,"time":1795356949440,"pid":1,"hostname":"h","msg":"m","name":"n"}"#,
                "T INFO - - [m] pid=1 hostname=h name=n",
            ),
            // ECS, both spellings
            (
                r#"{"@timestamp":"T","log.level":"error","message":"m","ecs.version":"1.6","service.name":"shop","log.logger":"a","process.pid":4}"#,
                "T ERROR shop a [m]",
            ),
            (
                r#"{"@timestamp":"T","message":"m","log":{"level":"INFO","origin":{"file":{}}},"service":{"name":"shop","id":"s"},"rows":3}"#,
                "T INFO shop - [m] service.id=s rows=3",
            ),
            // logstash, Stackdriver, slog, structured-logger, structlog, GELF
            (
                r#"{"@timestamp":"T","@version":"1","level":"INFO","level_value":20,"message":"m","thread_name":"main","logger_name":"a"}"#,
                "T INFO - a [m]",
            ),
            (
                r#"{"time":"T","severity":"NOTICE","message":"m","target":"a"}"#,
                "T INFO - a [m]",
            ),
            (
                r#"{"msg":"m","level":"INFO","ts":"T","rows":3}"#,
                "T INFO - - [m] rows=3",
            ),
            (
                r#"{"level":"INFO","message":"m","module":"a","timestamp":1795356949440}"#,
                "T INFO - a [m]",
            ),
            (
                r#"{"event":"m","level":"info","timestamp":"T","rows":3}"#,
                "T INFO - - [m] rows=3",
            ),
            (
                r#"{"short_message":"m","timestamp":1795356949.44,"level":3,"host":"h"}"#,
                "T ERROR - - [m] host=h",
            ),
            // log4rs, flexi_logger
            (
                r#"{"time":"T","level":"INFO","message":"m","target":"a","mdc":{"correlation_id":"abc"},"attributes":{"rows":3}}"#,
                "T INFO - a [m] correlation_id=abc rows=3",
            ),
            // nested and unknown things, things twice
            (
                r#"{"ts":"later","level":"loud","message":"m","msg":"n","who":{"a":[1, 2]},"x":"\ud800"}"#,
                r#"- - - - [m] ts=later level=loud msg=n who={"a":[1, 2]} x="\ud800""#,
            ),
            ("  {}  ", "- - - - []"),
        ] {
            let line = line.replace("\"T\"", "\"2026-11-22T14:15:49.44Z\"");
            assert_eq!(shown(&parse(&line).unwrap()), expected, "{line}");
        }
    }

    #[test]
    fn what_is_no_object_is_not_read() {
        for line in [
            "",
            "{",
            "[1]",
            "{\"a\":1} tail",
            "{not json}",
            "1",
            "{\"a\":\"cut",
        ] {
            assert_eq!(parse(line), None, "{line}");
        }
        let deep = "{\"a\":".repeat(100_000);
        assert_eq!(parse(&deep), None);
    }
}
