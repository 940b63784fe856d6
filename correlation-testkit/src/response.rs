//! A response as it came over the wire.

use std::borrow::Cow;

use serde_json::Value;

use crate::CORRELATION_ID;

/// A response with every header line kept, so that duplicates stay visible.
#[derive(Clone, Debug)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Every header line in order: the name as sent, the value as bytes.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body, its transfer encoding undone.
    pub body: Vec<u8>,
}

impl Response {
    /// All values of a header, whatever the case of its name.
    pub fn values(&self, name: &str) -> Vec<Cow<'_, str>> {
        self.headers
            .iter()
            .filter(|(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| String::from_utf8_lossy(value))
            .collect()
    }

    /// The values of `x-correlation-id`: exactly one, if all is well.
    pub fn ids(&self) -> Vec<Cow<'_, str>> {
        self.values(CORRELATION_ID)
    }

    /// The members of a header that is a comma-separated list, in lower case.
    pub fn list(&self, name: &str) -> Vec<String> {
        let values = self.values(name);
        let members = values.iter().flat_map(|value| value.split(','));
        members
            .map(|member| member.trim().to_ascii_lowercase())
            .filter(|member| !member.is_empty())
            .collect()
    }

    /// The body as text.
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }

    /// The IDs in the body of `/sleepy` and `/stream`.
    pub fn reads(&self) -> Vec<String> {
        match serde_json::from_slice(&self.body) {
            Ok(Value::Array(ids)) => ids
                .iter()
                .map(|id| id.as_str().unwrap_or_default().to_owned())
                .collect(),
            _ => self.text().lines().map(str::to_owned).collect(),
        }
    }

    /// The body as JSON; `null` if it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}
