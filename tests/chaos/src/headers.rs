//! What a caller sends beside the request line, and the ID that the contract gives the request.

use std::fmt;

use correlation_testkit::CORRELATION_ID;
use correlation_testkit::cases::Expect;
use rand::rngs::StdRng;
use rand::{Rng, RngExt};

use crate::ledger::{FORGED, Trace};
use crate::life::Life;
use crate::line::{is_allowed, mark};
use crate::world::World;

/// The header lines of a request, and what must come of them.
#[derive(Clone)]
pub(crate) struct Headers {
    pub(crate) lines: Vec<(&'static str, Vec<u8>)>,
    /// The ID that is kept; `None` for a new one.
    pub(crate) kept: Option<String>,
    pub(crate) trace: Trace,
    /// The caller sends an ID that the policy does not trust: there is a line about it.
    pub(crate) untrusted: bool,
}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kept, trace, .. } = self;
        write!(f, "keeps {kept:?}, trace {trace:?}")?;
        let mut lines = self.lines.iter();
        lines.try_for_each(|(name, value)| write!(f, ", {name}: {}", value.escape_ascii()))
    }
}

/// Random headers: an ID, none, or something hostile.
pub(crate) fn random(rng: &mut StdRng, world: &World, life: &Life, token: u64) -> Headers {
    let mut headers = Headers {
        lines: Vec::new(),
        kept: None,
        trace: Trace::None,
        untrusted: false,
    };
    let mut trace = None;
    match rng.random_range(0..100) {
        0..45 => unique(rng, &mut headers, token),
        45..55 => {}
        55..75 => {
            let case = &world.cases[rng.random_range(0..world.cases.len())];
            headers.lines.clone_from(&case.headers);
            headers.kept = match case.expected(&life.framework.gaps()) {
                Expect::Kept { id, .. } => Some(id.clone()),
                Expect::Fresh(_) | Expect::Rejected => None,
            };
            trace.clone_from(&case.trace_id);
        }
        _ => hostile(rng, &mut headers, token),
    }
    let has_trace = |(name, _): &(&str, _)| name.eq_ignore_ascii_case("traceparent");
    if rng.random_ratio(1, 8) && !headers.lines.iter().any(has_trace) {
        let id = hex(rng, 32);
        let value = format!("00-{id}-{}-0{}", hex(rng, 16), rng.random_range(0..2));
        headers.lines.push(("traceparent", value.into()));
        if rng.random() {
            let state = format!("{FORGED}={}", mark(token));
            headers.lines.push(("tracestate", state.into()));
        }
        headers.kept.get_or_insert_with(|| id.clone());
        trace = Some(id);
    }
    decorate(rng, &mut headers.lines);
    headers.trace = match trace {
        Some(id) if !life.settings.distrusting => Trace::Is(id),
        _ if life.settings.participating => Trace::New,
        _ => Trace::None,
    };
    if life.settings.distrusting {
        headers.untrusted = headers.kept.take().is_some();
    }
    headers
}

/// An ID that no other request has, of any length.
pub(crate) fn unique_id(rng: &mut StdRng, token: u64) -> String {
    let mark = mark(token);
    let len = rng.random_range(0..=128 - mark.len());
    let before = rng.random_range(0..=len);
    let id = [allowed(rng, before), mark, allowed(rng, len - before)].concat();
    match rng.random_ratio(1, 2) {
        // What most people have.
        true => format!("order-{token}"),
        false => id,
    }
}

fn unique(rng: &mut StdRng, headers: &mut Headers, token: u64) {
    let id = unique_id(rng, token);
    let name = match rng.random_range(0..10) {
        0..2 => "X-Request-ID",
        2..4 => "x-correlation-id",
        _ => "X-Correlation-ID",
    };
    let line = (name, id.clone().into_bytes());
    if name == "X-Request-ID" && rng.random() {
        headers.lines.push((CORRELATION_ID, forged(rng, token)));
    } else if rng.random_ratio(1, 10) {
        // Twice, identical.
        headers.lines.push(line.clone());
    }
    headers.lines.push(line);
    headers.kept = Some(id);
}

