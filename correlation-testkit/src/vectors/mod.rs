//! W3C Trace Context as data: inbound header lines, and the headers that are sent.
//!
//! Each row has the number of the rule that it shows, and the section of the specification that has
//! the rule, at level 2 (<https://www.w3.org/TR/trace-context-2/>):
//!
//! | rule | of `traceparent` |
//! |---|---|
//! | P1 | the name is one word, in any case |
//! | P2 | white space around the value is not part of it (RFC 9110, section 5.5) |
//! | P3 | a version that is not two digits and a dash restarts the trace |
//! | P4 | version `ff` is invalid |
//! | P5 | version `00` is 55 bytes exactly |
//! | P6 | a higher version is read by its beginning, and is sent as `00` |
//! | P7 | if the trace-id, the parent-id or a flag is invalid, the header counts as absent |
//! | P8 | flags are single bits; unknown ones are not sent |
//! | P9 | the `random` flag of a continued trace does not change |
//! | P10 | neither does `sampled` |
//! | P11 | two lines count as none |
//! | P12 | without a valid `traceparent` there is no `tracestate` |
//! | P13 | a valid one is continued |
//!
//! P14 (what may be changed at all) and P15 (foreign IDs) are about the headers that are sent. The
//! tests of the modes check both for every row.
//!
//! | rule | of `tracestate` |
//! |---|---|
//! | S1 | an invalid one does not affect the `traceparent` |
//! | S2 | all lines are one list; empty members are ignored |
//! | S3 | one invalid member, or a 33rd one, makes the list invalid |
//! | S4 | the order does not change; of two members with the same key, the first stays |
//! | S5 | spaces at the start of a value belong to it, and spaces at its end do not |
//! | S6 | 512 bytes at most: beyond that, whole members are removed, first those over 128 bytes |
//! | S7 | this library adds no member |

mod grammar;
mod limits;
mod parent;
mod state;
mod values;

pub use grammar::{is_traceparent, is_tracestate};

/// One row of the table.
#[derive(Clone, Debug)]
pub struct Vector {
    /// The number of the rule.
    pub rule: &'static str,
    /// The section of the specification with the rule.
    pub section: &'static str,
    /// The inbound header lines, in their order.
    pub lines: Vec<(&'static str, Vec<u8>)>,
    /// The trace context that is sent.
    pub goes: Goes,
    /// The trace context that is sent if lines that are not UTF-8 never arrive.
    pub without_bad_lines: Goes,
    /// Whether services are tested with it, too. HTTP must be able to carry it, and not all 256
    /// bytes are tested.
    pub over_http: bool,
}

/// The result for a trace context.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Goes {
    /// It is continued.
    On {
        /// The `traceparent` that continues it, with the caller's parent-id.
        parent: String,
        /// The `tracestate`. If it is empty, none is sent.
        state: String,
    },
    /// The result is the same as for a request without one.
    Nowhere,
}

/// Returns every row.
pub fn all() -> Vec<Vector> {
    [parent::vectors(), state::vectors(), limits::vectors()].concat()
}

/// The trace-id of almost all rows.
pub const TRACE_ID: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
/// The caller's parent-id of almost all rows.
pub const PARENT_ID: &str = "00f067aa0ba902b7";

/// Returns this context in version `00`.
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

    /// Marks a row that is like many others, so only core is tested with it.
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

    /// Sets the result if lines that are not UTF-8 never arrive.
    fn else_goes_on(mut self, parent: &str, state: &str) -> Self {
        let goes = std::mem::replace(&mut self.goes, Goes::Nowhere);
        self = self.goes_on(parent, state);
        self.goes = goes;
        self
    }
}
