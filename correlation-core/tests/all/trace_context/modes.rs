//! Every row of the table in every mode.

use std::collections::BTreeSet;

use correlation_core::{Context, CorrelationId, Origin, Policy, TraceContext, Trust};

use correlation_testkit::vectors::{self, Goes, Vector};

use super::received;
use crate::{Sent, TRACE, accepted, sent, values};

#[test]
fn the_default_passes_on() {
    assert_eq!(TraceContext::default(), TraceContext::Forward);
}

#[test]
fn a_trace_id_is_its_digits() {
    let context = accepted(&Policy::new(), &[("traceparent", TRACE)]);
    let id = context.trace_id().unwrap();
    assert_eq!(id.to_string(), vectors::TRACE_ID);
    assert_eq!(format!("{id:>34}"), format!("  {}", vectors::TRACE_ID));
    assert_eq!(
        format!("{id:?}"),
        format!("TraceId({:?})", vectors::TRACE_ID)
    );
    assert_eq!(AsRef::<str>::as_ref(&id), vectors::TRACE_ID);
    assert_eq!(CorrelationId::from(id), vectors::TRACE_ID);
}

#[test]
fn every_rule_has_rows() {
    let rows = vectors::all();
    // A section each, and many of them are for the services too.
    assert!(rows.iter().all(|row| !row.section.is_empty()));
    let http = rows.iter().filter(|row| row.over_http);
    assert!(http.clone().count() > 300 && http.count() < rows.len());
    let rules: BTreeSet<_> = rows.iter().map(|row| row.rule).collect();
    // P14 and P15 are about what is sent.
    let parent = (1..=13).map(|n| format!("P{n}"));
    let state = (1..=7).map(|n| format!("S{n}"));
    let all: BTreeSet<_> = parent.chain(state).collect();
    let have: BTreeSet<_> = rules.into_iter().map(str::to_owned).collect();
    assert_eq!(have, all);
}

/// Some servers drop lines that are not UTF-8. What the table says of them is what is left.
#[test]
fn rows_without_their_bad_lines() {
    let forward = Policy::new().trace_context(TraceContext::Forward);
    let mut rows = vectors::all();
    rows.retain(|row| row.goes != row.without_bad_lines);
    assert!(!rows.is_empty() && rows.iter().any(|row| row.over_http));
    for mut row in rows {
        row.lines
            .retain(|(_, value)| std::str::from_utf8(value).is_ok());
        let sent = sent(&received(&forward, &row.lines));
        match &row.without_bad_lines {
            Goes::On { parent, state } => {
                assert_eq!(values(&sent, "traceparent"), [parent], "{row:?}");
                has_state(&row, &sent, state);
            }
            Goes::Nowhere => assert_eq!(names(&sent), ["x-correlation-id"], "{row:?}"),
        }
    }
}

/// P13: the context as it came, with its list.
#[test]
fn forward() {
    let policy = Policy::new().trace_context(TraceContext::Forward);
    for row in vectors::all() {
        let context = received(&policy, &row.lines);
        let sent = sent(&context);
        match &row.goes {
            Goes::On { parent, state } => {
                assert_eq!(values(&sent, "traceparent"), [parent], "{row:?}");
                has_state(&row, &sent, state);
                assert_eq!(trace_id(&context).as_deref(), Some(&parent[3..35]));
                assert_eq!(context.id().as_str(), &parent[3..35], "{row:?}");
                assert_eq!(context.origin(), Origin::Header("traceparent"), "{row:?}");
            }
            Goes::Nowhere => {
                assert_eq!(names(&sent), ["x-correlation-id"], "{row:?}");
                assert_eq!(trace_id(&context), None, "{row:?}");
                assert_eq!(context.origin(), Origin::Generated, "{row:?}");
            }
        }
    }
}

/// P14: a parent-id of our own, and no other change; or a trace of our own.
#[test]
fn participate() {
    for (new, begun) in [(false, "02"), (true, "03")] {
        let policy = Policy::new().trace_context(TraceContext::Participate { sampled: new });
        for row in vectors::all() {
            let context = received(&policy, &row.lines);
            let calls = [sent(&context), sent(&context), sent(&context)];
            let mut parent_ids = BTreeSet::from(["0000000000000000"]);
            for call in &calls {
                let [parent] = values(call, "traceparent")[..] else {
                    panic!("not one traceparent: {row:?}, {call:?}");
                };
                assert_eq!((parent.len(), &parent[..3]), (55, "00-"), "{row:?}");
                assert_eq!(trace_id(&context).as_deref(), Some(&parent[3..35]));
                match &row.goes {
                    Goes::On {
                        parent: from,
                        state,
                    } => {
                        assert_eq!(parent[..36], from[..36], "{row:?}");
                        assert_eq!(parent[52..], from[52..], "{row:?}");
                        parent_ids.insert(&from[36..52]);
                        has_state(&row, call, state);
                    }
                    Goes::Nowhere => {
                        assert_eq!(&parent[53..], begun, "{row:?}");
                        mentions_nothing(&row, call);
                        has_state(&row, call, "");
                    }
                }
                assert!(parent_ids.insert(&parent[36..52]), "{row:?}: {parent}");
            }
        }
    }
}

/// A tracer owns the headers: they are not touched, whatever they are.
#[test]
fn off() {
    let policy = Policy::new().trace_context(TraceContext::Off);
    for row in vectors::all() {
        let context = received(&policy, &row.lines);
        assert_eq!(names(&sent(&context)), ["x-correlation-id"], "{row:?}");
    }
}

/// P14: the trace of somebody who is not trusted restarts.
#[test]
fn distrusted() {
    let policy = |mode| Policy::new().trust(Trust::never()).trace_context(mode);
    let forward = policy(TraceContext::Forward);
    let participate = policy(TraceContext::Participate { sampled: false });
    for row in vectors::all() {
        let sent_on = sent(&received(&forward, &row.lines));
        assert_eq!(names(&sent_on), ["x-correlation-id"], "{row:?}");
        mentions_nothing(&row, &sent_on);
        let begun = sent(&received(&participate, &row.lines));
        assert_eq!(names(&begun), ["x-correlation-id", "traceparent"]);
        mentions_nothing(&row, &begun);
        assert!(values(&begun, "traceparent")[0].ends_with("-02"), "{row:?}");
    }
}

fn trace_id(context: &Context) -> Option<String> {
    context.trace_id().map(|id| id.as_str().to_owned())
}

fn names(sent: &Sent) -> Vec<&str> {
    sent.iter().map(|(name, _)| name.as_str()).collect()
}

fn has_state(row: &Vector, sent: &Sent, state: &str) {
    // An empty header is allowed, but should not be sent.
    let want: Vec<_> = Some(state)
        .filter(|state| !state.is_empty())
        .into_iter()
        .collect();
    assert_eq!(values(sent, "tracestate"), want, "{row:?}");
}

/// Neither ID of the caller leaves.
fn mentions_nothing(row: &Vector, sent: &Sent) {
    for (name, value) in sent {
        for id in [vectors::TRACE_ID, vectors::PARENT_ID] {
            assert!(!value.contains(id), "{row:?}: {name}: {value}");
        }
    }
}
