/// Returns the Redis lists that hold the messages of a queue, with the most urgent list first.
///
/// Read from all of them in one call. Over Redis, kombu puts a message with a `priority` of 3 or
/// more into a separate list. A program that reads only the queue's own list never sees it.
///
/// ```
/// use correlation_celery::redis_queues;
///
/// let lists = redis_queues("orders");
/// assert_eq!(lists[0], "orders");
/// assert_eq!(lists[1], "orders\x06\x163");
/// // `BRPOP orders orders\x06\x163 orders\x06\x166 orders\x06\x169 0`
/// ```
///
/// These are the names of kombu's defaults (`kombu/transport/redis.py`): the `priority_steps` 0, 3,
/// 6 and 9, of which 0 is the most urgent, and the separator `\x06\x16`. A program that sets other
/// `broker_transport_options` has other names.
#[must_use]
pub fn redis_queues(queue: &str) -> [String; 4] {
    ["", "\x06\x163", "\x06\x166", "\x06\x169"].map(|step| format!("{queue}{step}"))
}
