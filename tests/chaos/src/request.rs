//! A request, and what must come of it.

use std::fmt::Write as _;
use std::ops::RangeInclusive;

use correlation_testkit::Response;
use rand::RngExt;
use rand::rngs::StdRng;

use crate::counts::Fault;
use crate::headers::{self, Headers};
use crate::ledger::{Expected, FORGED, Said, Trace};
use crate::life::Life;
use crate::line::mark;
use crate::world::{Framework, World};

/// What is asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Endpoint {
    Id,
    Extract,
    Inbound,
    Sleepy { steps: usize, ms: u64 },
    Stream { chunks: usize },
    Spawn,
    Log { n: usize },
    Relay(Answer),
    Fail,
    Panic,
    Nothing,
    WrongMethod,
    WebSocket,
}

/// What the service that `/relay` calls does.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Answer {
    Ok,
    Status(u16),
    Redirect,
    Slow,
    Close,
    Broken,
}

impl Endpoint {
    /// One of those that any client asks for.
    pub(crate) fn random(rng: &mut StdRng) -> Self {
        match rng.random_range(0..100) {
            0..12 => Self::Id,
            12..16 => Self::Extract,
            16..22 => Self::Inbound,
            22..30 => Self::Sleepy {
                steps: rng.random_range(1..6),
                ms: rng.random_range(0..4),
            },
            30..36 => Self::Stream {
                chunks: rng.random_range(1..6),
            },
            36..40 => Self::Spawn,
            40..80 => Self::Log {
                n: rng.random_range(1..100),
            },
            80..90 => Self::relay(rng),
            90..93 => Self::Fail,
            93..97 => Self::Nothing,
            _ => Self::WrongMethod,
        }
    }

    pub(crate) fn relay(rng: &mut StdRng) -> Self {
        Self::Relay(match rng.random_range(0..10) {
            0 => Answer::Close,
            1 => Answer::Broken,
            2 => Answer::Slow,
            3 | 4 => Answer::Redirect,
            5 | 6 => Answer::Status([404, 429, 500, 503][rng.random_range(0..4)]),
            _ => Answer::Ok,
        })
    }
}

/// A request, and what must come of it.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) token: u64,
    pub(crate) method: &'static str,
    pub(crate) path: String,
    pub(crate) headers: Headers,
    pub(crate) endpoint: Endpoint,
    said: Option<Said>,
}

impl Request {
    /// A request with random headers.
    pub(crate) fn random(rng: &mut StdRng, world: &World, life: &Life, endpoint: Endpoint) -> Self {
        let token = world.token();
        let headers = headers::random(rng, world, life, token);
        Self::new(rng, life, endpoint, token, headers)
    }

    /// A request with an ID that is kept, if any is, for clients that try again.
    pub(crate) fn with_id(
        rng: &mut StdRng,
        world: &World,
        life: &Life,
        endpoint: Endpoint,
        id: &str,
    ) -> Self {
        let distrusting = life.settings.distrusting;
        let headers = Headers {
            lines: vec![("x-correlation-id", id.as_bytes().to_vec())],
            kept: (!distrusting).then(|| id.to_owned()),
            trace: match life.settings.participating {
                true => Trace::New,
                false => Trace::None,
            },
            untrusted: distrusting,
        };
        let token = world.token();
        Self::new(rng, life, endpoint, token, headers)
    }

    fn new(
        rng: &mut StdRng,
        life: &Life,
        endpoint: Endpoint,
        token: u64,
        headers: Headers,
    ) -> Self {
        let mark = mark(token);
        let said = matches!(endpoint, Endpoint::Log { .. })
            .then(|| say(rng, &mark, headers.kept.as_deref(), life.settings.text));
        let mut path = match endpoint {
            Endpoint::Id => "/id".to_owned(),
            Endpoint::Extract => "/extract".to_owned(),
            Endpoint::Inbound => "/inbound".to_owned(),
            Endpoint::Sleepy { steps, ms } => format!("/sleepy?steps={steps}&ms={ms}"),
            Endpoint::Stream { chunks } => format!("/stream?chunks={chunks}"),
            Endpoint::Spawn => "/spawn".to_owned(),
            Endpoint::Log { n } => format!("/log?n={n}"),
            Endpoint::Relay(answer) => format!("/relay?path={}/{mark}", answer.path()),
            Endpoint::Fail => "/fail".to_owned(),
            Endpoint::Panic => "/panic".to_owned(),
            Endpoint::Nothing => format!("/{FORGED}%20correlation_id={FORGED}"),
            Endpoint::WrongMethod => "/id".to_owned(),
            Endpoint::WebSocket => "/ws".to_owned(),
        };
        let separator = if path.contains('?') { '&' } else { '?' };
        let _ = write!(path, "{separator}t={mark}");
        if let Some(said) = &said {
            let _ = write!(path, "&say={}", percent_encoded(&said.text));
        }
        Self {
            token,
            method: match endpoint {
                Endpoint::WrongMethod => "DELETE",
                _ => "GET",
            },
            path,
            headers,
            endpoint,
            said,
        }
    }

