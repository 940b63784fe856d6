//! The contract app.

use std::cell::RefCell;
use std::time::Duration;

use correlation_testkit::{CORRELATION_ID, app, probe};
use futures_util::stream;
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
        SET_ONCE.set(app::id());
    }
    match request.path.as_str() {
        "/id" | "/extract" => Answer::new(200, app::id()),
        "/inbound" => json(&app::inbound()),
        "/sleepy" => match (number("steps").or(default(query("steps"), 3)), fault) {
            (None, _) => Answer::new(400, "steps is not a number"),
            (Some(steps), Fault::FewReads) => json(&vec![app::id(); steps.min(1)]),
            (Some(steps), Fault::ThreadLocal) => json(&sleepy(steps).await),
            (Some(steps), _) => json(&app::sleepy(steps, 1).await),
        },
        "/stream" => {
            let chunks = number("chunks").unwrap_or(3);
            match fault {
                Fault::ThreadLocal => Answer::chunks(chunked(chunks)),
                _ => Answer::chunks(app::stream(chunks)),
            }
        }
        "/spawn" => json(&app::spawned().await),
        "/seen" => Answer::new(200, seen(request)),
        "/own" => {
            let mut answer = Answer::new(200, app::id());
            let own = app::OWN_HEADERS.map(|(name, value)| (name.to_owned(), value.to_owned()));
            answer.headers.extend(own);
            answer
        }
        "/opaque" => {
            let mut answer = Answer::new(200, app::id());
            let (name, value) = app::OPAQUE_HEADER;
            answer.headers.push((name.to_owned(), value.to_owned()));
            answer
        }
        "/fail" => Answer::new(500, "failed as asked"),
        "/panic" => panic!("boom"),
        "/hang" => Answer::new(200, probe::hang(query("name")).await),
        "/hang-stream" => Answer::chunks(probe::hang_stream(query("name"))),
        path => match path.strip_prefix(EMPTY).map(str::parse) {
            Some(Ok(status)) => Answer::new(status, ""),
            _ => Answer::new(404, "no such path"),
        },
    }
}

/// The route of a path, for the access record.
pub(crate) fn name(path: &str) -> Option<String> {
    if path.starts_with(EMPTY) {
        return Some(format!("{EMPTY}{{status}}"));
    }
    (path != "/no-such-path").then(|| path.to_owned())
}

fn default(query: &str, value: usize) -> Option<usize> {
    query.is_empty().then_some(value)
}

fn json(value: &impl serde::Serialize) -> Answer {
    Answer::new(200, serde_json::to_string(value).expect("plain data"))
}

fn seen(request: &Request) -> String {
    let lines = request.headers.iter();
    let lines = lines.filter(|(name, _)| name.eq_ignore_ascii_case(CORRELATION_ID));
    app::seen(lines.map(|(_, value)| value))
}

/// As `app::sleepy`, reading the thread-local.
async fn sleepy(steps: usize) -> Vec<String> {
    let mut ids = Vec::new();
    for _ in 0..steps {
        sleep(Duration::from_millis(1)).await;
        ids.push(SET_ONCE.with_borrow(Clone::clone));
    }
    ids
}

/// As `app::stream`, reading the thread-local.
fn chunked(chunks: usize) -> impl stream::Stream<Item = String> {
    stream::unfold(0, move |produced| async move {
        sleep(Duration::from_millis(1)).await;
        let line = SET_ONCE.with_borrow(|id| format!("{id}\n"));
        (produced < chunks).then_some((line, produced + 1))
    })
}

const EMPTY: &str = "/empty/";

thread_local! {
    static SET_ONCE: RefCell<String> = const { RefCell::new(String::new()) };
}
