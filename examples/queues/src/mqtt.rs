//! MQTT 5 with rumqttc: the ID is a user property of the message. MQTT 3.1.1 has none: there
//! `Carried<T>` is the payload, as with Redis lists.
//!
//! It is **not** the property "correlation data": by that a caller finds the answer to its
//! question.

use correlation_core::{continue_from, inject};
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{Packet, Publish, PublishProperties};
use rumqttc::v5::{AsyncClient, Event, EventLoop, MqttOptions};
use tokio::sync::mpsc;
use tracing::warn;

use crate::Result;

/// A client of the MQTT broker of this machine, and the loop that does its work: nothing is sent
/// or received unless it is polled.
///
/// The broker keeps the session of this `client_id` for a day after the connection is lost, with
/// the messages that were not acknowledged, and with new ones, as many as it is configured for:
/// Mosquitto 1,000 (`max_queued_messages`). Of those that it drops it tells nobody.
#[must_use]
pub fn connect(client_id: &str) -> (AsyncClient, EventLoop) {
    let mut options = MqttOptions::new(client_id, "127.0.0.1", 1883);
    options.set_clean_start(false);
    options.set_session_expiry_interval(Some(24 * 60 * 60));
    // What is not handled yet must not be acknowledged.
    options.set_manual_acks(true);
    options.set_receive_maximum(Some(MAX_UNDER_WAY));
    // Unless the broker knows of a limit it sends larger messages again and again, and the client
    // drops the connection each time: by default at 10 KiB.
    options.set_max_packet_size(Some(1024 * 1024));
    AsyncClient::new(options, 100)
}

/// Publishes a message under the ID of the caller. The broker has it when its `PubAck` has come
/// through the loop.
///
/// # Errors
///
/// If the loop is gone.
pub async fn produce(client: &AsyncClient, topic: &str, body: &str) -> Result {
    let mut properties = PublishProperties::default();
    inject(&mut properties.user_properties);
    let body = body.to_owned();
    let qos = QoS::AtLeastOnce;
    client
        .publish_with_properties(topic, qos, false, body, properties)
        .await?;
    Ok(())
}

/// Handles the messages of a topic, each under the ID that it brings or a new one.
///
/// # Errors
///
/// If the connection is lost, or a message could not be handled: MQTT has no way to give one back.
/// Called again with the same client ID, it gets everything that was not acknowledged once more.
pub async fn consume(
    client: &AsyncClient,
    mut events: EventLoop,
    topic: &str,
    handle: impl AsyncFn(&[u8]) -> Result,
) -> Result {
    client.subscribe(topic, QoS::AtLeastOnce).await?;
    // The loop goes on while a message is handled, else the broker takes the client for dead. The
    // receive maximum limits what lies in between; Mosquitto 2.0 sends a few times as many.
    let (sender, mut messages) = mpsc::unbounded_channel();
    let receive = async {
        loop {
            if let Event::Incoming(Packet::Publish(publish)) = events.poll().await? {
                sender.send(publish)?;
            }
        }
    };
    let work = async {
        while let Some(publish) = messages.recv().await {
            continue_from(|key| property(&publish, key), async {
                if let Err(error) = handle(&publish.payload).await {
                    warn!(%error, "message stays at the broker");
                    return Err(error);
                }
                Ok(client.ack(&publish).await?)
            })
            .await?;
        }
        Ok(())
    };
    tokio::select! {
        ended = receive => ended,
        ended = work => ended,
    }
}

/// Ends the session of a consumer that will not come back, with all that the broker keeps for it.
///
/// # Errors
///
/// If the broker does not answer.
pub async fn forget(client_id: &str) -> Result {
    let mut options = MqttOptions::new(client_id, "127.0.0.1", 1883);
    options.set_clean_start(true);
    let (_client, mut events) = AsyncClient::new(options, 1);
    while !matches!(events.poll().await?, Event::Incoming(Packet::ConnAck(_))) {}
    Ok(())
}

/// The value of a user property. Keys are case-sensitive, and may come more than once.
fn property<'a>(publish: &'a Publish, key: &str) -> Option<&'a str> {
    let properties = &publish.properties.as_ref()?.user_properties;
    let found = properties.iter().find(|(name, _)| name == key);
    found.map(|(_, value)| value.as_str())
}

const MAX_UNDER_WAY: u16 = 20;
