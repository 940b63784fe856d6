//! Python libraries that bring handlers for Celery of their own: each as its makers have it, and
//! the preset that is meant for it.

use std::collections::HashSet;

use correlation_celery::correlation::sync_scope;
use correlation_celery::serde_json::{Value, json};
use correlation_celery::{Celery, Header};

use crate::broker::Broker;
use crate::python::{Python, python_and};
use crate::workers::{check, check_message, click};

async fn both_ways(broker: Broker, library: &'static str, header: Header) {
    let Some(python) = python_and(&[broker.server()]) else {
        return;
    };
    let mut python = Python::start(python, broker, library).await;
    let celery = Celery::new().header(header);

    let chain = sync_scope(click("click-1"), || {
        let add = || celery.task("app.add").arg(1);
        add().then(add()).then(add())
    });
    broker.send(&chain, &python.queue).await;
    for result in [1, 2, 3] {
        let report = python.report().await;
        check(&report, "app.add", "click-1");
        assert_eq!(report.said["result"], result);
    }
    let flaky = sync_scope(click("click-2"), || celery.task("app.flaky"));
    broker.send(&flaky, &python.queue).await;
    for retries in 0..3 {
        let report = python.report().await;
        check(&report, "app.flaky", "click-2");
        assert_eq!(report.said["retries"], retries);
    }

    // What it sends is read without being told what it is.
    let queue = python.rust_queue.clone();
    python.produce("delay", "click-3");
    check_message(&broker.receive(&queue).await, "click-3", &json!(42));
    let task = sync_scope(click("click-4"), || celery.task("app.to_rust"));
    broker.send(&task, &python.queue).await;
    check_message(&broker.receive(&queue).await, "click-4", &json!(task.id()));
    // There and back, by the name that it came with.
    python.produce("task", "click-5");
    let message = broker.receive(&queue).await;
    broker.send(&message.retry(), &python.queue).await;
    check(&python.report().await, "app.add", "click-5");
}

#[tokio::test(flavor = "multi_thread")]
async fn asgi_correlation_id_over_redis() {
    both_ways(Broker::Redis, "asgi_recipe", Header::CORRELATION_ID).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn asgi_correlation_id_over_rabbitmq() {
    both_ways(Broker::RabbitMQ, "asgi_recipe", Header::CORRELATION_ID).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn django_guid_over_redis() {
    both_ways(Broker::Redis, "django_guid_celery", Header::DJANGO_GUID).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn django_guid_over_rabbitmq() {
    both_ways(Broker::RabbitMQ, "django_guid_celery", Header::DJANGO_GUID).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn flask_log_request_id_over_redis() {
    both_ways(Broker::Redis, "flask_request_id", Header::FLASK).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn flask_log_request_id_over_rabbitmq() {
    both_ways(Broker::RabbitMQ, "flask_request_id", Header::FLASK).await;
}

/// Why the snippet of the example restores what was there before, where this recipe sets `None`.
#[tokio::test(flavor = "multi_thread")]
async fn an_eager_call_costs_the_caller_its_id_with_the_recipe() {
    let Some(python) = python_and(&[Broker::Redis.server()]) else {
        return;
    };
    let mut python = Python::start(python, Broker::Redis, "asgi_recipe").await;
    let parent = sync_scope(click("click-1"), || Celery::new().task("app.parent"));
    Broker::Redis.send(&parent, &python.queue).await;
    // The eager call, its caller, and the child that was sent before.
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(python.report().await.said["id"].clone());
    }
    assert_eq!(ids[1..], [Value::Null, json!("click-1")]);
    let distinct: HashSet<_> = ids.iter().map(Value::to_string).collect();
    assert_eq!(distinct.len(), 3);
}
