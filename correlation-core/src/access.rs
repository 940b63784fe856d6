use std::time::Instant;
use std::{mem, thread};

use crate::{Context, Policy, context, events};

/// One log record for a request, written when it has ended: for adapters, and for servers of your
/// own.
///
/// [`Policy::access_record`] turns it on, [`Policy::begin_access`] makes it. Tell it what happens
/// with [`run`](Self::run) and [`status`](Self::status), and [`complete`](Self::complete) it after
/// the last byte of the body. The record is written then, or when it is dropped before, in the
/// context of the request.
///
/// ```text
/// INFO access: request method=GET path=/orders/42 status=200 latency_ms=3.142 outcome=completed
/// ```
///
/// The query string is left out, since people put secrets there.
#[derive(Debug)]
// Boxed, since futures and bodies have room for one, and mostly there is none.
pub struct Access(Box<Record>);

#[derive(Debug)]
struct Record {
    context: Context,
    method: String,
    path: String,
    begun: Instant,
    status: Option<u16>,
    outcome: Outcome,
}

#[derive(Clone, Copy, Debug)]
enum Outcome {
    /// Nothing went wrong yet; if it is dropped now, its client has gone away.
    Open,
    /// Its code is running; if it is dropped now, that has panicked.
    Running,
    Completed,
}

impl Access {
    /// Runs a step of the request: a panic in it is the outcome.
    pub fn run<R>(&mut self, step: impl FnOnce() -> R) -> R {
        let before = mem::replace(&mut self.0.outcome, Outcome::Running);
        let result = step();
        self.0.outcome = before;
        result
    }

    /// The response has this status.
    pub fn status(&mut self, status: u16) {
        self.0.status = Some(status);
    }

    /// The body has ended, or there is none.
    pub fn complete(mut self) {
        self.0.outcome = Outcome::Completed;
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        // To the microsecond.
        let latency_ms = (self.begun.elapsed().as_secs_f64() * 1e6).round() / 1e3;
        let outcome = match self.outcome {
            Outcome::Completed => "completed",
            Outcome::Running => "panicked",
            Outcome::Open if thread::panicking() => "panicked",
            Outcome::Open => "client_gone",
        };
        context::sync_scope(self.context.clone(), || {
            events::access(&self.method, &self.path, self.status, latency_ms, outcome);
        });
    }
}

impl Policy {
    /// Writes one log record for each request, when it has ended: method, path without query,
    /// status, latency in milliseconds to the last byte of the body, and `outcome`, one of
    /// `completed`, `client_gone` and `panicked`. Off by default.
    ///
    /// It is an `INFO` record of the target `access`, alike in every adapter.
    #[must_use]
    pub const fn access_record(mut self, on: bool) -> Self {
        self.access_record = on;
        self
    }

    /// Begins the access record of a request, if there is to be one: not inside of a scope, where
    /// an outer middleware writes it. `target` is the path, with or without a query.
    #[must_use]
    pub fn begin_access(&self, context: &Context, method: &str, target: &str) -> Option<Access> {
        let wanted = self.access_record && context::entered().is_none();
        let record = || Record {
            context: context.clone(),
            method: method.to_owned(),
            path: target.split('?').next().unwrap_or_default().to_owned(),
            begun: Instant::now(),
            status: None,
            outcome: Outcome::Open,
        };
        wanted.then(|| Access(Box::new(record())))
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    fn access(target: &str) -> Access {
        let context = Context::new("abc".parse().unwrap());
        let policy = Policy::new().access_record(true);
        policy.begin_access(&context, "GET", target).unwrap()
    }

    #[test]
    fn it_is_off_by_default() {
        let context = Context::new("abc".parse().unwrap());
        assert!(Policy::new().begin_access(&context, "GET", "/").is_none());
    }

    #[test]
    fn a_nested_middleware_writes_none() {
        let context = Context::new("abc".parse().unwrap());
        let policy = Policy::new().access_record(true);
        let nested = context::sync_scope(context.clone(), || {
            policy.begin_access(&context, "GET", "/")
        });
        assert!(nested.is_none());
    }

    #[test]
    fn the_query_is_left_out() {
        assert_eq!(access("/orders?token=secret?x").0.path, "/orders");
        assert_eq!(access("").0.path, "");
    }

    #[test]
    fn a_panic_in_a_step_is_remembered() {
        let mut access = access("/");
        access.run(|| ());
        assert!(matches!(access.0.outcome, Outcome::Open));
        let panics = AssertUnwindSafe(|| access.run(|| panic!("boom")));
        assert!(catch_unwind(panics).is_err());
        assert!(matches!(access.0.outcome, Outcome::Running));
    }
}
