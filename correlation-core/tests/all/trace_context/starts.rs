//! A trace that begins here: its trace-id and its flags.

use std::collections::HashSet;

use correlation_core::{Generator, Policy, TraceContext, TraceId};

use crate::{RID, accepted, sent, values};

/// Where nothing came in, or nothing that may be continued: P12, and P15 of foreign IDs.
#[test]
fn the_trace_id_is_the_id_where_that_has_the_form() {
    let policy = policy();
    for (id, trace_id) in [
        (
            "4bf92f3577b34da6a3ce929d0e0e4736",
            Some("4bf92f3577b34da6a3ce929d0e0e4736"),
        ),
        (
            "4BF92F3577B34DA6A3CE929D0E0E4736",
            Some("4bf92f3577b34da6a3ce929d0e0e4736"),
        ),
        (
            "4bf92f35-77b3-4da6-a3ce-929d0e0e4736",
            Some("4bf92f3577b34da6a3ce929d0e0e4736"),
        ),
        (
            "00000000-0000-0000-0000-000000000001",
            Some("00000000000000000000000000000001"),
        ),
        // Zero is no trace-id, and others are not hashed or padded into one.
        ("00000000-0000-0000-0000-000000000000", None),
        ("00000000000000000000000000000000", None),
        ("00f067aa0ba902b7", None),
        ("urn:uuid:4bf92f35-77b3-4da6-a3ce-929d0e0e4736", None),
        ("{4bf92f35-77b3-4da6-a3ce-929d0e0e4736}", None),
        ("4bf92f3577b34da6a3ce929d0e0e473g", None),
        ("click-1", None),
    ] {
        let context = accepted(&policy, &[(RID, id)]);
        let began = context.trace_id().expect("a trace begins");
        let calls = [sent(&context), sent(&context)];
        for call in &calls {
            let parent = values(call, "traceparent")[0];
            assert_eq!(&parent[3..35], began.as_str(), "{id}");
            match trace_id {
                Some(trace_id) => {
                    assert_eq!(began.as_str(), trace_id);
                    // Nobody knows how the caller made it.
                    assert!(parent.ends_with("-00"), "{id}: {parent}");
                }
                None => {
                    assert!(parent.ends_with("-02"), "{id}: {parent}");
                    let digits = id.replace(|c: char| !c.is_ascii_hexdigit(), "");
                    assert!(
                        digits.len() < 16 || !began.as_str().contains(&digits),
                        "{id}"
                    );
                }
            }
        }
    }
}

/// P9: set only where the last 7 bytes are random.
#[test]
fn the_random_flag_is_true() {
    for (generator, flags) in [
        (Generator::uuid_v4(), "02"),
        (Generator::uuid_v7(), "02"),
        (Generator::hex(), "02"),
        (
            Generator::custom(|| "4bf92f3577b34da6a3ce929d0e0e4736"),
            "00",
        ),
        // Not a trace-id, so one is made.
        (Generator::custom(|| "click-1"), "02"),
    ] {
        let shown = format!("{generator:?}");
        let policy = policy().generator(generator);
        let first = values(&sent(&accepted(&policy, &[])), "traceparent")[0].to_owned();
        assert_eq!(&first[53..], flags, "{shown}");
    }
    // What the flag of UUIDs version 7 promises: of 56 bits each is set about half the time.
    let policy = policy().generator(Generator::uuid_v7());
    let mut set = [0_u32; 56];
    for _ in 0..4_000 {
        let id = began(&policy);
        let low = u64::from_str_radix(&id.as_str()[18..], 16).expect("14 digits");
        for (bit, count) in set.iter_mut().enumerate() {
            *count += u32::from(low >> bit & 1 == 1);
        }
    }
    // Ten standard deviations around the mean.
    assert!(
        set.iter().all(|count| (1_684..=2_316).contains(count)),
        "{set:?}"
    );
}

#[test]
fn trace_ids_are_unique_and_never_zero() {
    // Both ways to one: the ID of the request, and a trace-id beside an ID of another form.
    let named = policy().generator(Generator::custom(|| "click-1"));
    for policy in [policy(), named] {
        let mut seen = HashSet::from(["0".repeat(32)]);
        for _ in 0..100_000 {
            assert!(seen.insert(began(&policy).as_str().to_owned()));
        }
    }
}

#[test]
fn parent_ids_are_unique_and_never_zero() {
    let context = accepted(&policy(), &[]);
    let mut seen = HashSet::from(["0".repeat(16), "0000000000000001".to_owned()]);
    for _ in 0..100_000 {
        let call = sent(&context);
        assert!(seen.insert(values(&call, "traceparent")[0][36..52].to_owned()));
    }
}

fn policy() -> Policy {
    Policy::new().trace_context(TraceContext::Participate { sampled: false })
}

fn began(policy: &Policy) -> TraceId {
    accepted(policy, &[]).trace_id().expect("a trace begins")
}
