//! Rows about `tracestate`, each beside the same valid `traceparent`.

use super::values::Rows;
use super::{Goes, Vector, context};

pub(super) fn vectors() -> Vec<Vector> {
    let mut rows = Vec::new();
    for &(rule, section, pairs) in LINES {
        let pairs = pairs.iter();
        rows.extend(pairs.map(|(lines, sent)| row(rule, section, lines, sent)));
    }
    for &(section, members) in BAD_MEMBERS {
        rows.extend(members.iter().flat_map(|member| {
            // The member stands alone, and in every place of a list. A bad list loses only the
            // list.
            let around = format!("ok=1,{member},more=2");
            [
                row("S3", section, &[member], ""),
                row("S1", section, &[around], ""),
                row("S3", section, &["ok=1", member], ""),
            ]
        }));
    }
    rows.extend(names());
    rows.extend(every_character());
    rows.extend(counted());
    rows.extend(not_text());
    rows
}

pub(super) fn row(
    rule: &'static str,
    section: &'static str,
    lines: &[impl AsRef<[u8]>],
    sent: &str,
) -> Vector {
    let parent = context("01");
    let row = Vector::new(rule, section).parent(&parent);
    let row = lines.iter().fold(row, Vector::state);
    row.goes_on(&parent, sent)
}

fn names() -> Vec<Vector> {
    let parent = context("01");
    let row = || Vector::new("P1", "Tracestate Header, Header Name").parent(&parent);
    let mixed = row().line("TraceState", "a=1").line("TRACESTATE", "b=2");
    let before = Vector::new("P1", "Tracestate Header, Header Name")
        .state("a=1")
        .parent(&parent)
        .state("b=2");
    let mut rows = vec![
        mixed.goes_on(&parent, "a=1,b=2"),
        before.goes_on(&parent, "a=1,b=2"),
    ];
    for other in ["trace-state", "trace_state", "trace.state", "xtracestate"] {
        rows.push(row().line(other, "a=1").goes_on(&parent, ""));
    }
    rows
}

fn every_character() -> Vec<Vector> {
    let key = "0123456789abcdefghijklmnopqrstuvwxyz_-*/@";
    let value: String = (' '..='~').filter(|c| !",=".contains(*c)).collect();
    let all = format!("{key}={value}");
    let mut rows = vec![row("S3", "Key and Value", &[&all], &all)];
    for byte in (0..=u8::MAX).filter(|b| !key.as_bytes().contains(b) && !b",=".contains(b)) {
        // White space before it belongs to the list.
        if !b" \t".contains(&byte) {
            rows.push(spoiled("Key", &[byte, b'k', b'=', b'1']));
        }
        rows.push(spoiled("Key", &[b'k', byte, b'k', b'=', b'1']));
        rows.push(spoiled("Key", &[b'k', byte, b'=', b'1']));
    }
    for byte in (0..=u8::MAX).filter(|b| !matches!(b, b' '..=b'~')) {
        rows.push(spoiled("Value", &[b'k', b'=', b'1', byte, b'1']));
        if byte != b'\t' {
            rows.push(spoiled("Value", &[b'k', b'=', b'1', byte]));
        }
    }
    rows
}

/// Returns a row whose line makes the whole list invalid, even after a good line.
fn spoiled(section: &'static str, line: &[u8]) -> Vector {
    let mut row = row("S3", section, &[b"ok=1", line], "");
    if std::str::from_utf8(line).is_err() {
        row = row.else_goes_on(&context("01"), "ok=1");
    }
    if line.iter().all(|byte| !NEIGHBOURS.contains(byte)) {
        row = row.in_core_only();
    }
    row
}

fn counted() -> Vec<Vector> {
    let section = "tracestate Header Field Values";
    let list = |members: std::ops::Range<usize>| {
        let members: Vec<_> = members.map(|n| format!("k{n:02}=v")).collect();
        members.join(",")
    };
    let empty = format!(",,{} , ,\t,{},,,", list(0..16), list(16..32));
    vec![
        row("S3", section, &[list(0..31)], &list(0..31)),
        row("S3", section, &[list(0..32)], &list(0..32)),
        row("S3", section, &[list(0..10), list(10..32)], &list(0..32)),
        // Empty members do not count, because their origin is unknown.
        row("S2", section, &[empty], &list(0..32)),
        row("S3", section, &[list(0..33)], ""),
        row("S3", section, &[list(0..16), list(16..33)], ""),
        row("S3", section, &[list(0..32), "k00=v".to_owned()], ""),
        row("S3", section, &[list(0..1000)], ""),
    ]
}

