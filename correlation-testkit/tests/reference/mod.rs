//! A server with no framework that keeps the contract, or breaks it in one known way.
//!
//! It shows that the contract can be kept, and that each check finds the fault that it is for.

mod http;
mod routes;

use std::collections::HashSet;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::pin::pin;

use correlation_core::adapter::{self, AccessRecord, Expose, Rejected};
use correlation_core::{Context, Policy, scope, sync_scope};
use correlation_testkit::{Adapter, CORRELATION_ID, Gaps};
use futures_util::{FutureExt, future};

use http::{Answer, Request};

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Fault {
    /// Keeps the contract.
    None,
    /// Takes whatever the caller sends.
    Echo,
    /// Takes nothing of what the caller sends.
    Generate,
    /// Takes the first line of a header, whatever follows.
    FirstLine,
    /// Looks at the correlation ID header only.
    OneSource,
    /// Adds a second response header beside the handler's.
    Append,
    /// Carries the ID on success only.
    OnlySuccess,
    /// Gives the body no ID.
    BodyOutside,
    /// Gives destructors no ID.
    DropOutside,
    /// Keeps the ID in a thread-local that is set once when a request arrives.
    ThreadLocal,
    /// Answers with fewer reads than it was asked for.
    FewReads,
    /// Replaces the headers that browsers may read.
    Expose,
    /// Rejects without a word.
    Silent,
    /// Does not end the access record of an empty answer.
    Unfinished,
    /// Reads header lines that no sender may write.
    Lenient,
}

/// The server.
pub(crate) struct Reference(pub(crate) Fault);

impl Adapter for Reference {
    const NAME: &'static str = "reference";
    const ROUTE: Option<&'static str> = Some("/empty/{status}");

    fn start(&self, policy: Policy) -> SocketAddr {
        let fault = self.0;
        http::listen(fault == Fault::Lenient, move |request| {
            handle(policy.clone(), fault, request)
        })
    }

    fn gaps(&self) -> Gaps {
        Gaps {
            no_h2c: true,
            no_websocket: true,
            ..Gaps::default()
        }
    }
}

async fn handle(policy: Policy, fault: Fault, mut request: Request) -> Answer {
    if let Some(raw) = echoed(fault, &request) {
        return with_id(&policy, fault, Answer::new(200, raw.clone()), &raw);
    }
    let lines = seen(fault, &request);
    let decision = policy.receive(|| lines.iter().copied(), Some(request.peer));
    let rejected = decision.rejected().map(Rejected::as_str);
    let context = decision.into_context();
    if let Some(name) = adapter::request_header(&policy) {
        request
            .headers
            .retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        request
            .headers
            .push((name.to_owned(), context.id().as_str().into()));
    }
    let id = context.id().clone();
    let peer = Some(request.peer);
    let mut access = AccessRecord::begin(&policy, &context, &request.method, &request.path, peer);
    if let Some(route) = routes::name(&request.path) {
        access.route(route);
    }
    let answer = match rejected {
        Some(_) if fault == Fault::Silent => Answer::new(400, ""),
        Some(reason) => Answer::new(400, reason),
        None => in_scope(context, fault, request).await,
    };
    let answer = if fault == Fault::Unfinished && answer.is_empty() {
        access.status(answer.status);
        answer
    } else {
        answer.recorded(access)
    };
    with_id(&policy, fault, answer, id.as_str())
}

async fn in_scope(context: Context, fault: Fault, request: Request) -> Answer {
    let handler = async move {
        let answer = AssertUnwindSafe(routes::route(&request, fault))
            .catch_unwind()
            .await
            .unwrap_or_else(|_| Answer::new(500, "the handler panicked"));
        match fault {
            Fault::BodyOutside => answer,
            _ => answer.carried(),
        }
    };
    if fault == Fault::DropOutside {
        let mut handler = pin!(handler);
        return future::poll_fn(|cx| sync_scope(context.clone(), || handler.as_mut().poll(cx)))
            .await;
    }
    scope(context, handler).await
}

/// What the policy gets to see.
fn seen(fault: Fault, request: &Request) -> Vec<(&str, &[u8])> {
    let lines = request.headers.iter();
    let mut lines: Vec<_> = lines
        .map(|(name, value)| (name.as_str(), &value[..]))
        .collect();
    let is_id = |name: &str| name.eq_ignore_ascii_case(CORRELATION_ID);
    match fault {
        Fault::Generate => lines.clear(),
        Fault::OneSource => lines.retain(|(name, _)| is_id(name)),
        Fault::FirstLine => {
            let mut names = HashSet::new();
            lines.retain(|(name, _)| names.insert(name.to_ascii_lowercase()));
        }
        _ => {}
    }
    lines
}

fn echoed(fault: Fault, request: &Request) -> Option<String> {
    let is_id = |name: &str| name.eq_ignore_ascii_case(CORRELATION_ID);
    let line = request.headers.iter().find(|(name, _)| is_id(name));
    let (_, value) = line.filter(|_| fault == Fault::Echo)?;
    Some(String::from_utf8_lossy(value).into_owned())
}

fn with_id(policy: &Policy, fault: Fault, mut answer: Answer, id: &str) -> Answer {
    let Some(header) = adapter::response_header(policy) else {
        answer.headers.retain(|(name, _)| name != CORRELATION_ID);
        return answer;
    };
    if fault == Fault::OnlySuccess && answer.status != 200 {
        return answer;
    }
    if fault != Fault::Append {
        answer.headers.retain(|(name, _)| name != header);
    }
    answer.headers.push((header.to_owned(), id.to_owned()));

    let (exposed, others): (Vec<_>, Vec<_>) = answer
        .headers
        .into_iter()
        .partition(|(name, _)| name == EXPOSED);
    answer.headers = others;
    let lines = || exposed.iter().map(|(_, line)| line.as_bytes());
    let set = |line| (EXPOSED.to_owned(), line);
    match adapter::expose(policy, lines) {
        Some(_) if fault == Fault::Expose => answer.headers.push(set(header.to_owned())),
        Some(Expose::Set(all)) => answer.headers.push(set(all)),
        Some(Expose::Add(line)) => {
            answer.headers.extend(exposed);
            answer.headers.push(set(line.to_owned()));
        }
        None => answer.headers.extend(exposed),
    }
    answer
}

const EXPOSED: &str = "access-control-expose-headers";
