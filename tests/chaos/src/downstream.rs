//! The service that `/relay` calls: it fails, redirects, breaks off and takes its time, and keeps
//! what it was sent for the attacker to compare.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use correlation_testkit::{CORRELATION_ID, RecordedCall, Recorder, Sent};

use crate::ledger::FORGED;
use crate::life::lock;
use crate::line::token;

pub(crate) struct Downstream {
    recorder: Recorder,
    calls: Calls,
}

type Calls = Arc<Mutex<HashMap<u64, Vec<Call>>>>;

/// What one call of a service brought.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) ids: Vec<String>,
    pub(crate) traceparent: Vec<String>,
    /// Something that a caller forged is in it.
    pub(crate) forged: bool,
}

impl Downstream {
    pub(crate) fn start() -> Self {
        let calls = Calls::default();
        let kept = Arc::clone(&calls);
        let recorder = Recorder::start(move |request| {
            keep(&kept, request);
            answer(request.path())
        });
        Self { recorder, calls }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.recorder.port())
    }

    /// The calls of one request.
    pub(crate) fn take(&self, token: u64) -> Vec<Call> {
        // Its own list would grow without end.
        drop(self.recorder.take());
        lock(&self.calls).remove(&token).unwrap_or_default()
    }
}

fn keep(calls: &Calls, request: &RecordedCall) {
    let Some(token) = token(request.path()) else {
        return;
    };
    let call = Call {
        ids: request.values(CORRELATION_ID),
        traceparent: request.values("traceparent"),
        forged: request.mentions(FORGED),
    };
    let mut calls = lock(calls);
    if calls.len() > MANY {
        // Of requests that nobody waits for any more.
        calls.retain(|known, _| *known + MANY as u64 > token);
    }
    calls.entry(token).or_default().push(call);
}

/// `/ok/..`, `/status/CODE/..`, `/redirect/..`, `/close/..`, `/broken/..`, `/slow/..`.
fn answer(path: &str) -> String {
    let mut parts = path.trim_start_matches('/').split('/');
    match parts.next().unwrap_or_default() {
        "status" => format!("{} Whatever\r\n\r\nanswer", parts.next().unwrap_or("200")),
        "redirect" => {
            let rest = parts.collect::<Vec<_>>().join("/");
            format!("307 Go\r\nLocation: /ok/{rest}")
        }
        "close" => String::new(),
        // Two lengths that differ.
        "broken" => "200 OK\r\nContent-Length: 1000\r\n\r\nanswer".to_owned(),
        "slow" => {
            thread::sleep(Duration::from_millis(40));
            format!("200 OK\r\n{CORRELATION_ID}: {FORGED}-theirs\r\n\r\nanswer")
        }
        _ => format!("200 OK\r\n{CORRELATION_ID}: {FORGED}-theirs\r\n\r\nanswer"),
    }
}

/// Requests whose calls are kept.
const MANY: usize = 10_000;
