//! Redis streams.

use correlation_core::scope;
use queues::Result;
use queues::redis_connection::connect;
use queues::redis_streams::{consume, produce};

use super::common::{Headers, click, foreign, handler, require, twice, with_consumer};
use super::redis_keys::{Name, call};
use super::restart::{MESSAGES, kill_and_restart, publish};

const GROUP: &str = "shop";

/// With a connection of its own, which is closed when the consumer is dropped.
async fn consumer(stream: &str, handle: impl AsyncFn(&[u8]) -> Result) -> Result {
    consume(
        &mut connect().await?,
        [stream, GROUP, "one"],
        60_000,
        handle,
    )
    .await
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
    require!("Redis", 6379);
    let stream = Name::new("redis-streams");
    let redis = &mut connect().await.unwrap();
    let (handle, mut log) = handler();
    produce(redis, &stream, "alone").await.unwrap();
    for (body, id) in [("7", "click-1"), ("fail", "click-2"), ("hang", "click-3")] {
        scope(click(id), produce(redis, &stream, body))
            .await
            .unwrap();
    }

    with_consumer(consumer(&stream, &handle), async {
        // Outside of any scope no ID is sent.
        log.next().await.check_fresh("alone");
        log.next().await.check_click("7", "click-1");
        log.next().await.check_click("fail", "click-2");
        log.next().await.check_click("hang", "click-3");
    })
    .await;
    assert_eq!(unacknowledged(&stream).await, 2);

    // Started again, the consumer first gets what it had not acknowledged. It is stopped again.
    with_consumer(consumer(&stream, &handle), async {
        log.next().await.check_click("fail", "click-2");
        log.next().await.check_click("hang", "click-3");
    })
    .await;
    assert_eq!(unacknowledged(&stream).await, 1);

    // What a consumer has left that never comes back, another one takes over.
    let (two, mut own) = ([&*stream, GROUP, "two"], connect().await.unwrap());
    with_consumer(consume(&mut own, two, 0, &handle), async {
        log.next().await.check_click("hang", "click-3");
    })
    .await;
}

/// `XDEL`, and a limit on the length, leave a deleted message to be acknowledged.
#[tokio::test]
async fn a_deleted_message_is_skipped() {
    require!("Redis", 6379);
    let stream = Name::new("redis-streams");
    let redis = &mut connect().await.unwrap();
    let (handle, mut log) = handler();
    let hang = produce(redis, &stream, "hang");
    scope(click("click-1"), hang).await.unwrap();
    with_consumer(consumer(&stream, &handle), async {
        log.next().await.check_click("hang", "click-1");
    })
    .await;
    let ids: Vec<(String, Vec<Vec<u8>>)> =
        call(redis, "XRANGE", &[stream.as_bytes(), b"-", b"+"]).await;
    let deleted: u64 = call(redis, "XDEL", &[stream.as_bytes(), ids[0].0.as_bytes()]).await;
    assert_eq!((deleted, unacknowledged(&stream).await), (1, 1));
    with_consumer(consumer(&stream, &handle), async {
        let next = produce(redis, &stream, "7");
        scope(click("click-2"), next).await.unwrap();
        log.next().await.check_click("7", "click-2");
        while unacknowledged(&stream).await > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn what_others_send() {
    require!("Redis", 6379);
    let stream = Name::new("redis-streams");
    let redis = &mut connect().await.unwrap();
    let add = async |fields: &[(&[u8], &[u8])]| {
        let mut arguments: Vec<&[u8]> = vec![stream.as_bytes(), b"*"];
        arguments.extend(fields.iter().flat_map(|(name, value)| [*name, *value]));
        let _: String = call(&mut redis.clone(), "XADD", &arguments).await;
    };
    let (handle, mut log) = handler();
    with_consumer(consumer(&stream, &handle), async {
        let send = async |body: &str, headers: Headers<'_>| {
            let headers = headers.iter().map(|(key, value)| (key.as_bytes(), *value));
            let body = (&b"body"[..], body.as_bytes());
            add(&headers.chain([body]).collect::<Vec<_>>()).await;
            true
        };
        foreign(&mut log, send).await;
        twice(&mut log, send).await;
        // No body.
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
    require!("Redis", 6379);
    let stream = Name::new("redis-streams");
    let redis = connect().await.unwrap();
    let produce = async |body: String| produce(&mut redis.clone(), &stream, &body).await;
    publish(0..MESSAGES, produce).await;
    kill_and_restart("redis-streams", &stream, &[]).await;
}
