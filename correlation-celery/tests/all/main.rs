//! What is written and read; and real Celery at the other end, over Redis and over RabbitMQ.
//!
//! `CORRELATION_REQUIRE_SERVICES=1 cargo test -p correlation-celery`

mod build;
mod hostile;
mod policy;
mod read;

#[cfg(unix)]
mod broker;
#[cfg(unix)]
mod libraries;
#[cfg(unix)]
mod python;
#[cfg(unix)]
mod workers;

use correlation_celery::serde_json::{Map, Value, json};

/// The body of a task without arguments.
const BODY: &str =
    r#"[[], {}, {"callbacks": null, "errbacks": null, "chain": null, "chord": null}]"#;

/// The headers of a task, with these beside them.
fn headers(extra: Value) -> Map<String, Value> {
    let mut headers = json!({"task": "app.add", "id": "task-1", "root_id": "root-1"});
    let Value::Object(extra) = extra else {
        panic!("not an object")
    };
    headers.as_object_mut().unwrap().extend(extra);
    headers.as_object().unwrap().clone()
}
