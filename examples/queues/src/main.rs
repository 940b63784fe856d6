//! `queues demo BROKER` and `queues consume BROKER QUEUE`; see the README beside this.

use std::cell::RefCell;
use std::io::{self, IsTerminal};
use std::{env, process};

use correlation_core as correlation;
use correlation_core::{CorrelationId, scope};
#[cfg(feature = "kafka")]
use queues::kafka;
use queues::orders::ship;
use queues::redis_connection::connect;
use queues::{Result, jetstream, mqtt, nats, rabbitmq, redis_lists, redis_streams, rq};
use redis::AsyncCommands;
use tokio::sync::Semaphore;
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

/// Consumes until that fails. A demonstration ends, and leaves nothing at the broker but, in Kafka,
/// the topic.
async fn run(broker: &str, queue: &str, demo: bool) -> Result {
    let shipped = Semaphore::new(0);
    let handle = async |body: &[u8]| {
        ship(body).await?;
        shipped.add_permits(1);
        Ok(())
    };
    match broker {
        "rabbitmq" => {
            let channel = rabbitmq::connect(queue).await?;
            let produce = async |body: &str| rabbitmq::produce(&channel, queue, body).await;
            let consume = rabbitmq::consume(&channel, queue, &handle);
            both(consume, produce, demo.then_some(&shipped)).await?;
            channel
                .queue_delete(queue.into(), Default::default())
                .await?;
            Ok(())
        }
        "nats" => {
            let client = nats::connect().await?;
            let produce = async |body: &str| nats::produce(&client, queue, body).await;
            let consume = nats::consume(&client, queue, &handle);
            both(consume, produce, demo.then_some(&shipped)).await
        }
        "jetstream" => {
            let jetstream = jetstream::connect(queue).await?;
            let produce = async |body: &str| jetstream::produce(&jetstream, queue, body).await;
            let consume = jetstream::consume(&jetstream, queue, &handle);
            both(consume, produce, demo.then_some(&shipped)).await?;
            jetstream.delete_stream(queue).await?;
            Ok(())
        }
        #[cfg(feature = "kafka")]
        "kafka" => {
            let servers = env::var("KAFKA_SERVERS").unwrap_or_else(|_| "127.0.0.1:9092".into());
            let producer = kafka::producer(&servers)?;
            let consumer = kafka::consumer(&servers, queue)?;
            let produce = async |body: &str| kafka::produce(&producer, queue, body).await;
            let consume = kafka::consume(&consumer, &handle);
            both(consume, produce, demo.then_some(&shipped)).await
        }
        "mqtt" => {
            let (client, events) = mqtt::connect(queue);
            let produce = async |body: &str| mqtt::produce(&client, queue, body).await;
            let consume = mqtt::consume(&client, events, queue, &handle);
            both(consume, produce, demo.then_some(&shipped)).await?;
            mqtt::forget(queue).await
        }
        "redis-lists" => {
            let (mut redis, producer) = (connect().await?, connect().await?);
            let produce =
                async |body: &str| redis_lists::produce(&mut producer.clone(), queue, body).await;
            let consume = redis_lists::consume(&mut redis, queue, "one", &handle);
            both(consume, produce, demo.then_some(&shipped)).await?;
            Ok(redis.unlink(&[queue, &format!("{queue}:one")]).await?)
        }
        "redis-streams" => {
            let (mut redis, producer) = (connect().await?, connect().await?);
            let produce =
                async |body: &str| redis_streams::produce(&mut producer.clone(), queue, body).await;
            let consume = redis_streams::consume(&mut redis, queue, "shop", "one", &handle);
            both(consume, produce, demo.then_some(&shipped)).await?;
            Ok(redis.unlink(queue).await?)
        }
        "rq" => {
            let (mut redis, producer) = (connect().await?, connect().await?);
            let waiting = format!("rq:queue:{queue}");
            let keys = RefCell::new(vec![waiting.clone(), format!("{waiting}:one")]);
            let produce = async |body: &str| {
                let args = [body.into()];
                let job = rq::produce(&mut producer.clone(), queue, "tasks.ship", &args).await?;
                keys.borrow_mut().push(format!("rq:job:{job}"));
                Ok(())
            };
            let handle = async |job: &rq::Job| {
                let order = job.args.first().and_then(|order| order.as_str());
                handle(order.unwrap_or_default().as_bytes()).await
            };
            let consume = rq::consume(&mut redis, queue, "one", handle);
            both(consume, produce, demo.then_some(&shipped)).await?;
            let () = redis.srem("rq:queues", waiting).await?;
            Ok(redis.unlink(keys.into_inner()).await?)
        }
        _ => Err(format!("{broker} is not one of {BROKERS}").into()),
    }
}

/// Runs the consumer until it fails, and for a demonstration until it has shipped the orders of
/// three clicks.
async fn both(
    consume: impl Future<Output = Result>,
    produce: impl AsyncFn(&str) -> Result,
    demo: Option<&Semaphore>,
) -> Result {
    let clicks = async {
        let Some(shipped) = demo else {
            return std::future::pending().await;
        };
        for number in 1..=3 {
            let id: CorrelationId = format!("click-{number}").parse()?;
            // In a service this scope is made by the middleware, for the whole request.
            let click = async {
                tracing::info!(number, "order placed");
                produce(&number.to_string()).await
            };
            scope(id, click).await?;
        }
        shipped.acquire_many(3).await?.forget();
        Ok(())
    };
    tokio::select! {
        // The consumer first: NATS and MQTT keep nothing for those who come late.
        biased;
        ended = consume => ended,
        done = clicks => done,
    }
}
