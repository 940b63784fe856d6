use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use correlation_core::adapter::names::X_CORRELATION_ID;
use correlation_core::{Context, Extractor, Generator, Injector};
use serde_json::{Map, Value, json};

use crate::Header;
use crate::header::is_reserved;

/// A task to send, as `app.send_task` makes it in Python.
///
/// It takes the ambient context when you make it. The header
/// [`CORRELATION_ID`](Header::CORRELATION_ID) carries the ID. If the context has a W3C
/// trace, the headers `traceparent` and `tracestate` are sent too. The property `correlation_id` is
/// the task's ID, as Celery requires.
///
/// ```
/// use correlation_celery::{Task, correlation};
///
/// let id: correlation::CorrelationId = "click-1".parse()?;
/// let task = correlation::sync_scope(id, || Task::new("app.add").arg(1).arg(2));
/// assert_eq!(task.headers()["CORRELATION_ID"], "click-1");
/// assert_ne!(task.id(), "click-1"); // each call has a separate task ID
/// # Ok::<(), correlation::InvalidId>(())
/// ```
#[derive(Clone, Debug)]
pub struct Task {
    pub(crate) headers: Map<String, Value>,
    pub(crate) args: Vec<Value>,
    pub(crate) kwargs: Map<String, Value>,
    pub(crate) embed: Value,
    pub(crate) reply_to: String,
    /// The body as it was received. A retry sends it unchanged, so numbers that Rust cannot hold
    /// survive.
    pub(crate) received: Option<Vec<u8>>,
    pub(crate) context: Option<Context>,
    pub(crate) header: Header,
}

