//! One request through nginx, the Rust service, PostgreSQL and Celery, as `trail` tells it from the
//! logs of all four.

use std::fs;
use std::path::Path;

use correlation_testkit::server::Server;
use correlation_testkit::services::{require, unique};
use correlation_trail::{Timeline, Trail};
use reqwest::Client;

use super::brokers::{Broker, Queues};
use super::{Demo, python_and};

#[tokio::test(flavor = "multi_thread")]
async fn trail_tells_what_nginx_rust_postgresql_and_celery_did() {
    let Some(python) = python_and(&[Broker::Redis.server()]) else {
        return;
    };
    let prefix = "log_line_prefix=%m [%p] app=%a ";
    let Some(mut postgres) = require(Server::postgres(&[prefix])) else {
        return;
    };
    let database = format!("postgres://postgres@127.0.0.1:{}/postgres", postgres.port());
    let queues = Queues::new(Broker::Redis);
    let mut demo = Demo::start(python.to_str().unwrap(), &queues, Some(&database));
    let Some(mut nginx) = require(Server::nginx(&front(&demo.service_url))) else {
        return;
    };

    let client = Client::new();
    let mut ids = Vec::new();
    for order in [6, 7, 8] {
        let call = client.post(format!("http://127.0.0.1:{}/orders/{order}", nginx.port()));
        let answer = call.send().await.unwrap();
        assert_eq!(answer.status(), 202);
        let id = answer.headers()["x-correlation-id"].to_str().unwrap();
        ids.push(id.to_owned());
        let shipped = format!(" order shipped order={order} ");
        let found = |line: &str| line.contains(&shipped).then_some(());
        demo.worker.wait_for(found);
    }
    nginx.end();
    let logs = demo.end();
    queues.delete().await;

    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(unique("story"));
    fs::create_dir_all(&folder).unwrap();
    fs::copy(
        nginx.directory().join("access.log"),
        folder.join("nginx.log"),
    )
    .unwrap();
    for (name, lines) in [
        ("service.log", logs.service),
        ("postgres.log", postgres.end()),
        ("celery.log", logs.celery),
    ] {
        fs::write(folder.join(name), lines.join("\n")).unwrap();
    }
    let files = ["nginx.log", "service.log", "postgres.log", "celery.log"];
    for (order, id) in [6, 7, 8].into_iter().zip(&ids) {
        let mut trail = Trail::new(id);
        for file in files {
            trail.file(folder.join(file)).unwrap();
        }
        check(&trail.finish(), order);
    }
    fs::remove_dir_all(folder).unwrap();
}

/// nginx gives each request an ID, passes it on under the name that it likes, and logs it.
fn front(service: &str) -> String {
    format!(
        "log_format traced '$remote_addr - $remote_user [$time_local] \"$request\" $status '\n\
             '$body_bytes_sent \"$http_referer\" \"$http_user_agent\" request_id=$request_id';\n\
         access_log access.log traced;\n\
         server {{\n\
             listen 127.0.0.1:PORT;\n\
             proxy_set_header X-Request-ID $request_id;\n\
             location / {{ proxy_pass {service}; }}\n\
         }}\n"
    )
}

/// What happened is told once, a cause before its effect, and nothing of other orders.
#[track_caller]
fn check(story: &Timeline, order: u32) {
    let place = |service: &str, text: &str| {
        let told = story.records().iter().enumerate();
        let found: Vec<_> = told
            .filter(|(_, record)| record.service == service && record.message.contains(text))
            .map(|(place, _)| place)
            .collect();
        let [place] = found[..] else {
            panic!("{service}: {text}: {found:?} in\n{story}");
        };
        place
    };
    let in_order = [
        place("service", "order taken"),
        place("postgres", "INSERT INTO celery_orders"),
        place("celery", &format!("bank is busy, order {order} is tried")),
        place("celery", &format!("order {order} charged")),
        place("service", "receipt filed"),
    ];
    // PostgreSQL and Celery cut their times to milliseconds. Nobody knows the order within one.
    let millisecond = |place: usize| {
        let time = story.records()[place].time.expect("a time");
        time.as_nanoseconds() / 1_000_000
    };
    for pair in in_order.windows(2) {
        let unknown = millisecond(pair[0]) == millisecond(pair[1]);
        assert!(pair[0] < pair[1] || unknown, "{in_order:?} in\n{story}");
    }
    // It writes its line when it has the answer, with whole seconds.
    let nginx = place("nginx", &format!("\"POST /orders/{order} HTTP/1.1\" 202"));
    assert!(
        nginx > in_order[0].max(in_order[1]),
        "{in_order:?} in\n{story}"
    );
    for other in [6, 7, 8] {
        let text = story.to_string();
        let told =
            text.contains(&format!("order {other} ")) || text.contains(&format!("order={other}"));
        assert_eq!(told, other == order, "{story}");
    }
}
