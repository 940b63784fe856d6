//! RQ, with workers and producers of Python.

use correlation_core::scope;
use correlation_testkit::TRACE;
use queues::Result;
use queues::redis_connection::connect;
use queues::rq::produce;
use queues::rq_job::Job;
use queues::rq_worker::consume;
use redis::aio::MultiplexedConnection;
use redis::{AsyncCommands, cmd};
use serde_json::{Value, json};

use super::common::{HOSTILE, click, handler, require, with_consumer};
use super::redis_keys::{Name, call, rust_queue};
use super::restart::{MESSAGES, kill_and_restart, publish};
use super::rq_python::python;

/// With a connection of its own, which is closed when the consumer is dropped. The handler gets
/// the argument of the job.
async fn consumer(queue: &str, handle: impl AsyncFn(&[u8]) -> Result) -> Result {
    let handle = async |job: &Job| {
        assert_eq!(job.function, "rust.ship");
        handle(job.args[0].as_str().unwrap().as_bytes()).await
    };
    consume(&mut connect().await?, queue, "one", handle).await
}

async fn status(redis: &mut MultiplexedConnection, job: &str) -> String {
    redis.hget(format!("rq:job:{job}"), "status").await.unwrap()
}

/// The worker ran the job under this ID, and logged it.
#[track_caller]
fn check(report: &Value, body: &str, id: &str) {
    assert_eq!(report["body"], body, "{report}");
    assert_eq!(report["id"], id, "{report}");
    assert_eq!(report["meta"]["correlation_id"], id, "{report}");
    let line = format!("order {body} shipped correlation_id={id}");
    assert_eq!(report["line"], line, "{report}");
}

/// The worker ran the job under a new ID: this.
#[track_caller]
fn check_fresh<'a>(report: &'a Value, body: &str) -> &'a str {
    let id = report["id"].as_str().unwrap();
    check(report, body, id);
    assert_eq!(uuid::Uuid::try_parse(id).unwrap().get_version_num(), 4);
    assert_ne!(report["job"], id);
    id
}

#[tokio::test]
async fn rust_to_python() {
    let Some(python) = python() else {
        return;
    };
    let queue = Name::new("rq");
    let redis = &mut connect().await.unwrap();
    let producer = connect().await.unwrap();
    let worker = python.worker(&queue);
    let send = async |function: &str, body: &str| {
        produce(&mut producer.clone(), &queue, function, &[body.into()])
            .await
            .unwrap()
    };

    let job = scope(click("click-1"), send("jobs.ship", "7")).await;
    let report = worker.report().await;
    check(&report, "7", "click-1");
    assert_eq!(report["job"], job);
    assert_eq!(report["meta"]["traceparent"], TRACE);

    // Retries, of a job with an ID and of one without.
    let job = scope(click("click-2"), send("jobs.flaky", "8")).await;
    for left in [3, 2, 1] {
        let report = worker.report().await;
        check(&report, "8", "click-2");
        assert_eq!(report["retries_left"], left);
        assert_eq!(report["job"], job);
        assert_eq!(report["meta"]["traceparent"], TRACE);
    }
    send("jobs.flaky", "9").await;
    let first = worker.report().await;
    let id = check_fresh(&first, "9");
    for _ in 0..2 {
        check(&worker.report().await, "9", id);
    }

    // A job that runs inside another one.
    scope(click("click-3"), send("jobs.parent", "10")).await;
    check(&worker.report().await, "child", "click-3");
    check(&worker.report().await, "10", "click-3");
    send("jobs.ship", "11").await;
    check_fresh(&worker.report().await, "11");

    // What RQ itself makes of a bad value.
    for (n, bad) in HOSTILE.iter().enumerate() {
        let id = format!("{}-{n}", &*queue);
        let meta = json!({"correlation_id": String::from_utf8_lossy(bad)}).to_string();
        let data = json!(["jobs.ship", null, ["12"], {}]);
        add(redis, &queue, &id, &data, meta.as_bytes()).await;
        check_fresh(&worker.report().await, "12");
    }

    // Back to Rust.
    scope(click("click-4"), send("jobs.to_rust", "13")).await;
    let (handle, mut log) = handler();
    with_consumer(consumer(&rust_queue(&queue), &handle), async {
        log.next().await.check_click("13", "click-4");
    })
    .await;
}

#[tokio::test]
async fn python_to_rust() {
    let Some(python) = python() else {
        return;
    };
    let queue = Name::new("rq");
    let redis = &mut connect().await.unwrap();
    let jobs = python.enqueue(
        &queue,
        [
            json!({"id": "click-1", "body": "7"}),
            json!({"id": "click-2", "body": "8", "pickle": true}),
            json!({"id": null, "body": "9"}),
            json!({"id": "a' */ x", "body": "10"}),
            json!({"id": "click-3", "body": "fail", "retries": 1}),
            json!({"id": "click-4", "body": "11"}),
        ],
    );
    let (handle, mut log) = handler();
    with_consumer(consumer(&queue, &handle), async {
        log.next().await.check("7", "click-1");
        log.next().await.check_fresh("9");
        log.next().await.check_fresh("10");
        log.next().await.check("fail", "click-3");
        log.next().await.check("11", "click-4");
        // To the end of the queue, since it may be tried again.
        log.next().await.check("fail", "click-3");
        produce(redis, &queue, "rust.ship", &["last".into()])
            .await
            .unwrap();
        log.next().await.check_fresh("last");
    })
    .await;
    // Only Python can read what is pickled.
    for (job, expected) in jobs
        .iter()
        .zip(["finished", "failed", "finished", "finished"])
    {
        assert_eq!(status(redis, job).await, expected);
    }

    // What has failed for good is where an operator of RQ looks for it.
    let queue = Name::new("rq");
    let (handle, mut log) = handler();
    let job = &python.enqueue(&queue, [json!({"id": "click-5", "body": "fail"})])[0];
    with_consumer(consumer(&queue, &handle), async {
        log.next().await.check("fail", "click-5");
        python.enqueue(&queue, [json!({"id": "click-6", "body": "12"})]);
        log.next().await.check("12", "click-6");
        assert_eq!(status(redis, job).await, "failed");
        python.requeue(&queue, job);
        log.next().await.check("fail", "click-5");
    })
    .await;
}

