//! NATS `JetStream`.

use correlation_testkit::process::DEADLINE;
use correlation_testkit::services::unique;
use queues::jetstream::{connect, consume, produce};

use super::common::{Headers, clicks, foreign, handler, require, twice, with_consumer};
use super::nats::{send, send_raw};
use super::restart::{MESSAGES, kill_and_restart, publish};

#[tokio::test]
async fn the_id_arrives_and_survives_redelivery() {
    require!("NATS", 4222);
    let queue = unique("jetstream");
    let jetstream = connect(&queue).await.unwrap();
    let (handle, mut log) = handler();
    let test = clicks(&mut log, async |body| {
        produce(&jetstream, &queue, body).await
    });
    with_consumer(consume(&jetstream, &queue, &handle), test).await;
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
    require!("NATS", 4222);
    let queue = unique("jetstream");
    let jetstream = connect(&queue).await.unwrap();
    let (handle, mut log) = handler();
    let test = async {
        let send = async |body: &str, headers: Headers<'_>| send(&queue, headers, body).await;
        foreign(&mut log, send).await;
        twice(&mut log, send).await;
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
    require!("NATS", 4222);
    let queue = unique("jetstream");
    let jetstream = connect(&queue).await.unwrap();
    let (handle, mut log) = handler();
    send_raw(&queue, &[("x-correlation-id", b"a\rb")], "bad").await;
    assert!(send(&queue, &[("x-correlation-id", b"theirs")], "good").await);
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
    require!("NATS", 4222);
    let queue = unique("jetstream");
    let jetstream = connect(&queue).await.unwrap();
    let produce = async |body: String| produce(&jetstream, &queue, &body).await;
    publish(0..MESSAGES, produce).await;
    kill_and_restart("jetstream", &queue, &[]).await;
    jetstream.delete_stream(&queue).await.unwrap();
}
