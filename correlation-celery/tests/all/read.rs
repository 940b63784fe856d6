//! What is received, from friend and foe.

use correlation_celery::correlation::{CorrelationId, Origin, sync_scope};
use correlation_celery::serde_json::{Value, from_slice, from_str, json};
use correlation_celery::{Celery, Message, Task};
use correlation_testkit::{TRACE, TRACE_ID};

use crate::{BODY, headers};

fn read(extra: Value) -> Message {
    Message::from_amqp(headers(extra), BODY).unwrap()
}

fn id_of(message: &Message) -> Option<&str> {
    let context = message.context();
    (context.origin() != Origin::Generated).then(|| context.id().as_str())
}

#[test]
fn the_sources_in_their_order() {
    let all = json!({
        "own": "a", "CORRELATION_ID": "b", "Correlation-ID": "c", "CORRELATION-ID": "d",
        "x_request_id": "e", "headers": {"own": "f", "CORRELATION_ID": "g", "x_request_id": "h"},
        "traceparent": TRACE,
    });
    let celery = Celery::new()
        .header("own".parse().unwrap())
        .root_id_as_id(true);
    let mut left = headers(all);
    let mut seen = Vec::new();
    for name in [
        "own",
        "CORRELATION_ID",
        "Correlation-ID",
        "CORRELATION-ID",
        "x_request_id",
    ] {
        let message = celery.read_amqp(left.clone(), BODY).unwrap();
        seen.push(id_of(&message).unwrap().to_owned());
        left.remove(name);
    }
    for name in ["own", "CORRELATION_ID", "x_request_id"] {
        let message = celery.read_amqp(left.clone(), BODY).unwrap();
        seen.push(id_of(&message).unwrap().to_owned());
        left["headers"].as_object_mut().unwrap().remove(name);
    }
    for name in ["traceparent", "root_id"] {
        let message = celery.read_amqp(left.clone(), BODY).unwrap();
        seen.push(id_of(&message).unwrap().to_owned());
        left.remove(name);
    }
    assert_eq!(
        seen,
        ["a", "b", "c", "d", "e", "f", "g", "h", TRACE_ID, "root-1"]
    );
    assert_eq!(id_of(&celery.read_amqp(left, BODY).unwrap()), None);
}

#[test]
fn the_root_id_and_the_task_id_are_not_taken_unasked() {
    assert_eq!(id_of(&read(json!({}))), None);
    assert_eq!(id_of(&read(json!({"correlation_id": "task-1"}))), None);
    let envelope = json!({"headers": headers(json!({})), "body": BODY,
        "properties": {"correlation_id": "click-1"}});
    let message = Message::from_redis(envelope.to_string()).unwrap();
    assert_eq!(id_of(&message), None);
    assert_eq!(message.context().id().as_str().len(), 36);
}

#[test]
fn what_is_no_id_counts_as_absent() {
    let long = "x".repeat(256);
    for bad in [
        json!(""),
        json!(" "),
        json!("a\r\nb"),
        json!("a b"),
        json!("é"),
        json!(long),
        json!(12345),
        json!(null),
        json!(true),
        json!(["click-1"]),
        json!({"a": "b"}),
    ] {
        let message = read(json!({"CORRELATION_ID": bad, "x_request_id": "next"}));
        assert_eq!(id_of(&message), Some("next"), "{bad}");
        let message = read(json!({"CORRELATION_ID": bad, "headers": bad, "traceparent": bad}));
        assert_eq!(id_of(&message), None, "{bad}");
    }
    assert_eq!(
        id_of(&read(json!({"CORRELATION_ID": " click-1\t"}))),
        Some("click-1")
    );
}

