//! JSON as strict as a log store reads it.

use correlation_testkit::json::unique_members;
use serde_json::Value;

/// An object in the order it was written, each key once.
#[derive(Debug)]
pub(crate) struct Object {
    pub(crate) first: String,
    pub(crate) members: Vec<(String, Value)>,
}

impl Object {
    /// Reads a line.
    ///
    /// # Panics
    ///
    /// If the line is not one object, or has a key twice, at any depth.
    pub(crate) fn read(line: &str) -> Self {
        let members = unique_members(line);
        let first = members.first().map(|(key, _)| key.clone());
        Self {
            first: first.unwrap_or_default(),
            members,
        }
    }

    pub(crate) fn str(&self, key: &str) -> Option<&str> {
        let (_, value) = self.members.iter().find(|(known, _)| known == key)?;
        value.as_str()
    }
}
