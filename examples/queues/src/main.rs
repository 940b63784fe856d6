//! `queues demo BROKER` and `queues consume BROKER QUEUE`. See the README of this example.

use std::cell::RefCell;
use std::future::pending;
use std::io::{self, IsTerminal};
use std::{env, process};

use correlation_core as correlation;
use correlation_core::{CorrelationId, scope};
#[cfg(feature = "kafka")]
use queues::kafka;
use queues::orders::ship;
use queues::redis_connection::connect;
use queues::{Result, jetstream, mqtt, nats, rabbitmq, redis_lists, redis_streams};
use queues::{rq, rq_job, rq_worker};
use redis::AsyncCommands;
use tokio::sync::Notify;
use tracing_subscriber::EnvFilter;

const BROKERS: &str =
    "rabbitmq, nats, jetstream, kafka (a feature), mqtt, redis-streams, redis-lists, rq";

#[tokio::main]
async fn main() -> Result {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| "queues=info".into());
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(io::stdout().is_terminal())
        // The ID on every line.
        .map_writer(correlation::tag)
        .init();

    let arguments: Vec<_> = env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    match *arguments {
        ["demo", broker] => {
            let queue = format!("demo-{}", CorrelationId::new());
            run(broker, &queue, true).await
        }
        ["demo", broker, queue] => run(broker, queue, true).await,
        ["consume", broker, queue] => run(broker, queue, false).await,
        _ => {
            eprintln!(
                "usage: queues demo BROKER [QUEUE] | consume BROKER QUEUE\nbrokers: {BROKERS}"
            );
            process::exit(2)
        }
    }
}

/// Consumes until that fails. A demonstration ends, and leaves nothing at the broker, except the
/// topic in Kafka.
async fn run(broker: &str, queue: &str, demo: bool) -> Result {
    let end = Notify::new();
    let handle = async |body: &[u8]| {
        if demo && body == END.as_bytes() {
            end.notify_one();
            return pending().await;
        }
        ship(body).await
    };
    let demo = demo.then_some(&end);
    match broker {
        "rabbitmq" => {
            let channel = rabbitmq::connect(queue).await?;
            let produce = async |body: &str| {
                rabbitmq::produce(&channel, queue, body, Default::default()).await
            };
            both(rabbitmq::consume(&channel, queue, handle), produce, demo).await?;
            let deleted = channel.queue_delete(queue.into(), Default::default());
            deleted.await?;
        }
        "nats" => {
            let client = nats::connect().await?;
            let produce = async |body: &str| nats::produce(&client, queue, body).await;
            both(nats::consume(&client, queue, handle), produce, demo).await?;
        }
        "jetstream" => {
            let client = jetstream::connect(queue).await?;
            let produce = async |body: &str| jetstream::produce(&client, queue, body).await;
            both(jetstream::consume(&client, queue, handle), produce, demo).await?;
            client.delete_stream(queue).await?;
        }
        #[cfg(feature = "kafka")]
        "kafka" => {
            let servers = env::var("KAFKA_SERVERS").unwrap_or_else(|_| "127.0.0.1:9092".into());
            let producer = kafka::producer(&servers)?;
            let consumer = kafka::consumer(&servers, queue)?;
            let produce = async |body: &str| kafka::produce(&producer, queue, body).await;
            both(kafka::consume(&consumer, handle), produce, demo).await?;
        }
        "mqtt" => {
            let (client, events) = mqtt::connect(queue);
            let produce = async |body: &str| mqtt::produce(&client, queue, body).await;
            let consume = mqtt::consume(&client, events, queue, handle);
            both(consume, produce, demo).await?;
            mqtt::forget(queue).await?;
        }
        "redis-lists" => {
            let (mut redis, mut own) = (connect().await?, connect().await?);
            let produce =
                async |body: &str| redis_lists::produce(&mut redis.clone(), queue, body).await;
            let consume = redis_lists::consume(&mut own, queue, "one", handle);
            both(consume, produce, demo).await?;
            let () = redis.unlink(&[queue, &format!("{queue}:one")]).await?;
        }
        "redis-streams" => {
            let (mut redis, mut own) = (connect().await?, connect().await?);
            let produce =
                async |body: &str| redis_streams::produce(&mut redis.clone(), queue, body).await;
            let names = [queue, "shop", "one"];
            let consume = redis_streams::consume(&mut own, names, 60_000, handle);
            both(consume, produce, demo).await?;
            let () = redis.unlink(queue).await?;
        }
        "rq" => {
            let (mut redis, mut own) = (connect().await?, connect().await?);
            let waiting = format!("rq:queue:{queue}");
            let keys = RefCell::new(vec![waiting.clone(), format!("{waiting}:one")]);
            let produce = async |body: &str| {
                let (redis, args) = (&mut redis.clone(), [body.into()]);
                let job = rq::produce(redis, queue, "tasks.ship", &args).await?;
                keys.borrow_mut().push(format!("rq:job:{job}"));
                Ok(())
            };
            let handle = async |job: &rq_job::Job| {
                let order = job.args.first().and_then(|order| order.as_str());
                handle(order.unwrap_or_default().as_bytes()).await
            };
            let consume = rq_worker::consume(&mut own, queue, "one", handle);
            both(consume, produce, demo).await?;
            let () = redis.srem("rq:queues", waiting).await?;
            let () = redis.unlink(keys.into_inner()).await?;
        }
        _ => return Err(format!("{broker} is not one of {BROKERS}").into()),
    }
    Ok(())
}

/// Runs the consumer until it fails. With `end`, for a demonstration, it runs until it has shipped
/// the orders of three clicks.
async fn both(
    consume: impl Future<Output = Result>,
    produce: impl AsyncFn(&str) -> Result,
    end: Option<&Notify>,
) -> Result {
    let clicks = async {
        let Some(end) = end else {
            return pending().await;
        };
        for number in 1..=3 {
            let id: CorrelationId = format!("click-{number}").parse()?;
            // In a service, the middleware makes this scope, for the whole request.
            let click = async {
                tracing::info!(number, "order placed");
                produce(&number.to_string()).await
            };
            scope(id, click).await?;
        }
        produce(END).await?;
        end.notified().await;
        Ok(())
    };
    tokio::select! {
        // The consumer comes first, because NATS and MQTT keep nothing for a late consumer.
        biased;
        ended = consume => ended,
        done = clicks => done,
    }
}

/// The last message of a demonstration. While it is handled, all earlier messages are acknowledged
/// and the consumer waits for no other. So no message is in progress when the consumer is dropped.
const END: &str = "end of the demonstration";
