//! Rows about `tracestate`, each beside the same valid `traceparent`.

use super::{Goes, Vector, context};

pub(super) fn vectors() -> Vec<Vector> {
    let mut rows = Vec::new();
    for &(rule, section, lines, sent) in LINES {
        rows.push(row(rule, section, lines, sent));
    }
    for &(section, member) in BAD_MEMBERS {
        // Alone, and wherever it stands; a bad list costs the list only.
        let member = member.as_bytes();
        let around = [b"ok=1,", member, b",more=2"].concat();
        rows.push(row("S3", section, &[member], ""));
        rows.push(row("S1", section, &[around.as_slice()], ""));
        rows.push(row("S3", section, &["ok=1".as_bytes(), member], ""));
    }
    rows.extend(names());
    rows.extend(every_character());
    rows.extend(counted());
    rows.extend(lengths());
    rows.extend(shortened());
    rows.extend(not_text());
    rows
}

fn row(
    rule: &'static str,
    section: &'static str,
    lines: &[impl AsRef<[u8]>],
    sent: &str,
) -> Vector {
    let parent = context("01");
    let row = Vector::new(rule, section).parent(&parent);
    let row = lines.iter().fold(row, |row, line| row.state(line));
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
        // White space before it is the list's.
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

/// A line that spoils the list, even after a good one.
fn spoiled(section: &'static str, line: &[u8]) -> Vector {
    let mut row = row("S3", section, &[b"ok=1", line], "");
    if std::str::from_utf8(line).is_err() {
        row = row.else_goes_on(&context("01"), "ok=1");
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
        // Empty members do not count: nobody could say who made them.
        row("S2", section, &[empty], &list(0..32)),
        row("S3", section, &[list(0..33)], ""),
        row("S3", section, &[list(0..16), list(16..33)], ""),
        row("S3", section, &[list(0..32), "k00=v".to_owned()], ""),
        row("S3", section, &[list(0..1000)], ""),
    ]
}

fn lengths() -> Vec<Vector> {
    let key = |len| format!("{}=1", "k".repeat(len));
    let value = |len| format!("k={}", "v".repeat(len));
    let tenant = |tenant, system| format!("{}@{}=1", "t".repeat(tenant), "s".repeat(system));
    let spaced = format!("k={}v", " ".repeat(255));
    let mut rows = Vec::new();
    let fits = [
        ("Key", key(1)),
        ("Key", key(255)),
        ("Key", key(256)),
        ("Key", tenant(241, 14)),
        ("Key", tenant(242, 13)),
        ("Key", tenant(1, 15)),
        ("Key", tenant(1, 254)),
        ("Value", value(1)),
        ("Value", value(255)),
        ("Value", value(256)),
        ("Value", spaced.clone()),
    ];
    for (section, member) in fits {
        rows.push(row(
            "S3",
            section,
            &["a=1", &member],
            &format!("a=1,{member}"),
        ));
    }
    let does_not = [
        ("Key", key(257)),
        ("Key", key(8000)),
        ("Key", tenant(241, 15)),
        ("Value", value(257)),
        ("Value", value(8000)),
        ("Value", spaced.replace("= ", "=  ")),
    ];
    for (section, member) in does_not {
        rows.push(row("S3", section, &["a=1", &member], ""));
    }
    // Optional white space is not part of the length.
    let padded = format!("a=1,{}{}", value(256), " ".repeat(50));
    rows.push(row("S5", "Value", &[&padded], padded.trim_end()));
    rows
}

fn shortened() -> Vec<Vector> {
    let section = "tracestate Limits";
    let sized = |name: &str, len: usize| format!("{name}={}", "v".repeat(len - name.len() - 1));
    let list = |members: &[&str]| members.join(",");
    let (big_a, big_b) = (sized("big_a", 129), sized("big_b", 200));
    let (fit, rest) = (sized("fit", 128), sized("rest", 128));
    let short: Vec<_> = (0..30).map(|n| sized(&format!("s{n:02}"), 20)).collect();
    let short: Vec<&str> = short.iter().map(String::as_str).collect();
    let exact = format!("{},{}", sized("a", 255), sized("b", 256));
    let over = format!("{},{}", sized("a", 256), sized("b", 256));
    let whole = sized(&"k".repeat(256), 513);
    let three = list(&[&fit, &rest, &sized("more", 128)]);
    let legal: Vec<_> = (0..32)
        .map(|n| sized(&format!("m{n:02}"), 513 - 253))
        .collect();
    vec![
        row("S6", section, &[&exact], &exact),
        // One byte more: both are long, the right one goes.
        row("S6", section, &[&over], &sized("a", 256)),
        row("S6", section, &[whole], ""),
        // 24 members of 20 bytes and their commas are 503 bytes.
        row("S6", section, &[list(&short)], &list(&short[..24])),
        // The long ones go first, wherever they stand, from the right, and not more than need be.
        row(
            "S6",
            section,
            &[list(&["a=1", &big_a, &fit, &big_b, &rest])],
            &list(&["a=1", &big_a, &fit, &rest]),
        ),
        row(
            "S6",
            section,
            &[list(&[&big_a, &list(&short[..24])])],
            &list(&short[..24]),
        ),
        // 128 bytes are not long: what is right of them goes first.
        row(
            "S6",
            section,
            &[list(&[&three, &list(&short[..7])])],
            &list(&[&three, &list(&short[..6])]),
        ),
        // In all lines together, and with their white space.
        row(
            "S6",
            section,
            &[list(&short[..12]), list(&short[12..])],
            &list(&short[..24]),
        ),
        row(
            "S6",
            section,
            &[short[..24].join(" \t , \t ")],
            &list(&short[..24]),
        ),
        // The most that is legal by number, 8 kB in one line.
        row("S6", section, &[legal.join(",")], &legal[0]),
    ]
}

/// Lines that are not UTF-8, which some servers do not hand on.
fn not_text() -> Vec<Vector> {
    let parent = context("01");
    let alone = row("S3", "Value", &[b"a=\xff"], "");
    let second = row("S3", "Value", &[&b"a=1"[..], b"b=\xc3\x28"], "");
    let same_line = row("S3", "Value", &[&b"a=1,b=\xff"[..]], "");
    assert_ne!(alone.goes, Goes::Nowhere);
    vec![alone, second.else_goes_on(&parent, "a=1"), same_line]
}

/// Rule, section, the lines, what goes on.
const LINES: &[(&str, &str, &[&str], &str)] = &[
    ("S1", "Tracestate Header", &["==="], ""),
    ("S1", "Tracestate Header", &["a=1", "\u{e9}"], ""),
    ("S2", "tracestate Header Field Values", &[""], ""),
    ("S2", "tracestate Header Field Values", &[" \t "], ""),
    ("S2", "tracestate Header Field Values", &[","], ""),
    ("S2", "tracestate Header Field Values", &[" , ,\t,"], ""),
    ("S2", "tracestate Header Field Values", &["", ""], ""),
    ("S2", "tracestate Header Field Values", &["a=1", ""], "a=1"),
    ("S2", "tracestate Header Field Values", &["", "a=1"], "a=1"),
    ("S2", "tracestate Header Field Values", &["a=1,"], "a=1"),
    ("S2", "tracestate Header Field Values", &[",a=1"], "a=1"),
    (
        "S2",
        "tracestate Header Field Values",
        &["a=1,,b=2"],
        "a=1,b=2",
    ),
    (
        "S2",
        "tracestate Header Field Values",
        &["a=1 , \t ,b=2"],
        "a=1,b=2",
    ),
    (
        "S2",
        "tracestate Header Field Values",
        &["a=1", "b=2"],
        "a=1,b=2",
    ),
    (
        "S2",
        "tracestate Header Field Values",
        &["b=2", "a=1"],
        "b=2,a=1",
    ),
    (
        "S2",
        "tracestate Header Field Values",
        &["a=1,b=2", "c=3,d=4", "e=5"],
        "a=1,b=2,c=3,d=4,e=5",
    ),
    (
        "S2",
        "tracestate Header Field Values",
        &["a=1,b=2"],
        "a=1,b=2",
    ),
    (
        "S2",
        "tracestate Header Field Values",
        &["a=1, b=2"],
        "a=1,b=2",
    ),
    (
        "S2",
        "tracestate Header Field Values",
        &["a=1 \t , \t b=2, \t c=3"],
        "a=1,b=2,c=3",
    ),
    (
        "S2",
        "tracestate Header Field Values",
        &["a=1\t \t,\t \tb=2"],
        "a=1,b=2",
    ),
    (
        "S2",
        "tracestate Header Field Values",
        &["\t a=1 \t"],
        "a=1",
    ),
    (
        "S4",
        "Mutating the tracestate Field",
        &["z=1,y=2,x=3"],
        "z=1,y=2,x=3",
    ),
    ("S4", "Mutating the tracestate Field", &["a=1,a=1"], "a=1"),
    (
        "S4",
        "Mutating the tracestate Field",
        &["a=1,b=2,a=3"],
        "a=1,b=2",
    ),
    (
        "S4",
        "Mutating the tracestate Field",
        &["a=1", "a=2"],
        "a=1",
    ),
    (
        "S4",
        "Mutating the tracestate Field",
        &["a=1,aa=2,a@b=3,a-=4"],
        "a=1,aa=2,a@b=3,a-=4",
    ),
    (
        "S4",
        "Mutating the tracestate Field",
        &["aa=2,a=1"],
        "aa=2,a=1",
    ),
    ("S5", "Value", &["a=  1"], "a=  1"),
    ("S5", "Value", &["a= 1 "], "a= 1"),
    ("S5", "Value", &["a=1   ,b=2"], "a=1,b=2"),
    ("S5", "Value", &["a=1 2"], "a=1 2"),
    ("S5", "Value", &["a=1\t"], "a=1"),
    ("S3", "Key", &["1a=1"], "1a=1"),
    ("S3", "Key", &["0=0"], "0=0"),
    ("S3", "Key", &["tenant@system=1"], "tenant@system=1"),
    ("S3", "Key", &["1-a_b*c/d@e=1"], "1-a_b*c/d@e=1"),
    ("S3", "Key", &["foo@=1,bar=2"], "foo@=1,bar=2"),
    ("S3", "Key", &["foo@@bar=1,bar=2"], "foo@@bar=1,bar=2"),
    ("S3", "Key", &["foo@bar@baz=1,bar=2"], "foo@bar@baz=1,bar=2"),
    ("S3", "Key", &["foo@1bar=1"], "foo@1bar=1"),
    (
        "S3",
        "Value",
        &["a=;\"quoted\":{}|~!"],
        "a=;\"quoted\":{}|~!",
    ),
    ("S3", "Value", &["a=%2C%3D"], "a=%2C%3D"),
    // S7: the ID is in a header of its own.
    (
        "S7",
        "Tracestate Header",
        &["correlation=theirs"],
        "correlation=theirs",
    ),
];

/// Section, one member.
const BAD_MEMBERS: &[(&str, &str)] = &[
    ("list-members", "a"),
    ("list-members", "="),
    ("list-members", "=1"),
    ("list-members", "a:1"),
    ("Value", "a="),
    ("Value", "a= "),
    ("Value", "a= \t"),
    ("Value", "a=1=2"),
    ("Value", "a==1"),
    ("Value", "a=1="),
    ("Value", "a=1\t2"),
    ("Value", "a=\t1"),
    ("Value", "a=\u{e9}"),
    ("Key", "A=1"),
    ("Key", "aB=1"),
    ("Key", "_a=1"),
    ("Key", "-a=1"),
    ("Key", "*a=1"),
    ("Key", "/a=1"),
    ("Key", "@a=1"),
    ("Key", "a =1"),
    ("Key", "a\t=1"),
    ("Key", "a b=1"),
    ("Key", "a.b=1"),
    ("Key", "\u{e9}=1"),
];
