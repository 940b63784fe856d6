//! Checks of `TRACE_CONTEXT=participate` that the table of vectors cannot express.

use std::collections::BTreeSet;
use std::io;
use std::net::SocketAddr;
use std::slice;

use tokio::task::JoinSet;

use super::calls::{calls_to, post};
use super::records::Record;
use super::stub::Stub;
use super::vectors::well_formed;
use crate::checks::{carries, sent};
use crate::{CORRELATION_ID, Connection, RecordedCall, Report, Response, Sent, TRACE, TRACE_ID};

/// A service that is asked to make calls, and the service that receives them.
pub(super) struct Participant<'a> {
    report: &'a mut Report,
    addr: SocketAddr,
    connection: Connection,
    stub: &'a Stub,
    made: SpanIds,
}

/// The parent-ids of all calls, each with the correlation ID and the trace-id of its request.
type SpanIds = Vec<[String; 3]>;

impl<'a> Participant<'a> {
    pub(super) async fn new(
        report: &'a mut Report,
        addr: SocketAddr,
        stub: &'a Stub,
    ) -> io::Result<Self> {
        Ok(Self {
            report,
            addr,
            connection: Connection::open(addr).await?,
            stub,
            made: SpanIds::new(),
        })
    }

    /// Requests calls in every way.
    pub(super) async fn check(mut self) -> io::Result<SpanIds> {
        self.continued().await?;
        self.begun().await?;
        self.named().await?;
        self.relayed().await?;
        self.broken().await?;
        self.known_inside().await?;
        self.many().await?;
        Ok(self.made)
    }

    /// Checks that the trace of a caller that is not trusted ends here, and that a new one begins.
    pub(super) async fn check_distrusted(mut self) -> io::Result<()> {
        let what = "participate, distrusted";
        let headers = [
            (CORRELATION_ID, "from-stranger"),
            ("traceparent", TRACE),
            ("tracestate", "from=stranger"),
        ];
        let (_, calls) = self.post(&headers, &["", ""]).await?;
        self.parents(what, &calls, 2);
        for call in &calls {
            for word in ["stranger", TRACE_ID, &TRACE[36..52]] {
                let told = || format!("{what}: {word}: {call:?}");
                self.report.holds(!call.mentions(word), told);
            }
            self.has_no_state(what, call);
        }
        Ok(())
    }

    /// Checks a trace that came in: each call has a new parent-id, and everything else is
    /// unchanged.
    async fn continued(&mut self) -> io::Result<()> {
        for flags in ["00", "01", "02", "03"] {
            let what = format!("participate, flags {flags}");
            let traceparent = format!("{}-{flags}", &TRACE[..52]);
            let states = [("tracestate", "b= 2"), ("tracestate", "a=1")];
            let headers = [&[C1, ("traceparent", &*traceparent)], &states[..]].concat();
            let (response, calls) = self.post(&headers, &[""; CALLS]).await?;
            self.answered(&what, &response, 200);
            let parents = self.parents(&what, &calls, CALLS);
            for parent in &parents {
                self.report.equal(&what, &parent[..36], &TRACE[..36]);
                self.report.equal(&what, &parent[52..], &traceparent[52..]);
                self.report.holds(parent[36..52] != TRACE[36..52], || {
                    format!("{what}: the caller's parent-id: {parent}")
                });
            }
            for call in &calls {
                self.report
                    .equal(&what, call.values(CORRELATION_ID), ["c-1"]);
                let state = call.values("tracestate");
                self.report.equal(&what, state, ["b= 2,a=1"]);
            }
            self.note("c-1", &parents);
        }
        Ok(())
    }

