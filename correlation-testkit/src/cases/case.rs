//! One request and its expected outcome.

use crate::{CORRELATION_ID, Gaps, TRACE, TRACE_ID};

/// One request and its expected outcome.
#[derive(Clone, Debug)]
pub struct Case {
    /// The name under which failures are reported.
    pub name: String,
    /// The request's headers, exactly as sent.
    pub headers: Vec<(&'static str, Vec<u8>)>,
    /// The outcome.
    pub expect: Expect,
    /// The caller's ID, if the policy did not trust it.
    pub untrusted_id: Option<String>,
    /// The trace-id of the request's context.
    pub trace_id: Option<String>,
    unless: Option<Unless>,
}

/// The expected ID of a request.
#[derive(Clone, Debug)]
pub enum Expect {
    /// The caller's ID, byte for byte, and the header that it was taken from.
    Kept {
        /// The ID.
        id: String,
        /// The name of the header, in lower case.
        source: String,
    },
    /// A new ID of this shape.
    Fresh(Shape),
    /// Status 400, with a new ID.
    Rejected,
}

/// The outcome on an adapter that has this gap.
#[derive(Clone, Debug)]
struct Unless {
    gap: fn(&Gaps) -> bool,
    expect: Expect,
}

/// The shape of a generated ID.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// A hyphenated UUID of this version, in lower case.
    Uuid(char),
    /// 32 lower-case hexadecimal digits.
    Hex,
    /// The ID that a test generator always makes.
    Exactly(&'static str),
}

impl Shape {
    /// Returns whether an ID has this shape.
    pub fn matches(self, id: &str) -> bool {
        let hex = |text: &str| text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        match self {
            Self::Exactly(exact) => id == exact,
            Self::Hex => id.len() == 32 && hex(id),
            Self::Uuid(version) => {
                let lengths: Vec<_> = id.split('-').map(str::len).collect();
                lengths == [8, 4, 4, 4, 12]
                    && hex(&id.replace('-', ""))
                    && id[14..].starts_with(version)
                    && id[19..].starts_with(['8', '9', 'a', 'b'])
            }
        }
    }

    /// Returns whether two IDs of this shape must differ.
    pub fn is_unique(self) -> bool {
        !matches!(self, Self::Exactly(_))
    }
}

/// The ID of the line `taken` is kept. The ID of [`T`] also has its trace.
pub(super) fn takes(name: &str, taken: Line, sent: &[Line]) -> Case {
    let case = Case::kept(name, taken.1).from(taken.0).sends(sent);
    if taken == T { case.traced() } else { case }
}

/// A new UUID version 4 is made.
pub(super) fn makes(name: &str, sent: &[Line]) -> Case {
    Case::fresh(name).sends(sent)
}

/// The request is answered with 400.
pub(super) fn rejects(name: &str, sent: &[Line]) -> Case {
    Case::new(name, Expect::Rejected).sends(sent)
}

/// A header line.
pub(super) type Line = (&'static str, &'static str);

pub(super) const CID: &str = "X-Correlation-ID";
pub(super) const RID: &str = "X-Request-ID";
const TRACEPARENT: &str = "traceparent";
/// The lines that most cases use.
pub(super) const C1: Line = (CID, "c-1");
pub(super) const C2: Line = (CID, "c-2");
pub(super) const R1: Line = (RID, "r-1");
pub(super) const BAD: Line = (CID, "not valid");
pub(super) const TP: Line = (TRACEPARENT, TRACE);
/// The ID in [`TP`].
pub(super) const T: Line = (TRACEPARENT, TRACE_ID);

impl Case {
    /// The caller's ID is kept, from `x-correlation-id`.
    pub(super) fn kept(name: impl Into<String>, id: impl Into<String>) -> Self {
        let (id, source) = (id.into(), CORRELATION_ID.to_owned());
        Self::new(name, Expect::Kept { id, source })
    }

    /// A new UUID version 4 is made.
    pub(super) fn fresh(name: impl Into<String>) -> Self {
        Self::made(name, Shape::Uuid('4'))
    }

    /// A new ID of this shape is made.
    pub(super) fn made(name: impl Into<String>, shape: Shape) -> Self {
        Self::new(name, Expect::Fresh(shape))
    }

    fn new(name: impl Into<String>, expect: Expect) -> Self {
        Self {
            name: name.into(),
            headers: Vec::new(),
            expect,
            untrusted_id: None,
            trace_id: None,
            unless: None,
        }
    }

    /// Sends this header line.
    pub(super) fn with(mut self, name: &'static str, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name, value.as_ref().to_vec()));
        self
    }

    /// Sends these header lines.
    pub(super) fn sends(self, lines: &[Line]) -> Self {
        let lines = lines.iter();
        lines.fold(self, |case, (name, value)| case.with(name, value))
    }

    /// The ID was taken from this header. The default is `x-correlation-id`.
    pub(super) fn from(mut self, header: &str) -> Self {
        if let Expect::Kept { source, .. } = &mut self.expect {
            *source = header.to_ascii_lowercase();
        }
        self
    }

    /// The policy did not trust this ID of the caller.
    pub(super) fn untrusted(mut self, id: impl Into<String>) -> Self {
        self.untrusted_id = Some(id.into());
        self
    }

    /// The request belongs to the trace of [`TP`].
    pub(super) fn traced(self) -> Self {
        self.trace(TRACE_ID)
    }

    /// The request belongs to this trace.
    pub(super) fn trace(mut self, id: impl Into<String>) -> Self {
        self.trace_id = Some(id.into());
        self
    }

    /// On an adapter with this gap, the ID is kept.
    pub(super) fn unless_kept(mut self, gap: fn(&Gaps) -> bool, id: &str) -> Self {
        let (id, source) = (id.to_owned(), CORRELATION_ID.to_owned());
        let expect = Expect::Kept { id, source };
        self.unless = Some(Unless { gap, expect });
        self
    }

    /// Returns the outcome on an adapter with these gaps.
    pub fn expected(&self, gaps: &Gaps) -> &Expect {
        match &self.unless {
            Some(unless) if (unless.gap)(gaps) => &unless.expect,
            _ => &self.expect,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_tell_ids_apart() {
        let (v4, v7) = (
            "f81d4fae-7dec-41d0-a765-00a0c91e6bf6",
            "01920a5c-0e8b-7c3d-9f21-8a4b6c0d1e2f",
        );
        assert!(Shape::Uuid('4').matches(v4) && Shape::Uuid('7').matches(v7));
        assert!(!Shape::Uuid('7').matches(v4) && !Shape::Uuid('4').matches(v7));
        assert!(!Shape::Uuid('4').matches(&v4.to_uppercase()));
        assert!(!Shape::Uuid('4').matches(&v4.replace('-', "")));
        assert!(!Shape::Uuid('4').matches("none") && !Shape::Hex.matches(v4));
        assert!(Shape::Hex.matches(&v4.replace('-', "")));
        assert!(Shape::Exactly("a").matches("a") && !Shape::Exactly("a").matches("b"));
    }
}