/// Adds a job as any program can.
async fn add(redis: &mut MultiplexedConnection, queue: &str, id: &str, data: &Value, meta: &[u8]) {
    let (key, data) = (format!("rq:job:{id}"), data.to_string());
    let mut fields = cmd("HSET");
    fields.arg(&[&*key, "retries_left", "1", "origin", queue, "data", &data]);
    let _: u64 = fields
        .arg("meta")
        .arg(meta)
        .query_async(redis)
        .await
        .unwrap();
    let () = redis.rpush(format!("rq:queue:{queue}"), id).await.unwrap();
}

#[tokio::test]
async fn what_others_send() {
    require!("Redis", 6379);
    let queue = Name::new("rq");
    let redis = &mut connect().await.unwrap();
    let data = |body: &str| json!(["rust.ship", null, [body], {"to": "Ankh-Morpork"}]);
    let id = |n: usize| format!("{}-{n}", &*queue);
    let (handle, mut log) = handler();
    with_consumer(consumer(&queue, &handle), async {
        for key in ["correlation_id", "x-correlation-id", "CORRELATION_ID"] {
            let meta = json!({key: "theirs", "traceparent": TRACE}).to_string();
            add(redis, &queue, &id(0), &data("7"), meta.as_bytes()).await;
            log.next().await.check_click("7", "theirs");
        }
        for bad in HOSTILE {
            let text = String::from_utf8_lossy(bad);
            let meta = json!({"correlation_id": text, "traceparent": text}).to_string();
            add(redis, &queue, &id(1), &data("7"), meta.as_bytes()).await;
            log.next().await.check_fresh("7");
            add(redis, &queue, &id(2), &data("8"), bad).await;
            log.next().await.check_fresh("8");
        }
        for wrong in ["null", "7", "[]", r#"{"correlation_id":7}"#] {
            add(redis, &queue, &id(3), &data("7"), wrong.as_bytes()).await;
            log.next().await.check_fresh("7");
        }
        // An ID that was made here stays for the next try, and the bad one is gone.
        let meta = br#"{"correlation_id":"a b","x":1}"#;
        add(redis, &queue, &id(4), &data("fail"), meta).await;
        let first = log.next().await;
        first.check_fresh("fail");
        log.next().await.check("fail", &first.id);
        let key = format!("rq:job:{}", id(4));
        let meta: Vec<u8> = call(redis, "HGET", &[key.as_bytes(), b"meta"]).await;
        let meta: Value = serde_json::from_slice(&meta).unwrap();
        assert_eq!(meta, json!({"correlation_id": first.id, "x": 1}));

        // A name that is no text.
        let key = format!("rq:job:{}", id(7));
        let _: u64 = call(redis, "HSET", &[key.as_bytes(), b"\xff", b"\xff"]).await;
        let meta = br#"{"correlation_id":"theirs"}"#;
        add(redis, &queue, &id(7), &data("7"), meta).await;
        log.next().await.check("7", "theirs");

        // No jobs at all.
        let list = format!("rq:queue:{}", &*queue);
        for id in [&b"gone"[..], b"", b"\xff"] {
            let _: u64 = call(redis, "RPUSH", &[list.as_bytes(), id]).await;
        }
        add(redis, &queue, &id(5), &json!({"not": "a job"}), b"").await;
        add(redis, &queue, &id(6), &data("9"), b"").await;
        log.next().await.check_fresh("9");

        let args = ["hang".into()];
        let hang = produce(redis, &queue, "rust.ship", &args);
        scope(click("click-1"), hang).await.unwrap();
        log.next().await.check_click("hang", "click-1");
    })
    .await;
    assert_eq!(status(redis, &id(5)).await, "failed");

    // Started again, the consumer first gets what it had not done.
    with_consumer(consumer(&queue, &handle), async {
        log.next().await.check_click("hang", "click-1");
    })
    .await;
}

/// Half of the jobs are enqueued by Python, if it is there.
#[tokio::test]
async fn a_consumer_is_killed() {
    require!("Redis", 6379);
    let queue = Name::new("rq");
    let redis = connect().await.unwrap();
    let produce = async |body: String| {
        produce(&mut redis.clone(), &queue, "rust.ship", &[body.into()]).await?;
        Ok(())
    };
    let half = MESSAGES / 2;
    publish(0..half, &produce).await;
    let rest = half..MESSAGES;
    match python() {
        Some(python) => {
            let job = |n: u32| json!({"id": format!("click-{n}"), "body": n.to_string()});
            python.enqueue(&queue, rest.map(job));
        }
        None => publish(rest, &produce).await,
    }
    kill_and_restart("rq", &queue, &[]).await;
}