#[test]
fn what_this_crate_writes_it_reads() {
    for len in [128, 129, 255] {
        let id: CorrelationId = "x".repeat(len).parse().unwrap();
        let task = sync_scope(id.clone(), || Task::new("app.add"));
        let message = Message::from_redis(task.redis_envelope("jobs")).unwrap();
        assert_eq!(id_of(&message), Some(id.as_str()));
        let message = Message::from_amqp(message.retry().headers(), task.body()).unwrap();
        assert_eq!(id_of(&message), Some(id.as_str()));
    }
}

#[test]
fn headers_that_were_copied_do_not_send_their_id_on() {
    let names = ["CORRELATION_ID", "Correlation-ID", "x_request_id"];
    let task = sync_scope("mine".parse::<CorrelationId>().unwrap(), || {
        let task = Task::new("app.add");
        names
            .iter()
            .fold(task, |task, name| task.header(*name, "copied"))
    });
    for name in names {
        assert_eq!(task.headers()[name], "mine", "{name}");
    }
}

#[test]
fn the_message_knows_best() {
    let message = sync_scope("outer".parse::<CorrelationId>().unwrap(), || {
        read(json!({"CORRELATION_ID": "inner"}))
    });
    assert_eq!(id_of(&message), Some("inner"));
}

#[test]
fn a_retry_keeps_the_id_and_all_else() {
    let body = r#"[[123456789012345678901234567890], {}, {"chain": ["later"]}]"#;
    let came = headers(json!({
        "CORRELATION_ID": "click-1", "traceparent": TRACE, "retries": 2, "timelimit": [9, null],
        "mine": {"a": 1},
    }));
    let message = Message::from_amqp(came.clone(), body).unwrap();
    assert_eq!(message.retries(), 2);
    let again = message.retry();
    let mut expected = came;
    expected["retries"] = 3.into();
    assert_eq!(again.headers(), expected);
    assert_eq!(again.id(), "task-1");
    // Byte for byte: such a number has no Rust type.
    assert_eq!(again.body(), body.as_bytes());

    let over_redis = Message::from_redis(again.redis_envelope("jobs")).unwrap();
    assert_eq!(id_of(&over_redis), Some("click-1"));
    assert_eq!(over_redis.retry().headers()["retries"], 4);
    let changed: Value = from_slice(&again.clone().arg(5).body()).unwrap();
    assert_eq!(changed[0][1], 5);
    assert_eq!(changed[2]["chain"], json!(["later"]));
    let changed: Value = from_slice(&again.clone().kwarg("by", "me").body()).unwrap();
    assert_eq!(changed[1]["by"], "me");
    let changed: Value = from_slice(&again.then(Task::new("next")).body()).unwrap();
    assert_eq!(changed[2]["chain"][0]["task"], "next");
    assert_eq!(changed[2]["chain"][1], "later");
}

#[test]
fn a_retry_keeps_an_id_that_was_new_or_had_another_name() {
    let message = read(json!({"CORRELATION_ID": "not valid", "traceparent": "nor this"}));
    let again = message.retry().headers();
    assert_eq!(again["CORRELATION_ID"], message.context().id().as_str());
    assert!(!again.contains_key("traceparent"));
    let again = read(json!({"tracestate": "a=1"})).retry().headers();
    assert!(!again.contains_key("tracestate"), "it means nothing alone");

    let message = read(json!({"Correlation-ID": "click-1", "x_request_id": "not valid"}));
    let again = message.retry().headers();
    for name in ["CORRELATION_ID", "Correlation-ID", "x_request_id"] {
        assert_eq!(again[name], "click-1", "{name}");
    }
}

#[test]
fn a_retry_has_no_other_id_in_the_headers_that_celery_nests() {
    let nested = json!({
        "CORRELATION_ID": "not valid", "Correlation-ID": "b", "CORRELATION-ID": "c",
        "x_request_id": "d", "own": "e", "x-own": 1,
    });
    let celery = Celery::new().header("own".parse().unwrap());
    let came = headers(json!({"own": "click-1", "headers": nested}));
    let again = celery.read_amqp(came, BODY).unwrap().retry().headers();
    assert_eq!(again["own"], "click-1");
    assert_eq!(again["headers"], json!({"x-own": 1}));
}