    /// Checks a request without a trace. A new trace begins, which is the same for all calls of the
    /// request.
    async fn begun(&mut self) -> io::Result<()> {
        let mut traces = BTreeSet::new();
        for headers in [
            &[][..],
            &[("tracestate", "a=1")],
            &[("traceparent", "00-bad")],
        ] {
            let what = format!("participate, {headers:?}");
            let (response, calls) = self.post(headers, &[""; CALLS]).await?;
            self.report.equal(&what, response.status, 200);
            let id = response.ids().concat();
            let parents = self.parents(&what, &calls, CALLS);
            for parent in &parents {
                // The ID was made here too, so one search finds both.
                self.report
                    .equal(&what, &parent[3..35], id.replace('-', ""));
                self.report.equal(&what, &parent[52..], "-02");
                traces.insert(parent[3..35].to_owned());
            }
            for call in &calls {
                self.report
                    .equal(&what, call.values(CORRELATION_ID), [&*id]);
                self.has_no_state(&what, call);
            }
            self.note(&id, &parents);
        }
        let what = "participate: traces of three requests";
        self.report.equal(what, traces.len(), 3);
        Ok(())
    }

    /// Checks that the caller's ID becomes the trace-id if it has the format of one. Only the
    /// caller knows whether it is random.
    async fn named(&mut self) -> io::Result<()> {
        for (id, trace_id, flags) in [
            (HYPHENATED, Some(TRACE_ID), "-00"),
            (TRACE_ID, Some(TRACE_ID), "-00"),
            ("click-1", None, "-02"),
        ] {
            let what = format!("participate, ID {id}");
            let (response, calls) = self.post(&sent(id), &["", ""]).await?;
            carries(self.report, &what, &response, id);
            let parents = self.parents(&what, &calls, 2);
            for parent in &parents {
                self.report.equal(&what, &parent[52..], flags);
                let trace_id = trace_id.unwrap_or(&parents[0][3..35]);
                self.report.equal(&what, &parent[3..35], trace_id);
            }
            self.note(id, &parents);
        }
        Ok(())
    }

    /// Checks that `/relay` is a call like any other.
    async fn relayed(&mut self) -> io::Result<()> {
        let what = "participate, /relay";
        let response = self.connection.get("/relay", &TRACED).await?;
        self.answered(what, &response, 200);
        // Only the ID goes back.
        for name in ["traceparent", "tracestate", "traceresponse"] {
            let lines = response.values(name).len();
            self.report.equal(format_args!("{what}: {name}"), lines, 0);
        }
        let parents = self.parents(what, &self.stub.take(), 1);
        for parent in &parents {
            self.report.equal(what, &parent[..36], &TRACE[..36]);
        }
        self.note("c-1", &parents);
        Ok(())
    }

    /// Checks that the next call is made whatever the other side answers. A call without an answer
    /// is the last one.
    async fn broken(&mut self) -> io::Result<()> {
        let what = "participate, a call that fails";
        let paths = ["/status/500", "/status/404", "/last"];
        let (response, calls) = self.post(&TRACED, &paths).await?;
        self.answered(what, &response, 200);
        let parents = self.parents(what, &calls, 3);
        self.note("c-1", &parents);

        let paths = ["/first", "/close", "/never"];
        let (response, calls) = self.post(&TRACED, &paths).await?;
        self.answered(what, &response, 502);
        let after = calls.iter().any(|call| call.mentions("/never"));
        let told = || format!("{what}: a call after it: {calls:?}");
        self.report.holds(!after, told);
        // A client may retry on a new connection, which is the same call.
        let tried = calls.iter().map(|call| call.values("traceparent"));
        let tried: BTreeSet<_> = tried.collect();
        self.report
            .equal(format_args!("{what}: calls"), tried.len(), 2);
        let tried: Vec<_> = tried.into_iter().flatten().collect();
        let valid = tried.iter().all(|parent| well_formed(parent));
        self.report.holds(valid, || format!("{tried:?}"));
        self.note("c-1", &tried);
        Ok(())
    }

    /// Checks that the handler can read the trace-id, also of a trace that began here.
    async fn known_inside(&mut self) -> io::Result<()> {
        for header in [("traceparent", TRACE), (CORRELATION_ID, HYPHENATED)] {
            let response = self.connection.get("/inbound", &[header]).await?;
            let trace_id = &response.json()["trace_id"];
            self.report
                .equal("participate, /inbound", trace_id, TRACE_ID);
        }
        Ok(())
    }