    /// What the ledger is told before it is sent.
    pub(crate) fn expected(&self, life: &Life) -> Expected {
        let said = match (&self.said, self.endpoint) {
            (Some(said), Endpoint::Log { n }) => {
                let lines = said.text.split('\n').skip(1);
                let lines = lines.filter(|line| !line.as_bytes().trim_ascii().is_empty());
                let each = match life.settings.text {
                    true => 1 + lines.count(),
                    false => 1,
                };
                2 * n * each
            }
            _ => 0,
        };
        let (marked, bare) = self.framework_lines(life);
        let more =
            |range: RangeInclusive<u32>, more: u32| range.start() + more..=range.end() + more;
        Expected {
            token: self.token,
            kept: self.headers.kept.clone(),
            trace: self.headers.trace.clone(),
            said: self.said.clone(),
            marked: more(marked, u32::try_from(said).unwrap_or(u32::MAX)),
            bare: more(bare, self.headers.untrusted.into()),
        }
    }

    /// The lines with the mark and without it that a framework, or a handler for it, adds.
    fn framework_lines(&self, life: &Life) -> (RangeInclusive<u32>, RangeInclusive<u32>) {
        use Framework::{Actix, Custom, Rocket, Warp};

        let report = if life.settings.text { 2 } else { 1 };
        let (marked, bare) = match (self.endpoint, life.framework) {
            (Endpoint::WebSocket, Rocket) => return (1..=1, 3..=6),
            (Endpoint::Panic, Rocket) => (1, 13 + report),
            // Nobody but the report tells it.
            (Endpoint::Panic, Warp) => (0, report),
            (Endpoint::Panic, _) => (0, 1 + report),
            (Endpoint::Fail, Rocket) => (1, 4),
            (Endpoint::Fail, Warp) => (0, 1),
            (Endpoint::Nothing | Endpoint::WrongMethod, Rocket) => (2, 2),
            // Only reqwest's error has the URL in it.
            (Endpoint::Relay(Answer::Close | Answer::Broken), Actix) => (1, 1),
            (Endpoint::Relay(Answer::Close | Answer::Broken), Rocket) => (2, 3),
            (Endpoint::Relay(Answer::Close | Answer::Broken), _) => (1, 0),
            (_, Rocket) => (1, 3),
            (_, Actix) => (1, 0),
            (_, Framework::Axum | Warp | Custom) => (0, 0),
        };
        (marked..=marked, bare..=bare)
    }

    /// Whether the connection may close instead of an answer.
    pub(crate) fn may_close(&self, life: &Life) -> bool {
        self.endpoint == Endpoint::Panic && life.framework.gaps().panic_closes_connection
    }

