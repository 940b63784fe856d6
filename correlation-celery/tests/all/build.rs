//! What is sent: headers, body, the envelope for Redis, the headers for AMQP.

use std::collections::BTreeMap;

use correlation_celery::correlation::{Context, Policy, current, sync_scope};
use correlation_celery::serde_json::{Value, from_slice, from_str, json};
use correlation_celery::{Celery, Header, Message, Task};
use correlation_testkit::{TRACE, id, received};
use lapin::types::{AMQPValue, LongString, ShortString};

use crate::headers;

fn in_click<R>(f: impl FnOnce() -> R) -> R {
    sync_scope(id("click-1"), f)
}

fn traced() -> Context {
    received(&Policy::new(), "click-1")
}

#[test]
fn the_body_is_what_celery_calls_args_kwargs_embed() {
    let task = Task::new("app.add")
        .arg(1)
        .args(["two", "three"])
        .kwarg("x", 1.5)
        .kwargs([("y", true)]);
    let body: Value = from_slice(&task.body()).unwrap();
    let embed = json!({"callbacks": null, "errbacks": null, "chain": null, "chord": null});
    assert_eq!(
        body,
        json!([[1, "two", "three"], {"x": 1.5, "y": true}, embed])
    );
}

#[test]
fn the_id_is_a_header_of_its_own_and_the_property_is_the_task_id() {
    let task = in_click(|| Task::new("app.add"));
    let headers = task.headers();
    assert_eq!(headers["CORRELATION_ID"], "click-1");
    assert_eq!(headers["task"], "app.add");
    assert_eq!(headers["id"], task.id());
    assert_eq!(headers["root_id"], task.id());
    assert!(!headers.contains_key("correlation_id"));

    let envelope: Value = from_str(&task.redis_envelope("jobs")).unwrap();
    let properties = &envelope["properties"];
    assert_eq!(properties["correlation_id"], task.id());
    assert_eq!(
        properties["delivery_info"],
        json!({"exchange": "", "routing_key": "jobs"})
    );
    assert_eq!(properties["delivery_tag"].as_str().unwrap().len(), 36);
    assert_eq!(properties["body_encoding"], "base64");
    assert_eq!(properties["reply_to"], "");
    assert_eq!(envelope["headers"], Value::Object(headers));
    assert_ne!(task.id(), Task::new("app.add").id());
}

#[test]
fn the_id_is_taken_when_the_task_is_made() {
    let task = in_click(|| Task::new("app.add"));
    let later = sync_scope(id("other"), || task.headers());
    assert_eq!(later["CORRELATION_ID"], "click-1");
    let none = Task::new("app.add");
    assert!(!in_click(|| none.headers()).contains_key("CORRELATION_ID"));
}

#[test]
fn a_trace_context_goes_along() {
    let headers = sync_scope(traced(), || Task::new("app.add").headers());
    assert_eq!(headers["traceparent"], TRACE);
    assert_eq!(headers["tracestate"], "a=1");
}

#[test]
fn the_id_wins_and_other_headers_of_the_caller_stay() {
    let with = |traceparent: &str| {
        let task = sync_scope(traced(), || {
            Task::new("app.add")
                .header("CORRELATION_ID", "copied")
                .header("traceparent", traceparent)
                .header("eta", "2030-01-01T00:00:00+00:00")
        });
        task.headers()
    };
    let tracer = format!("00-{}-{}-01", "b".repeat(32), "c".repeat(16));
    let headers = with(&tracer);
    assert_eq!(headers["CORRELATION_ID"], "click-1");
    assert_eq!(headers["traceparent"], tracer);
    assert!(!headers.contains_key("tracestate"));
    assert_eq!(headers["eta"], "2030-01-01T00:00:00+00:00");
    // No tracer writes this.
    assert_eq!(with("not valid")["traceparent"], TRACE);
}

#[test]
fn presets_and_own_names() {
    for (header, name) in [
        (Header::CORRELATION_ID, "CORRELATION_ID"),
        (Header::DJANGO_GUID, "Correlation-ID"),
        (Header::FLASK, "x_request_id"),
        ("x-own".parse().unwrap(), "x-own"),
    ] {
        let headers = in_click(|| Celery::new().header(header).task("app.add").headers());
        let sent: Vec<_> = headers.iter().filter(|(_, v)| *v == "click-1").collect();
        assert_eq!(sent, [(&name.to_owned(), &json!("click-1"))]);
    }
}

#[test]
fn a_chain_carries_the_id_in_each_link() {
    let task = in_click(|| {
        let last = Task::new("app.last")
            .arg(3)
            .header("x-own", 1)
            .header("eta", "x");
        Task::new("app.first")
            .then(Task::new("app.second"))
            .then(last)
    });
    let body: Value = from_slice(&task.body()).unwrap();
    let chain = &body[2]["chain"];
    assert_eq!(chain[1]["task"], "app.second");
    assert_eq!(chain[0]["task"], "app.last");
    assert_eq!(chain[0]["args"], json!([3]));
    assert_eq!(
        chain[0]["options"]["headers"],
        json!({"CORRELATION_ID": "click-1", "x-own": 1})
    );
    assert_eq!(
        chain[0]["options"]["task_id"].as_str().map(str::len),
        Some(36)
    );
}

