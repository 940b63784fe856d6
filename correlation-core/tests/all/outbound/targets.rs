//! To which hosts a call may take the ID, and under which names.

use correlation_core::adapter::{Destination, needs_destination};

use correlation_core::Targets;

use crate::{id, refused};

fn to<'a>(
    scheme: impl Into<Option<&'a str>>,
    host: impl Into<Option<&'a str>>,
    port: impl Into<Option<u16>>,
) -> Destination<'a> {
    Destination {
        scheme: scheme.into(),
        host: host.into(),
        port: port.into(),
    }
}

#[test]
fn hosts_are_compared_whole() {
    assert!(needs_destination(&Targets::hosts(["a"])) && !needs_destination(&Targets::all()));
    let targets = Targets::hosts(["api.example.com", ".internal", "10.0.0.7", "::1", "[::3]"]);
    for yes in [
        "api.example.com",
        "API.Example.com.",
        "a.internal",
        "a.b.Internal",
        "10.0.0.7",
        "[::1]",
        "[::3]",
        "[0:0:0:0:0:0:0:1]",
    ] {
        assert!(targets.allows(to("https", yes, None)), "{yes}");
    }
    for no in [
        "example.com",
        "x.api.example.com",
        "api.example.com.evil.test",
        "internal",
        ".internal",
        "evilinternal",
        "\u{e9}nternal",
        "10.0.0.70",
        "[::2]",
        // Another spelling of an address is another address.
        "[::ffff:10.0.0.7]",
        "",
    ] {
        assert!(!targets.allows(to("https", no, None)), "{no}");
    }
    assert!(Targets::all().allows(to(None, "anything", None)));
    assert!(!Targets::hosts([""; 0]).allows(to(None, "anything", None)));
}

#[test]
fn a_port_restricts_the_host() {
    let targets = Targets::hosts([
        "localhost:8080",
        "[::1]:8080",
        ".internal:443",
        "10.0.0.7",
        "plain:80",
    ]);
    for (scheme, host, port) in [
        (Some("http"), "LOCALHOST", Some(8080)),
        (None, "localhost", Some(8080)),
        (Some("http"), "[::1]", Some(8080)),
        (Some("https"), "a.internal", None),
        (Some("wss"), "a.internal", None),
        (Some("http"), "plain", None),
        (Some("ws"), "plain", None),
        (Some("http"), "a.internal", Some(443)),
        (Some("http"), "10.0.0.7", Some(1)),
        (None, "10.0.0.7", None),
    ] {
        assert!(
            targets.allows(to(scheme, host, port)),
            "{scheme:?} {host} {port:?}"
        );
    }
    for (scheme, host, port) in [
        (Some("http"), "localhost", Some(8081)),
        (Some("http"), "localhost", None),
        (None, "localhost", None),
        (Some("http"), "[::1]", Some(80)),
        (Some("http"), "a.internal", None),
        (Some("ws"), "a.internal", None),
        (Some("https"), "a.internal", Some(8443)),
        (Some("ftp"), "a.internal", None),
        (Some("https"), "plain", None),
        (None, "plain", None),
    ] {
        assert!(
            !targets.allows(to(scheme, host, port)),
            "{scheme:?} {host} {port:?}"
        );
    }
}

#[test]
fn the_id_is_sent_under_more_names_if_asked() {
    let sent = |targets: &Targets, own: &[(&str, &str)]| {
        let own = own.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        let mut headers: Vec<(String, String)> = own.collect();
        let context = id("click-1").into();
        targets.inject(&context, to("http", "a", None), &mut headers);
        headers
            .iter()
            .map(|(k, v)| format!("{k}={v}"))
            .collect::<Vec<_>>()
    };
    assert_eq!(sent(&Targets::all(), &[]), ["x-correlation-id=click-1"]);
    let targets = Targets::hosts(["a"])
        .also_as("X-Request-ID")
        .also_as("x-trace")
        .also_as("X-Trace");
    assert_eq!(
        sent(&targets, &[]),
        [
            "x-correlation-id=click-1",
            "x-request-id=click-1",
            "x-trace=click-1"
        ]
    );
    // In place of what is there, however it is spelled.
    let there = [
        "X-Request-Id",
        "X-CORRELATION-ID",
        "x-request-id",
        "x-trace",
    ];
    assert_eq!(
        sent(&targets, &there.map(|name| (name, "copied"))),
        sent(&targets, &[])
    );
    let same = Targets::all().also_as("X-Correlation-ID");
    assert_eq!(sent(&same, &[]), ["x-correlation-id=click-1"]);
    let error = refused(|| Targets::all().also_as("no name"));
    assert!(error.contains("also_as: \"no name\" is not"), "{error}");
    for w3c in ["Traceparent", "tracestate"] {
        let error = refused(|| Targets::all().also_as(w3c));
        assert!(error.contains("W3C"), "{error}");
    }
}

