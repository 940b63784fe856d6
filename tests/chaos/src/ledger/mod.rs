//! The ledger of one process: which requests it was sent, which lines it owes for them, and which it
//! has written.
//!
//! Most lines have the [`mark`](crate::line::mark) of their request in their text, so that the ID
//! on them can be compared with the request's. The others, such as a framework's own, are counted
//! by ID.

mod attribute;
mod expected;
mod recent;

pub(crate) use expected::{Expected, FORGED, Said, Trace};

use std::collections::HashMap;

use correlation_testkit::cases::Shape;

use crate::counts::{Counts, Fault};
use recent::Recent;

pub(crate) struct Ledger {
    name: String,
    /// The process trusts nobody's IDs.
    distrusting: bool,
    text: bool,
    requests: HashMap<u64, Request>,
    accounts: HashMap<Box<str>, Account>,
    recent: Recent,
    /// Lines that requests may have written of which no answer told the ID.
    nobody_told: u32,
    /// The end of the log is lost on purpose.
    deaf: bool,
    last: u64,
    swept: u64,
    pub(crate) counts: Counts,
}

struct Request {
    expected: Expected,
    /// Once it is known.
    id: Option<Box<str>>,
    seen: u32,
    closed: bool,
}

/// The lines without a mark of one ID. Several requests may have the same.
#[derive(Default)]
struct Account {
    open: u32,
    bound: bool,
    /// The newest of its requests.
    token: u64,
    least: u32,
    most: u32,
    seen: u32,
    /// The last of them.
    example: String,
}

impl Ledger {
    pub(crate) fn new(name: String, distrusting: bool, text: bool) -> Self {
        Self {
            name,
            distrusting,
            text,
            requests: HashMap::new(),
            accounts: HashMap::new(),
            recent: Recent::default(),
            nobody_told: 0,
            deaf: false,
            last: 0,
            swept: 0,
            counts: Counts::default(),
        }
    }

    /// A request is about to be sent.
    pub(crate) fn open(&mut self, expected: Expected) {
        self.counts.requests += 1;
        let token = expected.token;
        self.last = self.last.max(token);
        let mut request = Request {
            id: None,
            seen: 0,
            closed: false,
            expected,
        };
        if let Some(id) = request.expected.kept.clone() {
            self.bind(&mut request, &id);
        }
        self.requests.insert(token, request);
        if self.requests.len().max(self.accounts.len()) > MANY && token >= self.swept + OLD / 2 {
            self.swept = token;
            self.sweep();
        }
    }

    /// The answer has these IDs. Gives the one of the request, if it is there.
    pub(crate) fn answered(&mut self, token: u64, ids: &[impl AsRef<str>]) -> Option<String> {
        self.counts.answers += 1;
        let mut request = self.requests.remove(&token)?;
        match ids {
            [] => self.fault(Fault::Missing, || {
                format!("no ID in the answer to {:?}", request.expected)
            }),
            [id] => self.compare(&mut request, id.as_ref(), "the answer"),
            _ => self.fault(Fault::Wrong, || {
                format!("{} IDs in the answer to {:?}", ids.len(), request.expected)
            }),
        }
        let id = request.id.as_deref().map(str::to_owned);
        self.close(request, true);
        id
    }

    /// There will be no answer: what the request writes until it ends is up to the service.
    pub(crate) fn lost(&mut self, token: u64) {
        if let Some(request) = self.requests.remove(&token) {
            self.close(request, false);
        }
    }

    /// Nothing that is open will be answered.
    pub(crate) fn lose_all(&mut self) {
        let open = self.requests.iter().filter(|(_, request)| !request.closed);
        for token in open.map(|(token, _)| *token).collect::<Vec<_>>() {
            self.lost(token);
        }
    }

    /// From here on lines may be missing.
    pub(crate) fn deafen(&mut self) {
        self.deaf = true;
    }

