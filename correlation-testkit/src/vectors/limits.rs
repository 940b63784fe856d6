//! Rows about the length of a `tracestate`, of its parts and as a whole.

use super::Vector;
use super::state::row;

pub(super) fn vectors() -> Vec<Vector> {
    [lengths(), shortened()].concat()
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
        // With one byte more, both members are long, and the right one is removed.
        row("S6", section, &[&over], &sized("a", 256)),
        row("S6", section, &[whole], ""),
        // 24 members of 20 bytes and their commas are 503 bytes.
        row("S6", section, &[list(&short)], &list(&short[..24])),
        // The long members are removed first, wherever they stand. They are removed from the right,
        // and no more than necessary.
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
        // A member of 128 bytes is not long. So the members to its right are removed first.
        row(
            "S6",
            section,
            &[list(&[&three, &list(&short[..7])])],
            &list(&[&three, &list(&short[..6])]),
        ),
        // The limit applies to all lines together, including their white space.
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
        // This is the maximum number of members, 8 kB in one line.
        row("S6", section, &[legal.join(",")], &legal[0]),
    ]
}
