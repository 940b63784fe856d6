//! Real Celery at the other end, over Redis and over RabbitMQ.

use correlation_celery::correlation::{Context, Policy, current, sync_scope};
use correlation_celery::serde_json::{self, Value, json};
use correlation_celery::{Header, Message, Task};
use correlation_testkit::process::run;
use correlation_testkit::{TRACE, received};

use crate::broker::Broker;
use crate::python::{Python, Report, command, python_and};

/// The context of a request to a Rust service.
pub(crate) fn click(id: &str) -> Context {
    received(&Policy::new(), id)
}

/// The task saw the ID, and so did the Rust service that it called.
#[track_caller]
pub(crate) fn check(report: &Report, task: &str, id: &str) {
    assert_eq!(report.said["task"], task, "{report:?}");
    assert_eq!(report.said["id"], id, "{report:?}");
    assert_eq!(report.over_http.as_deref(), Some(id), "{report:?}");
}

async fn rust_to_python(broker: Broker) {
    let Some(python) = python_and(&[broker.server()]) else {
        return;
    };
    let mut python = Python::start(python, broker, "correlation_celery").await;
    let queue = python.queue.clone();
    let send = async |id: &str, task: fn() -> Task| {
        let task = sync_scope(click(id), task);
        broker.send(&task, &queue).await;
        task
    };

    let task = send("click-1", || Task::new("app.add").arg(2).kwarg("y", 3)).await;
    let report = python.report().await;
    check(&report, "app.add", "click-1");
    assert_eq!(report.said["result"], 5);
    assert_eq!(report.said["task_id"], task.id());
    assert_eq!(report.said["traceparent"], TRACE);

    let chains: [fn([Task; 3]) -> Task; 2] = [
        |[first, second, third]| first.then(second).then(third),
        |[first, second, third]| first.then(second.then(third)),
    ];
    for chain in chains {
        let task = sync_scope(click("click-2"), || {
            let [first, second] = [1, 10].map(|x| Task::new("app.add").arg(x));
            chain([first.arg(1), second, Task::new("app.add").arg(100)])
        });
        broker.send(&task, &queue).await;
        for result in [2, 12, 112] {
            let report = python.report().await;
            check(&report, "app.add", "click-2");
            assert_eq!(report.said["result"], result);
        }
    }

    send("click-3", || Task::new("app.flaky")).await;
    for retries in 0..3 {
        let report = python.report().await;
        check(&report, "app.flaky", "click-3");
        assert_eq!(report.said["retries"], retries);
    }

    // The eager call reports first, then its caller, then the child that was sent.
    send("click-4", || Task::new("app.parent")).await;
    for (task, result) in [
        ("app.add", json!(4)),
        ("app.parent", Value::Null),
        ("app.add", json!(2)),
    ] {
        let report = python.report().await;
        check(&report, task, "click-4");
        assert_eq!(report.said["result"], result);
    }

    // Nothing of the last task is left in the process.
    broker.send(&Task::new("app.add").arg(1), &queue).await;
    let report = python.report().await;
    let new = report.said["id"].as_str().unwrap();
    assert_eq!(new.len(), 36, "{report:?}");
    assert_ne!(report.said["task_id"], new);
    assert_eq!(report.over_http.as_deref(), Some(new));
}

