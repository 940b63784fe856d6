//! A response as it was received.

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
    /// The body, without its transfer encoding.
    pub body: Vec<u8>,
}

impl Response {
    /// Returns all values of a header, in any case of its name.
    pub fn values(&self, name: &str) -> Vec<Cow<'_, str>> {
        self.headers
            .iter()
            .filter(|(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| String::from_utf8_lossy(value))
            .collect()
    }

    /// Returns the values of `x-correlation-id`. If all is well, there is exactly one.
    pub fn ids(&self) -> Vec<Cow<'_, str>> {
        self.values(CORRELATION_ID)
    }

    /// Returns the members of a header that is a comma-separated list, in lower case.
    pub fn list(&self, name: &str) -> Vec<String> {
        let values = self.values(name);
        let members = values.iter().flat_map(|value| value.split(','));
        members
            .map(|member| member.trim().to_ascii_lowercase())
            .filter(|member| !member.is_empty())
            .collect()
    }

    /// Returns the body as text.
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }

    /// Returns the IDs in the body of `/sleepy` and `/stream`.
    pub fn reads(&self) -> Vec<String> {
        match serde_json::from_slice(&self.body) {
            Ok(Value::Array(ids)) => ids
                .iter()
                .map(|id| id.as_str().unwrap_or_default().to_owned())
                .collect(),
            _ => self.text().lines().map(str::to_owned).collect(),
        }
    }

    /// Returns the body as JSON, or `null` if it is not JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}
