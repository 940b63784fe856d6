//! The ledger of one process: which requests it was sent, which lines it owes for them, and which it
//! has written.
//!
//! Most lines have the [`mark`](crate::line::mark) of their request in their text, so that the ID
//! on them can be compared with the request's. The others, such as a framework's own, are counted
//! by ID.

use std::collections::{HashMap, HashSet, VecDeque};
use std::ops::RangeInclusive;

use correlation_testkit::cases::Shape;

use crate::counts::{Counts, Fault};
use crate::line::{Line, UNTRUSTED};

/// What is known of a request before it is sent.
#[derive(Clone, Debug)]
pub(crate) struct Expected {
    pub(crate) token: u64,
    /// The ID that is kept; `None` for a new one.
    pub(crate) kept: Option<String>,
    pub(crate) trace: Trace,
    /// What the caller has the handler write.
    pub(crate) said: Option<Said>,
    /// How many lines with its mark it writes.
    pub(crate) marked: RangeInclusive<u32>,
    /// How many without.
    pub(crate) bare: RangeInclusive<u32>,
}

/// The trace-id on the lines of a request.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Trace {
    None,
    Is(String),
    /// A new one, the same on all lines.
    New,
}

/// The caller's text at the end of messages of a handler.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    pub(crate) text: String,
    /// Whether it reaches a text log as it is.
    pub(crate) exact: bool,
}

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

    /// Takes a line of the log, or of the report of a panic.
    pub(crate) fn line(&mut self, line: &[u8], text: bool) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.trim_ascii().is_empty() {
            return;
        }
        self.counts.lines += 1;
        let Ok(line) = str::from_utf8(line) else {
            self.fault(Fault::Wrong, || format!("not UTF-8: {line:?}"));
            return;
        };
        let read = if text {
            Ok(Line::text(line))
        } else {
            Line::json(line)
        };
        match read {
            Ok(read) => self.attribute(&read, line),
            Err(error) => self.fault(Fault::Wrong, || format!("{error}: {line:?}")),
        }
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

    fn attribute(&mut self, line: &Line<'_>, whole: &str) {
        let Some(token) = line.token else {
            return match &line.id {
                Some(id) => {
                    let account = self.accounts.entry(id.as_ref().into()).or_default();
                    account.seen += 1;
                    if account.example.is_empty() {
                        account.example = whole.to_owned();
                    }
                    self.forget(id);
                }
                None if is_nobodys(&line.message) => {}
                None => self.fault(Fault::Missing, || format!("no ID: {whole:?}")),
            };
        };
        let Some(mut request) = self.requests.remove(&token) else {
            let blame = match &line.id {
                Some(id) if id.contains(FORGED) => Fault::Forged,
                _ => Fault::Wrong,
            };
            return self.fault(blame, || format!("of no open request: {whole:?}"));
        };
        request.seen += 1;
        match &line.id {
            None => self.fault(Fault::Missing, || format!("no ID: {whole:?}")),
            Some(id) => self.compare(&mut request, id, whole),
        }
        self.compare_trace(&mut request, line, whole);
        if let Some(said) = &request.expected.said
            && !said.fits(&line.message, self.text)
        {
            self.fault(Fault::Wrong, || {
                format!("of {:?} became {whole:?}", said.text)
            });
        }
        if !self.is_settled(&request) {
            self.requests.insert(token, request);
        }
    }

    /// Compares an ID with the one of a request, or learns it.
    fn compare(&mut self, request: &mut Request, id: &str, place: &str) {
        match &request.id {
            Some(known) if **known == *id => {}
            None if Shape::Uuid('4').matches(id) && !self.is_known(id) => self.bind(request, id),
            known => {
                let want = known.as_deref().unwrap_or("a new one").to_owned();
                let blame = self.blame(id);
                self.fault(blame, || format!("ID {id}, not {want}: {place}"));
            }
        }
    }

    fn compare_trace(&mut self, request: &mut Request, line: &Line<'_>, whole: &str) {
        let left_alone = request
            .expected
            .said
            .as_ref()
            .is_some_and(|said| !said.exact);
        let fits = match (&request.expected.trace, &line.trace) {
            // A line of text that ends with its ID stays as it is.
            (_, None) if left_alone => true,
            (Trace::None, found) => found.is_none(),
            (Trace::Is(want), found) => found.as_deref() == Some(want),
            (Trace::New, Some(new)) => {
                request.expected.trace = Trace::Is(new.clone().into_owned());
                true
            }
            (Trace::New, None) => false,
        };
        if !fits {
            let want = request.expected.trace.clone();
            self.fault(Fault::Wrong, || {
                format!("trace-id, not {want:?}: {whole:?}")
            });
        }
    }

    fn bind(&mut self, request: &mut Request, id: &str) {
        let account = self.accounts.entry(id.into()).or_default();
        account.open += u32::from(!request.closed);
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
        match request.id.clone() {
            Some(id) => {
                let account = self.accounts.entry(id.clone()).or_default();
                account.open = account.open.saturating_sub(1);
                account.least += if answered { *bare.start() } else { 0 };
                self.recent.add(&id);
                self.forget(&id);
            }
            None => self.nobody_told += bare.end(),
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

impl Said {
    /// Whether a line of a message may be what has become of it.
    fn fits(&self, message: &str, text: bool) -> bool {
        let own = |message: &str| {
            message.starts_with("tracing line ") || message.starts_with("log line ")
        };
        if !text {
            return !own(message) || message.ends_with(&self.text);
        }
        let mut lines = self
            .text
            .split('\n')
            .map(|line| line.trim_end_matches('\r'));
        !self.exact || lines.any(|line| message.ends_with(line)) || !message.contains(" line ")
    }
}

/// The IDs of the last requests.
#[derive(Default)]
struct Recent {
    ids: HashSet<Box<str>>,
    order: VecDeque<Box<str>>,
}

impl Recent {
    fn add(&mut self, id: &str) {
        if self.ids.insert(id.into()) {
            self.order.push_back(id.into());
        }
        if self.order.len() > RECENT
            && let Some(oldest) = self.order.pop_front()
        {
            self.ids.remove(&oldest);
        }
    }

    fn has(&self, id: &str) -> bool {
        self.ids.contains(id)
    }
}

/// What a service says about itself, and not about a request.
fn is_nobodys(message: &str) -> bool {
    !message.contains(UNTRUSTED) && !OF_REQUESTS.iter().any(|part| message.contains(part))
}

/// What stands in lines that are always of a request.
const OF_REQUESTS: &[&str] = &[
    "tracing line ",
    "log line ",
    "Matched: ",
    "Outcome: ",
    "Response succeeded",
    "the handler panicked",
    "the call failed",
];

/// In every ID that a caller writes where it must not count.
pub(crate) const FORGED: &str = "forged";

/// Open requests that make us look for old ones.
const MANY: usize = 100_000;
/// So many requests later nothing more comes.
const OLD: u64 = 50_000;
/// IDs that are remembered to tell a crossed one from a new one.
const RECENT: usize = 50_000;
