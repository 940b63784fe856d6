//! NATS `JetStream`.

use async_nats::HeaderMap;
use async_nats::jetstream::Context;
use correlation_core::scope;
use queues::jetstream::{connect, consume, produce};

use super::common::{DEADLINE, HOSTILE, TRACE, click, handler, unique, with_consumer};
use super::nats::{carried, ready, send_raw};
use super::restart::{MESSAGES, kill_and_restart, publish};

async fn send(jetstream: &Context, queue: &str, body: &'static str, headers: &[(&str, &str)]) {
    let headers: HeaderMap = headers
        .iter()
        .map(|(key, value)| (key.parse().unwrap(), value.parse().unwrap()))
        .collect();
    let sent = jetstream.publish_with_headers(queue.to_owned(), headers, body.into());
    sent.await.unwrap().await.unwrap();
}

#[tokio::test]
async fn the_id_arrives_and_survives_redelivery() {
    if !ready() {
        return;
    }
    let queue = unique("jetstream");
    let jetstream = connect(&queue).await.unwrap();
    let (handle, mut log) = handler();
    with_consumer(consume(&jetstream, &queue, &handle), async {
        let first = produce(&jetstream, &queue, "first");
        scope(click("click-1"), first).await.unwrap();
        log.next().await.check_click("first", "click-1");

        // Given back.
        let fail = produce(&jetstream, &queue, "fail");
        scope(click("click-2"), fail).await.unwrap();
        log.next().await.check_click("fail", "click-2");
        log.next().await.check_click("fail", "click-2");

        // Outside of any scope nothing is sent.
        produce(&jetstream, &queue, "alone").await.unwrap();
        log.next().await.check_fresh("alone");

        // Never acknowledged.
        let hang = produce(&jetstream, &queue, "hang");
        scope(click("click-3"), hang).await.unwrap();
        log.next().await.check_click("hang", "click-3");
    })
    .await;
    drop(jetstream);

    let jetstream = connect(&queue).await.unwrap();
    let (handle, mut log) = handler();
    with_consumer(consume(&jetstream, &queue, &handle), async {
        log.next().await.check_click("hang", "click-3");
    })
    .await;
    jetstream.delete_stream(&queue).await.unwrap();
}

#[tokio::test]
async fn what_others_send() {
    if !ready() {
        return;
    }
    let queue = unique("jetstream");
    let jetstream = connect(&queue).await.unwrap();
    let (handle, mut log) = handler();
    let test = async {
        for key in ["x-correlation-id", "X-Correlation-ID", "CORRELATION_ID"] {
            send(&jetstream, &queue, "foreign", &[(key, "theirs")]).await;
            log.next().await.check("foreign", "theirs");
        }
        for bad in HOSTILE {
            let Some(bad) = carried(bad) else { continue };
            send_raw(&queue, &[("x-correlation-id", bad)], "bad").await;
            log.next().await.check_fresh("bad");
        }
        send(&jetstream, &queue, "traced", &[("traceparent", TRACE)]).await;
        log.next().await.check_click("traced", &TRACE[3..35]);
        let bare = jetstream.publish(queue.clone(), "bare".into());
        bare.await.unwrap().await.unwrap();
        log.next().await.check_fresh("bare");
    };
    with_consumer(consume(&jetstream, &queue, &handle), test).await;
    jetstream.delete_stream(&queue).await.unwrap();
}

/// As without `JetStream`, but here the message comes again, until somebody deletes it.
#[tokio::test]
async fn headers_that_async_nats_cannot_read() {
    if !ready() {
        return;
    }
    let queue = unique("jetstream");
    let jetstream = connect(&queue).await.unwrap();
    let (handle, mut log) = handler();
    send_raw(&queue, &[("x-correlation-id", b"a\rb")], "bad").await;
    send(
        &jetstream,
        &queue,
        "good",
        &[("x-correlation-id", "theirs")],
    )
    .await;
    let ended = tokio::time::timeout(DEADLINE, consume(&jetstream, &queue, &handle)).await;
    ended.expect("the consumer ends").unwrap_err();

    let jetstream = connect(&queue).await.unwrap();
    let stream = jetstream.get_stream(&queue).await.unwrap();
    stream.delete_message(1).await.unwrap();
    with_consumer(consume(&jetstream, &queue, &handle), async {
        log.next().await.check("good", "theirs");
    })
    .await;
    jetstream.delete_stream(&queue).await.unwrap();
}

#[tokio::test]
async fn a_consumer_is_killed() {
    if !ready() {
        return;
    }
    let queue = unique("jetstream");
    let jetstream = connect(&queue).await.unwrap();
    let produce = async |body: String| produce(&jetstream, &queue, &body).await;
    publish(0..MESSAGES, produce).await;
    kill_and_restart("jetstream", &queue, &[]).await;
    jetstream.delete_stream(&queue).await.unwrap();
}
