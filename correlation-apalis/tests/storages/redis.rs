use apalis_redis::{Config, RedisStorage};
use redis::AsyncCommands;
use redis::aio::ConnectionManager;

use crate::server;

type Storage = RedisStorage<Job, ConnectionManager>;
const LONG_VALUES: bool = true;
const TASK_IDS: bool = true;

/// Keys with a prefix of their own.
struct Queue(String);

impl Queue {
    #[expect(clippy::unused_async, reason = "as in the other storages")]
    async fn new() -> Option<Self> {
        server::answers("Redis", 6379).then(|| Self(server::unique()))
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
        let pattern = format!("{}:*", self.0);
        server::block_on(async move {
            let mut connection = connect().await;
            let keys: Vec<String> = connection.keys(pattern).await.unwrap();
            if !keys.is_empty() {
                let () = connection.del(keys).await.unwrap();
            }
        });
    }
}

async fn connect() -> ConnectionManager {
    apalis_redis::connect("redis://127.0.0.1:6379/")
        .await
        .unwrap()
}

checks!();
