use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use correlation_core::{Context, Scoped, scope};
use serde_json::{Map, Value};

use crate::{Celery, Header, InvalidMessage, Task};

/// A task that was received, with the context to run it in.
///
/// The ID comes from the first of these that has a valid one:
///
/// - the configured [`Header`](crate::Header)
/// - the other presets
/// - the same names in the nested table `headers`
/// - the trace-id of a valid `traceparent`
///
/// If none has one, the ID is new. Text that is not a valid ID, and values that are not text, count
/// as absent. The property `correlation_id` is never read, because it is the task's ID.
///
/// ```
/// use correlation_celery::{Message, Task, correlation};
///
/// let id: correlation::CorrelationId = "click-1".parse()?;
/// let task = correlation::sync_scope(id, || Task::new("app.add").arg(2).kwarg("y", 3));
///
/// let message = Message::from_redis(task.redis_envelope("celery"))?;
/// assert_eq!(message.task(), "app.add");
/// assert_eq!(message.context().id().as_str(), "click-1");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Message {
    task: Task,
    context: Context,
}

impl Message {
    /// Reads the text that `BRPOP queue` returns.
    ///
    /// # Errors
    ///
    /// If it is not a message of protocol 2 in JSON. Messages of protocol 1, compressed messages,
    /// and bodies in pickle, YAML or msgpack are not supported. Neither is a body with `NaN` or
    /// `Infinity`, which Python writes and JSON does not have.
    pub fn from_redis(envelope: impl AsRef<[u8]>) -> Result<Self, InvalidMessage> {
        Celery::new().read_redis(envelope)
    }

    /// Reads the headers and the body of an AMQP message.
    ///
    /// You may leave out headers that are neither text nor a number.
    ///
    /// # Errors
    ///
    /// The same as for [`from_redis`](Self::from_redis).
    pub fn from_amqp<K: Into<String>, V: Into<Value>>(
        headers: impl IntoIterator<Item = (K, V)>,
        body: impl AsRef<[u8]>,
    ) -> Result<Self, InvalidMessage> {
        Celery::new().read_amqp(headers, body)
    }

    /// Returns the name of the task.
    #[must_use]
    pub fn task(&self) -> &str {
        self.task.headers["task"].as_str().unwrap_or_default()
    }

    /// Returns the task's ID. It is the ID of this one call, not of the action that the call
    /// belongs to.
    #[must_use]
    pub fn id(&self) -> &str {
        self.task.id()
    }

    /// Returns the positional arguments. To get them as a tuple, write
    /// `serde_json::from_value::<(i64, i64)>(message.args().into())`.
    #[must_use]
    pub fn args(&self) -> &[Value] {
        &self.task.args
    }

    /// Returns the keyword arguments.
    #[must_use]
    pub const fn kwargs(&self) -> &Map<String, Value> {
        &self.task.kwargs
    }

    /// Returns how often the task was tried before.
    #[must_use]
    pub fn retries(&self) -> u64 {
        self.header("retries").and_then(Value::as_u64).unwrap_or(0)
    }

    /// Returns any header, as it was received.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&Value> {
        self.task.headers.get(name)
    }

    /// Returns the context to run the task in.
    #[must_use]
    pub const fn context(&self) -> &Context {
        &self.context
    }

    /// Runs a future in the context of the message, even if there is already a scope.
    pub fn scope<F: Future>(&self, future: F) -> Scoped<F> {
        scope(self.context.clone(), future)
    }

    /// Returns the message to send for another try.
    ///
    /// It has the same task ID, arguments, callbacks and headers, and `retries` is one higher. It
    /// has the ID that this try ran with, even if that ID was new. For a delay, set the header
    /// `eta`. The trace context goes along as the policy says. With
    /// [`TraceContext::Off`](correlation_core::TraceContext::Off), your tracer has to set it.
    #[must_use]
    pub fn retry(&self) -> Task {
        let mut task = self.task.clone();
        let retries = self.retries().saturating_add(1);
        task.headers.insert("retries".to_owned(), retries.into());
        // Headers that were read and found invalid must not be sent again.
        let names = [task.header.as_str(), "traceparent", "tracestate"];
        for name in names {
            task.headers.remove(name);
        }
        if let Some(Value::Object(nested)) = task.headers.get_mut("headers") {
            for name in names.into_iter().chain(Header::KNOWN) {
                nested.remove(name);
            }
        }
        task.context = Some(self.context.clone());
        task
    }
}

impl Celery {
    /// Reads a message as [`Message::from_redis`] does, with these settings.
    ///
    /// # Errors
    ///
    /// If it is not a message of protocol 2 in JSON.
    pub fn read_redis(&self, envelope: impl AsRef<[u8]>) -> Result<Message, InvalidMessage> {
        let mut envelope = json(envelope.as_ref(), "the envelope is not JSON")?;
        let mut take = |key| envelope.get_mut(key).map(Value::take).unwrap_or_default();
        let Value::Object(headers) = take("headers") else {
            return Err(InvalidMessage("the envelope has no `headers`"));
        };
        let (body, properties) = (take("body"), take("properties"));
        let body = body
            .as_str()
            .ok_or(InvalidMessage("the envelope has no `body`"))?;
        let mut message = if properties["body_encoding"] == "base64" {
            let body = STANDARD.decode(body);
            self.read_amqp(
                headers,
                body.map_err(|_| InvalidMessage("the body is not base64"))?,
            )?
        } else {
            self.read_amqp(headers, body)?
        };
        message.task.reply_to = properties["reply_to"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        Ok(message)
    }

    /// Reads a message as [`Message::from_amqp`] does, with these settings.
    ///
    /// # Errors
    ///
    /// If it is not a message of protocol 2 in JSON.
    pub fn read_amqp<K: Into<String>, V: Into<Value>>(
        &self,
        headers: impl IntoIterator<Item = (K, V)>,
        body: impl AsRef<[u8]>,
    ) -> Result<Message, InvalidMessage> {
        let headers = headers.into_iter().map(|(k, v)| (k.into(), v.into()));
        let headers: Map<String, Value> = headers.collect();
        let text = |key| headers.get(key).and_then(Value::as_str);
        if text("task").is_none_or(str::is_empty) {
            return Err(InvalidMessage(
                "no header `task`: only protocol 2 is supported",
            ));
        }
        // It becomes an AMQP property, which has at most 255 bytes.
        if !text("id").is_some_and(|id| (1..=255).contains(&id.len())) {
            return Err(InvalidMessage("no header `id` of 1 to 255 bytes"));
        }
        if text("compression").is_some() {
            return Err(InvalidMessage(
                "the body is compressed, which is not supported",
            ));
        }
        let body = body.as_ref();
        let parts = serde_json::from_value(json(body, "the body is not JSON")?);
        let (args, kwargs, embed): (_, _, Option<Map<_, _>>) =
            parts.map_err(|_| InvalidMessage("the body is not [args, kwargs, embed]"))?;
        let context = self.context(&headers);
        let task = Task {
            headers,
            args,
            kwargs,
            embed: embed.unwrap_or_default().into(),
            received: Some(body.to_vec()),
            context: None,
            ..self.task("")
        };
        Ok(Message { task, context })
    }
}

fn json(text: &[u8], otherwise: &'static str) -> Result<Value, InvalidMessage> {
    serde_json::from_slice(text).map_err(|_| InvalidMessage(otherwise))
}