/// Returns rows with lines that are not UTF-8, which some servers do not pass on.
fn not_text() -> Vec<Vector> {
    let parent = context("01");
    let alone = row("S3", "Value", &[b"a=\xff"], "");
    let second = row("S3", "Value", &[&b"a=1"[..], b"b=\xc3\x28"], "");
    let same_line = row("S3", "Value", &[&b"a=1,b=\xff"[..]], "");
    assert_ne!(alone.goes, Goes::Nowhere);
    vec![alone, second.else_goes_on(&parent, "a=1"), same_line]
}

/// The rule, the section, and pairs of the lines and the list that is sent.
const LINES: Rows<(&[&str], &str)> = &[
    (
        "S1",
        "Tracestate Header",
        &[(&["==="], ""), (&["a=1", "\u{e9}"], "")],
    ),
    (
        "S2",
        "tracestate Header Field Values",
        &[
            (&[""], ""),
            (&[" \t "], ""),
            (&[","], ""),
            (&[" , ,\t,"], ""),
            (&["", ""], ""),
            (&["a=1", ""], "a=1"),
            (&["", "a=1"], "a=1"),
            (&["a=1,"], "a=1"),
            (&[",a=1"], "a=1"),
            (&["a=1,,b=2"], "a=1,b=2"),
            (&["a=1 , \t ,b=2"], "a=1,b=2"),
            (&["a=1", "b=2"], "a=1,b=2"),
            (&["b=2", "a=1"], "b=2,a=1"),
            (&["a=1,b=2", "c=3,d=4", "e=5"], "a=1,b=2,c=3,d=4,e=5"),
            (&["a=1,b=2"], "a=1,b=2"),
            (&["a=1, b=2"], "a=1,b=2"),
            (&["a=1 \t , \t b=2, \t c=3"], "a=1,b=2,c=3"),
            (&["a=1\t \t,\t \tb=2"], "a=1,b=2"),
            (&["\t a=1 \t"], "a=1"),
        ],
    ),
    (
        "S4",
        "Mutating the tracestate Field",
        &[
            (&["z=1,y=2,x=3"], "z=1,y=2,x=3"),
            (&["a=1,a=1"], "a=1"),
            (&["a=1,b=2,a=3"], "a=1,b=2"),
            (&["a=1", "a=2"], "a=1"),
            (&["a=1,aa=2,a@b=3,a-=4"], "a=1,aa=2,a@b=3,a-=4"),
            (&["aa=2,a=1"], "aa=2,a=1"),
        ],
    ),
    (
        "S5",
        "Value",
        &[
            (&["a=  1"], "a=  1"),
            (&["a= 1 "], "a= 1"),
            (&["a=1   ,b=2"], "a=1,b=2"),
            (&["a=1 2"], "a=1 2"),
            (&["a=1\t"], "a=1"),
        ],
    ),
    (
        "S3",
        "Key",
        &[
            (&["1a=1"], "1a=1"),
            (&["0=0"], "0=0"),
            (&["tenant@system=1"], "tenant@system=1"),
            (&["1-a_b*c/d@e=1"], "1-a_b*c/d@e=1"),
            (&["foo@=1,bar=2"], "foo@=1,bar=2"),
            (&["foo@@bar=1,bar=2"], "foo@@bar=1,bar=2"),
            (&["foo@bar@baz=1,bar=2"], "foo@bar@baz=1,bar=2"),
            (&["foo@1bar=1"], "foo@1bar=1"),
        ],
    ),
    (
        "S3",
        "Value",
        &[
            (&["a=;\"quoted\":{}|~!"], "a=;\"quoted\":{}|~!"),
            (&["a=%2C%3D"], "a=%2C%3D"),
        ],
    ),
    (
        "S7",
        "Tracestate Header",
        &[(&["correlation=theirs"], "correlation=theirs")],
    ),
];

/// The section, and members that each make a list invalid.
const BAD_MEMBERS: &[(&str, &[&str])] = &[
    ("list-members", &["a", "=", "=1", "a:1"]),
    (
        "Value",
        &[
            "a=", "a= ", "a= \t", "a=1=2", "a==1", "a=1=", "a=1\t2", "a=\t1", "a=\u{e9}",
        ],
    ),
    (
        "Key",
        &[
            "A=1", "aB=1", "_a=1", "-a=1", "*a=1", "/a=1", "@a=1", "a =1", "a\t=1", "a b=1",
            "a.b=1", "\u{e9}=1",
        ],
    ),
];

/// Bytes next to the allowed ones. `k`, `=` and `1` are in every line.
const NEIGHBOURS: &[u8] = b"\t !+./:;<>?@AZ[`{|}~\x80\xff";