    /// The process has ended, and its log is read to the end.
    pub(crate) fn end(&mut self) {
        for (_, request) in std::mem::take(&mut self.requests) {
            self.settle(&request);
        }
        let mut nobodys = 0;
        for (id, account) in std::mem::take(&mut self.accounts) {
            let Account {
                least,
                most,
                seen,
                ref example,
                ..
            } = account;
            if !account.bound && Shape::Uuid('4').matches(&id) && !self.recent.has(&id) {
                nobodys += seen;
            } else if !account.bound {
                let blame = self.blame(&id);
                self.fault(blame, || {
                    format!("{seen} lines of {id}, which no open request has, such as {example}")
                });
            } else if seen < least && !self.deaf {
                self.fault(Fault::Missing, || {
                    format!("{seen} of {least} lines of {id}")
                });
            } else if seen > most {
                self.fault(Fault::Crossed, || {
                    format!("{seen} lines of {id}, and not {least} to {most}, such as {example}")
                });
            }
        }
        if nobodys > self.nobody_told {
            let told = self.nobody_told;
            self.fault(Fault::Wrong, || {
                format!("{nobodys} lines of new IDs that no answer had, and not up to {told}")
            });
        }
    }

    pub(crate) fn fault(&mut self, fault: Fault, what: impl FnOnce() -> String) {
        self.counts.fault(&self.name, fault, what);
    }

    fn bind(&mut self, request: &mut Request, id: &str) {
        let account = self.accounts.entry(id.into()).or_default();
        if request.closed {
            // The client has left, and only a line tells the ID.
            account.most += request.expected.left;
        } else {
            account.open += 1;
        }
        account.bound = true;
        account.token = account.token.max(request.expected.token);
        account.most += request.expected.bare.end();
        request.id = Some(id.into());
    }

    fn close(&mut self, mut request: Request, answered: bool) {
        request.closed = true;
        if !answered {
            request.expected.marked = 0..=*request.expected.marked.end();
        }
        let bare = &request.expected.bare;
        let left = if answered { 0 } else { request.expected.left };
        match request.id.clone() {
            Some(id) => {
                let account = self.accounts.entry(id.clone()).or_default();
                account.open = account.open.saturating_sub(1);
                account.least += if answered { *bare.start() } else { 0 };
                account.most += left;
                self.recent.add(&id);
                self.forget(&id);
            }
            None => self.nobody_told += bare.end() + left,
        }
        if !self.is_settled(&request) {
            self.requests.insert(request.expected.token, request);
        }
    }

    /// Whether no more can come of a request.
    fn is_settled(&mut self, request: &Request) -> bool {
        let marked = &request.expected.marked;
        let last = request.closed && request.seen == *marked.end();
        // What comes after that is of no open request.
        last && marked.start() == marked.end() && request.id.is_some()
    }

    /// Drops the account of an ID that nothing more can come of.
    fn forget(&mut self, id: &str) {
        let account = self.accounts.get(id);
        let done =
            |it: &Account| it.bound && it.open == 0 && it.least == it.most && it.seen == it.most;
        if account.is_some_and(done) {
            self.accounts.remove(id);
        }
    }

    /// Settles the requests that are so old that nothing of them can come any more.
    fn sweep(&mut self) {
        let old = self.last.saturating_sub(OLD);
        let tokens = self.requests.iter();
        let tokens: Vec<_> = tokens
            .filter(|(token, request)| request.closed && **token < old)
            .map(|(token, _)| *token)
            .collect();
        for token in tokens {
            if let Some(request) = self.requests.remove(&token) {
                self.settle(&request);
            }
        }
        self.accounts.retain(|_, it| {
            it.open > 0 || !it.bound || it.token >= old || it.seen < it.least || it.seen > it.most
        });
    }

    fn settle(&mut self, request: &Request) {
        let Request {
            expected, seen, id, ..
        } = request;
        let marked = &expected.marked;
        if seen > marked.end() {
            self.fault(Fault::Wrong, || {
                format!("{seen} lines of {id:?}: {expected:?}")
            });
        } else if seen < marked.start() && !self.deaf {
            let missing = marked.start() - seen;
            self.counts.missing += u64::from(missing) - 1;
            self.fault(Fault::Missing, || {
                format!("{missing} lines of {id:?}: {expected:?}")
            });
        }
    }

