//! Rules other than the default ones, for what is received and what follows from it.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use correlation_celery::correlation::{Origin, Policy, Source, TraceContext, Trust, sync_scope};
use correlation_celery::serde_json::{Value, from_slice, from_str, json};
use correlation_celery::{Celery, Message, Task};
use correlation_testkit::{TRACE, TRACE_ID};

use crate::{BODY, headers};

fn read(policy: Policy, extra: Value) -> Message {
    let celery = Celery::new().policy(policy);
    celery.read_amqp(headers(extra), BODY).unwrap()
}

fn participate() -> Policy {
    Policy::new().trace_context(TraceContext::Participate { sampled: true })
}

/// The `traceparent` of what was sent, as an envelope for Redis has it.
fn sent(task: &Task) -> String {
    let envelope: Value = from_str(&task.redis_envelope("jobs")).unwrap();
    envelope["headers"]["traceparent"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[test]
fn each_task_and_each_retry_has_a_parent_id_of_its_own() {
    let came = json!({"CORRELATION_ID": "click-1", "traceparent": TRACE, "tracestate": "a=1,b=2"});
    let message = read(participate(), came);
    let tasks = sync_scope(message.context().clone(), || {
        [
            Task::new("app.a"),
            Task::new("app.b"),
            message.retry(),
            message.retry(),
        ]
    });
    let mut parents = HashSet::from([TRACE.to_owned()]);
    for task in &tasks {
        let parent = sent(task);
        assert!(
            parent.starts_with(&TRACE[..36]) && parent.ends_with("-01"),
            "{parent}"
        );
        assert_eq!(parent.len(), TRACE.len());
        assert!(parents.insert(parent), "twice the same");
        assert_eq!(task.headers()["tracestate"], "a=1,b=2");
        assert_eq!(task.headers()["CORRELATION_ID"], "click-1");
    }
    // Sent once more, it is another call.
    assert!(parents.insert(sent(&tasks[0])));
    let over_amqp = tasks[0].amqp_headers::<String, Value>(Value::from);
    let parent = over_amqp
        .into_iter()
        .find(|(name, _)| name == "traceparent");
    assert!(parents.insert(parent.unwrap().1.as_str().unwrap().to_owned()));
}

#[test]
fn each_link_of_a_chain_has_a_parent_id_of_its_own() {
    let message = read(participate(), json!({"traceparent": TRACE}));
    let chain = sync_scope(message.context().clone(), || {
        Task::new("app.a")
            .then(Task::new("app.b"))
            .then(Task::new("app.c"))
    });
    let body: Value = from_slice(&chain.body()).unwrap();
    let links = [0, 1].map(|n| &body[2]["chain"][n]["options"]["headers"]["traceparent"]);
    let mut parents: HashSet<_> = links.map(|link| link.as_str().unwrap().to_owned()).into();
    parents.insert(sent(&chain));
    assert_eq!(parents.len(), 3);
    assert!(
        parents
            .iter()
            .all(|parent| parent.starts_with(&TRACE[..36]))
    );
}

#[test]
fn a_trace_is_started_if_none_came() {
    let message = read(
        participate(),
        json!({"CORRELATION_ID": "click-1", "tracestate": "a=1"}),
    );
    let task = sync_scope(message.context().clone(), || Task::new("app.a"));
    assert!(sent(&task).starts_with("00-") && sent(&task).ends_with("-03"));
    // It belongs to no trace that is known here.
    assert!(!task.headers().contains_key("tracestate"));
}

#[test]
fn off_sends_no_trace_context_and_forward_sends_the_same() {
    let came = json!({"CORRELATION_ID": "click-1", "traceparent": TRACE});
    let forward = read(Policy::new(), came.clone());
    let task = sync_scope(forward.context().clone(), || Task::new("app.a"));
    assert_eq!([sent(&task), sent(&forward.retry())], [TRACE, TRACE]);
    let off = read(Policy::new().trace_context(TraceContext::Off), came);
    let task = sync_scope(off.context().clone(), || Task::new("app.a"));
    for headers in [task.headers(), off.retry().headers()] {
        assert_eq!(headers["CORRELATION_ID"], "click-1");
        assert!(!headers.contains_key("traceparent"));
    }
}

#[test]
fn an_id_that_is_not_trusted_is_kept_beside_a_new_one() {
    let never = || Policy::new().trust(Trust::never());
    let message = read(
        never(),
        json!({"x_request_id": "click-1", "traceparent": TRACE}),
    );
    let context = message.context();
    assert_eq!(context.origin(), Origin::Generated);
    assert_eq!(context.untrusted_id().unwrap(), &"click-1");
    let again = message.retry().headers();
    for name in ["CORRELATION_ID", "x_request_id"] {
        assert_eq!(again[name], context.id().as_str());
    }
    assert!(!again.contains_key("traceparent"));
    // It is an ID all the same, so no other one is looked for.
    let celery = Celery::new().policy(never()).root_id_as_id(true);
    let came = json!({"CORRELATION_ID": "click-1", "root_id": "root-1"});
    let message = celery.read_amqp(headers(came), BODY).unwrap();
    assert_eq!(message.context().untrusted_id().unwrap(), &"click-1");
}

#[test]
fn a_copied_trace_that_is_not_trusted_is_not_sent() {
    let message = read(
        Policy::new().trust(Trust::never()),
        json!({"CORRELATION_ID": "click-1", "traceparent": TRACE}),
    );
    let task = sync_scope(message.context().clone(), || Task::new("app.add"));
    let task = task.header("traceparent", TRACE);
    let headers = task.header("tracestate", "a=1").headers();
    for name in ["traceparent", "tracestate"] {
        assert!(!headers.contains_key(name), "{headers:?}");
    }
}

#[test]
fn the_validator_and_the_length_decide_what_an_id_is() {
    let hex = || Policy::new().validator(|id| id.bytes().all(|byte| byte.is_ascii_hexdigit()));
    let came = json!({"CORRELATION_ID": "click-1", "x_request_id": "abc"});
    assert_eq!(read(hex(), came.clone()).context().id(), &"abc");
    let came = json!({"CORRELATION_ID": "click-1", "headers": {"CORRELATION_ID": "def"}});
    assert_eq!(read(hex(), came).context().id(), &"def");
    let long = json!({"CORRELATION_ID": "x".repeat(200)});
    let context = read(Policy::new().max_len(200), long.clone())
        .context()
        .clone();
    assert_eq!(context.id().as_str().len(), 200);
    assert_eq!(
        read(Policy::new(), long).context().origin(),
        Origin::Generated
    );
}

/// Such as a validator that knows which IDs it has had.
#[test]
fn the_validator_is_asked_once_for_each_value() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let counted = Arc::clone(&asked);
    let once = Policy::new().validator(move |id| {
        let mut asked = counted.lock().unwrap();
        asked.push(id.to_owned());
        asked.iter().filter(|had| *had == id).count() == 1
    });
    let celery = Celery::new().policy(once).root_id_as_id(true);
    let read = |extra: Value| {
        let message = celery.read_amqp(headers(extra), BODY).unwrap();
        message.context().id().to_string()
    };
    assert_eq!(read(json!({"CORRELATION_ID": "click-1"})), "click-1");
    // Delivered once more, with the same ID in two places.
    let again = json!({"CORRELATION_ID": "click-1", "headers": {"x_request_id": "click-1"}});
    assert_eq!(read(again), "root-1");
    let other = json!({"CORRELATION_ID": "root-1", "x_request_id": "click-2"});
    assert_eq!(read(other), "click-2");
    let asked = asked.lock().unwrap();
    assert_eq!(
        *asked,
        ["click-1", "click-1", "root-1", "root-1", "click-2"]
    );
}

#[test]
fn a_policy_for_http_serves_messages_as_well() {
    // Its headers are those of HTTP requests: none of them is looked for in a message.
    let policy = || Policy::new().headers(["x-own", "correlation_id"]);
    let came = json!({"correlation_id": "task-1", "x-own": "other", "CORRELATION_ID": "click-1"});
    assert_eq!(read(policy(), came).context().id(), &"click-1");
    let came = json!({"correlation_id": "task-1", "x-own": "other", "x-request-id": "other"});
    for policy in [policy(), Policy::new()] {
        let context = read(policy, came.clone()).context().clone();
        assert_eq!(context.origin(), Origin::Generated);
    }
    let no_trace_id = || Policy::new().sources([Source::header("x-correlation-id")]);
    let context = read(no_trace_id(), json!({"traceparent": TRACE}))
        .context()
        .clone();
    assert_eq!(context.origin(), Origin::Generated);
    let celery = Celery::new().policy(no_trace_id()).root_id_as_id(true);
    let headers = [
        ("task", "t"),
        ("id", "i"),
        ("root_id", "root-1"),
        ("traceparent", TRACE),
    ];
    let message = celery.read_amqp(headers, BODY).unwrap();
    assert_eq!(message.context().id(), &"root-1");
    assert_eq!(message.context().trace_id().unwrap().as_str(), TRACE_ID);
}
