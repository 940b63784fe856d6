//! RabbitMQ.

use std::collections::BTreeMap;
use std::future::pending;

use correlation_core::scope;
use correlation_testkit::TRACE;
use correlation_testkit::process::DEADLINE;
use correlation_testkit::services::unique;
use futures_util::StreamExt;
use lapin::message::Delivery;
use lapin::options::BasicConsumeOptions;
use lapin::types::{AMQPValue, FieldArray, FieldTable, LongString, ShortString};
use lapin::{BasicProperties, Channel};
use queues::Result;
use queues::rabbitmq::{self, connect, consume};
use queues::rabbitmq_rpc::{answer, ask};

use super::amqp_wire::publish_raw;
use super::common::{Headers, click, clicks, foreign, handler, require, with_consumer};
use super::restart::{self, MESSAGES, kill_and_restart};

async fn delete(channel: &Channel, queue: &str) {
    let deleted = channel.queue_delete(queue.into(), Default::default());
    deleted.await.unwrap();
}

/// Sends a message as somebody else would.
async fn send(channel: &Channel, queue: &str, body: &str, headers: &[(&str, AMQPValue)]) {
    let headers = headers.iter().cloned();
    let headers: BTreeMap<ShortString, AMQPValue> =
        headers.map(|(key, value)| (key.into(), value)).collect();
    let properties = BasicProperties::default().with_headers(headers.into());
    send_with(channel, queue, body, properties).await;
}

async fn send_with(channel: &Channel, queue: &str, body: &str, properties: BasicProperties) {
    let (queue, body, options) = (queue.into(), body.as_bytes(), Default::default());
    let sent = channel.basic_publish("".into(), queue, options, body, properties);
    sent.await.unwrap().await.unwrap();
}

/// Sends a message as we do.
async fn produce(channel: &Channel, queue: &str, body: &str) -> Result {
    rabbitmq::produce(channel, queue, body, BasicProperties::default()).await
}

/// The next message as it is.
async fn receive(channel: &Channel, queue: &str) -> Delivery {
    let options = BasicConsumeOptions {
        no_ack: true,
        ..BasicConsumeOptions::default()
    };
    let consumer = channel.basic_consume(queue.into(), "".into(), options, Default::default());
    let mut consumer = consumer.await.unwrap();
    let next = tokio::time::timeout(DEADLINE, consumer.next()).await;
    next.expect("a message arrives").unwrap().unwrap()
}

fn text(text: impl Into<Vec<u8>>) -> AMQPValue {
    LongString::from(text).into()
}

#[tokio::test]
async fn the_id_arrives_and_survives_redelivery() {
    require!("RabbitMQ", 5672);
    let queue = unique("rabbitmq");
    let channel = connect(&queue).await.unwrap();
    let (handle, mut log) = handler();
    let test = clicks(&mut log, async |body| produce(&channel, &queue, body).await);
    with_consumer(consume(&channel, &queue, &handle), test).await;
    drop(channel);

    let channel = connect(&queue).await.unwrap();
    let (handle, mut log) = handler();
    with_consumer(consume(&channel, &queue, &handle), async {
        log.next().await.check_click("hang", "click-3");
    })
    .await;
    delete(&channel, &queue).await;
}

#[tokio::test]
async fn what_others_send() {
    require!("RabbitMQ", 5672);
    let queue = unique("rabbitmq");
    let channel = connect(&queue).await.unwrap();
    let (handle, mut log) = handler();
    let test = async {
        let foreign_send = async |body: &str, headers: Headers<'_>| {
            let headers: Vec<_> = headers
                .iter()
                .map(|(key, value)| (*key, text(*value)))
                .collect();
            send(&channel, &queue, body, &headers).await;
            true
        };
        foreign(&mut log, foreign_send).await;
        for value in [
            AMQPValue::LongInt(7),
            AMQPValue::Boolean(true),
            AMQPValue::Void,
            AMQPValue::FieldArray(FieldArray::from(vec![text("theirs")])),
            AMQPValue::FieldTable(FieldTable::default()),
        ] {
            send(&channel, &queue, "typed", &[("x-correlation-id", value)]).await;
            log.next().await.check_fresh("typed");
        }
        send_with(&channel, &queue, "bare", BasicProperties::default()).await;
        log.next().await.check_fresh("bare");
        // A key of somebody's RPC is no correlation ID.
        let rpc = BasicProperties::default().with_correlation_id("rpc-1".into());
        send_with(&channel, &queue, "rpc", rpc).await;
        log.next().await.check_fresh("rpc");
    };
    with_consumer(consume(&channel, &queue, &handle), test).await;
    delete(&channel, &queue).await;
}

