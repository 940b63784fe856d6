//! Trust by the address of the peer, and by headers that a proxy sets.

use std::net::IpAddr;

use correlation_core::adapter::Peer;

use correlation_core::{Policy, Trust};

use crate::{CID, RID, accepted, logged, receive};

fn is_trusted(policy: &Policy, headers: &[(&str, &str)], peer: impl Into<Peer>) -> bool {
    let headers: Vec<_> = headers.iter().copied().chain([(RID, "r-1")]).collect();
    let decision = receive(policy, &headers, peer);
    decision.context().untrusted_id().is_none()
}

#[test]
fn networks_go_by_the_peer_and_never_by_a_header() {
    let policy = Policy::new().trust(Trust::networks(["10.0.0.0/8", "::1"]));
    let ip = |text: &str| text.parse::<IpAddr>().unwrap();
    for yes in ["10.1.2.3", "::ffff:10.1.2.3", "::1"] {
        assert!(is_trusted(&policy, &[], ip(yes)), "{yes}");
    }
    let claims = [
        ("x-forwarded-for", "10.1.2.3"),
        ("forwarded", "for=10.1.2.3"),
    ];
    for no in ["192.0.2.1", "::ffff:192.0.2.1", "::2"] {
        assert!(!is_trusted(&policy, &claims, ip(no)), "{no}");
    }
    assert!(!is_trusted(&policy, &claims, None));
    assert!(!is_trusted(&policy, &claims, Peer::Local));
}

/// A server that listens at `[::]` sees IPv4 callers in the mapped form.
#[test]
fn a_closure_sees_the_address_as_networks_do() {
    let ours: IpAddr = "10.1.2.3".parse().unwrap();
    let policy = Policy::new().trust(Trust::when(move |caller| caller.addr() == Some(ours)));
    let mapped: IpAddr = "::ffff:10.1.2.3".parse().unwrap();
    assert!(is_trusted(&policy, &[], ours) && is_trusted(&policy, &[], mapped));
}

#[test]
fn a_server_that_does_not_know_the_peer_is_told_once_a_policy() {
    let says = "the policy needs the peer address, but this server does not provide it";
    let by_function = || Trust::when(|caller| caller.addr().is_some());
    for trust in [Trust::networks(["::1"]), by_function()] {
        let policy = Policy::new().trust(trust);
        let (_, log) = logged(|| {
            accepted(&policy, &[]);
            for _ in 0..3 {
                let policy = policy.clone();
                assert!(!is_trusted(&policy, &[], None));
            }
        });
        assert_eq!(log.matches(says).count(), 1, "{log}");
        assert!(log.contains(" WARN correlation: "), "{log}");
    }
    let silent = [
        Policy::new(),
        Policy::new().trust(Trust::never()),
        Policy::new().trust(Trust::when(|caller| caller.header("x-edge").is_some())),
    ];
    for policy in silent {
        let (_, log) = logged(|| is_trusted(&policy, &[], None));
        assert!(!log.contains("WARN"), "{log}");
    }
}

#[test]
fn a_unix_socket_and_a_message_are_not_trusted_and_not_warned_about() {
    let policy = Policy::new().trust(Trust::networks(["0.0.0.0/0", "::/0"]));
    let (context, log) = logged(|| receive(&policy, &[(CID, "c-1")], Peer::Local).into_context());
    assert!(
        context.untrusted_id().is_some() && !log.contains("WARN"),
        "{log}"
    );
    let message = || policy.extract_with(|key| (key == CID).then_some("c-1"));
    let (context, log) = logged(message);
    assert!(
        context.untrusted_id().is_some() && !log.contains("WARN"),
        "{log}"
    );
}

#[test]
fn a_header_that_comes_twice_says_nothing_unless_both_agree() {
    let policy = Policy::new().trust(Trust::when(|caller| {
        caller.header("X-From-Edge") == Some("internal")
    }));
    let edge = |values: &[&'static str]| {
        let lines: Vec<_> = values.iter().map(|value| ("x-from-edge", *value)).collect();
        is_trusted(&policy, &lines, None)
    };
    assert!(edge(&["internal"]) && edge(&["internal", "internal"]) && edge(&["internal "]));
    for lines in [
        &["internal", "external"][..],
        &["external", "internal"],
        &["internal", "internal", "external"],
        &["internal", ""],
        &["", "internal"],
        &["internal, external"],
        &[],
    ] {
        assert!(!edge(lines), "{lines:?}");
    }
    let lines = || {
        [
            (CID, &b"c"[..]),
            ("x-from-edge", b"\xff"),
            ("x-from-edge", b"internal"),
        ]
    };
    let decision = policy.receive(lines, None);
    assert!(decision.context().untrusted_id().is_some());
}

#[test]
fn every_line_of_a_header_can_be_asked_for() {
    // The last address of the last line is what our proxy wrote.
    let policy = Policy::new().trust(Trust::when(|caller| {
        let last = caller.headers("X-Forwarded-For").last();
        last.and_then(|line| line.rsplit(',').next()).map(str::trim) == Some("10.0.0.7")
    }));
    let forwarded = |lines: &[&'static str]| {
        let lines: Vec<_> = lines
            .iter()
            .map(|line| ("x-forwarded-for", *line))
            .collect();
        is_trusted(&policy, &lines, None)
    };
    assert!(forwarded(&["10.0.0.7"]) && forwarded(&["192.0.2.1, 10.0.0.7"]));
    assert!(forwarded(&["192.0.2.1", "10.0.0.7"]));
    assert!(!forwarded(&["10.0.0.7", "192.0.2.1"]) && !forwarded(&["10.0.0.7, 192.0.2.1"]));
    assert!(!forwarded(&[]));
    let exactly = Policy::new().trust(Trust::when(|caller| {
        caller
            .headers("X-Forwarded-For")
            .eq(["192.0.2.1", "10.0.0.7"])
    }));
    let lines = ["\t192.0.2.1 ", " 10.0.0.7"].map(|line| ("x-forwarded-for", line));
    assert!(is_trusted(&exactly, &lines, None), "without white space");
}
