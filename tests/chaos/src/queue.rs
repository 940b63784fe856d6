//! A queue whose broker is killed and started again: a Redis of our own, producers that write the ID
//! into messages with `inject_with`, and consumers that go on with `continue_from`.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use correlation_core::{CorrelationId, continue_from, current, inject_with, scope};
use correlation_testkit::process::Running;
use correlation_testkit::services::{free_port, require};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use redis::aio::MultiplexedConnection;
use redis::{AsyncCommands, Client};
use serde::{Deserialize, Serialize};
use tokio::task::{JoinSet, block_in_place};
use tokio::time::sleep;
use tracing::info;

use crate::counts::Fault;
use crate::headers::unique_id;
use crate::ledger::{Expected, FORGED, Trace};
use crate::life::lock;
use crate::line::mark;
use crate::own::Own;
use crate::world::World;

/// What lies in the queue.
#[derive(Debug, Deserialize, Serialize)]
struct Message {
    token: u64,
    headers: HashMap<String, String>,
}

/// What producers and consumers share.
#[derive(Clone)]
struct Queue {
    url: String,
    ledger: Own,
    world: Arc<World>,
    /// Nothing more is sent.
    stopping: Arc<AtomicBool>,
    /// Messages that the broker has confirmed, and those that have come.
    sent: Arc<AtomicU64>,
    received: Arc<AtomicU64>,
}

/// Runs it for as long; says so if there is no Redis.
pub(crate) async fn run(ledger: Own, world: Arc<World>, seed: u64, duration: Duration) {
    let Some(program) = require(redis_server().ok_or_else(|| "no redis-server".to_owned())) else {
        return;
    };
    let start = Instant::now();
    let directory = std::env::temp_dir().join(format!("chaos-{}-redis", std::process::id()));
    if let Err(error) = fs::create_dir_all(&directory) {
        lock(&ledger).fault(Fault::Wrong, || format!("{}: {error}", directory.display()));
        return;
    }
    let port = free_port();
    let mut broker = block_in_place(|| serve(&program, &directory, port));
    let queue = Queue {
        url: format!("redis://127.0.0.1:{port}"),
        ledger,
        world,
        stopping: Arc::default(),
        sent: Arc::default(),
        received: Arc::default(),
    };
    let mut clients = JoinSet::new();
    for number in 0..CLIENTS {
        let rng = StdRng::seed_from_u64(seed ^ (1_000_003 * (number + 1)));
        clients.spawn(queue.clone().produce(rng));
        clients.spawn(queue.clone().consume());
    }
    let mut restarts = 0;
    while start.elapsed() + duration / RESTARTS < duration {
        sleep(duration / RESTARTS).await;
        block_in_place(|| {
            broker.signal("KILL");
            let _ = broker.wait();
            broker = serve(&program, &directory, port);
        });
        restarts += 1;
        queue.world.count("brokers killed", 1);
    }
    sleep(duration.saturating_sub(start.elapsed())).await;
    queue.stopping.store(true, Ordering::SeqCst);
    clients.join_all().await;
    let lost = queue
        .sent
        .load(Ordering::SeqCst)
        .saturating_sub(queue.received.load(Ordering::SeqCst));
    let mut ledger = lock(&queue.ledger);
    // A consumer takes one at a time, and has it when the broker says so and dies.
    if lost > restarts * CLIENTS {
        ledger.fault(Fault::Missing, || {
            format!("{lost} messages, after {restarts} restarts")
        });
    }
    ledger.lose_all();
    ledger.end();
    drop(broker);
    let _ = fs::remove_dir_all(&directory);
}

