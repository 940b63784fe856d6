//! What the README tells people to run.

use std::process::Command;

use correlation_testkit::services::unique;
use correlation_testkit::{process, require_service};

use super::redis_keys::Name;

#[test]
fn the_demo_shows_the_ids() {
    for (broker, server, port) in [
        ("rabbitmq", "RabbitMQ", 5672),
        ("nats", "NATS", 4222),
        ("jetstream", "NATS", 4222),
        ("mqtt", "MQTT broker", 1883),
        ("redis-streams", "Redis", 6379),
        ("redis-lists", "Redis", 6379),
        ("rq", "Redis", 6379),
    ] {
        if !require_service(server, port) {
            continue;
        }
        let queue = unique("demo");
        let mut demo = Command::new(env!("CARGO_BIN_EXE_queues"));
        demo.args(["demo", broker, &queue]).env_remove("RUST_LOG");
        let printed = process::run(&mut demo).unwrap();
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
