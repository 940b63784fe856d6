//! NATS without `JetStream`.

use std::future::pending;
use std::time::Duration;

use correlation_core::scope;
use correlation_testkit::process::DEADLINE;
use correlation_testkit::services::unique;
use queues::Result;
use queues::nats::{connect, consume, produce};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::common::{Headers, click, foreign, handler, require, twice, with_consumer};
use super::restart::{Consumer, MESSAGES, publish};

/// Sends a message as somebody else would: with any bytes, which `async-nats` does not let pass.
/// Those that NATS itself has no room for are not sent.
pub(crate) async fn send(subject: &str, headers: Headers<'_>, body: &str) -> bool {
    let carried = |value| str::from_utf8(value).is_ok_and(|text| !text.contains(['\r', '\n']));
    let all = headers.iter().all(|(_, value)| carried(value));
    if all {
        send_raw(subject, headers, body).await;
    }
    all
}

/// As [`send`], but whatever the bytes.
pub(crate) async fn send_raw(subject: &str, headers: Headers<'_>, body: &str) {
    let mut block = b"NATS/1.0\r\n".to_vec();
    for (name, value) in headers {
        block.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
    }
    block.extend(b"\r\n");
    let (head, all) = (block.len(), block.len() + body.len());
    let mut message = b"CONNECT {\"verbose\":false,\"headers\":true}\r\n".to_vec();
    message.extend(format!("HPUB {subject} {head} {all}\r\n").as_bytes());
    message.extend(block);
    message.extend(format!("{body}\r\nPING\r\n").as_bytes());

    let mut server = BufReader::new(TcpStream::connect("127.0.0.1:4222").await.unwrap());
    server.write_all(&message).await.unwrap();
    let mut line = String::new();
    while line != "PONG\r\n" {
        line.clear();
        let read = server.read_line(&mut line).await.unwrap();
        assert_ne!(read, 0, "NATS goes on");
        assert!(!line.starts_with("-ERR"), "{line}");
    }
}

#[tokio::test]
async fn the_id_arrives() {
    require!("NATS", 4222);
    let subject = unique("nats");
    let client = connect().await.unwrap();
    let (handle, mut log) = handler();
    let test = async {
        let first = produce(&client, &subject, "first");
        scope(click("click-1"), first).await.unwrap();
        log.next().await.check_click("first", "click-1");
        // One that failed does not come again, and is no reason to stop.
        let fail = produce(&client, &subject, "fail");
        scope(click("click-2"), fail).await.unwrap();
        log.next().await.check_click("fail", "click-2");
        produce(&client, &subject, "alone").await.unwrap();
        log.next().await.check_fresh("alone");
    };
    with_consumer(consume(&client, &subject, &handle), test).await;
}

#[tokio::test]
async fn what_others_send() {
    require!("NATS", 4222);
    let subject = unique("nats");
    let client = connect().await.unwrap();
    let (handle, mut log) = handler();
    let test = async {
        // What others send goes over a connection of its own, which may be faster.
        produce(&client, &subject, "ready").await.unwrap();
        log.next().await.check_fresh("ready");
        let send = async |body: &str, headers: Headers<'_>| send(&subject, headers, body).await;
        foreign(&mut log, send).await;
        twice(&mut log, send).await;
        let bare = client.publish(subject.clone(), "bare".into());
        bare.await.unwrap();
        log.next().await.check_fresh("bare");
    };
    with_consumer(consume(&client, &subject, &handle), test).await;
}

/// Not ours, and nothing that a consumer could do about it: shown here, so that the README stays
/// true. The process goes on.
#[tokio::test]
async fn headers_that_async_nats_cannot_read() {
    require!("NATS", 4222);
    let subject = unique("nats");
    let client = connect().await.unwrap();
    let (handle, mut log) = handler();
    let poison = async {
        produce(&client, &subject, "ready").await.unwrap();
        log.next().await.check_fresh("ready");
        // The client drops its connection, and connects again.
        for bad in [&b"\xff\xfe"[..], b"a\r\nb"] {
            send_raw(&subject, &[("x-correlation-id", bad)], "bad").await;
        }
        // What is sent in between is lost, so it is sent until it arrives.
        let mut again = tokio::time::interval(Duration::from_millis(50));
        loop {
            tokio::select! {
                seen = log.next() => break seen.check_fresh("good"),
                _ = again.tick() => produce(&client, &subject, "good").await.unwrap(),
            }
        }
        // The task with the connection panics.
        send_raw(&subject, &[("x-correlation-id", b"a\rb")], "bad").await;
        pending::<Result>().await
    };
    let ended = tokio::select! {
        // NATS keeps nothing for a consumer that starts late.
        biased;
        ended = consume(&client, &subject, &handle) => ended,
        ended = poison => ended,
        () = tokio::time::sleep(DEADLINE) => panic!("the consumer goes on"),
    };
    ended.unwrap_err();
}

/// What is sent while no consumer runs is gone; all that is handled has its own ID.
#[tokio::test]
async fn a_consumer_is_killed() {
    require!("NATS", 4222);
    let subject = unique("nats");
    let client = connect().await.unwrap();
    let produce = async |body: String| produce(&client, &subject, &body).await;
    let (killed, restarted) = (MESSAGES * 4 / 10, MESSAGES * 6 / 10);

    let mut first = Consumer::start("nats", &subject, &[]);
    first.ready().await;
    publish(0..killed, &produce).await;
    client.flush().await.unwrap();
    let mut handled = Vec::new();
    while handled.len() < killed as usize / 2 {
        handled.push(first.next().await);
    }
    handled.extend(first.kill().await);
    publish(killed..restarted, &produce).await;
    client.flush().await.unwrap();

    let mut second = Consumer::start("nats", &subject, &[]);
    second.ready().await;
    let last = MESSAGES - 1;
    publish(restarted..last, &produce).await;
    publish(last..MESSAGES, &produce).await;
    let before = handled.len();
    while handled.last() != Some(&last) {
        handled.push(second.next().await);
    }
    let lines = handled.len();
    eprintln!("nats: {before} before the kill, {lines} lines in all");
    let lost = killed..restarted;
    assert!(handled.iter().all(|number| !lost.contains(number)));
    handled.sort_unstable();
    handled.dedup();
    assert_eq!(handled.len(), lines, "each at most once");
}
