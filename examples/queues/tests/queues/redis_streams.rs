//! Redis streams.

use std::time::Duration;

use correlation_core::scope;
use queues::Result;
use queues::redis_connection::connect;
use queues::redis_streams::{claim, consume, produce};

use super::common::{HOSTILE, TRACE, click, handler, ready, with_consumer};
use super::redis_keys::{Name, call};
use super::restart::{MESSAGES, kill_and_restart, publish};

const GROUP: &str = "shop";

/// With a connection of its own, which is closed when the consumer is dropped.
async fn consumer(stream: &str, name: &str, handle: impl AsyncFn(&[u8]) -> Result) -> Result {
    consume(&mut connect().await?, stream, GROUP, name, handle).await
}

async fn unacknowledged(stream: &str) -> usize {
    let redis = &mut connect().await.unwrap();
    let range: [&[u8]; 5] = [stream.as_bytes(), GROUP.as_bytes(), b"-", b"+", b"100"];
    call::<Vec<redis::Value>>(redis, "XPENDING", &range)
        .await
        .len()
}

#[tokio::test]
async fn the_id_arrives_and_survives_redelivery() {
    if !ready("Redis", 6379) {
        return;
    }
    let stream = Name::new("redis-streams");
    let redis = &mut connect().await.unwrap();
    let (handle, mut log) = handler();
    produce(redis, &stream, "alone").await.unwrap();
    for (body, id) in [("7", "click-1"), ("fail", "click-2"), ("hang", "click-3")] {
        scope(click(id), produce(redis, &stream, body))
            .await
            .unwrap();
    }

    with_consumer(consumer(&stream, "one", &handle), async {
        // Outside of any scope no ID is sent.
        log.next().await.check_fresh("alone");
        log.next().await.check_click("7", "click-1");
        log.next().await.check_click("fail", "click-2");
        log.next().await.check_click("hang", "click-3");
    })
    .await;
    assert_eq!(unacknowledged(&stream).await, 2);

    // Started again, the consumer first gets what it had not acknowledged. It is stopped again.
    with_consumer(consumer(&stream, "one", &handle), async {
        log.next().await.check_click("fail", "click-2");
        log.next().await.check_click("hang", "click-3");
    })
    .await;
    assert_eq!(unacknowledged(&stream).await, 1);

    // What a consumer has left that never comes back, another one takes over.
    let entries = claim(redis, &stream, GROUP, "two", Duration::ZERO)
        .await
        .unwrap();
    assert_eq!(entries.len(), 1);
    with_consumer(consumer(&stream, "two", &handle), async {
        log.next().await.check_click("hang", "click-3");
    })
    .await;
}

#[tokio::test]
async fn what_others_send() {
    if !ready("Redis", 6379) {
        return;
    }
    let stream = Name::new("redis-streams");
    let redis = &mut connect().await.unwrap();
    let mut add = async |fields: &[(&[u8], &[u8])]| {
        let mut arguments: Vec<&[u8]> = vec![stream.as_bytes(), b"*"];
        arguments.extend(fields.iter().flat_map(|(name, value)| [*name, *value]));
        let _: String = call(redis, "XADD", &arguments).await;
    };
    let (handle, mut log) = handler();
    with_consumer(consumer(&stream, "one", &handle), async {
        for key in ["x-correlation-id", "X-Correlation-ID", "CORRELATION_ID"] {
            add(&[(key.as_bytes(), b"click-1"), (b"body", b"7")]).await;
            log.next().await.check("7", "click-1");
        }
        for hostile in HOSTILE {
            add(&[
                (b"x-correlation-id", hostile),
                (b"traceparent", hostile),
                (b"tracestate", hostile),
                (b"body", b"7"),
            ])
            .await;
            log.next().await.check_fresh("7");
        }
        add(&[(b"traceparent", TRACE.as_bytes()), (b"body", b"7")]).await;
        log.next().await.check_click("7", &TRACE[3..35]);
        add(&[(b"body", b"7")]).await;
        log.next().await.check_fresh("7");
        add(&[(b"x-correlation-id", b"click-2")]).await;
        log.next().await.check("", "click-2");
        // A name that is no text must not cost others their messages.
        add(&[(b"\xff", b"\xff"), (b"body", b"7")]).await;
        log.next().await.check_fresh("7");
    })
    .await;
}

#[tokio::test]
async fn a_consumer_is_killed() {
    if !ready("Redis", 6379) {
        return;
    }
    let stream = Name::new("redis-streams");
    let redis = connect().await.unwrap();
    let produce = async |body: String| produce(&mut redis.clone(), &stream, &body).await;
    publish(0..MESSAGES, produce).await;
    kill_and_restart("redis-streams", &stream, &[]).await;
}
