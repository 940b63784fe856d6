//! What clients send.

use correlation_testkit::TRACE;

/// The header.
pub(crate) const ID: &str = "X-Correlation-ID";

pub(crate) const KEPT: &[(&str, &str)] = &[
    (ID, "click-1"),
    ("x-correlation-id", "lower-1"),
    ("X-CORRELATION-ID", "UPPER-1"),
    (ID, "7F000001:8296_0A69@x/y=#.+|~"),
    (ID, "5cb8f0c2-58a1-4c5e-9d4f-2b1c8e7a9f10"),
    (ID, "5cb8f0c258a14c5e9d4f2b1c8e7a9f10"),
];

/// What is no ID, or stands in the place of one that the proxies do not look at.
pub(crate) const HOSTILE: &[&[(&str, &[u8])]] = &[
    &[(ID, b"a b")],
    &[(ID, b"a; b")],
    &[(ID, b"a,b")],
    &[(ID, b"\"a\"")],
    &[(ID, b"<script>alert(1)</script>")],
    &[(ID, b"a%0d%0aSet-Cookie:b")],
    &[(ID, b"${jndi:ldap://a}")],
    &[(ID, b"{http.request.host}")],
    &[(ID, b"%{UNIQUE_ID}e")],
    &[(ID, b"%[src]")],
    &[(ID, "caf\u{e9}".as_bytes())],
    &[(ID, b"")],
    &[(ID, b"-")],
    &[(ID, b"undefined")],
    &[(ID, b"NULL")],
    &[(ID, b"00000000-0000-0000-0000-000000000000")],
    &[("X-Request-ID", b"other-1")],
    &[("x-request-id", b"other-2")],
    &[("X_Correlation_ID", b"other-3")],
    &[("traceparent", TRACE.as_bytes())],
];

/// With which a stranger looks like a proxy, or like another service.
pub(crate) const STRANGE: &[(&str, &str)] = &[
    ("X-Request-ID", "evil-1"),
    ("X_Correlation_ID", "evil-2"),
    ("x_request_id", "evil-3"),
    ("traceparent", TRACE),
    ("tracestate", "evil=4"),
    ("baggage", "evil=5"),
    ("Forwarded", "for=6.6.6.6"),
    ("X-Forwarded-For", "6.6.6.6"),
    ("X-Forwarded-For", "127.0.0.1, 6.6.6.6"),
    ("X-Forwarded-Host", "evil.example"),
    ("X-Forwarded-Proto", "https"),
];
