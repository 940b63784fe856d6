//! The contract app.

use std::cell::RefCell;
use std::time::Duration;

use correlation_testkit::{CORRELATION_ID, OWN_HEADERS, probe};
use futures_util::stream;
use service_common::answers;
use tokio::time::sleep;

use super::Fault;
use super::http::{Answer, Request};

pub(crate) async fn route(request: &Request, fault: Fault) -> Answer {
    let query = |name: &str| request.query.get(name).map_or("", String::as_str);
    let number = |name| query(name).parse::<usize>().ok();
    if !matches!(request.method.as_str(), "GET" | "HEAD") {
        return Answer::new(405, "GET only");
    }
    if fault == Fault::ThreadLocal {
        SET_ONCE.set(answers::id());
    }
    match request.path.as_str() {
        "/id" | "/extract" => Answer::new(200, answers::id()),
        "/inbound" => json(&answers::inbound()),
        "/sleepy" => match (number("steps").or(default(query("steps"), 3)), fault) {
            (None, _) => Answer::new(400, "steps is not a number"),
            (Some(steps), Fault::FewReads) => json(&vec![answers::id(); steps.min(1)]),
            (Some(steps), Fault::ThreadLocal) => json(&sleepy(steps).await),
            (Some(steps), _) => json(&answers::sleepy(steps, 1).await),
        },
        "/stream" => {
            let chunks = number("chunks").unwrap_or(3);
            match fault {
                Fault::ThreadLocal => Answer::chunks(chunked(chunks)),
                _ => Answer::chunks(answers::stream(chunks)),
            }
        }
        "/spawn" => json(&answers::spawned().await),
        "/seen" => Answer::new(200, seen(request)),
        "/own" => {
            let mut answer = Answer::new(200, answers::id());
            let own = OWN_HEADERS.map(|(name, value)| (name.to_owned(), value.to_owned()));
            answer.headers.extend(own);
            answer
        }
        "/fail" => Answer::new(500, "failed as asked"),
        "/panic" => panic!("boom"),
        "/hang" => Answer::new(200, probe::hang(query("name")).await),
        "/hang-stream" => Answer::chunks(probe::hang_stream(query("name"))),
        _ => Answer::new(404, "no such path"),
    }
}

fn default(query: &str, value: usize) -> Option<usize> {
    query.is_empty().then_some(value)
}

fn json(value: &impl serde::Serialize) -> Answer {
    Answer::new(200, serde_json::to_string(value).expect("plain data"))
}

fn seen(request: &Request) -> String {
    let lines = request.headers.iter();
    let values: Vec<_> = lines
        .filter(|(name, _)| name.eq_ignore_ascii_case(CORRELATION_ID))
        .map(|(_, value)| String::from_utf8_lossy(value))
        .collect();
    match values.is_empty() {
        true => "none".to_owned(),
        false => values.join(", "),
    }
}

/// As `answers::sleepy`, reading the thread-local.
async fn sleepy(steps: usize) -> Vec<String> {
    let mut ids = Vec::new();
    for _ in 0..steps {
        sleep(Duration::from_millis(1)).await;
        ids.push(SET_ONCE.with_borrow(Clone::clone));
    }
    ids
}

/// As `answers::stream`, reading the thread-local.
fn chunked(chunks: usize) -> impl stream::Stream<Item = String> {
    stream::unfold(0, move |produced| async move {
        sleep(Duration::from_millis(1)).await;
        let line = SET_ONCE.with_borrow(|id| format!("{id}\n"));
        (produced < chunks).then_some((line, produced + 1))
    })
}

thread_local! {
    static SET_ONCE: RefCell<String> = const { RefCell::new(String::new()) };
}
