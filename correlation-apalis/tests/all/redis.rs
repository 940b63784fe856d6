use apalis_redis::{Config, RedisStorage};
use correlation_testkit::process::DEADLINE;
use correlation_testkit::require_service;
use correlation_testkit::services::unique;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{AsyncCommands, Client};

use crate::job::block_on;

type Storage = RedisStorage<Job, ConnectionManager>;
const LONG_VALUES: bool = true;
const TASK_IDS: bool = true;

/// Keys with a prefix of their own.
struct Queue(String);

impl Queue {
    #[expect(clippy::unused_async, reason = "as in the other storages")]
    async fn new() -> Option<Self> {
        require_service("Redis", 6379).then(|| Self(unique("apalis")))
    }

    async fn connect(&self) -> Storage {
        let config = Config::default()
            .queue(&self.0)
            .heartbeat_interval(Duration::from_millis(500))
            .missed_heartbeats(4);
        RedisStorage::new(connect().await).with_config(config)
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        let (pattern, workers) = (format!("{}:*", self.0), format!("{}:workers", self.0));
        block_on(async move {
            let mut connection = connect().await;
            let keys: Vec<String> = connection.keys(pattern).await.unwrap();
            if !keys.is_empty() {
                let () = connection.del(keys).await.unwrap();
            }
            // What apalis knows of all queues there are.
            let () = connection
                .zrem("core:apalis:queues:list", workers)
                .await
                .unwrap();
        });
    }
}

async fn connect() -> ConnectionManager {
    let client = Client::open("redis://127.0.0.1:6379/").unwrap();
    // By default an answer that takes half a second ends the worker.
    let config = ConnectionManagerConfig::new().set_response_timeout(Some(DEADLINE));
    let connection = client.get_connection_manager_with_config(config);
    connection.await.unwrap()
}

checks!();
killed!();
