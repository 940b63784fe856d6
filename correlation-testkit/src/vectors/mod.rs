//! W3C Trace Context as data: header lines in, what goes out.
//!
//! Each row has the number of the rule it shows and the section of the specification, level 2
//! (<https://www.w3.org/TR/trace-context-2/>), that the rule is from:
//!
//! | rule | of `traceparent` |
//! |---|---|
//! | P1 | the name is one word, in any case |
//! | P2 | white space around the value is not part of it (RFC 9110, section 5.5) |
//! | P3 | a version that is not two digits and a dash restarts the trace |
//! | P4 | version `ff` is invalid |
//! | P5 | version `00` is 55 bytes exactly |
//! | P6 | a higher version is read by what it begins with, and goes out as `00` |
//! | P7 | an invalid trace-id, parent-id or flag makes the header as good as absent |
//! | P8 | flags are single bits; unknown ones are not sent |
//! | P9 | the `random` flag of a continued trace stays as it is |
//! | P10 | so does `sampled` |
//! | P11 | two lines are none |
//! | P12 | without a valid `traceparent` there is no `tracestate` |
//! | P13 | a valid one goes on |
//!
//! P14 (what may be changed at all) and P15 (foreign IDs) are about what is sent; the tests of
//! the modes hold them for every row.
//!
//! | rule | of `tracestate` |
//! |---|---|
//! | S1 | a bad one does not touch the `traceparent` |
//! | S2 | lines are one list; empty members are nothing |
//! | S3 | one bad member, or a 33rd, spoils the list |
//! | S4 | the order stays; of twins the first stays |
//! | S5 | spaces at the start of a value are part of it, at its end not |
//! | S6 | 512 bytes: of more, whole members go, at first those over 128 |
//! | S7 | nothing of ours is put in |

mod grammar;
mod limits;
mod parent;
mod state;
mod values;

pub use grammar::{is_traceparent, is_tracestate};

/// One row.
#[derive(Clone, Debug)]
pub struct Vector {
    /// The rule it shows.
    pub rule: &'static str,
    /// The section of the specification that says so.
    pub section: &'static str,
    /// The header lines that come in, in their order.
    pub lines: Vec<(&'static str, Vec<u8>)>,
    /// What becomes of them.
    pub goes: Goes,
    /// What becomes of them where lines that are not UTF-8 never arrive.
    pub without_bad_lines: Goes,
    /// Whether services are asked it too: what HTTP can carry, but not each of 256 bytes.
    pub over_http: bool,
}

/// What becomes of a trace context.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Goes {
    /// It is continued.
    On {
        /// As it goes on with the caller's parent-id.
        parent: String,
        /// Empty: none is sent.
        state: String,
    },
    /// It is as if none had come.
    Nowhere,
}

/// Every row.
pub fn all() -> Vec<Vector> {
    [parent::vectors(), state::vectors(), limits::vectors()].concat()
}

/// The trace-id of nearly all rows.
pub const TRACE_ID: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
/// The caller's parent-id of nearly all rows.
pub const PARENT_ID: &str = "00f067aa0ba902b7";

/// Version `00` of that context.
fn context(flags: &str) -> String {
    format!("00-{TRACE_ID}-{PARENT_ID}-{flags}")
}

impl Vector {
    fn new(rule: &'static str, section: &'static str) -> Self {
        Self {
            rule,
            section,
            lines: Vec::new(),
            goes: Goes::Nowhere,
            without_bad_lines: Goes::Nowhere,
            over_http: true,
        }
    }

    fn line(mut self, name: &'static str, value: impl AsRef<[u8]>) -> Self {
        let value = value.as_ref();
        self.over_http &= value
            .iter()
            .all(|&b| b == b'\t' || (b >= b' ' && b != 0x7f));
        self.lines.push((name, value.to_vec()));
        self
    }

    fn parent(self, value: impl AsRef<[u8]>) -> Self {
        self.line("traceparent", value)
    }

    fn state(self, value: impl AsRef<[u8]>) -> Self {
        self.line("tracestate", value)
    }

    /// A row like many others.
    fn in_core_only(mut self) -> Self {
        self.over_http = false;
        self
    }

    fn goes_on(mut self, parent: &str, state: &str) -> Self {
        self.goes = Goes::On {
            parent: parent.to_owned(),
            state: state.to_owned(),
        };
        self.without_bad_lines = self.goes.clone();
        self
    }

    /// What it is where lines that are not UTF-8 never arrive.
    fn else_goes_on(mut self, parent: &str, state: &str) -> Self {
        let goes = std::mem::replace(&mut self.goes, Goes::Nowhere);
        self = self.goes_on(parent, state);
        self.goes = goes;
        self
    }
}
