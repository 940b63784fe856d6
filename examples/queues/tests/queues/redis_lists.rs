//! Redis lists, with `Carried<T>`.

use correlation_core::scope;
use correlation_testkit::TRACE;
use queues::Result;
use queues::redis_connection::connect;
use queues::redis_lists::{consume, produce};
use serde_json::{Value, json};

use super::common::{HOSTILE, click, handler, require, with_consumer};
use super::redis_keys::{Name, call};
use super::restart::{MESSAGES, kill_and_restart, publish};

/// With a connection of its own, which is closed when the consumer is dropped.
async fn consumer(queue: &str, handle: impl AsyncFn(&[u8]) -> Result) -> Result {
    consume(&mut connect().await?, queue, "one", handle).await
}

#[tokio::test]
async fn the_id_arrives_and_survives_redelivery() {
    require!("Redis", 6379);
    let queue = Name::new("redis-lists");
    let redis = &mut connect().await.unwrap();
    let (handle, mut log) = handler();
    produce(redis, &queue, "alone").await.unwrap();
    for (body, id) in [("7", "click-1"), ("fail", "click-2"), ("hang", "click-3")] {
        scope(click(id), produce(redis, &queue, body))
            .await
            .unwrap();
    }

    with_consumer(consumer(&queue, &handle), async {
        log.next().await.check_fresh("alone");
        log.next().await.check_click("7", "click-1");
        log.next().await.check_click("fail", "click-2");
        log.next().await.check_click("hang", "click-3");
    })
    .await;

    // Started again, the consumer takes first what it had not done; what failed is at the end.
    with_consumer(consumer(&queue, &handle), async {
        log.next().await.check_click("hang", "click-3");
    })
    .await;
    let hangs: Vec<u8> = call(redis, "LPOP", &[format!("{}:one", &*queue).as_bytes()]).await;
    let expected = json!({
        "correlation_id": "click-3", "traceparent": TRACE, "tracestate": "a=1", "body": "hang"
    });
    assert_eq!(serde_json::from_slice::<Value>(&hangs).unwrap(), expected);
    with_consumer(consumer(&queue, &handle), async {
        log.next().await.check_click("fail", "click-2");
        scope(click("click-4"), produce(redis, &queue, "8"))
            .await
            .unwrap();
        log.next().await.check_click("8", "click-4");
    })
    .await;
}

#[tokio::test]
async fn what_others_send() {
    require!("Redis", 6379);
    let queue = Name::new("redis-lists");
    let redis = &mut connect().await.unwrap();
    let mut push = async |message: &[u8]| {
        let _: u64 = call(redis, "RPUSH", &[queue.as_bytes(), message]).await;
    };
    let (handle, mut log) = handler();
    with_consumer(consumer(&queue, &handle), async {
        for bad in HOSTILE {
            let text = String::from_utf8_lossy(bad);
            let message = json!({"correlation_id": text, "traceparent": text, "body": "7"});
            push(message.to_string().as_bytes()).await;
            log.next().await.check_fresh("7");
            // As it is. What is no JSON then is dropped (RFC 8259 section 7), and no other.
            push(&[br#"{"correlation_id":""#, bad, br#"","body":"7"}"#].concat()).await;
            push(br#"{"correlation_id":"theirs","body":"after it"}"#).await;
            let mut next = log.next().await;
            if !bad.iter().any(|&byte| byte < b' ' || byte == b'"') {
                next.check_fresh("7");
                next = log.next().await;
            }
            next.check("after it", "theirs");
        }
        for wrong in [
            r#""\ud800""#,
            "1e999",
            "18446744073709551616",
            "null",
            "7",
            "[]",
            r#"{"a":{}}"#,
            "true",
        ] {
            let ids = format!(r#""correlation_id":{wrong},"traceparent":{wrong}"#);
            push(format!(r#"{{{ids},"body":"7"}}"#).as_bytes()).await;
            log.next().await.check_fresh("7");
        }
        // What is of another form altogether is dropped, and the next message is handled.
        for wrong in [
            &b""[..],
            b"7",
            b"null",
            b"{}",
            br#"{"body":7}"#,
            b"\xff",
            b"{\"body\":",
        ] {
            push(wrong).await;
        }
        push(br#"{"body":"8"}"#).await;
        log.next().await.check_fresh("8");

        let traced = json!({"traceparent": TRACE, "body": "7"}).to_string();
        push(traced.as_bytes()).await;
        log.next().await.check_click("7", &TRACE[3..35]);

        // The ID that was made for a message stays when it is handled again.
        push(br#"{"body":"fail"}"#).await;
        let first = log.next().await;
        first.check_fresh("fail");
        log.next().await.check("fail", &first.id);
    })
    .await;
}

#[tokio::test]
async fn a_consumer_is_killed() {
    require!("Redis", 6379);
    let queue = Name::new("redis-lists");
    let redis = connect().await.unwrap();
    let produce = async |body: String| produce(&mut redis.clone(), &queue, &body).await;
    publish(0..MESSAGES, produce).await;
    kill_and_restart("redis-lists", &queue, &[]).await;
}
