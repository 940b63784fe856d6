//! What anybody may put into a queue: nothing panics, and what is read holds together.

use correlation_celery::correlation::Policy;
use correlation_celery::serde_json::{Map, Value, json};
use correlation_celery::{Celery, Message};
use correlation_testkit::TRACE;
use proptest::prelude::*;

const BODY: &str = "[[1], {}, {}]";

/// JSON that has the names which are looked at, with anything below them.
fn values() -> impl Strategy<Value = Value> {
    let names = "task|id|retries|headers|properties|body|body_encoding|reply_to|CORRELATION_ID|\
        traceparent|tracestate|root_id|compression|x_request_id|[a-z]{1,3}";
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,300}".prop_map(Value::from),
        Just(Value::from("base64")),
        Just(Value::from(BODY)),
        Just(Value::from(TRACE)),
    ];
    leaf.prop_recursive(4, 40, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(names, inner, 0..8)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// All that can be asked of a message holds together.
fn check(message: &Message) {
    assert!(!message.task().is_empty() && !message.id().is_empty());
    let id = message.context().id().as_str();
    assert!((1..=128).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic()));
    let again = message.retry();
    assert_eq!(again.headers()["CORRELATION_ID"], id);
    let names = again.amqp_headers::<String, Value>(Value::from);
    assert!(names.map(|(name, _)| name).all(|name| name.len() <= 255));
    let again = Message::from_redis(again.redis_envelope("jobs")).unwrap();
    assert_eq!(again.context().id(), message.context().id());
    assert_eq!(again.args(), message.args());
    assert_eq!(again.retries(), message.retries().saturating_add(1));
}

proptest! {
    #[test]
    fn any_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..500)) {
        prop_assert!(Message::from_redis(&bytes).is_err());
        let _ = Message::from_amqp([("task", "t"), ("id", "i")], &bytes).map(|m| check(&m));
    }

    #[test]
    fn any_json_never_panics(envelope in values(), headers in values(), body in values()) {
        let _ = Message::from_redis(envelope.to_string()).map(|m| check(&m));
        if let Value::Object(headers) = headers {
            let _ = Message::from_amqp(headers, body.to_string()).map(|m| check(&m));
        }
    }

    #[test]
    fn any_header_value_is_safe(extra in values(), name in "[A-Za-z_-]{1,12}") {
        let mut headers = Map::from_iter([("task".to_owned(), json!("t")), ("id".to_owned(), json!("i"))]);
        headers.insert(name, extra.clone());
        headers.insert("CORRELATION_ID".to_owned(), extra.clone());
        headers.insert("headers".to_owned(), extra.clone());
        headers.insert("retries".to_owned(), extra);
        for celery in [Celery::new(), Celery::new().root_id_as_id(true)] {
            if let Ok(message) = celery.read_amqp(headers.clone(), BODY) {
                check(&message);
            }
        }
    }

    #[test]
    fn a_valid_id_is_kept(id in "[A-Za-z0-9._:+/=#@|~-]{1,128}") {
        // A placeholder such as `-` is none.
        prop_assume!(Policy::new().accepts(id.as_bytes()));
        let headers = [("task", "t"), ("id", "i"), ("CORRELATION_ID", &id)];
        let message = Message::from_amqp(headers, BODY).unwrap();
        prop_assert_eq!(message.context().id(), &id.as_str());
        check(&message);
    }
}
