//! A name for the keys of a test, and what other programs do with Redis.

use redis::aio::MultiplexedConnection;
use redis::{Cmd, Commands, FromRedisValue, cmd, pipe};

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
        // No panic: the test has passed or failed by now, and keys that stay do no harm.
        if let Err(error) = delete_all(&self.0) {
            eprintln!("keys of {} stay: {error}", self.0);
        }
    }
}

fn delete_all(name: &str) -> redis::RedisResult<u64> {
    let mut redis = redis::Client::open("redis://127.0.0.1:6379")?.get_connection()?;
    // RQ has no end of names for its keys: jobs know their queue, workers are called like it.
    for queue in [name, &rust_queue(name)] {
        redis.srem::<_, _, ()>("rq:queues", format!("rq:queue:{queue}"))?;
    }
    redis.srem::<_, _, ()>("rq:workers", format!("rq:worker:{name}"))?;
    let jobs: Vec<String> = redis.keys("rq:job:*")?;
    let mut keys: Vec<String> = redis.keys(format!("*{name}*"))?;
    if !jobs.is_empty() {
        let mut origins = pipe();
        for job in &jobs {
            origins.hget(job, "origin");
        }
        let origins: Vec<Option<String>> = origins.query(&mut redis)?;
        for (job, origin) in jobs.into_iter().zip(origins) {
            keys.extend(origin.filter(|of| of.starts_with(name)).map(|_| job));
        }
    }
    if keys.is_empty() {
        return Ok(0);
    }
    redis.unlink(keys)
}

/// Where Python sends jobs for Rust.
pub(crate) fn rust_queue(queue: &str) -> String {
    format!("{queue}-rust")
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