    /// What it is if a line or an answer has this ID and should have another.
    pub(crate) fn blame(&self, id: &str) -> Fault {
        let is_own = Shape::Uuid('4').matches(id);
        if id.contains(FORGED) || self.distrusting && !is_own {
            Fault::Forged
        } else if self.is_known(id) || crate::line::token(id).is_some() {
            Fault::Crossed
        } else {
            Fault::Wrong
        }
    }

    /// Whether another request has this ID, or has had it.
    fn is_known(&self, id: &str) -> bool {
        self.recent.has(id) || self.accounts.get(id).is_some_and(|account| account.bound)
    }
}

/// Open requests that make us look for old ones.
const MANY: usize = 200_000;
/// So many requests later nothing more comes.
const OLD: u64 = 150_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::line::mark;

    fn ledger() -> Ledger {
        Ledger::new("test".to_owned(), false, true)
    }

    fn expected(token: u64, kept: Option<&str>, lines: u32) -> Expected {
        Expected {
            token,
            kept: kept.map(str::to_owned),
            trace: Trace::None,
            said: None,
            marked: lines..=lines,
            bare: 0..=0,
            left: 0,
        }
    }

    fn write(ledger: &mut Ledger, token: u64, id: &str) {
        let line = format!("INFO a: b {} correlation_id={id}", mark(token));
        ledger.line(line.as_bytes(), true);
    }

    fn faults(ledger: &mut Ledger) -> [u64; 4] {
        ledger.end();
        let Counts {
            wrong,
            missing,
            crossed,
            forged,
            ..
        } = ledger.counts;
        [wrong, missing, crossed, forged]
    }

    /// Two requests at once, the second with a new ID that its first line tells.
    fn two() -> Ledger {
        let mut ledger = ledger();
        ledger.open(expected(1, Some("a-1"), 1));
        ledger.open(expected(2, None, 2));
        write(&mut ledger, 2, NEW);
        ledger
    }

    #[test]
    fn what_is_right_is_no_fault() {
        let mut ledger = two();
        write(&mut ledger, 1, "a-1");
        assert_eq!(ledger.answered(1, &["a-1"]).as_deref(), Some("a-1"));
        write(&mut ledger, 2, NEW);
        assert_eq!(ledger.answered(2, &[NEW]).as_deref(), Some(NEW));
        assert_eq!(faults(&mut ledger), [0; 4]);
        assert_eq!(ledger.counts.lines, 3);
    }

    #[test]
    fn each_kind_of_fault_is_told_from_the_others() {
        let mut crossed = two();
        write(&mut crossed, 2, "a-1");
        crossed.lost(1);
        crossed.answered(2, &["a-1"]);
        assert_eq!(faults(&mut crossed), [0, 0, 2, 0]);

        let mut missing = two();
        missing.answered(1, &["a-1"]);
        missing.answered(2, &[""; 0]);
        missing.line(format!("INFO a: b {}", mark(1)).as_bytes(), true);
        // A header, a line of the second, and the ID on that of the first.
        assert_eq!(faults(&mut missing), [0, 3, 0, 0]);

        let mut forged = two();
        write(&mut forged, 1, "forged-1");
        forged.lost(1);
        forged.lost(2);
        assert_eq!(faults(&mut forged), [0, 0, 0, 1]);

        let mut wrong = two();
        write(&mut wrong, 1, "nobodys");
        write(&mut wrong, 3, "nobodys");
        wrong.lost(1);
        wrong.lost(2);
        assert_eq!(faults(&mut wrong), [2, 0, 0, 0]);
    }

    #[test]
    fn lines_without_a_mark_are_counted() {
        for (lines, want) in [(0, [0, 1, 0, 0]), (1, [0; 4]), (2, [0, 0, 1, 0])] {
            let mut ledger = ledger();
            ledger.open(Expected {
                bare: 1..=1,
                ..expected(1, Some("a-1"), 0)
            });
            ledger.answered(1, &["a-1"]);
            for _ in 0..lines {
                ledger.line(b"INFO a: Outcome: correlation_id=a-1", true);
            }
            assert_eq!(faults(&mut ledger), want, "{lines} lines");
        }
    }

    const NEW: &str = "f81d4fae-7dec-41d0-a765-00a0c91e6bf6";
}