#[tokio::test(flavor = "multi_thread")]
async fn rust_to_python_over_redis() {
    rust_to_python(Broker::Redis).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rust_to_python_over_rabbitmq() {
    rust_to_python(Broker::RabbitMQ).await;
}

#[track_caller]
pub(crate) fn check_message(message: &Message, id: &str, argument: &Value) {
    assert_eq!(message.task(), "rust.ship");
    assert_eq!(message.context().id(), &id);
    assert_eq!(message.args(), std::slice::from_ref(argument));
}

async fn python_to_rust(broker: Broker) {
    let Some(python) = python_and(&[broker.server()]) else {
        return;
    };
    let mut python = Python::start(python, broker, "correlation_celery").await;
    let queue = python.rust_queue.clone();

    python.produce("delay", "click-1");
    let message = broker.receive(&queue).await;
    check_message(&message, "click-1", &json!(42));
    assert_eq!(message.kwargs()["to"], "Ankh-Morpork");
    assert_ne!(message.id(), "click-1");
    assert_eq!(message.scope(async { current() }).await.unwrap(), "click-1");

    // Twice more on the Rust side.
    broker.send(&message.retry(), &queue).await;
    let again = broker.receive(&queue).await;
    broker.send(&again.retry(), &queue).await;
    let again = broker.receive(&queue).await;
    check_message(&again, "click-1", &json!(42));
    assert_eq!((again.retries(), again.id()), (2, message.id()));
    assert_eq!(again.header("origin"), message.header("origin"));

    // Over Redis each priority has a list of its own.
    if matches!(broker, Broker::Redis) {
        python.produce("priorities", "click-5");
        for _ in 0..10 {
            let message = broker.receive(&queue).await;
            check_message(&message, "click-5", &json!(42));
        }
    }

    // Sent by the worker as the second half of a chain.
    python.produce("chain", "click-2");
    check(&python.report().await, "app.add", "click-2");
    let message = broker.receive(&queue).await;
    check_message(&message, "click-2", &json!(42));

    // From Rust through Python and back.
    let task = sync_scope(click("click-3"), || Task::new("app.to_rust"));
    broker.send(&task, &python.queue).await;
    let message = broker.receive(&queue).await;
    check_message(&message, "click-3", &json!(task.id()));
    assert_eq!(message.header("parent_id"), Some(&json!(task.id())));

    // A Python task that Rust takes, and gives back as a retry.
    python.produce("task", "click-4");
    let message = broker.receive(&queue).await;
    broker.send(&message.retry(), &python.queue).await;
    let report = python.report().await;
    check(&report, "app.add", "click-4");
    assert_eq!(report.said["retries"], 1);
    assert_eq!(report.said["result"], 3);

    // One with a callback, which Rust puts behind a task of its own.
    python.produce("callback", "click-6");
    let message = broker.receive(&queue).await;
    let first = sync_scope(click("click-6"), || Task::new("app.add").args([10, 20]));
    broker
        .send(&first.then(message.retry()), &python.queue)
        .await;
    for result in [30, 32, 132] {
        let report = python.report().await;
        check(&report, "app.add", "click-6");
        assert_eq!(report.said["result"], result);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn python_to_rust_over_redis() {
    python_to_rust(Broker::Redis).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn python_to_rust_over_rabbitmq() {
    python_to_rust(Broker::RabbitMQ).await;
}

/// The control: what the tests above would find, were the snippet the one that circulates.
async fn naive_snippet_yields_the_task_id(broker: Broker) {
    let Some(python) = python_and(&[broker.server()]) else {
        return;
    };
    let mut python = Python::start(python, broker, "naive").await;
    let queue = python.rust_queue.clone();
    let task = Task::new("app.add")
        .arg(1)
        .header("correlation_id", "click-1");
    broker.send(&task, &python.queue).await;
    let report = python.report().await;
    assert_eq!(report.said["id"], task.id());
    assert_eq!(report.said["task_id"], task.id());

    // The header is on the wire all right; it is the worker that does not look at it.
    python.produce("delay", "click-2");
    let message = broker.receive(&queue).await;
    assert_eq!(message.header("correlation_id"), Some(&json!("click-2")));
}

#[tokio::test(flavor = "multi_thread")]
async fn naive_snippet_yields_the_task_id_over_redis() {
    naive_snippet_yields_the_task_id(Broker::Redis).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn naive_snippet_yields_the_task_id_over_rabbitmq() {
    naive_snippet_yields_the_task_id(Broker::RabbitMQ).await;
}

#[test]
fn reserved_names_are_those_of_celery() {
    let Some(python) = python_and(&[]) else {
        return;
    };
    let names = run(command(&python).arg("reserved.py")).unwrap();
    let names: Vec<String> = serde_json::from_str(&names).unwrap();
    let missing: Vec<_> = names
        .into_iter()
        .filter(|name| name.parse::<Header>().is_ok())
        .collect();
    assert_eq!(missing, [""; 0]);
}

#[test]
fn the_snippet_passes_its_own_tests() {
    let Some(python) = python_and(&[]) else {
        return;
    };
    let tests = "../../../../examples/celery";
    run(command(&python).args(["-m", "unittest", "discover", "--start-directory", tests])).unwrap();
}