/// What looks like an ID to somebody, and is none.
fn hostile(rng: &mut StdRng, headers: &mut Headers, token: u64) {
    let lines = &mut headers.lines;
    for _ in 0..rng.random_range(1..4) {
        match rng.random_range(0..4) {
            0 => lines.push(("Correlation-ID", format!("{FORGED}-{token}").into())),
            1 => lines.push(("X-Correlation-ID-2", forged(rng, token))),
            _ => {}
        }
    }
    match rng.random_range(0..4) {
        0 => {
            // Twice, different.
            lines.push((CORRELATION_ID, format!("{FORGED}-{token}-a").into()));
            lines.push(("X-CORRELATION-ID", format!("{FORGED}-{token}-b").into()));
        }
        1 => lines.push(("X-Request-ID", forged(rng, token))),
        _ => lines.push((CORRELATION_ID, forged(rng, token))),
    }
    if rng.random_ratio(1, 3) {
        let value = format!("00-{FORGED}-{token}-01");
        lines.push(("traceparent", value.into()));
    }
}

/// A value that is no ID: it has a forbidden byte in it, or is too long.
fn forged(rng: &mut StdRng, token: u64) -> Vec<u8> {
    let id = format!("{FORGED}-{token}");
    if rng.random_ratio(1, 8) {
        let len = rng.random_range(129..2000);
        return format!("{id}{}", "x".repeat(len)).into();
    }
    let text = match rng.random_range(0..8) {
        0 => format!("a correlation_id={id}"),
        1 => format!("a\",\"correlation_id\":\"{id}"),
        2 => format!("{id}, {id}-2"),
        3 => format!("%0d%0aX-Correlation-ID:%20{id}"),
        4 => format!("\\n{{\"correlation_id\":\"{id}\"}}"),
        5 => format!("a\tcorrelation_id={id}"),
        6 => format!("{id} {}", mark(token + 1)),
        _ => {
            let forbidden: Vec<u8> = (0x21..=0xFF)
                .filter(|byte| !is_allowed(*byte) && *byte != 0x7F && *byte != b',')
                .collect();
            let byte = forbidden[rng.random_range(0..forbidden.len())];
            return [id.as_bytes(), &[byte], b"x"].concat();
        }
    };
    text.into_bytes()
}

/// Headers that have nothing to do with it, and that a server may log.
fn decorate(rng: &mut StdRng, lines: &mut Vec<(&'static str, Vec<u8>)>) {
    for (name, value) in [
        ("User-Agent", "a correlation_id=forged-agent"),
        ("User-Agent", "a\",\"correlation_id\":\"forged-agent"),
        ("Referer", "http://a/ correlation_id=forged-referer"),
        ("Cookie", "x-correlation-id=forged-cookie"),
        ("X_Correlation_ID", "forged-underscore"),
        ("Forwarded", "for=10.0.0.1;x-correlation-id=forged"),
        ("X-Forwarded-For", "10.0.0.1"),
        ("baggage", "correlation_id=forged-baggage"),
    ] {
        if rng.random_ratio(1, 10) {
            let at = rng.random_range(0..=lines.len());
            lines.insert(at, (name, value.into()));
        }
    }
}

fn allowed(rng: &mut StdRng, len: usize) -> String {
    // No tilde, so that no mark begins here.
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.:+/=#@|";
    let byte = |rng: &mut StdRng| char::from(alphabet[rng.random_range(0..alphabet.len())]);
    (0..len).map(|_| byte(rng)).collect()
}

fn hex(rng: &mut StdRng, len: usize) -> String {
    // Not zero, which identifies nothing.
    let digits = (1..len).map(|_| char::from(b"0123456789abcdef"[(rng.next_u32() % 16) as usize]));
    digits.chain(['1']).collect()
}
