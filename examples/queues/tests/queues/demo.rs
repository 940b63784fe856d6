//! What the README tells people to run.

use std::process::Stdio;

use tokio::io::AsyncReadExt;
use tokio::process::Command;

use super::common::{DEADLINE, ready, unique};
use super::redis_keys::Name;

#[tokio::test]
async fn the_demo_shows_the_ids() {
    for (broker, server, port) in [
        ("rabbitmq", "RabbitMQ", 5672),
        ("nats", "NATS", 4222),
        ("jetstream", "NATS", 4222),
        ("mqtt", "MQTT broker", 1883),
        ("redis-streams", "Redis", 6379),
        ("redis-lists", "Redis", 6379),
        ("rq", "Redis", 6379),
    ] {
        if !ready(server, port) {
            continue;
        }
        let queue = unique("demo");
        let mut demo = Command::new(env!("CARGO_BIN_EXE_queues"))
            .args(["demo", broker, &queue])
            .env_remove("RUST_LOG")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut printed = Vec::new();
        let mut stdout = demo.stdout.take().unwrap();
        let end = async {
            stdout.read_to_end(&mut printed).await.unwrap();
            demo.wait().await.unwrap()
        };
        let status = tokio::time::timeout(DEADLINE, end).await;
        let printed = String::from_utf8(printed).unwrap();
        let Ok(status) = status else {
            panic!("{broker} does not end: {printed}");
        };
        assert!(status.success(), "{broker}: {printed}");
        for number in 1..=3 {
            for event in ["order placed", "order shipped"] {
                let line = format!("{event} number={number} correlation_id=click-{number}\n");
                assert_eq!(printed.matches(&line).count(), 1, "{broker}: {printed}");
            }
        }
        if server == "Redis" {
            assert_eq!(Name(queue).keys(), Vec::<String>::new(), "{broker}");
        }
    }
}
