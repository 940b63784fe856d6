//! A record as `tracing` writes it in JSON, flattened or not.

use std::fmt::{self, Write};

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::Value;

use super::parse::Line;
use super::time::Timestamp;

/// A JSON object of one line.
#[derive(Deserialize)]
pub(super) struct Object {
    #[serde(default)]
    timestamp: String,
    #[serde(default)]
    level: String,
    correlation_id: Option<String>,
    #[serde(default)]
    message: String,
    /// Where `tracing` puts message and fields.
    #[serde(default)]
    fields: Members,
    /// Where they are if it was told to flatten them.
    #[serde(flatten)]
    others: Members,
}

impl Object {
    /// The record, if it belongs to `id`.
    pub(super) fn into_line(self, id: &str) -> Option<Line> {
        if self.correlation_id? != id {
            return None;
        }
        let mut message = self.message;
        for (key, value) in &self.fields.0 {
            if !key.starts_with(FROM_LOG) {
                push_field(&mut message, key, value);
            }
        }
        for (key, value) in &self.others.0 {
            if !key.starts_with(FROM_LOG) && !ORIGIN.contains(&key.as_str()) {
                push_field(&mut message, key, value);
            }
        }
        Some(match Timestamp::parse(&self.timestamp) {
            Some(time) => Line::Record {
                time,
                level: self.level,
                message,
            },
            None => Line::Continuation(message),
        })
    }
}

/// Appends a field as `tracing` writes it in text.
fn push_field(message: &mut String, key: &str, value: &Value) {
    let gap = if message.is_empty() { "" } else { " " };
    // Writing to a string cannot fail.
    let _ = match value {
        Value::String(text) if key == "message" => write!(message, "{gap}{text}"),
        Value::String(text) if is_plain(text) => write!(message, "{gap}{key}={text}"),
        Value::String(text) => write!(message, "{gap}{key}={text:?}"),
        other => write!(message, "{gap}{key}={other}"),
    };
}

fn is_plain(value: &str) -> bool {
    !value.is_empty() && !value.contains(|c: char| c.is_whitespace() || c == '"')
}

/// The members of an object in the order of the line: a map would print the fields of a record
/// in another order than their author wrote them.
#[derive(Default)]
struct Members(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(InOrder)
    }
}

struct InOrder;

impl<'de> Visitor<'de> for InOrder {
    type Value = Members;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Members(members))
    }
}

/// Where a record comes from in the code is not part of the story.
const ORIGIN: [&str; 7] = [
    "target",
    "span",
    "spans",
    "filename",
    "line_number",
    "threadName",
    "threadId",
];

/// And neither is what `tracing-log` adds for the same purpose to records of the `log` crate.
const FROM_LOG: &str = "log.";
