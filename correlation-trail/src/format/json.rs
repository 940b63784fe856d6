//! A JSON object: `tracing`, bunyan, pino, ECS, logstash, slog, Serilog, log4j2, .NET and others.

use std::{fmt, iter};

use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::Parsed;
use crate::record::Level;
use crate::time::Time;

/// Reads a line that is an object.
pub(super) fn parse(line: &str) -> Option<Parsed> {
    let members = members(line.trim_ascii())?;
    let has = |key: &str| members.iter().any(|(name, _)| name == key);
    // Every record of bunyan has these keys. Elsewhere, `name` may mean anything.
    let bunyan = ["name", "hostname", "pid", "v"].into_iter().all(has);
    let mut parsed = Parsed {
        whole: true,
        ..Parsed::default()
    };
    for (key, value) in &members {
        match (key.as_str(), self::members(value.get())) {
            ("name", None) if bunyan => parsed.service = Some(text(value)),
            ("hostname" | "pid" | "v", None) if bunyan => {}
            // `tracing` puts everything into `fields` that it does not put at the top.
            // flexi_logger, log4rs, json-subscriber, log4j2, .NET, Serilog, MongoDB and
            // OpenTelemetry use the other names.
            (
                outer @ ("fields" | "kv" | "mdc" | "attributes" | "contextMap" | "context"
                | "extra" | "State" | "Properties" | "attr" | "LogAttributes"
                | "Attributes" | "custom_dimensions" | "httpRequest" | "customDimensions"),
                Some(inner),
            ) => {
                let tracing = outer == "fields";
                for (key, value) in inner {
                    if ["message", "Message"].contains(&key.as_str()) {
                        parsed.set(&key, text(value));
                    } else if !(tracing && key.starts_with("log.") || key == "{OriginalFormat}") {
                        parsed.field(&key, text(value));
                    }
                }
            }
            // ECS may use objects: `"log":{"level":"info"}` for `"log.level":"info"`.
            (
                outer @ ("log" | "service" | "process" | "ResourceAttributes" | "resource"
                | "Resource"),
                Some(inner),
            ) => {
                for (key, value) in inner {
                    let key = match outer {
                        "ResourceAttributes" | "resource" | "Resource" => key,
                        _ => format!("{outer}.{key}"),
                    };
                    parsed.set(&key, text(value));
                }
            }
            ("instant", Some(inner)) => {
                let part = |key| at(&inner, key).map(text);
                let parts = part("epochSecond").zip(part("nanoOfSecond"));
                parsed.time = parts.and_then(|(s, ns)| Time::from_parts(&s, &ns));
            }
            // MongoDB: `{"$date":"2026-.."}`
            (_, Some(inner)) if inner.len() == 1 && inner[0].0 == "$date" => {
                parsed.set(key, text(inner[0].1));
            }
            // Scopes of .NET: an array of objects and texts.
            ("Scopes", None) => parsed.scopes(value),
            (_, _) => parsed.set(key, text(value)),
        }
    }
    parsed.settle();
    // structlog calls the message `event`. In Serilog, the template is used only if there is no
    // message.
    for other in [
        "event",
        "@mt",
        "Template",
        "MessageTemplate",
        "error",
        "err",
        "eventName",
    ] {
        if parsed.message.is_empty() {
            parsed.message = parsed.take(other).unwrap_or_default();
        }
    }
    parsed.take("@mt");
    parsed.find_time();
    parsed.finish();
    // Serilog leaves out its level if it is this one.
    if has("@t") {
        parsed.level = parsed.level.or(Some(Level::Info));
    }
    Some(parsed)
}

impl Parsed {
    fn scopes(&mut self, value: &RawValue) {
        let scopes: Vec<&RawValue> = serde_json::from_str(value.get()).unwrap_or_default();
        for scope in scopes {
            for (key, value) in members(scope.get()).into_iter().flatten() {
                if key != "Message" && key != "{OriginalFormat}" {
                    self.field(&key, text(value));
                }
            }
        }
    }
}

/// Returns a string without its quotes, and any other value unchanged.
pub(super) fn text(value: &RawValue) -> String {
    let json = value.get();
    let is_string = json.starts_with('"');
    let text = is_string.then(|| serde_json::from_str(json).ok()).flatten();
    text.unwrap_or_else(|| json.to_owned())
}

/// Returns an array of bytes, which the journal writes for a text that is not plain.
pub(super) fn bytes(value: &RawValue) -> Option<Vec<u8>> {
    serde_json::from_str(value.get()).ok()
}

/// Returns the value under a key. `a.b` is the key `b` in the object `a`.
pub(super) fn at<'j>(members: &Members<'j>, path: &str) -> Option<&'j RawValue> {
    let find = |key: &str| {
        let found = members.iter().find(|(name, _)| name == key);
        found
            .map(|&(_, value)| value)
            .filter(|value| value.get() != "null")
    };
    find(path).or_else(|| {
        let (outer, inner) = path.split_once('.')?;
        at(&self::members(find(outer)?.get())?, inner)
    })
}

/// Returns the members of an object, or `None` if the text is not an object.
pub(super) fn members(json: &str) -> Option<Members<'_>> {
    if !json.starts_with('{') {
        return None;
    }
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let members = deserializer.deserialize_map(InOrder).ok()?;
    deserializer.end().ok().map(|()| members)
}

pub(super) type Members<'j> = Vec<(String, &'j RawValue)>;

/// Keeps all members in the order of the line. A map would sort the keys and keep each only once.
struct InOrder;

impl<'de> Visitor<'de> for InOrder {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        iter::from_fn(|| map.next_entry().transpose()).collect()
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_deepest_object_is_not_read() {
        assert_eq!(super::parse(&"{\"a\":".repeat(100_000)), None);
    }
}
