//! The headers that a call sends, as data. Core's tests write each case to maps, and the contract
//! sends it with every HTTP client.

use correlation_core::{Context, Policy, Targets, TraceContext, Trust, detached, scope};

use crate::TRACE;

/// A call that is made while a request is answered.
#[derive(Debug)]
pub struct Case {
    /// The rule.
    pub name: &'static str,
    policy: fn() -> Policy,
    /// The headers of the request.
    inbound: &'static [Line],
    /// The headers that are set on the call. They may be copied from the request.
    pub set: &'static [Line],
    at: At,
    /// An additional name for the ID.
    also_as: Option<&'static str>,
    /// The headers from [`NAMES`] that the other end receives.
    sent: &'static [Sent],
}

type Line = (&'static str, &'static str);
type Sent = (&'static str, &'static [Value]);

#[derive(Clone, Copy, Debug)]
enum At {
    /// In the scope of the request.
    Request,
    /// In that scope, but detached.
    Detached,
    /// In no scope.
    Nowhere,
}

#[derive(Clone, Copy, Debug)]
enum Value {
    /// This text.
    Is(&'static str),
    /// The ID of the request.
    Id,
    /// A `traceparent` of [`TRACE`] with a new parent-id.
    Child,
    /// A `traceparent` of another trace.
    NewTrace,
}

impl Case {
    /// Returns the targets of the call: these, with the case's additional name for the ID.
    #[must_use]
    pub fn targets(&self, targets: Targets) -> Targets {
        match self.also_as {
            Some(name) => targets.also_as(name),
            None => targets,
        }
    }

    /// Returns the context of the request.
    ///
    /// # Panics
    ///
    /// If the policy rejects the request.
    #[must_use]
    pub fn context(&self) -> Context {
        let lines = || self.inbound.iter().map(|(k, v)| (*k, v.as_bytes()));
        (self.policy)().receive(lines, None).into_context()
    }

    /// Makes the call in the place that the case names.
    pub async fn run<T>(&self, context: &Context, call: impl Future<Output = T>) -> T {
        match self.at {
            At::Request => scope(context.clone(), call).await,
            At::Detached => scope(context.clone(), detached(call)).await,
            At::Nowhere => call.await,
        }
    }