/// Not ours, and nothing that a consumer could do about it: shown here, so that the README stays
/// true. The process goes on.
#[tokio::test]
async fn headers_that_lapin_cannot_read() {
    require!("RabbitMQ", 5672);
    let queue = unique("rabbitmq");
    let channel = connect(&queue).await.unwrap();
    let (handle, mut log) = handler();
    let test = async {
        publish_raw(&queue, b"raw", b"x-correlation-id", b"\xff\xfe").await;
        log.next().await.check_fresh("raw");
        publish_raw(&queue, b"good", b"x-correlation-id", b"theirs").await;
        log.next().await.check("good", "theirs");
        publish_raw(&queue, b"bad", b"\xff\xfe", b"x").await;
        pending::<Result>().await
    };
    let ended = tokio::select! {
        ended = consume(&channel, &queue, &handle) => ended,
        ended = test => ended,
        () = tokio::time::sleep(DEADLINE) => panic!("the consumer goes on"),
    };
    ended.unwrap_err();

    // It is in the queue again.
    let channel = connect(&queue).await.unwrap();
    let ended = tokio::time::timeout(DEADLINE, consume(&channel, &queue, &handle)).await;
    ended.expect("the consumer ends").unwrap_err();
    let channel = connect(&queue).await.unwrap();
    delete(&channel, &queue).await;
}

#[tokio::test]
async fn headers_and_properties_of_the_user_stay() {
    require!("RabbitMQ", 5672);
    let queue = unique("rabbitmq");
    let channel = connect(&queue).await.unwrap();
    let own = BTreeMap::from([("tenant".into(), AMQPValue::LongInt(7))]);
    let own = BasicProperties::default()
        .with_headers(FieldTable::from(own))
        .with_correlation_id("rpc-1".into())
        .with_reply_to("answers".into())
        .with_priority(3);
    let published = rabbitmq::produce(&channel, &queue, "x", own);
    scope(click("click-1"), published).await.unwrap();

    let message = receive(&channel, &queue).await;
    let properties = &message.properties;
    assert_eq!(properties.correlation_id(), &Some("rpc-1".into()));
    assert_eq!(properties.reply_to(), &Some("answers".into()));
    assert_eq!(properties.priority(), &Some(3));
    // Persistent.
    assert_eq!(properties.delivery_mode(), &Some(2));
    let headers = properties.headers().as_ref().unwrap().inner();
    assert_eq!(headers["tenant"], AMQPValue::LongInt(7));
    assert_eq!(headers["x-correlation-id"], text("click-1"));
    assert_eq!(headers["traceparent"], text(TRACE));
    assert_eq!(headers["tracestate"], text("a=1"));
    assert_eq!(headers.len(), 4);
    delete(&channel, &queue).await;
}

#[tokio::test]
async fn answers_find_their_questions() {
    require!("RabbitMQ", 5672);
    let queue = unique("rabbitmq");
    let server = connect(&queue).await.unwrap();
    let client = connect(&queue).await.unwrap();
    let (seen, mut log) = handler();
    let handle = async |question: &[u8]| {
        seen(question).await.unwrap();
        format!("re: {}", String::from_utf8_lossy(question))
    };
    let test = async {
        // Three questions of one click are under way at once.
        let asked = ask(&client, &queue, &["a", "b", "c"]);
        let asked = tokio::time::timeout(DEADLINE, scope(click("click-1"), asked)).await;
        let answers = asked.expect("the answers come").unwrap();
        assert_eq!(answers, [b"re: a", b"re: b", b"re: c"]);
        for body in ["a", "b", "c"] {
            log.next().await.check_click(body, "click-1");
        }
        // And the channel can do so again.
        let asked = tokio::time::timeout(DEADLINE, ask(&client, &queue, &["d"])).await;
        assert_eq!(asked.expect("the answer comes").unwrap(), [b"re: d"]);
        log.next().await.check_fresh("d");

        // A question of another program: its key comes back as it was, and our header beside it.
        let replies = unique("replies");
        let own = connect(&replies).await.unwrap();
        let properties = BasicProperties::default()
            .with_reply_to(replies.as_str().into())
            .with_correlation_id("their own key".into())
            .with_headers(BTreeMap::from([("X-Correlation-ID".into(), text("theirs"))]).into());
        send_with(&own, &queue, "e", properties).await;
        log.next().await.check("e", "theirs");
        let reply = receive(&own, &replies).await;
        assert_eq!(reply.data, b"re: e");
        let key = reply.properties.correlation_id();
        assert_eq!(key, &Some("their own key".into()));
        let headers = reply.properties.headers().as_ref().unwrap().inner();
        assert_eq!(headers["x-correlation-id"], text("theirs"));
        delete(&own, &replies).await;

        // Nobody waits for an answer.
        send_with(&client, &queue, "f", BasicProperties::default()).await;
        log.next().await.check_fresh("f");
    };
    with_consumer(answer(&server, &queue, handle), test).await;
    delete(&server, &queue).await;
}

#[tokio::test]
async fn a_consumer_is_killed() {
    require!("RabbitMQ", 5672);
    let queue = unique("rabbitmq");
    let channel = connect(&queue).await.unwrap();
    let confirm = channel.confirm_select(Default::default());
    confirm.await.unwrap();
    let produce = async |body: String| produce(&channel, &queue, &body).await;
    restart::publish(0..MESSAGES, produce).await;
    kill_and_restart("rabbitmq", &queue, &[]).await;
    delete(&channel, &queue).await;
}