#[test]
fn what_has_no_host_goes_where_somebody_said() {
    let connected = |hosts: &[&str], host: &str| {
        Targets::hosts(hosts)
            .connected_to(host)
            .allows(to("http", None, 80))
    };
    for (hosts, to) in [
        (&["orders.internal"][..], "orders.internal"),
        (&["orders.internal"], "Orders.Internal.:8080"),
        (&["a", ".internal"], "orders.internal"),
        (&["orders.internal:8080"], "orders.internal:8080"),
        (&["[::1]"], "0:0:0:0:0:0:0:1"),
    ] {
        assert!(connected(hosts, to), "{hosts:?} {to}");
    }
    for (hosts, to) in [
        (&[][..], "orders.internal"),
        (&["orders.internal"], "evil.test"),
        (&["orders.internal:8080"], "orders.internal"),
        (&["orders.internal:8080"], "orders.internal:80"),
    ] {
        assert!(!connected(hosts, to), "{hosts:?} {to}");
    }
    let targets = Targets::hosts(["orders.internal"]).connected_to("orders.internal");
    assert!(
        !targets.allows(to(None, "evil.test", None)),
        "what has a host"
    );
    assert!(
        Targets::all()
            .connected_to("any")
            .allows(to(None, None, None))
    );
    for bad in ["", "a/b", ".internal"] {
        let error = refused(|| Targets::all().connected_to(bad));
        assert!(
            error.starts_with("correlation, connected_to: "),
            "{bad}: {error}"
        );
        assert_eq!(error.contains("many hosts"), bad == ".internal", "{error}");
    }
}

#[cfg(feature = "tracing")]
#[test]
fn what_is_not_sent_for_want_of_a_host_is_told() {
    let allows = |targets: &Targets| targets.allows(to(None, None, None));
    let told = |targets: &Targets| {
        let (_, log) = crate::logged(|| correlation_core::sync_scope(id("a"), || allows(targets)));
        log.lines().count()
    };
    let targets = Targets::hosts(["orders.internal"]);
    assert_eq!(told(&targets), 1);
    assert_eq!(told(&targets.clone().connected_to("orders.internal")), 0);
    let (_, log) = crate::logged(|| allows(&targets));
    assert_eq!(log, "", "there is no ID to send");
}

#[cfg(feature = "tracing")]
#[test]
fn a_connection_to_a_host_that_is_no_target_is_told_by_its_name() {
    let told = |targets: &Targets| {
        let allows = || assert!(!targets.allows(to(None, None, None)));
        crate::logged(|| correlation_core::sync_scope(id("a"), allows)).1
    };
    let targets = Targets::hosts([".internal:8080"]);
    let log = told(&targets);
    assert!(log.contains("names no host"), "{log}");
    for host in ["orders.internal", "Orders.internal:80", "[::1]:8080"] {
        let log = told(&targets.clone().connected_to(host));
        let reason = format!("names {host}, which is not one of the hosts");
        assert!(log.contains(&reason), "{log}");
    }
    let again = targets.connected_to("evil.test");
    let again = again.connected_to("orders.internal:8080");
    assert!(again.allows(to(None, None, None)), "the last one counts");
}

#[test]
fn what_is_no_host_is_refused() {
    for bad in [
        "",
        ".",
        "https://api.example.com",
        "api.example.com:",
        "api.example.com:+80",
        "api.example.com:http",
        "api.example.com:65536",
        "api.example.com:80/path",
        ":80",
        "a:0",
        "user@api.example.com",
        "[::1",
        "[api.example.com]",
        "a/b",
        "*.x",
        "\u{e9}",
        "a..b",
        "..internal",
        "internal..",
        &format!("{}.internal", "a".repeat(64)),
        // No URL has these hosts, but a whole address.
        "127.1",
        "2130706433",
        "0x7F.0x1",
        "a.0x",
        ".0.9",
        "010.0.0.1",
    ] {
        let error = refused(|| Targets::hosts(["a", bad]));
        let reason = format!("correlation, hosts, entry 2: {bad:?} is not a host");
        assert!(error.starts_with(&reason), "{bad}: {error}");
        assert!(bad.parse::<Targets>().is_err(), "{bad}");
        let error = format!("a, {bad}").parse::<Targets>().unwrap_err();
        assert!(error.to_string().starts_with(&reason), "{bad}: {error}");
    }
}