/// The names of the tasks of a chain, in the order in which they run.
fn order(task: &Task) -> Vec<String> {
    let body: Value = from_slice(&task.body()).unwrap();
    let chain = body[2]["chain"].as_array().unwrap().iter().rev();
    let first = task.headers()["task"].clone();
    let names = chain.map(|task| task["task"].clone());
    let names = [first].into_iter().chain(names);
    names
        .map(|name| name.as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_chain_in_a_chain_runs_in_the_order_in_which_it_is_written() {
    let [a, b, c, d] = ["a", "b", "c", "d"].map(Task::new);
    let all = ["a", "b", "c", "d"];
    let [a, b, c, d] = [&a, &b, &c, &d].map(|task| move || task.clone());
    for chain in [
        a().then(b()).then(c()).then(d()),
        a().then(b().then(c()).then(d())),
        a().then(b().then(c().then(d()))),
        a().then(b()).then(c().then(d())),
        a().then(b().then(c())).then(d()),
    ] {
        assert_eq!(order(&chain), all);
    }
    let nested = in_click(|| Task::new("a").then(Task::new("b").then(Task::new("c").arg(3))));
    let body: Value = from_slice(&nested.body()).unwrap();
    let last = &body[2]["chain"][0];
    assert_eq!(last["args"], json!([3]));
    assert_eq!(last["options"]["headers"]["CORRELATION_ID"], "click-1");
}

/// As a task of Python has them, which Rust received and puts behind another one.
#[test]
fn the_callbacks_of_a_task_in_a_chain_go_along() {
    let embed = json!({
        "callbacks": [{"task": "app.done"}],
        "errbacks": [{"task": "app.failed"}],
        "chord": {"task": "app.all"},
        "chain": [{"task": "app.last"}],
    });
    let body = json!([[1], {}, embed]).to_string();
    let message = Message::from_amqp(headers(json!({})), body).unwrap();
    let chain = Task::new("app.first").then(message.retry());
    assert_eq!(order(&chain), ["app.first", "app.add", "app.last"]);
    let body: Value = from_slice(&chain.body()).unwrap();
    let options = &body[2]["chain"][1]["options"];
    assert_eq!(options["link"], embed["callbacks"]);
    assert_eq!(options["link_error"], embed["errbacks"]);
    assert_eq!(options["chord"], embed["chord"]);
    assert_eq!(options["task_id"], "task-1");
    // Those of the first task are its own.
    for of_the_first in ["callbacks", "errbacks", "chord"] {
        assert_eq!(body[2][of_the_first], Value::Null);
    }

    let plain = Task::new("app.first").then(Task::new("app.second"));
    let body: Value = from_slice(&plain.body()).unwrap();
    let options = body[2]["chain"][0]["options"].as_object().unwrap();
    assert_eq!(options.keys().collect::<Vec<_>>(), ["headers", "task_id"]);
}

#[test]
fn amqp_headers_are_in_the_types_of_the_client() {
    let task = in_click(|| Task::new("app.add"))
        .header("flag", true)
        .header("list", json!([1]))
        .header("n".repeat(256), "too long for AMQP");
    let table: BTreeMap<ShortString, AMQPValue> = task
        .amqp_headers(|text| LongString::from(text).into())
        .collect();
    let text = |text: &str| AMQPValue::LongString(text.into());
    assert_eq!(table["CORRELATION_ID"], text("click-1"));
    assert_eq!(table["task"], text("app.add"));
    assert_eq!(table["retries"], AMQPValue::LongLongInt(0));
    assert_eq!(table["flag"], AMQPValue::Boolean(true));
    assert!(!table.contains_key("list"));
    assert_eq!(table.len(), 7);
}

#[tokio::test]
async fn what_is_sent_is_read_back() {
    let task = sync_scope(traced(), || {
        Task::new("app.add")
            .arg(2)
            .kwarg("y", 3)
            .reply_to("answers")
    });
    let over_redis = Message::from_redis(task.redis_envelope("jobs")).unwrap();
    let over_amqp = Message::from_amqp(task.headers(), task.body()).unwrap();
    for message in [over_redis, over_amqp] {
        assert_eq!(message.task(), "app.add");
        assert_eq!(message.id(), task.id());
        assert_eq!(message.args(), [json!(2)]);
        assert_eq!(message.kwargs()["y"], 3);
        assert_eq!(message.retries(), 0);
        assert_eq!(message.header("lang"), Some(&json!("rust")));
        let seen = message.scope(async { (current(), Task::new("app.next").headers()) });
        let (seen, next) = seen.await;
        assert_eq!(seen, Some(id("click-1")));
        assert_eq!(next["CORRELATION_ID"], "click-1");
        assert_eq!(next["traceparent"], TRACE);
    }
}
