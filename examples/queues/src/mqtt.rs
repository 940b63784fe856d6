//! MQTT 5 with rumqttc: the ID is a user property of the message, and **not** the property
//! "correlation data", by which a caller finds the answer to its question. MQTT 3.1.1 has no
//! properties. There, `Carried<T>` is the payload, as with Redis lists.

use correlation_core::{Extractor, continue_from, inject};
use rumqttc::v5::mqttbytes::v5::{Packet, PublishProperties};
use rumqttc::v5::{AsyncClient, Event, EventLoop, MqttOptions, mqttbytes::QoS};
use tokio::sync::mpsc;
use tracing::warn;

use crate::Result;

/// Makes a client of the MQTT broker of this machine, and the loop that sends and receives when
/// polled. The broker keeps the session of this `client_id` for a day without a connection. It
/// silently drops messages above a limit: Mosquitto at 1,000 (`max_queued_messages`).
#[must_use]
pub fn connect(client_id: &str) -> (AsyncClient, EventLoop) {
    let mut options = MqttOptions::new(client_id, "127.0.0.1", 1883);
    options.set_clean_start(false);
    options.set_session_expiry_interval(Some(24 * 60 * 60));
    options.set_manual_acks(true); // a message that is not handled yet is not acknowledged
    options.set_receive_maximum(Some(20));
    // The broker must know the limit, which is 10 KiB by default. Otherwise it sends a larger
    // message repeatedly, and the client drops the connection each time.
    options.set_max_packet_size(Some(1024 * 1024));
    AsyncClient::new(options, 100)
}

/// Publishes a message under the ID of the caller. Its `PubAck` comes through the loop.
pub async fn produce(client: &AsyncClient, topic: &str, body: &str) -> Result {
    let mut properties = PublishProperties::default();
    inject(&mut properties.user_properties);
    let (qos, body) = (QoS::AtLeastOnce, body.to_owned());
    let sent = client.publish_with_properties(topic, qos, false, body, properties);
    Ok(sent.await?)
}

/// Handles the messages of a topic, each under the ID that it has, or a new one. It ends at a
/// message that could not be handled, because MQTT cannot give one back. If you call it again with
/// the same client ID, it gets every message that was not acknowledged again.
pub async fn consume(
    client: &AsyncClient,
    mut events: EventLoop,
    topic: &str,
    handle: impl AsyncFn(&[u8]) -> Result,
) -> Result {
    client.subscribe(topic, QoS::AtLeastOnce).await?;
    // The loop runs while a message is handled, or the broker would take the client for dead. The
    // receive maximum limits the messages in between. Mosquitto 2.0 sends a few times as many.
    let (sender, mut messages) = mpsc::unbounded_channel();
    let receive = async {
        loop {
            if let Event::Incoming(Packet::Publish(publish)) = events.poll().await? {
                sender.send(publish)?;
            }
        }
    };
    let handle_all = async {
        while let Some(publish) = messages.recv().await {
            let properties = || publish.properties.iter().map(|all| &all.user_properties);
            let values = |key| properties().flat_map(move |all| all.get_all(key));
            let work = async {
                let handled = handle(&publish.payload).await;
                handled.inspect_err(|error| warn!(%error, "message stays at the broker"))
            };
            continue_from(values, work).await?;
            client.ack(&publish).await?;
        }
        Ok(())
    };
    tokio::select! { ended = receive => ended, ended = handle_all => ended }
}

/// Ends the session of a consumer that will not return, and deletes everything that is kept for it.
pub async fn forget(client_id: &str) -> Result {
    let options = MqttOptions::new(client_id, "127.0.0.1", 1883); // a clean session
    let (_client, mut events) = AsyncClient::new(options, 1);
    while !matches!(events.poll().await?, Event::Incoming(Packet::ConnAck(_))) {}
    Ok(())
}