    /// Checks many requests at once: none has another's trace, and no two calls have the same
    /// parent-id.
    async fn many(&mut self) -> io::Result<()> {
        let what = "participate, many";
        let (addr, mut clients) = (self.addr, JoinSet::new());
        // Zero is not a valid trace-id.
        for client in 1..=CLIENTS {
            let calls = calls_to((0..CALLS).map(|_| self.stub.url()));
            clients.spawn(async move {
                let id = format!("many-{client}");
                let traceparent = format!("00-{client:032x}-00f067aa0ba902b7-01");
                let headers = [(CORRELATION_ID, &*id), ("traceparent", &traceparent)];
                let mut connection = Connection::open(addr).await?;
                post(&mut connection, &headers, &calls).await
            });
        }
        while let Some(answered) = clients.join_next().await {
            self.report.equal(what, answered??.status, 200);
        }
        let calls = self.stub.take();
        let parents = self.parents(what, &calls, CLIENTS * CALLS);
        for (call, parent) in calls.iter().zip(&parents) {
            let id = call.values(CORRELATION_ID).concat();
            let trace_id = u128::from_str_radix(&parent[3..35], 16);
            let owner = trace_id.map(|client| format!("many-{client}"));
            self.report.equal(what, owner.as_deref(), Ok(&*id));
            self.note(&id, slice::from_ref(parent));
        }
        Ok(())
    }

    /// Requests a call of each path. Returns the answer, and the calls as they were received.
    async fn post(
        &mut self,
        headers: &[(&str, &str)],
        paths: &[&str],
    ) -> io::Result<(Response, Vec<RecordedCall>)> {
        let urls = paths.iter().map(|path| self.stub.url() + path);
        let response = post(&mut self.connection, headers, &calls_to(urls)).await?;
        Ok((response, self.stub.take()))
    }

    fn answered(&mut self, what: &str, response: &Response, status: u16) {
        let got = response.status;
        self.report
            .equal(format_args!("{what}: status"), got, status);
        carries(self.report, what, response, "c-1");
    }

    /// Returns the `traceparent` of each call. Each must have one that is valid, and all must
    /// differ.
    fn parents(&mut self, what: &str, calls: &[RecordedCall], count: usize) -> Vec<String> {
        let lines = calls.iter().map(|call| call.values("traceparent"));
        let valid = |lines: &Vec<String>| matches!(&lines[..], [one] if well_formed(one));
        let parents: Vec<_> = lines.filter(valid).flatten().collect();
        let distinct: BTreeSet<_> = parents.iter().map(|parent| &parent[36..52]).collect();
        for (of, got) in [
            ("calls", calls.len()),
            ("valid traceparents", parents.len()),
            ("parent-ids", distinct.len()),
        ] {
            self.report.equal(format_args!("{what}: {of}"), got, count);
        }
        parents
    }

    fn has_no_state(&mut self, what: &str, call: &RecordedCall) {
        let states = call.values("tracestate");
        let told = || format!("{what}: tracestate {states:?}");
        self.report.holds(states.is_empty(), told);
    }

    fn note(&mut self, id: &str, parents: &[String]) {
        let ids = |parent: &String| [&parent[36..52], id, &parent[3..35]].map(str::to_owned);
        self.made.extend(parents.iter().map(ids));
    }
}

/// Checks that every call is in the log under its parent-id, beside the IDs of its request.
pub(super) fn check_log(report: &mut Report, mut made: SpanIds, records: &[Record]) {
    let logged = records.iter().filter_map(|record| {
        let span_id = record.span_id.clone()?;
        let only = |ids: &[String]| ids.join(" and ");
        Some([span_id, only(&record.ids), only(&record.trace_ids)])
    });
    let mut logged: SpanIds = logged.collect();
    logged.sort();
    made.sort();
    report.equal("span_id in the log", logged, made);
}

const C1: (&str, &str) = (CORRELATION_ID, "c-1");
const TRACED: [(&str, &str); 2] = [C1, ("traceparent", TRACE)];
/// The ID whose digits are [`TRACE_ID`].
const HYPHENATED: &str = "4bf92f35-77b3-4da6-a3ce-929d0e0e4736";
/// The number of calls that one request makes.
const CALLS: usize = 5;
const CLIENTS: usize = 40;
