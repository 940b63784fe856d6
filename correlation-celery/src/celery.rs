use std::future::ready;
use std::pin::pin;

use correlation_core::{Context, CorrelationId, continue_from, extract_with};
use serde_json::{Map, Value};

use crate::{Header, Task};

/// How messages are built and read where the defaults do not fit: the name of the header, for
/// systems with Python libraries that use another one.
///
/// ```
/// use correlation_celery::{Celery, Header, correlation};
///
/// let django = Celery::new().header(Header::DJANGO_GUID);
/// let id: correlation::CorrelationId = "click-1".parse().unwrap();
/// let task = correlation::sync_scope(id, || django.task("app.add").arg(1));
/// assert_eq!(task.headers()["Correlation-ID"], "click-1");
/// ```
#[derive(Clone, Debug, Default)]
pub struct Celery {
    pub(crate) header: Header,
    root_id_as_id: bool,
}

impl Celery {
    /// The defaults: [`Header::CORRELATION_ID`], and no other ID in its place.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The header that is written, and read first.
    #[must_use]
    pub fn header(mut self, header: Header) -> Self {
        self.header = header;
        self
    }

    /// Whether Celery's `root_id`, the task ID of the first task in a chain of calls, becomes the
    /// ID when a message has no other. Off by default.
    #[must_use]
    pub const fn root_id_as_id(mut self, on: bool) -> Self {
        self.root_id_as_id = on;
        self
    }

    /// As [`Task::new`].
    #[must_use]
    pub fn task(&self, name: impl Into<String>) -> Task {
        Task::with_header(name.into(), self.header.clone())
    }

    /// The context that these headers bring, or a new one.
    pub(crate) fn context(&self, headers: &Map<String, Value>) -> Context {
        // Where Celery and the Sentry SDK put the caller's `headers=` of some calls.
        let nested = headers.get("headers").and_then(Value::as_object);
        let places = || [Some(headers), nested].into_iter().flatten();
        let text = |map: &Map<_, Value>, key: &str| Some(map.get(key)?.as_str()?.to_owned());
        // Core has the rules for what an ID is.
        let valid = |value: &String| extract_with(|key| (key == ID).then_some(value)).is_some();

        let names = || [self.header.as_str()].into_iter().chain(Header::KNOWN);
        let mut found = places()
            .flat_map(|map| names().filter_map(move |name| text(map, name)))
            .find(valid);
        let get = |id: &Option<String>, key: &str| match key {
            ID => id.clone(),
            "traceparent" | "tracestate" => places().find_map(|map| text(map, key)),
            _ => None,
        };
        if self.root_id_as_id && extract_with(|key| get(&found, key)).is_none() {
            found = text(headers, "root_id");
        }
        let scoped = pin!(continue_from(|key| get(&found, key), ready(())));
        let context = scoped.with_pin_mut(|_| Context::current()).flatten();
        context.unwrap_or_else(|| Context::new(CorrelationId::new()))
    }
}

/// What core calls the ID.
pub(crate) const ID: &str = "x-correlation-id";
