//! Closures of a policy that panic, block, or go on in circles. That each adapter answers is in
//! the cases of `correlation-testkit`.

use std::panic::panic_any;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;

use correlation_core::{Generator, Origin, Policy, Source, Trust};
use correlation_testkit::process::DEADLINE;

use crate::{CID, RID, accepted, kept, logged};

/// What it panics with panics again when it is dropped.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("the payload");
    }
}

/// All of them, in one test: each kind is told once in a process.
#[test]
fn a_panic_is_told_once_and_costs_no_request() {
    let bomb = || -> bool { panic_any(Bomb) };
    let policies = [
        Policy::new().generator(Generator::custom(move || bomb().to_string())),
        Policy::new().validator(move |_| bomb()),
        Policy::new().sources([Source::parsed(CID, move |value| bomb().then_some(value))]),
        Policy::new().trust(Trust::when(move |_| bomb())),
    ];
    let told = [
        "the custom generator panicked; a UUIDv4 is used instead",
        "the validator panicked: the ID is not valid",
        "the closure of `Source::parsed` panicked: the header has no ID",
        "the closure of `Trust::when` panicked: the caller is not trusted",
    ];
    for (policy, told) in policies.iter().zip(told) {
        for round in 0..2 {
            let (_, log) = logged(|| {
                for headers in [&[(CID, "a")][..], &[(CID, "b")], &[]] {
                    accepted(policy, headers);
                }
            });
            let warnings: Vec<_> = log.lines().filter(|line| line.contains("WARN")).collect();
            let want = format!(" WARN correlation: {told}");
            let want = if round == 0 { vec![want] } else { vec![] };
            assert_eq!(warnings, want);
        }
    }
    let distrusted = accepted(&policies[3], &[(CID, "a")]);
    assert_eq!(distrusted.untrusted_id().unwrap(), "a");
    assert!(!policies[1].accepts(b"a"));
}

/// Nothing of ours is locked or borrowed while a closure runs: others need not wait for one that
/// blocks.
#[test]
fn one_that_blocks_blocks_its_own_request_alone() {
    let (blocks, is_blocked) = channel();
    let (release, released) = channel();
    let (blocks, released) = (Mutex::new(blocks), Mutex::new(released));
    let policy = Policy::new()
        .validator(move |id| {
            if id == "slow" {
                blocks.lock().unwrap().send(()).unwrap();
                released.lock().unwrap().recv_timeout(DEADLINE).unwrap();
            }
            true
        })
        .trust(Trust::when(|caller| caller.addr().is_none()))
        .generator(Generator::custom(|| "made"));
    let slow = thread::spawn({
        let policy = policy.clone();
        move || kept(&policy, &[(CID, "slow")])
    });
    is_blocked.recv_timeout(DEADLINE).unwrap();
    assert_eq!(kept(&policy, &[(CID, "fast")]).unwrap(), "fast");
    assert_eq!(accepted(&policy, &[]).id(), &"made");
    release.send(()).unwrap();
    assert_eq!(slow.join().unwrap().unwrap(), "slow");
}

/// A policy that asks itself, as far as its closure lets it.
#[test]
fn one_may_ask_its_own_policy() {
    let policy = Arc::new(OnceLock::<Policy>::new());
    let itself = Arc::clone(&policy);
    let made = Policy::new()
        .validator(move |id| match id.strip_prefix("again-") {
            Some(rest) => kept(itself.get().unwrap(), &[(RID, rest)]).is_some(),
            None => id == "end",
        })
        .generator(Generator::custom(|| {
            Policy::new().extract_with(|_| None::<&str>).id().clone()
        }));
    let policy = policy.get_or_init(|| made);
    assert_eq!(
        kept(policy, &[(CID, "again-again-end")]).unwrap(),
        "again-again-end"
    );
    assert_eq!(kept(policy, &[(CID, "again-again-no")]), None);
    assert_eq!(accepted(policy, &[]).origin(), Origin::Generated);
}

/// No other service would take it for an ID.
#[test]
fn a_placeholder_that_was_made_is_none_and_is_told_once() {
    let nil = "00000000-0000-0000-0000-000000000000";
    let ((), log) = logged(|| {
        for made in ["null", "-", nil, &nil.replace('-', "")] {
            let made = made.to_owned();
            let policy = Policy::new().generator(Generator::custom(move || made.clone()));
            let id = accepted(&policy, &[]).id().to_string();
            assert_eq!((id.len(), &id[14..15]), (36, "4"), "{id}");
        }
    });
    let told = " WARN correlation: the custom generator made an invalid correlation ID; \
        a UUIDv4 is used instead\n";
    assert_eq!(log, told);
}

/// What no library can notice: the docs of `Generator::custom` say what comes of it.
#[test]
fn a_generator_that_makes_one_id_for_all_joins_their_stories() {
    let policy = Policy::new().generator(Generator::custom(|| "same"));
    assert_eq!(accepted(&policy, &[]).id(), accepted(&policy, &[]).id());
}
