use correlation_celery::{Celery, Message};
use correlation_core::{CorrelationId, Origin};
use serde_json::{Map, Value};

use crate::contains;

/// The first line is the headers of a message, the rest its body; or all of it is an envelope of
/// Redis. What is read holds together, and goes out again as it came.
pub fn celery(data: &[u8]) {
    let end = data.iter().position(|&byte| byte == b'\n');
    let (headers, body) = data.split_at(end.unwrap_or(data.len()));
    let headers = serde_json::from_slice::<Map<String, Value>>(headers).unwrap_or_default();
    let [plain, rooted] = [false, true].map(|root_id| {
        let celery = Celery::new().root_id_as_id(root_id);
        let read = celery.read_redis(data);
        let message = read
            .or_else(|_| celery.read_amqp(headers.clone(), body))
            .ok()?;
        check(&message, data);
        Some(message)
    });
    // Whoever has an ID keeps it. Else it is that of the first task, if that is one.
    if let (Some(plain), Some(rooted)) = (plain, rooted) {
        let (context, root) = (rooted.context(), rooted.header("root_id"));
        let root = root.and_then(Value::as_str).unwrap_or_default();
        let is_root = root.contains(context.id().as_str());
        match plain.context().origin() {
            Origin::Generated => assert!(is_root || context.origin() == Origin::Generated),
            _ => assert_eq!(context.id(), plain.context().id()),
        }
    }
}

fn check(message: &Message, data: &[u8]) {
    assert!(!message.task().is_empty() && !message.id().is_empty());
    let (context, id) = (message.context(), message.context().id());
    assert_eq!(id.as_str().parse::<CorrelationId>().as_ref(), Ok(id));
    // No byte of an ID is escaped in JSON, but may be.
    if context.origin() != Origin::Generated && !data.contains(&b'\\') {
        assert!(contains(data, id.as_str().as_bytes()), "{id} is made up");
    }
    let again = message.retry();
    let headers = again.headers();
    let ours = |name: &str| headers.get(name).and_then(Value::as_str);
    assert_eq!(ours("CORRELATION_ID"), Some(id.as_str()));
    let traced = headers.contains_key("traceparent");
    assert_eq!(traced, context.trace_id().is_some());
    assert!(traced || !headers.contains_key("tracestate"));
    // Whoever reads another name of it reads the same.
    for name in ["Correlation-ID", "CORRELATION-ID", "x_request_id"] {
        assert!([None, Some(id.as_str())].contains(&ours(name)), "{name}");
    }
    let names = again.amqp_headers::<String, Value>(Value::from);
    assert!(names.map(|(name, _)| name).all(|name| name.len() <= 255));
    for read in [
        Message::from_redis(again.redis_envelope("jobs")),
        Message::from_amqp(headers.clone(), again.body()),
    ] {
        let read = read.unwrap();
        assert_eq!(read.context().id(), id);
        assert_eq!(read.context().trace_id(), context.trace_id());
        assert_eq!(
            (read.args(), read.kwargs()),
            (message.args(), message.kwargs())
        );
        assert_eq!(read.retries(), message.retries().saturating_add(1));
    }
}
