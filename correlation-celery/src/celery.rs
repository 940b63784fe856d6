use correlation_core::adapter::for_message;
use correlation_core::adapter::names::{TRACEPARENT, TRACESTATE, X_CORRELATION_ID};
use correlation_core::{Context, CorrelationId, Origin, Policy};
use serde_json::{Map, Value};

use crate::{Header, Task};

/// The settings for building and reading messages, for systems where the defaults do not fit.
///
/// They are the name of the header, if your Python libraries use another one, and the rules for
/// messages that are received.
///
/// ```
/// use correlation_celery::{Celery, Header, correlation};
///
/// let django = Celery::new().header(Header::DJANGO_GUID);
/// let id: correlation::CorrelationId = "click-1".parse().unwrap();
/// let task = correlation::sync_scope(id, || django.task("app.add").arg(1));
/// assert_eq!(task.headers()["Correlation-ID"], "click-1");
/// ```
#[derive(Clone, Debug)]
pub struct Celery {
    pub(crate) header: Header,
    policy: Policy,
    root_id_as_id: bool,
}

impl Default for Celery {
    fn default() -> Self {
        Self {
            header: Header::default(),
            policy: Policy::new().max_len(CorrelationId::MAX_LEN),
            root_id_as_id: false,
        }
    }
}

impl Celery {
    /// Returns the defaults: the header is [`Header::CORRELATION_ID`], and no other ID replaces it.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the header that is written, and read first.
    #[must_use]
    pub fn header(mut self, header: Header) -> Self {
        self.header = header;
        self
    }

    /// Sets the rules for messages that are received.
    ///
    /// They say whose IDs are accepted, what a valid ID is, how a new one is made, and how the
    /// trace context is handled. The default is [`Policy::new`] with IDs of up to 255 bytes, so
    /// every ID that this crate writes is read.
    ///
    /// [`header`](Self::header) says which headers may hold the ID. [`Policy::headers`] and
    /// [`Policy::sources`] have no effect here, except for
    /// [`Source::TRACEPARENT`](correlation_core::Source::TRACEPARENT). Nor do the settings for
    /// responses.
    ///
    /// # Panics
    ///
    /// If the policy has 14 sources already, which is the maximum, and none is `X-Correlation-ID`.
    #[track_caller]
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy.headers([X_CORRELATION_ID]);
        self
    }

    /// Sets whether Celery's `root_id` becomes the ID of a message that has no other ID. Off by
    /// default.
    ///
    /// The `root_id` is the task ID of the first task in a chain of calls.
    #[must_use]
    pub const fn root_id_as_id(mut self, on: bool) -> Self {
        self.root_id_as_id = on;
        self
    }

    /// Makes a task as [`Task::new`] does, with these settings.
    #[must_use]
    pub fn task(&self, name: impl Into<String>) -> Task {
        Task::with_header(name.into(), self.header.clone())
    }

    /// Reads the context from these headers, or makes a new one.
    pub(crate) fn context(&self, headers: &Map<String, Value>) -> Context {
        // Celery and the Sentry SDK put the caller's `headers=` of some calls here.
        let nested = headers.get("headers").and_then(Value::as_object);
        let places = || [Some(headers), nested].into_iter().flatten();
        let text = |map: &Map<_, Value>, key: &str| Some(map.get(key)?.as_str()?.to_owned());
        // The policy has the rules for an ID. An ID that it does not trust is still one.
        let is_id = |context: &Context| {
            context.origin() != Origin::Generated || context.untrusted_id().is_some()
        };
        let policy = for_message(&self.policy);
        let valid = |value: &String| policy.accepts(value.as_bytes());

        let names = || [self.header.as_str()].into_iter().chain(Header::KNOWN);
        let found = places()
            .flat_map(|map| names().filter_map(move |name| text(map, name)))
            .find(valid);
        // Both headers of a trace come from one place.
        let traced = places().find(|map| text(map, TRACEPARENT).is_some());
        let read = |id: Option<String>| {
            policy.extract_with(|key| match key {
                X_CORRELATION_ID => id.clone(),
                TRACEPARENT | TRACESTATE => text(traced?, key),
                _ => None,
            })
        };
        let context = read(found);
        if self.root_id_as_id && !is_id(&context) {
            return read(text(headers, "root_id"));
        }
        context
    }
}
