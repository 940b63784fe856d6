//! MQTT 5.

use std::collections::HashSet;

use correlation_core::scope;
use correlation_testkit::process::DEADLINE;
use correlation_testkit::services::unique;
use queues::Result;
use queues::mqtt::{connect, consume, forget, produce};
use rumqttc::v5::mqttbytes::v5::{Packet, PubAckReason, Publish};
use rumqttc::v5::{AsyncClient, Event, EventLoop};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::JoinHandle;

use super::common::{Headers, click, foreign, handler, require, twice, with_consumer};
use super::mqtt_packets::publish;
use super::restart::{self, Consumer, MESSAGES};

/// The next packet that is of interest.
async fn next<T>(events: &mut EventLoop, mut interest: impl FnMut(Packet) -> Option<T>) -> T {
    let next = async {
        loop {
            if let Event::Incoming(packet) = events.poll().await.unwrap()
                && let Some(found) = interest(packet)
            {
                return found;
            }
        }
    };
    tokio::time::timeout(DEADLINE, next)
        .await
        .expect("a packet arrives")
}

/// A consumer with this session, for as long as the test runs.
async fn with_session<T>(
    session: &str,
    handle: impl AsyncFn(&[u8]) -> Result,
    test: impl AsyncFnOnce(&AsyncClient) -> T,
) -> T {
    let (client, events) = connect(session);
    // The client does things in order: what it publishes comes after it has subscribed.
    with_consumer(consume(&client, events, session, handle), test(&client)).await
}

/// The first message that the broker sends again to this session. It is not acknowledged.
async fn redelivered(session: &str) -> Publish {
    let (_client, mut events) = connect(session);
    let publish = |packet| match packet {
        Packet::Publish(publish) => Some(publish),
        _ => None,
    };
    next(&mut events, publish).await
}

#[tokio::test]
async fn the_id_arrives_and_survives_redelivery() {
    require!("Mosquitto", 1883);
    let session = unique("mqtt");
    let (handle, mut log) = handler();
    with_session(&session, &handle, async |client| {
        scope(click("click-1"), produce(client, &session, "7"))
            .await
            .unwrap();
        log.next().await.check_click("7", "click-1");
        // Outside of any scope no ID is sent.
        produce(client, &session, "alone").await.unwrap();
        log.next().await.check_fresh("alone");
        scope(click("click-2"), produce(client, &session, "hang"))
            .await
            .unwrap();
        log.next().await.check_click("hang", "click-2");
    })
    .await;

    // The connection was lost, so the message comes once more.
    let again = redelivered(&session).await;
    assert!(again.dup);
    assert_eq!(&again.payload[..], b"hang");
    with_session(&session, &handle, async |_| {
        log.next().await.check_click("hang", "click-2");
    })
    .await;
    forget(&session).await.unwrap();

    // A message that cannot be handled ends the consumer, and comes to the next one.
    let (client, events) = connect(&session);
    let failed = consume(&client, events, &session, &handle);
    let produced = scope(click("click-3"), produce(&client, &session, "fail"));
    let (failed, produced) = tokio::join!(failed, produced);
    assert_eq!(failed.unwrap_err().to_string(), "told to fail");
    produced.unwrap();
    log.next().await.check_click("fail", "click-3");
    drop(client);
    with_session(&session, &handle, async |_| {
        log.next().await.check_click("fail", "click-3");
    })
    .await;
    forget(&session).await.unwrap();
}

#[tokio::test]
async fn what_others_send() {
    require!("Mosquitto", 1883);
    let session = unique("mqtt");
    let (handle, mut log) = handler();
    with_session(&session, &handle, async |client| {
        // From now on it is subscribed.
        produce(client, &session, "first").await.unwrap();
        log.next().await.check_fresh("first");

        let send = async |body: &str, headers: Headers<'_>| publish(&session, body, headers).await;
        foreign(&mut log, send).await;
        twice(&mut log, send).await;
        // Larger than what the client takes by default.
        let large = "x".repeat(100_000);
        scope(click("click-1"), produce(client, &session, &large))
            .await
            .unwrap();
        log.next().await.check_click(&large, "click-1");
    })
    .await;
    forget(&session).await.unwrap();
}

/// A publisher that knows what the broker has taken.
struct Publisher {
    session: String,
    client: AsyncClient,
    taken: UnboundedReceiver<PubAckReason>,
    network: JoinHandle<()>,
}

impl Publisher {
    fn start() -> Self {
        let session = unique("mqtt");
        let (client, mut events) = connect(&session);
        let (sender, taken) = unbounded_channel();
        let network = tokio::spawn(async move {
            while let Ok(event) = events.poll().await {
                if let Event::Incoming(Packet::PubAck(ack)) = event {
                    sender.send(ack.reason).unwrap();
                }
            }
        });
        Self {
            session,
            client,
            taken,
            network,
        }
    }

    /// Returns when the broker has all of them.
    async fn publish(&mut self, topic: &str, numbers: std::ops::Range<u32>) {
        let count = numbers.len();
        let produce = async |body: String| produce(&self.client, topic, &body).await;
        restart::publish(numbers, produce).await;
        for _ in 0..count {
            let taken = tokio::time::timeout(DEADLINE, self.taken.recv()).await;
            assert_eq!(taken.expect("an answer"), Some(PubAckReason::Success));
        }
    }

    async fn end(self) {
        self.network.abort();
        forget(&self.session).await.unwrap();
    }
}

/// Mosquitto keeps 1,000 messages for a session, and drops more without a word. So there are never
/// more under way, and the consumer is dead while it keeps as many as it does.
#[tokio::test]
async fn a_consumer_is_killed() {
    require!("Mosquitto", 1883);
    let session = unique("mqtt");
    // The session begins before the consumer does.
    let (client, mut events) = connect(&session);
    client
        .subscribe(&session, rumqttc::v5::mqttbytes::QoS::AtLeastOnce)
        .await
        .unwrap();
    next(&mut events, |packet| {
        matches!(packet, Packet::SubAck(_)).then_some(())
    })
    .await;
    drop((client, events));

    let mut publisher = Publisher::start();
    let mut published = 0;
    let mut handled = HashSet::new();
    let mut lines = 0;
    let mut consumer = Consumer::start("mqtt", &session, &[]);
    let mut killed = None;
    while handled.len() < MESSAGES as usize {
        let under_way = published as usize - handled.len();
        if published < MESSAGES && under_way <= KEPT - STEP {
            let step = published..published + STEP as u32;
            published = step.end;
            publisher.publish(&session, step).await;
            continue;
        }
        if killed.is_none() && handled.len() > MESSAGES as usize / 3 {
            let rest = consumer.kill().await;
            lines += rest.len();
            handled.extend(rest);
            // Nobody is there to take these.
            let more = KEPT - (published as usize - handled.len());
            publisher
                .publish(&session, published..published + more as u32)
                .await;
            published += more as u32;
            killed = Some(handled.len());
            consumer = Consumer::start("mqtt", &session, &[]);
        }
        handled.insert(consumer.next().await);
        lines += 1;
    }
    lines += consumer.kill().await.len();
    publisher.end().await;
    forget(&session).await.unwrap();
    let (killed, again) = (killed.unwrap(), lines - handled.len());
    eprintln!("mqtt: {killed} before the kill, {lines} lines in all, {again} for the 2nd time");
}

/// How many messages the broker must keep at once, some of them twice: those that were handled,
/// but not acknowledged when the consumer was killed.
const KEPT: usize = 800;
const STEP: usize = 200;
