//! A record with header keys of any bytes, as Kafka's protocol allows and its clients do not.
//!
//! <https://kafka.apache.org/protocol>: `Produce`, version 7, with one record batch of version 2.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Sends one record to the only partition of a topic.
pub(crate) async fn produce_raw(
    server: &str,
    topic: &str,
    body: &[u8],
    headers: &[(impl AsRef<[u8]>, &[u8])],
) {
    let mut record = vec![0, 0, 0]; // attributes, time, offset
    varint(&mut record, -1); // no key
    bytes(&mut record, body);
    varint(&mut record, headers.len() as i64);
    for (key, value) in headers {
        bytes(&mut record, key.as_ref());
        bytes(&mut record, value);
    }

    let mut batch = Vec::new();
    batch.extend(0_i32.to_be_bytes()); // leader epoch
    batch.push(2); // magic
    batch.extend(0_u32.to_be_bytes()); // checksum: the cluster for tests does not look at it
    batch.extend(0_i16.to_be_bytes()); // attributes
    batch.extend(0_i32.to_be_bytes()); // last offset
    batch.extend([0; 16]); // first and last time
    batch.extend([0xff; 14]); // no idempotent producer: its ID, epoch and sequence
    batch.extend(1_i32.to_be_bytes()); // records
    bytes(&mut batch, &record);

    let mut request = Vec::new();
    request.extend(0_i16.to_be_bytes()); // Produce
    request.extend(7_i16.to_be_bytes());
    request.extend(1_i32.to_be_bytes()); // Kafka's own correlation ID: request and response
    text(&mut request, "test");
    request.extend((-1_i16).to_be_bytes()); // no transaction
    request.extend(1_i16.to_be_bytes()); // one acknowledgement
    request.extend(10_000_i32.to_be_bytes()); // milliseconds
    request.extend(1_i32.to_be_bytes()); // topics
    text(&mut request, topic);
    request.extend(1_i32.to_be_bytes()); // partitions
    request.extend(0_i32.to_be_bytes());
    request.extend((batch.len() as i32 + 12).to_be_bytes());
    request.extend(0_i64.to_be_bytes()); // first offset
    request.extend((batch.len() as i32).to_be_bytes());
    request.extend(batch);

    let mut stream = TcpStream::connect(server).await.unwrap();
    let len = request.len() as i32;
    stream.write_all(&len.to_be_bytes()).await.unwrap();
    stream.write_all(&request).await.unwrap();
    let len = stream.read_i32().await.unwrap();
    let mut response = vec![0; usize::try_from(len).unwrap()];
    stream.read_exact(&mut response).await.unwrap();
    // Its number, topics, name, partitions, partition; then the error.
    let error = 4 + 4 + 2 + topic.len() + 4 + 4;
    assert_eq!(response[error..error + 2], [0, 0], "{response:?}");
}

fn text(to: &mut Vec<u8>, text: &str) {
    to.extend((text.len() as i16).to_be_bytes());
    to.extend(text.as_bytes());
}

fn bytes(to: &mut Vec<u8>, bytes: &[u8]) {
    varint(to, bytes.len() as i64);
    to.extend(bytes);
}

/// Zigzag, seven bits a byte, as in Protocol Buffers.
fn varint(to: &mut Vec<u8>, number: i64) {
    let mut number = ((number << 1) ^ (number >> 63)) as u64;
    while number >= 0x80 {
        to.push(number as u8 | 0x80);
        number >>= 7;
    }
    to.push(number as u8);
}
