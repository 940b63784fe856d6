//! A request, and what must come of it.

mod check;
mod say;

use std::fmt::Write as _;
use std::ops::RangeInclusive;

use rand::RngExt;
use rand::rngs::StdRng;

use crate::headers::{self, Headers};
use crate::ledger::{Expected, FORGED, Said, Trace};
use crate::life::Life;
use crate::line::mark;
use crate::world::{Framework, World};
use say::{percent_encoded, say};

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
            left: matches!(
                self.endpoint,
                Endpoint::Sleepy { .. } | Endpoint::Stream { .. }
            )
            .into(),
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
