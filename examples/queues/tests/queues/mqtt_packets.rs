//! MQTT 5 byte by byte: what no client library sends.

use correlation_testkit::services::unique;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::common::Headers;

/// Publishes as another program would, whatever the bytes. Whether the broker took it.
pub(crate) async fn publish(topic: &str, body: &str, properties: Headers<'_>) -> bool {
    let mut connect = b"\0\x04MQTT\x05\x02\0\x3c\0".to_vec();
    connect.extend(string(unique("mqtt").as_bytes()));
    let mut fields = Vec::new();
    for (name, value) in properties {
        fields.extend(
            [
                &[USER_PROPERTY][..],
                &string(name.as_bytes()),
                &string(value),
            ]
            .concat(),
        );
    }
    let fields = [&length(fields.len())[..], &fields].concat();
    let publish = [
        &string(topic.as_bytes())[..],
        b"\0\x01",
        &fields,
        body.as_bytes(),
    ]
    .concat();

    let mut broker = TcpStream::connect("127.0.0.1:1883").await.unwrap();
    for (kind, packet) in [(CONNECT, connect), (PUBLISH_QOS_1, publish)] {
        let packet = [&[kind][..], &length(packet.len()), &packet].concat();
        broker.write_all(&packet).await.unwrap();
    }
    loop {
        let Ok(kind) = broker.read_u8().await else {
            return false;
        };
        let rest = broker.read_u8().await.unwrap();
        broker.read_exact(&mut vec![0; rest.into()]).await.unwrap();
        match kind {
            CONNACK => {}
            PUBACK => return true,
            DISCONNECT => return false,
            _ => panic!("packet {kind:x}"),
        }
    }
}

fn string(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).unwrap();
    [&length.to_be_bytes(), bytes].concat()
}

/// Seven bits in each byte, the eighth says that there are more.
fn length(mut length: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let more = if length > 127 { 128 } else { 0 };
        bytes.push(u8::try_from(length % 128).unwrap() | more);
        length /= 128;
        if length == 0 {
            return bytes;
        }
    }
}

const CONNECT: u8 = 0x10;
const CONNACK: u8 = 0x20;
const PUBLISH_QOS_1: u8 = 0x32;
const PUBACK: u8 = 0x40;
const DISCONNECT: u8 = 0xe0;
const USER_PROPERTY: u8 = 0x26;
