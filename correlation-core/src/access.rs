use std::time::Instant;
use std::{mem, thread};

use crate::{Context, Policy, context, events};

/// One log record for a request, written when it has ended: for adapters, and for servers of your
/// own.
///
/// [`Policy::access_record`] turns it on, [`Policy::begin_access`] makes it. Tell it what happens
/// with [`run`](Self::run) and [`status`](Self::status), and [`complete`](Self::complete) it after
/// the last byte of the body. The record is written then, or when this is dropped before, in the
/// context of the request. Where it is off, all of that does nothing.
///
/// ```text
/// INFO access: request method=GET path=/orders/42 status=200 latency_ms=3.142 outcome=completed
/// ```
///
/// The query string is left out, since people put secrets there.
#[derive(Debug, Default)]
// Boxed, since futures and bodies have room for one, and mostly there is none.
pub struct Access(Option<Box<Record>>);

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
    /// Whether a record is still to be written.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.0.is_some()
    }

    /// Runs a step of the request: a panic in it is the outcome.
    #[inline(always)]
    pub fn run<R>(&mut self, step: impl FnOnce() -> R) -> R {
        let before = self.outcome(Outcome::Running);
        let result = step();
        if let Some(before) = before {
            self.outcome(before);
        }
        result
    }

    #[inline]
    fn outcome(&mut self, outcome: Outcome) -> Option<Outcome> {
        let record = self.0.as_mut()?;
        Some(mem::replace(&mut record.outcome, outcome))
    }

    /// The response has this status.
    pub fn status(&mut self, status: u16) {
        if let Some(record) = &mut self.0 {
            record.status = Some(status);
        }
    }

    /// The body has ended, or there is none.
    pub fn complete(&mut self) {
        if let Some(mut record) = self.0.take() {
            record.outcome = Outcome::Completed;
        }
    }
}

impl Record {
    /// The outcome, if this is dropped now.
    fn outcome(&self) -> &'static str {
        match self.outcome {
            Outcome::Completed => "completed",
            Outcome::Running => "panicked",
            Outcome::Open if thread::panicking() => "panicked",
            Outcome::Open => "client_gone",
        }
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        // To the microsecond.
        let latency_ms = (self.begun.elapsed().as_secs_f64() * 1e6).round() / 1e3;
        let outcome = self.outcome();
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

    /// Whether [`begin_access`](Self::begin_access) begins any: for adapters to which method and
    /// path cost something.
    #[must_use]
    pub const fn wants_access(&self) -> bool {
        self.access_record
    }

    /// Begins the access record of a request, if there is to be one: not inside of a scope, where
    /// an outer middleware writes it. `target` is the path, with or without a query.
    #[must_use]
    pub fn begin_access(&self, context: &Context, method: &str, target: &str) -> Access {
        let wanted = self.access_record && context::entered().is_none();
        let record = || Record {
            context: context.clone(),
            method: method.to_owned(),
            path: target.split('?').next().unwrap_or_default().to_owned(),
            begun: Instant::now(),
            status: None,
            outcome: Outcome::Open,
        };
        Access(wanted.then(|| Box::new(record())))
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    fn access(target: &str) -> Access {
        let context = Context::new("abc".parse().unwrap());
        let policy = Policy::new().access_record(true);
        policy.begin_access(&context, "GET", target)
    }

    fn record(access: Access) -> Box<Record> {
        access.0.unwrap()
    }

    #[test]
    fn it_is_off_by_default() {
        let context = Context::new("abc".parse().unwrap());
        let mut access = Policy::new().begin_access(&context, "GET", "/");
        assert!(!access.is_open());
        assert_eq!(access.run(|| 7), 7);
    }

    #[test]
    fn a_nested_middleware_writes_none() {
        let context = Context::new("abc".parse().unwrap());
        let policy = Policy::new().access_record(true);
        let nested = context::sync_scope(context.clone(), || {
            policy.begin_access(&context, "GET", "/")
        });
        assert!(!nested.is_open());
    }

    #[test]
    fn the_query_is_left_out() {
        assert_eq!(record(access("/orders?token=secret?x")).path, "/orders");
        assert_eq!(record(access("")).path, "");
    }

    #[test]
    fn a_panic_in_a_step_is_remembered() {
        let mut access = access("/");
        access.run(|| ());
        assert!(matches!(access.0.as_ref().unwrap().outcome, Outcome::Open));
        let panics = AssertUnwindSafe(|| access.run(|| panic!("boom")));
        assert!(catch_unwind(panics).is_err());
        assert!(matches!(
            access.0.as_ref().unwrap().outcome,
            Outcome::Running
        ));
    }
    #[test]
    fn a_panic_that_drops_it_is_the_outcome() {
        struct Dropped<'a>(Box<Record>, &'a mut &'static str);
        impl Drop for Dropped<'_> {
            fn drop(&mut self) {
                *self.1 = self.0.outcome();
            }
        }
        let mut outcome = "";
        drop(Dropped(record(access("/")), &mut outcome));
        assert_eq!(outcome, "client_gone");
        let dropped = Dropped(record(access("/")), &mut outcome);
        let panics = AssertUnwindSafe(|| {
            let _dropped = dropped;
            panic!("boom");
        });
        assert!(catch_unwind(panics).is_err());
        assert_eq!(outcome, "panicked");
    }
}