impl Queue {
    async fn produce(self, mut rng: StdRng) {
        let mut connection = None;
        while !self.stopping.load(Ordering::SeqCst) {
            let Some(redis) = self.connection(&mut connection).await else {
                continue;
            };
            let token = self.world.token();
            let mut message = Message {
                token,
                headers: HashMap::new(),
            };
            let mark = mark(token);
            let kept = match rng.random_range(0..4) {
                0 => {
                    let forged = format!("{FORGED} {mark}");
                    message
                        .headers
                        .insert("x-correlation-id".to_owned(), forged);
                    None
                }
                _ => unique_id(&mut rng, token).parse::<CorrelationId>().ok(),
            };
            lock(&self.ledger).open(Expected {
                token,
                kept: kept.as_ref().map(ToString::to_string),
                trace: Trace::None,
                said: None,
                marked: match kept {
                    Some(_) => 2..=2,
                    None => 1..=1,
                },
                bare: 0..=0,
                left: 0,
            });
            let pushed = async {
                if current().is_some() {
                    info!("sends {mark}");
                }
                inject_with(|key, value| message.headers.insert(key.to_owned(), value.to_owned()));
                let message = serde_json::to_vec(&message).unwrap_or_default();
                redis.rpush::<_, _, ()>(QUEUE, message).await
            };
            let pushed = match kept {
                Some(id) => scope(id, pushed).await,
                None => pushed.await,
            };
            match pushed {
                Ok(()) => {
                    self.sent.fetch_add(1, Ordering::SeqCst);
                }
                // It may have arrived all the same.
                Err(_) => connection = None,
            }
            if token.is_multiple_of(8) {
                sleep(Duration::from_millis(1)).await;
            }
        }
    }

    async fn consume(self) {
        let mut connection = None;
        loop {
            let stopping = self.stopping.load(Ordering::SeqCst);
            let Some(redis) = self.connection(&mut connection).await else {
                continue;
            };
            let message: Option<Vec<u8>> = match redis.lpop(QUEUE, None).await {
                Ok(message) => message,
                Err(_) => {
                    connection = None;
                    continue;
                }
            };
            match message.map(|message| serde_json::from_slice::<Message>(&message)) {
                Some(Ok(message)) => {
                    self.received.fetch_add(1, Ordering::SeqCst);
                    let get = |key: &'static str| message.headers.get(key);
                    continue_from(get, self.receive(&message)).await;
                }
                Some(Err(error)) => {
                    let what = || format!("a message is torn: {error}");
                    lock(&self.ledger).fault(Fault::Wrong, what);
                }
                None if stopping => return,
                None => sleep(Duration::from_millis(2)).await,
            }
        }
    }

    async fn receive(&self, message: &Message) {
        let mark = mark(message.token);
        info!("receives {mark}");
        tokio::task::yield_now().await;
        let ids: Vec<_> = current().map(|id| id.to_string()).into_iter().collect();
        lock(&self.ledger).answered(message.token, &ids);
    }

    /// The connection, or a new one once there is a broker.
    async fn connection<'a>(
        &self,
        kept: &'a mut Option<MultiplexedConnection>,
    ) -> Option<&'a mut MultiplexedConnection> {
        if kept.is_none() {
            let client = Client::open(&*self.url).ok()?;
            *kept = client.get_multiplexed_async_connection().await.ok();
            if kept.is_none() {
                sleep(Duration::from_millis(20)).await;
            }
        }
        kept.as_mut()
    }
}

fn redis_server() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let mut places = std::env::split_paths(&path).map(|place| place.join("redis-server"));
    places.find(|program| program.is_file())
}

/// What it has confirmed is on the disk.
fn serve(program: &Path, directory: &Path, port: u16) -> Running {
    let mut command = Command::new(program);
    command
        .current_dir(directory)
        .arg("--port")
        .arg(port.to_string());
    command.args(["--bind", "127.0.0.1", "--save", ""]);
    command.args(["--appendonly", "yes", "--appendfsync", "always"]);
    let mut running = Running::start(&mut command);
    running.accepts(port);
    running
}

const QUEUE: &str = "chaos";
/// Producers, and consumers, at a time.
const CLIENTS: u64 = 4;
/// How often the broker is killed, and one more.
const RESTARTS: u32 = 6;
