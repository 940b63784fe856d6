//! A message with header keys of any bytes, as AMQP allows and its clients do not.
//!
//! AMQP 0-9-1, <https://www.rabbitmq.com/resources/specs/amqp0-9-1.pdf>.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Sends a message to a queue of RabbitMQ, and waits until RabbitMQ has it.
pub(crate) async fn publish_raw(queue: &str, body: &[u8], key: &[u8], value: &[u8]) {
    let mut stream = TcpStream::connect("127.0.0.1:5672").await.unwrap();
    stream.write_all(b"AMQP\0\0\x09\x01").await.unwrap();
    answer_of(&mut stream, START).await;

    let mut start_ok = vec![0; 4]; // no properties
    short(&mut start_ok, b"PLAIN");
    long(&mut start_ok, b"\0guest\0guest");
    short(&mut start_ok, b"en_US");
    send(&mut stream, 0, START_OK, &start_ok).await;
    answer_of(&mut stream, TUNE).await;
    // Channels, frame size, no heartbeat.
    let tune_ok = [0x07, 0xff, 0, 2, 0, 0, 0, 0];
    send(&mut stream, 0, TUNE_OK, &tune_ok).await;
    send(&mut stream, 0, OPEN, b"\x01/\0\0").await;
    answer_of(&mut stream, OPEN_OK).await;
    send(&mut stream, 1, CHANNEL_OPEN, b"\0").await;
    answer_of(&mut stream, CHANNEL_OPEN_OK).await;
    send(&mut stream, 1, CONFIRM_SELECT, b"\0").await;
    answer_of(&mut stream, CONFIRM_SELECT_OK).await;

    let mut publish = vec![0; 3]; // the default exchange
    short(&mut publish, queue.as_bytes());
    publish.push(0);
    send(&mut stream, 1, PUBLISH, &publish).await;
    let mut table = Vec::new();
    short(&mut table, key);
    table.push(b'S');
    long(&mut table, value);
    let mut header = vec![0, 60, 0, 0];
    header.extend((body.len() as u64).to_be_bytes());
    header.extend([0x20, 0]); // of all properties only the headers
    long(&mut header, &table);
    frame(&mut stream, 2, 1, &header).await;
    frame(&mut stream, 3, 1, body).await;
    answer_of(&mut stream, ACK).await;
}

async fn send(stream: &mut TcpStream, channel: u16, method: Method, arguments: &[u8]) {
    let mut payload = Vec::new();
    payload.extend(method.0.to_be_bytes());
    payload.extend(method.1.to_be_bytes());
    payload.extend(arguments);
    frame(stream, 1, channel, &payload).await;
}

async fn frame(stream: &mut TcpStream, kind: u8, channel: u16, payload: &[u8]) {
    let mut frame = vec![kind];
    frame.extend(channel.to_be_bytes());
    long(&mut frame, payload);
    frame.push(0xce);
    stream.write_all(&frame).await.unwrap();
}

async fn answer_of(stream: &mut TcpStream, method: Method) {
    let _kind_and_channel = stream.read_exact(&mut [0; 3]).await.unwrap();
    let len = stream.read_u32().await.unwrap();
    let mut payload = vec![0; len as usize + 1];
    stream.read_exact(&mut payload).await.unwrap();
    let found = Method(
        u16::from_be_bytes([payload[0], payload[1]]),
        u16::from_be_bytes([payload[2], payload[3]]),
    );
    assert_eq!(found, method, "{}", String::from_utf8_lossy(&payload));
}

fn short(to: &mut Vec<u8>, bytes: &[u8]) {
    to.push(u8::try_from(bytes.len()).unwrap());
    to.extend(bytes);
}

fn long(to: &mut Vec<u8>, bytes: &[u8]) {
    to.extend((bytes.len() as u32).to_be_bytes());
    to.extend(bytes);
}

/// A class and a method of it.
#[derive(Debug, PartialEq)]
struct Method(u16, u16);

const START: Method = Method(10, 10);
const START_OK: Method = Method(10, 11);
const TUNE: Method = Method(10, 30);
const TUNE_OK: Method = Method(10, 31);
const OPEN: Method = Method(10, 40);
const OPEN_OK: Method = Method(10, 41);
const CHANNEL_OPEN: Method = Method(20, 10);
const CHANNEL_OPEN_OK: Method = Method(20, 11);
const CONFIRM_SELECT: Method = Method(85, 10);
const CONFIRM_SELECT_OK: Method = Method(85, 11);
const PUBLISH: Method = Method(60, 40);
const ACK: Method = Method(60, 80);