impl Task {
    /// Makes a call of the task with this name, such as `app.add`, with a new task ID.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self::with_header(name.into(), Header::default())
    }

    pub(crate) fn with_header(name: String, header: Header) -> Self {
        let (id, name) = (Value::from(uuid()), Value::from(name));
        let headers = [
            ("lang", "rust".into()),
            ("task", name),
            ("root_id", id.clone()),
            ("id", id),
            ("retries", 0.into()),
        ];
        Self {
            headers: headers
                .map(|(key, value)| (key.to_owned(), value))
                .into_iter()
                .collect(),
            args: Vec::new(),
            kwargs: Map::new(),
            embed: json!({"callbacks": null, "errbacks": null, "chain": null, "chord": null}),
            reply_to: String::new(),
            received: None,
            context: Context::current(),
            header,
        }
    }

    /// Adds a positional argument.
    #[must_use]
    pub fn arg(mut self, value: impl Into<Value>) -> Self {
        self.received = None;
        self.args.push(value.into());
        self
    }

    /// Adds positional arguments.
    #[must_use]
    pub fn args<V: Into<Value>>(self, values: impl IntoIterator<Item = V>) -> Self {
        values.into_iter().fold(self, Self::arg)
    }

    /// Sets a keyword argument.
    #[must_use]
    pub fn kwarg(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.received = None;
        self.kwargs.insert(name.into(), value.into());
        self
    }

    /// Sets keyword arguments.
    #[must_use]
    pub fn kwargs<K, V>(self, values: impl IntoIterator<Item = (K, V)>) -> Self
    where
        K: Into<String>,
        V: Into<Value>,
    {
        let values = values.into_iter();
        values.fold(self, |task, (name, value)| task.kwarg(name, value))
    }

    /// Sets a header: one of Celery's, such as `eta`, `expires` or `ignore_result`, or your own.
    /// The ID of the context in which you made the task takes precedence over an ID that you set
    /// here.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.headers.insert(name.into(), value.into());
        self
    }

    /// Sets the queue for the result, for workers with the backend `rpc://`. There is none by
    /// default, and no reply is sent.
    #[must_use]
    pub fn reply_to(mut self, queue: impl Into<String>) -> Self {
        self.reply_to = queue.into();
        self
    }

    /// Runs `next` after this task, with the result as its first argument: a chain.
    ///
    /// `next` runs in the context that it was made in, whatever signal handlers the worker has. The
    /// worker sends it to the queue that the worker has for that task. If `next` is a chain, its
    /// tasks follow, and its callbacks go along. Celery's own headers that you set on `next` are not
    /// carried.
    #[must_use]
    pub fn then(mut self, next: Self) -> Self {
        let mut headers = next.headers();
        let (name, id) = (headers.remove("task"), headers.remove("id"));
        headers.retain(|key, _| !is_reserved(key));
        let Self {
            args,
            kwargs,
            mut embed,
            ..
        } = next;
        let mut options = json!({"task_id": id, "headers": headers});
        // `apply_async` has other names for two of them.
        for (key, option) in [
            ("callbacks", "link"),
            ("errbacks", "link_error"),
            ("chord", "chord"),
        ] {
            let value = embed[key].take();
            if !value.is_null() {
                options[option] = value;
            }
        }
        let next = json!({
            "task": name,
            "args": args,
            "kwargs": kwargs,
            "options": options,
            "subtask_type": null,
            "immutable": false,
        });
        let listed = |embed: &mut Value| match embed["chain"].take() {
            Value::Array(tasks) => tasks,
            _ => Vec::new(),
        };
        // A worker takes the last one first.
        let mut chain = listed(&mut embed);
        chain.push(next);
        chain.extend(listed(&mut self.embed));
        self.embed["chain"] = chain.into();
        self.received = None;
        self
    }

    /// Returns the task's ID. It is the ID of this one call, not of the action that the call
    /// belongs to. On AMQP, the property `correlation_id` has to hold it.
    #[must_use]
    pub fn id(&self) -> &str {
        let id = self.headers.get("id").and_then(Value::as_str);
        id.unwrap_or_default()
    }

    /// Returns the headers, with the ID.
    ///
    /// If the request takes part in its trace
    /// ([`TraceContext::Participate`](correlation_core::TraceContext::Participate)), each call of
    /// this method makes a new `traceparent`.
    #[must_use]
    pub fn headers(&self) -> Map<String, Value> {
        let mut headers = self.headers.clone();
        if let Some(context) = &self.context {
            let mut carrier = Carrier(&mut headers, self.header.as_str());
            context.inject(&mut carrier);
            // Headers that were copied from another message do not forward its ID.
            for name in Header::KNOWN {
                if let Some(id) = headers.get_mut(name) {
                    *id = context.id().as_str().into();
                }
            }
        }
        headers
    }

    /// Returns the headers for an AMQP client, in the types of that client.
    ///
    /// `text` converts a text to a value. With lapin, write this:
    ///
    /// ```text
    /// task.amqp_headers(|text| LongString::from(text).into())
    /// ```
    ///
    /// The result has all headers that hold a text, a boolean, or a whole number of 64 bits with its
    /// sign; RabbitMQ knows no larger ones. This crate writes no others. Names over 255 bytes are left out. Lists and tables are only in
    /// [`headers`](Self::headers).
    pub fn amqp_headers<K, V>(&self, text: impl Fn(String) -> V) -> impl Iterator<Item = (K, V)>
    where
        K: From<String>,
        V: From<bool> + From<i64>,
    {
        self.headers().into_iter().filter_map(move |(key, value)| {
            let value = match value {
                Value::String(value) => text(value),
                Value::Bool(value) => value.into(),
                value => value.as_i64()?.into(),
            };
            // AMQP allows no longer names, and some clients panic at one.
            (key.len() <= 255).then(|| (key.into(), value))
        })
    }

    /// Returns the body as JSON, with the content type `application/json` and the content encoding
    /// `utf-8`.
    #[must_use]
    pub fn body(&self) -> Vec<u8> {
        self.received.clone().unwrap_or_else(|| {
            let body = json!([self.args, self.kwargs, self.embed]);
            body.to_string().into_bytes()
        })
    }

    /// Returns the whole message for Redis. Send it with `LPUSH queue`.
    #[must_use]
    pub fn redis_envelope(&self, queue: &str) -> String {
        let envelope = json!({
            "body": STANDARD.encode(self.body()),
            "content-encoding": "utf-8",
            "content-type": "application/json",
            "headers": self.headers(),
            "properties": {
                "correlation_id": self.id(),
                "reply_to": self.reply_to,
                "delivery_mode": 2,
                // Without these, a worker loses the message or stops.
                "delivery_info": {"exchange": "", "routing_key": queue},
                "delivery_tag": uuid(),
                "priority": 0,
                "body_encoding": "base64",
            },
        });
        envelope.to_string()
    }
}

/// Message headers, with the ID under the configured name.
struct Carrier<'a>(&'a mut Map<String, Value>, &'a str);

impl Carrier<'_> {
    fn name<'k>(&'k self, key: &'k str) -> &'k str {
        if key == X_CORRELATION_ID { self.1 } else { key }
    }
}

impl Extractor for Carrier<'_> {
    fn get_all(&self, key: &'static str) -> impl Iterator<Item = &[u8]> {
        let value = self.0.get(self.name(key)).and_then(Value::as_str);
        value.map(str::as_bytes).into_iter()
    }
}

impl Injector for Carrier<'_> {
    fn remove(&mut self, key: &'static str) {
        // Celery has keys that differ only in case, such as `correlation_id`.
        let name = self.name(key).to_owned();
        self.0.remove(&name);
    }

    fn set(&mut self, key: &'static str, value: &str) {
        let name = self.name(key).to_owned();
        self.0.insert(name, value.into());
    }
}

fn uuid() -> String {
    Generator::uuid_v4().generate().into()
}
