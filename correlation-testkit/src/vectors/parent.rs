//! Rows about `traceparent`.

use super::values::{INVALID, VALID};
use super::{PARENT_ID, TRACE_ID, Vector, context};

pub(super) fn vectors() -> Vec<Vector> {
    let mut rows = Vec::new();
    let ids = |text: &str| text.replace("TRACE", TRACE_ID).replace("PARENT", PARENT_ID);
    for &(rule, section, pairs) in VALID {
        rows.extend(pairs.iter().map(|(value, sent)| {
            let row = Vector::new(rule, section).parent(ids(value)).state("a=1");
            row.goes_on(&ids(sent), "a=1")
        }));
    }
    for &(rule, section, values) in INVALID {
        // The list beside it must not be read.
        let row = |value: &&str| Vector::new(rule, section).parent(ids(value)).state("a=1");
        rows.extend(values.iter().map(row));
    }
    rows.extend(names());
    rows.extend(white_space());
    rows.extend(flags());
    rows.extend(long());
    rows.extend(not_text());
    rows.extend(several());
    rows
}

fn names() -> Vec<Vector> {
    let row = || Vector::new("P1", "Traceparent Header, Header Name");
    let valid = context("01");
    let cases = ["TRACEPARENT", "TraceParent", "tRaCePaReNt"];
    let mut rows: Vec<_> = cases
        .map(|name| row().line(name, &valid).goes_on(&valid, ""))
        .into();
    let others = [
        "trace-parent",
        "trace_parent",
        "trace.parent",
        "x-traceparent",
        "traceparent2",
        "tracepar",
    ];
    rows.extend(others.map(|name| row().line(name, &valid).state("a=1")));
    rows
}

fn white_space() -> Vec<Vector> {
    let valid = context("01");
    let pads = [
        (" ", ""),
        ("", " "),
        ("\t", ""),
        ("", "\t"),
        (" \t ", "\t \t"),
    ];
    let rows = pads.map(|(before, after)| {
        Vector::new("P2", "traceparent Header Field Values")
            .parent(format!("{before}{valid}{after}"))
            .goes_on(&valid, "")
    });
    let other = ["\u{b}", "\u{c}", "\r", "\n", "\0", "\u{a0}"];
    let others = other.map(|space| {
        Vector::new("P2", "traceparent Header Field Values").parent(format!("{valid}{space}"))
    });
    [rows.to_vec(), others.to_vec()].concat()
}

/// Returns values of the two digits: one for each bit, and its neighbours.
fn flags() -> Vec<Vector> {
    const BITS: &[(&str, &str, &str, &str)] = &[
        ("P10", "Sampled flag", "00", "00"),
        ("P10", "Sampled flag", "01", "01"),
        ("P9", "Random Trace ID Flag", "02", "02"),
        ("P9", "Random Trace ID Flag", "03", "03"),
        ("P8", "Other Flags", "04", "00"),
        ("P8", "Other Flags", "05", "01"),
        ("P8", "Other Flags", "06", "02"),
        ("P8", "Other Flags", "08", "00"),
        ("P8", "Other Flags", "09", "01"),
        ("P8", "Other Flags", "0a", "02"),
        ("P8", "Other Flags", "0f", "03"),
        ("P8", "Other Flags", "10", "00"),
        ("P8", "Other Flags", "80", "00"),
        ("P8", "Other Flags", "f0", "00"),
        ("P8", "Other Flags", "fc", "00"),
        ("P8", "Other Flags", "fd", "01"),
        ("P8", "Other Flags", "fe", "02"),
        ("P8", "Other Flags", "ff", "03"),
    ];
    let rows = BITS.iter().map(|&(rule, section, received, sent)| {
        let row = Vector::new(rule, section).parent(context(received));
        row.goes_on(&context(sent), "")
    });
    // The meaning of other bits in a higher version is not known.
    let higher = Vector::new("P8", "Versioning of traceparent")
        .parent(context("ff").replacen("00", "01", 1))
        .goes_on(&context("03"), "");
    rows.chain([higher]).collect()
}

fn long() -> Vec<Vector> {
    let later = |len: usize| {
        let begin = context("01").replacen("00", "cc", 1) + "-";
        let tail = "x".repeat(len - begin.len());
        begin + &tail
    };
    let row = || Vector::new("P6", "Versioning of traceparent").state("a=1");
    vec![
        row().parent(later(512)).goes_on(&context("01"), "a=1"),
        row().parent(later(513)),
        row().parent(later(8192)),
        row().parent("0".repeat(8192)),
        row().parent(context("01") + &" x".repeat(4096)),
    ]
}

fn not_text() -> Vec<Vector> {
    let valid = context("01");
    let row = || Vector::new("P7", "trace-id");
    let spoiled = |at: usize, byte: u8| {
        let mut value = valid.clone().into_bytes();
        value[at] = byte;
        value
    };
    let mut rows: Vec<_> = [0, 2, 3, 34, 35, 51, 52, 53, 54]
        .into_iter()
        .flat_map(|at| [0x00, 0x7f, 0x80, 0xff].map(|byte| row().parent(spoiled(at, byte))))
        .collect();
    // These are digits of another script, and an `a` with an accent, which is two bytes.
    rows.push(row().parent(valid.replace('4', "\u{ff14}")));
    rows.push(row().parent(valid.replace('a', "\u{e1}")));
    rows.push(row().parent([valid.as_bytes(), b"\xff"].concat()));
    rows
}

fn several() -> Vec<Vector> {
    let valid = context("01");
    let other = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let row = || Vector::new("P11", "Traceparent Header").state("a=1");
    vec![
        row().parent(&valid).parent(&valid),
        row().parent(&valid).parent(other),
        row().parent(&valid).line("TraceParent", &valid),
        row().parent(&valid).parent("invalid"),
        row().parent("invalid").parent(&valid),
        row().parent(&valid).parent(""),
        row().parent("").parent(&valid),
        row().parent(&valid).parent(&valid).parent(&valid),
        row()
            .parent(&valid)
            .parent(b"\xff")
            .else_goes_on(&valid, "a=1"),
        row().parent(format!("{valid},{valid}")),
        row().parent(format!("{valid}, {other}")),
        row().parent(format!("{valid},")),
        row().parent(format!(",{valid}")),
        row().parent(format!("cc{},{valid}", &valid[2..])),
        row().parent(format!("\"{valid}\"")),
        Vector::new("P12", "No traceparent Received"),
        Vector::new("P12", "No traceparent Received").state("a=1"),
        Vector::new("P12", "No traceparent Received")
            .state("a=1")
            .state("b=2"),
        // No other header replaces it.
        Vector::new("P12", "No traceparent Received")
            .line("b3", format!("{TRACE_ID}-{PARENT_ID}-1"))
            .state("a=1"),
        Vector::new("P13", "Mutating the traceparent Field")
            .line("baggage", "user=1")
            .line("trace-state", "b=2")
            .parent(&valid)
            .goes_on(&valid, ""),
    ]
}
