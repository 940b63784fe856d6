//! A name for the keys of a test, and what other programs do with Redis.

use redis::aio::MultiplexedConnection;
use redis::{Cmd, Commands, FromRedisValue, cmd};

use super::common::unique;

/// A name that no other test has. When it is dropped, all keys that contain it are deleted.
pub(crate) struct Name(pub(crate) String);

impl Name {
    pub(crate) fn new(name: &str) -> Self {
        Self(unique(name))
    }
}

impl std::ops::Deref for Name {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl Drop for Name {
    fn drop(&mut self) {
        let client = redis::Client::open("redis://127.0.0.1:6379");
        let _ = client.and_then(|client| {
            let mut redis = client.get_connection()?;
            let keys: Vec<Vec<u8>> = redis.keys(format!("*{}*", self.0))?;
            let _: u64 = redis.unlink(keys)?;
            redis.srem::<_, _, u64>("rq:queues", format!("rq:queue:{}", self.0))
        });
    }
}

/// A command with arguments that may be no text.
pub(crate) async fn call<T: FromRedisValue>(
    redis: &mut MultiplexedConnection,
    name: &str,
    arguments: &[&[u8]],
) -> T {
    let mut command: Cmd = cmd(name);
    command.arg(arguments);
    command.query_async(redis).await.unwrap()
}