    /// Compares an answer with what the endpoint has to say. `id` is the ID of the request.
    pub(crate) fn check(&self, response: &Response, id: &str, life: &Life, world: &World) {
        let mut faults: Vec<(Fault, String)> = Vec::new();
        let mut wrong = |what: &str| {
            let got = String::from_utf8_lossy(&response.body);
            faults.push((
                Fault::Wrong,
                format!("{what}: {} {got:?} to {self:?}", response.status),
            ));
        };
        if response.status != self.status(life) {
            wrong("status");
        } else if !response.values("traceparent").is_empty() {
            wrong("traceparent in an answer");
        }
        let mut read = Vec::new();
        match self.endpoint {
            Endpoint::Id | Endpoint::Extract | Endpoint::Log { .. } => {
                read.push(response.text().into_owned());
            }
            Endpoint::Inbound => {
                read.extend(
                    response.json()["correlation_id"]
                        .as_str()
                        .map(str::to_owned),
                );
            }
            Endpoint::Sleepy { steps: reads, .. } | Endpoint::Stream { chunks: reads } => {
                read = response.reads();
                if read.len() != reads {
                    wrong("reads");
                }
            }
            Endpoint::Spawn => {
                let body = response.json();
                let parts = ["task", "blocking", "thread", "join_set"];
                read.extend(parts.map(|part| body[part].as_str().unwrap_or_default().to_owned()));
                if !body["naked"].is_null() {
                    wrong("naked");
                }
            }
            _ => {}
        }
        let mut ledger = life.ledger();
        for read in read.iter().filter(|read| *read != id) {
            let fault = ledger.blame(read);
            faults.push((fault, format!("read {read:?} in {id:?}: {self:?}")));
        }
        if let Endpoint::Relay(answer) = self.endpoint {
            let calls = world.downstream.take(self.token);
            let least = if answer == Answer::Redirect { 2 } else { 1 };
            if calls.len() < least {
                faults.push((Fault::Missing, format!("{calls:?} of {self:?}")));
            }
            let traced = matches!(self.headers.trace, Trace::Is(_));
            for call in calls {
                let trace = match &self.headers.trace {
                    Trace::None => call.traceparent.is_empty(),
                    Trace::Is(id) => call
                        .traceparent
                        .iter()
                        .all(|line| line[3..].starts_with(id)),
                    Trace::New => call.traceparent.len() == 1,
                };
                let fault = match &call.ids[..] {
                    [] => Some(Fault::Missing),
                    [one] if one != id => Some(ledger.blame(one)),
                    // A trace that the caller began has its state in it.
                    _ if call.forged && !traced => Some(Fault::Forged),
                    [_] if trace => None,
                    _ => Some(Fault::Wrong),
                };
                let what = || format!("call {call:?} of {id:?}: {self:?}");
                faults.extend(fault.map(|fault| (fault, what())));
            }
        }
        for (fault, what) in faults {
            ledger.fault(fault, || what);
        }
    }

    fn status(&self, life: &Life) -> u16 {
        match self.endpoint {
            Endpoint::Relay(Answer::Close | Answer::Broken) => 502,
            Endpoint::Relay(Answer::Status(status)) => status,
            Endpoint::Fail | Endpoint::Panic => 500,
            Endpoint::Nothing => 404,
            Endpoint::WrongMethod if life.framework.gaps().wrong_method_is_404 => 404,
            Endpoint::WrongMethod => 405,
            Endpoint::WebSocket if life.framework.gaps().no_websocket => 404,
            Endpoint::WebSocket => 101,
            _ => 200,
        }
    }
}

impl Answer {
    fn path(self) -> String {
        match self {
            Self::Ok => "/ok".to_owned(),
            Self::Status(status) => format!("/status/{status}"),
            Self::Redirect => "/redirect".to_owned(),
            Self::Slow => "/slow".to_owned(),
            Self::Close => "/close".to_owned(),
            Self::Broken => "/broken".to_owned(),
        }
    }
}

/// What the caller has the handler write: each line of it has the mark.
fn say(rng: &mut StdRng, mark: &str, kept: Option<&str>, text: bool) -> Said {
    let own = kept.unwrap_or("-");
    let mut exact = true;
    let text = match rng.random_range(0..40) {
        0 => format!(" {mark} correlation_id={FORGED}-1"),
        1 => format!(" {mark}\",\"correlation_id\":\"{FORGED}-2"),
        2 => format!(" {mark}\n{mark} correlation_id={FORGED}-3"),
        3 => format!(" {mark}\r\n{{\"correlation_id\":\"{FORGED}-4\"}} {mark}"),
        4 => {
            // What terminals obey is replaced in text.
            exact = false;
            format!(" {mark} correlation_id={FORGED}-5\u{1b}[0m")
        }
        5 => format!(" {mark} }}{{\"correlation_id\":\"{FORGED}-6\"}}{{"),
        6 => {
            // A line that ends so is left as it is.
            exact = !text;
            format!(" {mark} correlation_id={own}")
        }
        7 => format!(
            " {mark} {}",
            "lorem-ipsum.".repeat(rng.random_range(1..300))
        ),
        8 => format!(" {mark}\u{2028}correlation_id={FORGED}-8 é 日本 🦀"),
        9 => format!(" {mark}\n\n \n{mark} x\n"),
        10 => format!(" {mark}\r"),
        11 => format!(" {mark} correlation_id={FORGED}-11 "),
        12 => format!(" {mark} \\\"}}\\n{{\\\"correlation_id\\\":\\\"{FORGED}-12\\\"}}"),
        13 => format!(" {mark}\n{{\"correlation_id\":\"{FORGED}-13\",\"a\":\"{mark}\"}}\n"),
        _ => format!(" {mark}"),
    };
    Said { text, exact }
}

fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(byte.into());
            }
            _ => {
                let _ = write!(encoded, "%{byte:02X}");
            }
        }
    }
    encoded
}