    /// Compares the headers that were sent. `values` returns the values of a header.
    ///
    /// # Panics
    ///
    /// If the values are not the expected ones.
    pub fn check(&self, context: &Context, values: impl Fn(&'static str) -> Vec<String>) {
        for name in NAMES {
            let expected = self.sent.iter().find(|(known, _)| *known == name);
            let expected = expected.map_or(&[][..], |(_, values)| values);
            let values = values(name);
            let right = values.len() == expected.len()
                && expected.iter().zip(&values).all(|(e, v)| e.is(context, v));
            assert!(right, "{}: {name}: {values:?}, not {expected:?}", self.name);
        }
    }
}

impl Value {
    fn is(self, context: &Context, value: &str) -> bool {
        let of_trace = value.starts_with(&TRACE[..36]);
        match self {
            Self::Is(text) => value == text,
            Self::Id => value == context.id().as_str(),
            Self::Child => of_trace && value[36..] != TRACE[36..] && value.len() == TRACE.len(),
            Self::NewTrace => !of_trace && value.len() == TRACE.len(),
        }
    }
}

/// The headers that a case checks.
pub(crate) const NAMES: [&str; 5] = [
    "x-correlation-id",
    "x-request-id",
    "traceparent",
    "tracestate",
    "x-shop",
];

/// The `traceparent` that a tracer writes for a call in this trace.
const SPAN: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-b7ad6b7169203331-01";
/// A `traceparent` of another trace.
const OWN: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
/// What looks like a `traceparent` of this trace, and is none.
const BAD: &str = "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01";
/// A `traceparent` of this trace in the form of a later version.
const LATER: &str = "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-comes";

const ALL: &[Line] = &[
    ("x-correlation-id", "click-1"),
    ("traceparent", TRACE),
    ("tracestate", "a=1"),
];
/// Copied headers, in the usual spelling of the documentation.
const COPIED: &[Line] = &[
    ("X-Correlation-ID", "click-1"),
    ("Traceparent", TRACE),
    ("Tracestate", "a=1"),
    ("X-Shop", "tea"),
];
const TWICE: &[Line] = &[
    ("traceparent", TRACE),
    ("traceparent", TRACE),
    ("tracestate", "a=1"),
];
const INVALID: &[Line] = &[("traceparent", BAD), ("tracestate", "a=1")];
const ONLY_ID: &[Line] = &[("x-correlation-id", "click-1")];

const SAME_ID: Sent = ("x-correlation-id", &[Value::Is("click-1")]);
const ID: Sent = ("x-correlation-id", &[Value::Id]);
const SAME_TRACE: Sent = ("traceparent", &[Value::Is(TRACE)]);
const CHILD: Sent = ("traceparent", &[Value::Child]);
const STATE: Sent = ("tracestate", &[Value::Is("a=1")]);
const TRACER_STATE: Sent = ("tracestate", &[Value::Is("t=1")]);
const SHOP: Sent = ("x-shop", &[Value::Is("tea")]);

fn stranger() -> Policy {
    Policy::new().trust(Trust::never())
}

fn participant() -> Policy {
    Policy::new().trace_context(TraceContext::Participate { sampled: false })
}

fn off() -> Policy {
    Policy::new().trace_context(TraceContext::Off)
}

/// The request has every header, and the call sets none.
const PLAIN: Case = Case {
    name: "a plain call",
    policy: Policy::new,
    inbound: ALL,
    set: &[],
    at: At::Request,
    also_as: None,
    sent: &[SAME_ID, SAME_TRACE, STATE],
};

/// Copied headers are sent unchanged.
const UNTOUCHED: Case = Case {
    name: "",
    set: COPIED,
    sent: &[SAME_ID, SAME_TRACE, STATE, SHOP],
    ..PLAIN
};

/// The request came from a caller that is not trusted.
const STRANGER: Case = Case {
    name: "",
    policy: stranger,
    sent: &[ID],
    ..PLAIN
};

/// All cases.
pub const CASES: &[Case] = &[
    PLAIN,
    Case {
        name: "outside of a scope nothing is added",
        at: At::Nowhere,
        sent: &[],
        ..PLAIN
    },
    Case {
        name: "outside of a scope nothing is removed",
        policy: stranger,
        at: At::Nowhere,
        ..UNTOUCHED
    },
    Case {
        name: "detached nothing is removed, whoever is not trusted",
        policy: stranger,
        at: At::Detached,
        ..UNTOUCHED
    },
    Case {
        name: "detached nothing is removed in Participate",
        policy: participant,
        at: At::Detached,
        ..UNTOUCHED
    },
    Case {
        name: "the ambient ID wins over one that is set, in any spelling and number",
        set: &[
            ("X-Correlation-ID", "a"),
            ("x-correlation-id", "b"),
            ("X-CORRELATION-ID", "c"),
        ],
        ..PLAIN
    },
    Case {
        name: "what is copied as it came is sent once",
        set: COPIED,
        sent: &[SAME_ID, SAME_TRACE, STATE, SHOP],
        ..PLAIN
    },
    Case {
        name: "an invalid ID that is copied is not sent beside the new one",
        inbound: &[("x-correlation-id", "not valid")],
        set: &[("x-correlation-id", "not valid")],
        sent: &[ID],
        ..PLAIN
    },
    Case {
        name: "under another name it wins, too",
        set: &[("X-Request-ID", "a"), ("x-request-id", "b")],
        also_as: Some("X-Request-ID"),
        sent: &[
            SAME_ID,
            ("x-request-id", &[Value::Is("click-1")]),
            SAME_TRACE,
            STATE,
        ],
        ..PLAIN
    },
    Case {
        name: "a header that is nobody's name for the ID stays",
        inbound: ONLY_ID,
        set: &[("X-Request-ID", "payment-7")],
        sent: &[SAME_ID, ("x-request-id", &[Value::Is("payment-7")])],
        ..PLAIN
    },
    Case {
        name: "nothing of a caller who is not trusted goes on",
        set: COPIED,
        sent: &[ID, SHOP],
        ..STRANGER
    },
    Case {
        name: "nor under another name that others read",
        set: &[
            ("X-Request-ID", "click-1"),
            ("Correlation-ID", "click-1, click-1"),
            ("Request-Id", "payment-for-click-1"),
            ("X-Shop", "tea"),
        ],
        sent: &[
            ID,
            ("request-id", &[Value::Is("payment-for-click-1")]),
            SHOP,
        ],
        ..STRANGER
    },
    Case {
        name: "nor in the header that it came in, and the service's own stay",
        inbound: &[("x-request-id", "click-1")],
        set: &[("X-Request-ID", "click-1"), ("Request-Id", "payment-7")],
        sent: &[ID, ("request-id", &[Value::Is("payment-7")])],
        ..STRANGER
    },
    Case {
        name: "nor does a trace that came alone",
        inbound: &[("traceparent", TRACE)],
        set: &[("traceparent", TRACE)],
        ..STRANGER
    },
    Case {
        name: "nor one in the form of a later version",
        inbound: &[("traceparent", LATER)],
        set: &[("traceparent", LATER), ("tracestate", "a=1")],
        ..STRANGER
    },
    Case {
        name: "nor its tracestate alone",
        set: &[("tracestate", "a=1")],
        ..STRANGER
    },
    Case {
        name: "nor one of two lines",
        set: &[("traceparent", OWN), ("traceparent", TRACE)],
        ..STRANGER
    },
    Case {
        name: "nor two lines that came",
        inbound: TWICE,
        set: TWICE,
        ..STRANGER
    },
    Case {
        name: "nor one that is not valid",
        inbound: INVALID,
        set: INVALID,
        ..STRANGER
    },
    Case {
        name: "in Participate a trace of our own is in its place",
        policy: || participant().trust(Trust::never()),
        set: COPIED,
        sent: &[ID, ("traceparent", &[Value::NewTrace]), SHOP],
        ..PLAIN
    },
    Case {
        name: "also in that of two lines that came",
        policy: participant,
        inbound: TWICE,
        set: TWICE,
        sent: &[ID, ("traceparent", &[Value::NewTrace])],
        ..PLAIN
    },
    Case {
        name: "and in that of one that is not valid",
        policy: participant,
        inbound: INVALID,
        set: INVALID,
        sent: &[ID, ("traceparent", &[Value::NewTrace])],
        ..PLAIN
    },
    Case {
        name: "the trace of a tracer stays, whoever called",
        set: &[("traceparent", OWN), ("tracestate", "t=1")],
        sent: &[ID, ("traceparent", &[Value::Is(OWN)]), TRACER_STATE],
        ..STRANGER
    },
    Case {
        name: "the span of a tracer stays, and nothing is added to it",
        set: &[("Traceparent", SPAN)],
        sent: &[SAME_ID, ("traceparent", &[Value::Is(SPAN)])],
        ..PLAIN
    },
    Case {
        name: "in Participate, too",
        policy: participant,
        set: &[("traceparent", SPAN), ("tracestate", "t=1")],
        sent: &[SAME_ID, ("traceparent", &[Value::Is(SPAN)]), TRACER_STATE],
        ..PLAIN
    },
    Case {
        name: "in Participate each call has a parent-id of its own",
        policy: participant,
        sent: &[SAME_ID, CHILD, STATE],
        ..PLAIN
    },
    Case {
        name: "also if the one that came in was copied",
        policy: participant,
        set: COPIED,
        sent: &[SAME_ID, CHILD, STATE, SHOP],
        ..PLAIN
    },
    Case {
        name: "what no tracer sends gives way to ours",
        set: INVALID,
        ..PLAIN
    },
    Case {
        name: "so do two lines",
        set: &[("traceparent", OWN), ("traceparent", SPAN)],
        ..PLAIN
    },
    Case {
        name: "a tracestate alone gives way to ours",
        set: &[("TraceState", "t=1")],
        ..PLAIN
    },
    Case {
        name: "a tracestate alone gives way to none",
        inbound: &[("x-correlation-id", "click-1"), ("traceparent", TRACE)],
        set: &[("tracestate", "t=1")],
        sent: &[SAME_ID, SAME_TRACE],
        ..PLAIN
    },
    Case {
        name: "where no trace is known nothing is touched",
        inbound: ONLY_ID,
        set: &[("tracestate", "t=1")],
        sent: &[SAME_ID, TRACER_STATE],
        ..PLAIN
    },
    Case {
        name: "in Off nothing is added",
        policy: off,
        sent: &[SAME_ID],
        ..PLAIN
    },
    Case {
        name: "in Off nothing is removed, whoever called",
        policy: || off().trust(Trust::never()),
        set: COPIED,
        sent: &[ID, SAME_TRACE, STATE, SHOP],
        ..PLAIN
    },
];
