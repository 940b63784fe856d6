//! Which request a line is of, and whether it has its ID.

use correlation_testkit::cases::Shape;

use super::{FORGED, Ledger, Request, Trace};
use crate::counts::Fault;
use crate::line::{Line, UNTRUSTED};

impl Ledger {
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
    pub(super) fn compare(&mut self, request: &mut Request, id: &str, place: &str) {
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
    "the client has left",
];
