//! What the keys of structured logs mean.

use super::Parsed;
use crate::record::Level;
use crate::time::Timestamp;

impl Parsed {
    /// Takes a key at the top of a record. Each meaning is taken once; what then is left over is
    /// a field, as is a time that is none.
    pub(super) fn set(&mut self, key: &str, value: String) {
        match key {
            "timestamp" | "@timestamp" | "time" | "ts" | "t" | "datetime" | "asctime"
                if self.time.is_none() =>
            {
                self.time = Timestamp::parse(&value);
                if self.time.is_none() {
                    self.field(key, value);
                }
            }
            "level" | "log.level" | "severity" | "lvl" | "levelname" | "loglevel"
                if self.level.is_none() =>
            {
                self.level = Level::parse(&value);
                if self.level.is_none() {
                    self.field(key, value);
                }
            }
            "message" | "msg" | "@message" | "short_message" if self.message.is_empty() => {
                self.message = value;
            }
            "service" | "service.name" | "service_name" | "app" | "application"
                if self.service.is_none() =>
            {
                self.service = Some(value);
            }
            "target" | "logger" | "logger_name" | "log.logger" | "module" | "module_path"
                if self.target.is_none() =>
            {
                self.target = Some(value);
            }
            _ if is_origin(key) => {}
            _ => self.field(key, value),
        }
    }

    pub(super) fn field(&mut self, key: &str, value: String) {
        self.fields.push((key.to_owned(), value));
    }

    /// Takes the field of that name out.
    pub(super) fn take_field(&mut self, key: &str) -> Option<String> {
        let at = self.fields.iter().position(|(name, _)| name == key)?;
        Some(self.fields.remove(at).1)
    }
}

/// Where in the code, in which thread and by which version of a format it was written is not part
/// of the story.
fn is_origin(key: &str) -> bool {
    let known = [
        "span",
        "spans",
        "filename",
        "line_number",
        "threadName",
        "threadId",
        "thread_name",
        "file",
        "line",
        "ecs.version",
        "ecs",
        "@version",
        "level_value",
    ];
    // What `tracing-log` adds to records of the `log` crate, and ECS to all.
    known.contains(&key) || key.starts_with("log.") || key.starts_with("process.")
}
