//! Whatever comes in: no panic, and what goes out is valid and read back to itself.

use correlation_core::{Policy, TraceContext};
use correlation_testkit::vectors::{PARENT_ID, is_traceparent, is_tracestate};
use proptest::prelude::*;

use super::received;
use crate::{Sent, sent, values};

fn trace_headers(sent: &Sent) -> Vec<(&'static str, Vec<u8>)> {
    let named = ["traceparent", "tracestate"].into_iter().flat_map(|name| {
        let values = values(sent, name).into_iter();
        values
            .map(move |value| (name, value.as_bytes().to_vec()))
            .collect::<Vec<_>>()
    });
    named.collect()
}

fn holds(lines: &[(&'static str, Vec<u8>)]) -> Result<(), TestCaseError> {
    let forward = Policy::new().trace_context(TraceContext::Forward);
    let participate = Policy::new().trace_context(TraceContext::Participate { sampled: false });
    for policy in [&forward, &participate] {
        let once = sent(&received(policy, lines));
        let (parents, states) = (values(&once, "traceparent"), values(&once, "tracestate"));
        prop_assert!(
            parents.iter().all(|parent| is_traceparent(parent)),
            "{once:?}"
        );
        prop_assert!(states.iter().all(|state| is_tracestate(state)), "{once:?}");
        prop_assert!(
            states.len() <= parents.len() && parents.len() <= 1,
            "{once:?}"
        );
        // The next service reads what this one meant.
        let headers = trace_headers(&once);
        let again = trace_headers(&sent(&received(&forward, &headers)));
        prop_assert_eq!(headers, again);
    }
    Ok(())
}

/// Text that is nearly a `traceparent`.
fn nearly() -> impl Strategy<Value = Vec<u8>> {
    let valid = "[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(-[ -~]{0,9})?";
    (valid, any::<prop::sample::Index>(), any::<u8>(), 0..4_u8).prop_map(|(text, at, byte, how)| {
        let mut text = text.into_bytes();
        let at = at.index(text.len());
        match how {
            0 => text[at] = byte,
            1 => drop(text.remove(at)),
            2 => text.insert(at, byte),
            _ => {}
        }
        text
    })
}

fn nearly_a_list() -> impl Strategy<Value = Vec<u8>> {
    let member = "[a-z0-9][a-z0-9_*/@-]{0,40}=[ -+--<>-~]{0,140}|[ \t]{0,2}";
    let lists = prop::collection::vec(member, 0..36).prop_map(|members| members.join(","));
    (lists, any::<prop::sample::Index>(), any::<u8>(), 0..20_u8).prop_map(
        |(list, at, byte, how)| {
            let mut list = list.into_bytes();
            if how == 0 && !list.is_empty() {
                let at = at.index(list.len());
                list[at] = byte;
            }
            list
        },
    )
}

proptest! {
    #[test]
    fn any_bytes(
        lines in prop::collection::vec(
            (
                prop::sample::select(vec!["traceparent", "tracestate", "TraceState"]),
                prop::collection::vec(any::<u8>(), 0..200),
            ),
            0..5,
        )
    ) {
        holds(&lines)?;
    }

    #[test]
    fn nearly_valid(parent in nearly(), states in prop::collection::vec(nearly_a_list(), 0..3)) {
        let states = states.into_iter().map(|state| ("tracestate", state));
        let lines: Vec<_> = std::iter::once(("traceparent", parent)).chain(states).collect();
        holds(&lines)?;
    }

    #[test]
    fn valid_lists_go_on_as_they_are(
        members in prop::collection::btree_map(
            "[a-z0-9][a-z0-9_*/@-]{0,5}", "[ -+--<>-~]{0,5}[!-+--<>-~]", 1..=32,
        )
    ) {
        let members: Vec<_> = members.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let list = members.join(",");
        let parent = format!("00-{}-{PARENT_ID}-01", "a".repeat(32));
        let lines = [("traceparent", parent.into_bytes()), ("tracestate", list.clone().into_bytes())];
        let sent = sent(&received(&Policy::new(), &lines));
        prop_assert_eq!(values(&sent, "tracestate"), [list]);
    }
}
