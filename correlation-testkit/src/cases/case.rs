//! One request and what must come of it.

use crate::{CORRELATION_ID, Gaps};

/// One request and what must come of it.
#[derive(Clone, Debug)]
pub struct Case {
    /// What failures are reported under.
    pub name: String,
    /// The request's headers, as they are written.
    pub headers: Vec<(&'static str, Vec<u8>)>,
    /// The outcome.
    pub expect: Expect,
    /// The caller's ID that was not trusted.
    pub upstream_id: Option<String>,
    /// The trace-id of the request's context.
    pub trace_id: Option<String>,
    unless: Option<Unless>,
}

/// What becomes of a request's ID.
#[derive(Clone, Debug)]
pub enum Expect {
    /// The caller's ID, byte for byte, and the header that it was taken from.
    Kept {
        /// The ID.
        id: String,
        /// The name of the header, in lower case.
        source: &'static str,
    },
    /// A new ID of this shape.
    Fresh(Shape),
    /// Status 400, with a new ID.
    Rejected,
}

/// Another outcome, on an adapter that has the gap.
#[derive(Clone, Debug)]
struct Unless {
    gap: fn(&Gaps) -> bool,
    expect: Expect,
}

/// What a generated ID looks like.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// A hyphenated UUID of this version, in lower case.
    Uuid(char),
    /// 32 lower-case hexadecimal digits.
    Hex,
    /// What a generator under test always makes.
    Exactly(&'static str),
}

impl Shape {
    /// Whether an ID has this shape.
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

    /// Whether two IDs of this shape must differ.
    pub fn is_unique(self) -> bool {
        !matches!(self, Self::Exactly(_))
    }
}

impl Case {
    /// The caller's ID is kept; the last header of the case is where it stands.
    pub(super) fn kept(name: impl Into<String>, id: impl Into<String>) -> Self {
        let (id, source) = (id.into(), CORRELATION_ID);
        Self::new(name, Expect::Kept { id, source })
    }

    /// A UUID version 4 is made.
    pub(super) fn fresh(name: impl Into<String>) -> Self {
        Self::made(name, Shape::Uuid('4'))
    }

    /// An ID of this shape is made.
    pub(super) fn made(name: impl Into<String>, shape: Shape) -> Self {
        Self::new(name, Expect::Fresh(shape))
    }

    /// The request is answered with 400.
    pub(super) fn rejected(name: impl Into<String>) -> Self {
        Self::new(name, Expect::Rejected)
    }

    fn new(name: impl Into<String>, expect: Expect) -> Self {
        Self {
            name: name.into(),
            headers: Vec::new(),
            expect,
            upstream_id: None,
            trace_id: None,
            unless: None,
        }
    }

    /// Sends this header line.
    pub(super) fn with(mut self, name: &'static str, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name, value.as_ref().to_vec()));
        self
    }

    /// The ID was taken from this header; without this it is `x-correlation-id`.
    pub(super) fn from(mut self, header: &'static str) -> Self {
        if let Expect::Kept { source, .. } = &mut self.expect {
            *source = header;
        }
        self
    }

    /// The caller's ID that was not trusted.
    pub(super) fn upstream(mut self, id: impl Into<String>) -> Self {
        self.upstream_id = Some(id.into());
        self
    }

    /// The request is in this trace.
    pub(super) fn trace(mut self, id: impl Into<String>) -> Self {
        self.trace_id = Some(id.into());
        self
    }

    /// With this gap the ID is kept.
    pub(super) fn unless_kept(mut self, gap: fn(&Gaps) -> bool, id: &str) -> Self {
        let (id, source) = (id.to_owned(), CORRELATION_ID);
        let expect = Expect::Kept { id, source };
        self.unless = Some(Unless { gap, expect });
        self
    }

    /// The outcome on an adapter with these gaps.
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