#[test]
fn retries_are_a_number_or_none() {
    for (came, read_as, next) in [
        (json!(u64::MAX), u64::MAX, u64::MAX),
        (json!("7"), 0, 1),
        (json!(-1), 0, 1),
        (json!(null), 0, 1),
    ] {
        let message = read(json!({"retries": came}));
        assert_eq!(message.retries(), read_as);
        assert_eq!(message.retry().headers()["retries"], next);
    }
}

#[test]
fn a_reply_queue_survives_a_retry() {
    let sent = Task::new("app.add")
        .reply_to("answers")
        .redis_envelope("jobs");
    let again = Message::from_redis(sent)
        .unwrap()
        .retry()
        .redis_envelope("jobs");
    let again: Value = from_str(&again).unwrap();
    assert_eq!(again["properties"]["reply_to"], "answers");
}

#[test]
fn errors_say_what_is_wrong() {
    let error = |envelope: Value| {
        Message::from_redis(envelope.to_string())
            .unwrap_err()
            .to_string()
    };
    let with = |key: &str, value: Value| {
        let mut envelope = json!({"headers": {"task": "t", "id": "i"}, "body": BODY});
        envelope[key] = value;
        envelope
    };
    assert_eq!(
        Message::from_redis("{").unwrap_err().to_string(),
        "celery message: the envelope is not JSON"
    );
    for (envelope, reason) in [
        (json!([]), "the envelope has no `headers`"),
        (with("headers", json!(1)), "the envelope has no `headers`"),
        (
            with("headers", json!({"id": "i"})),
            "no header `task`: only protocol 2 is supported",
        ),
        (
            with("headers", json!({"task": "t", "id": 1})),
            "no header `id` of 1 to 255 bytes",
        ),
        (
            with("headers", json!({"task": "t", "id": "i".repeat(256)})),
            "no header `id` of 1 to 255 bytes",
        ),
        (
            with(
                "headers",
                json!({"task": "t", "id": "i", "compression": "gzip"}),
            ),
            "the body is compressed, which is not supported",
        ),
        (with("body", json!(null)), "the envelope has no `body`"),
        (with("body", json!("[NaN]")), "the body is not JSON"),
        (
            with("body", json!("{}")),
            "the body is not [args, kwargs, embed]",
        ),
        (
            with("body", json!("[[], []]")),
            "the body is not [args, kwargs, embed]",
        ),
        (
            with("body", json!("[{}, {}, {}]")),
            "the body is not [args, kwargs, embed]",
        ),
        (
            with("properties", json!({"body_encoding": "base64"})),
            "the body is not base64",
        ),
    ] {
        assert_eq!(error(envelope), format!("celery message: {reason}"));
    }
    assert!(Message::from_redis(with("body", json!("[[], {}, null]")).to_string()).is_ok());
    let deep = "[".repeat(100_000);
    assert!(Message::from_redis(&deep).is_err());
    assert!(Message::from_amqp(headers(json!({})), deep).is_err());
}

/// Celery nests the headers of some calls. Those of one trace are read from one place.
#[test]
fn a_refused_trace_stays_away_and_two_traces_do_not_mix() {
    let nested = json!({"traceparent": TRACE, "tracestate": "a=1"});
    let message = read(json!({"headers": nested}));
    assert_eq!(message.context().trace_id().unwrap().as_str(), TRACE_ID);
    assert_eq!(message.retry().headers()["tracestate"], "a=1");

    let refused = read(json!({"traceparent": "bad", "headers": nested}));
    assert_eq!(refused.context().trace_id(), None);
    let again = refused.retry();
    let again = Message::from_amqp(again.headers().clone(), again.body()).unwrap();
    assert_eq!(again.context().trace_id(), None);

    let other = read(json!({"traceparent": TRACE, "headers": nested}));
    assert!(!other.retry().headers().contains_key("tracestate"));
}
