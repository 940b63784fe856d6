//! A name for the keys of a test, and what other programs do with Redis.

use correlation_testkit::services::unique;
use redis::aio::MultiplexedConnection;
use redis::{Commands, Connection, FromRedisValue, cmd, pipe};

/// A name that no other test has. When it is dropped, all keys that contain it are deleted.
pub(crate) struct Name(pub(crate) String);

impl Name {
    pub(crate) fn new(name: &str) -> Self {
        Self(unique(name))
    }

    /// All keys that contain it, and the jobs of its queues.
    pub(crate) fn keys(&self) -> Vec<String> {
        keys(&mut connect().unwrap(), &self.0).unwrap()
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
    let mut redis = connect()?;
    for queue in [name, &rust_queue(name)] {
        redis.srem::<_, _, ()>("rq:queues", format!("rq:queue:{queue}"))?;
    }
    redis.srem::<_, _, ()>("rq:workers", format!("rq:worker:{name}"))?;
    let keys = keys(&mut redis, name)?;
    if keys.is_empty() {
        return Ok(0);
    }
    redis.unlink(keys)
}

/// RQ has no end of names for its keys: jobs know their queue, workers are called like it.
fn keys(redis: &mut Connection, name: &str) -> redis::RedisResult<Vec<String>> {
    let jobs: Vec<String> = redis.keys("rq:job:*")?;
    let mut keys: Vec<String> = redis.keys(format!("*{name}*"))?;
    if !jobs.is_empty() {
        let mut origins = pipe();
        for job in &jobs {
            origins.hget(job, "origin");
        }
        let origins: Vec<Option<String>> = origins.query(redis)?;
        for (job, origin) in jobs.into_iter().zip(origins) {
            keys.extend(origin.filter(|of| of.starts_with(name)).map(|_| job));
        }
    }
    Ok(keys)
}

fn connect() -> redis::RedisResult<Connection> {
    redis::Client::open("redis://127.0.0.1:6379")?.get_connection()
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
    let called = cmd(name).arg(arguments).query_async(redis).await;
    called.unwrap()
}
