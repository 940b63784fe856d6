//! A table as text, Markdown or JSON.

use std::fmt::Write as _;
use std::process::Command;

use correlation_bench::Role;
use serde_json::{Value, json};

use crate::gates::{Gate, gates};
use crate::table::{Row, Rows, Table};

/// A heading, a note, and lines of cells; the first one names the columns.
struct Sheet {
    heading: String,
    note: String,
    lines: Vec<Vec<String>>,
}

pub(crate) fn text(table: &Table) -> String {
    let mut out = format!("{}\n", machine());
    for Sheet { heading, lines, .. } in sheets(table) {
        let width = |at: usize| {
            lines
                .iter()
                .map(|line| line[at].chars().count())
                .max()
                .unwrap_or(0)
        };
        let _ = writeln!(out, "\n{heading}");
        for line in &lines {
            let _ = write!(out, "  {:<1$}", line[0], width(0));
            for (at, cell) in line.iter().enumerate().skip(1) {
                let _ = write!(out, "  {cell:>0$}", width(at));
            }
            out.truncate(out.trim_end().len());
            out.push('\n');
        }
    }
    out
}

pub(crate) fn markdown(table: &Table) -> String {
    let mut out = format!("{}\n\n{}\n", machine(), versions());
    let mut sheets = sheets(table);
    if !gates(table).is_empty() {
        sheets.rotate_right(1);
    }
    let mut notes = Vec::new();
    for Sheet {
        heading,
        note,
        lines,
    } in sheets
    {
        let _ = write!(out, "\n### {heading}\n\n");
        if !notes.contains(&note) {
            let _ = write!(out, "{note}\n\n");
            notes.push(note);
        }
        for (at, line) in lines.iter().enumerate() {
            let _ = writeln!(out, "| {} |", line.join(" | "));
            if at == 0 {
                let _ = writeln!(out, "|---{}|", "|---:".repeat(line.len() - 1));
            }
        }
    }
    out
}

fn sheets(table: &Table) -> Vec<Sheet> {
    let mut sheets: Vec<_> = table.groups.iter().map(group).collect();
    if !table.memory.is_empty() {
        let mut lines = vec![line(["bytes held by one request", "bytes", "over bare"])];
        lines.extend(table.memory.iter().map(|row| {
            let over = row.over.map_or_else(String::new, |over| signed(over, 0));
            vec![row.name.to_owned(), number(row.bytes, 0), over]
        }));
        sheets.push(Sheet {
            heading: "memory of a request".into(),
            note: "Live bytes for one request whose handler waits, on average of 2,000, each in a \
                   task; with an ID in its headers."
                .into(),
            lines,
        });
    }
    if !table.contention.is_empty() {
        let mut lines = vec![line(["", "ns, one thread", "ns, two threads over one"])];
        lines.extend(
            table
                .contention
                .iter()
                .map(|row| vec![row.name.to_owned(), number(row.ns, 1), spread(row.two)]),
        );
        sheets.push(Sheet {
            heading: "contention".into(),
            note: "The same on one thread and on two at once, for one operation: 1.00 is no \
                   contention. Two cores are enough only if nothing else runs."
                .into(),
            lines,
        });
    }
    #[cfg(feature = "peers")]
    if !table.wire.is_empty() {
        let mut lines = vec![line(["", "requests/s, most", "over the same without"])];
        lines.extend(table.wire.iter().map(|row| {
            let ratio = row.ratio.map_or_else(|| "1.00".to_owned(), spread);
            vec![row.name.to_owned(), number(row.rate, 0), ratio]
        }));
        sheets.push(Sheet {
            heading: "wire".into(),
            note: "For information: loopback on shared cores cannot resolve a few percent. 32 \
                   connections that are kept alive, no ID in the requests, one thread for a server \
                   and one for all clients, rounds in turns: the median of the ratios of each \
                   round, the tenth and the ninetieth percentile."
                .into(),
            lines,
        });
    }
    let gates = gates(table);
    if !gates.is_empty() {
        let mut lines = vec![line(["", "gate", "measured", ""])];
        lines.extend(gates.iter().map(|gate| {
            let reached = if gate.reached() {
                "reached"
            } else {
                "**missed**"
            };
            let cell = |value| format!("{}{}", number(value, gate.digits), gate.unit);
            vec![
                gate.what.clone(),
                cell(gate.limit),
                cell(gate.value),
                reached.to_owned(),
            ]
        }));
        sheets.push(Sheet {
            heading: "gates".into(),
            note: "At most the number of the gate.".into(),
            lines,
        });
    }
    sheets
}

fn group(rows: &Rows) -> Sheet {
    let counted = rows.rows.iter().any(|row| row.instructions.is_some());
    let bare = rows.bare();
    let mut columns = vec![""];
    if counted {
        columns.push("instructions");
        columns.extend(bare.map(|_| "over bare"));
    }
    columns.push("allocations");
    columns.extend(bare.map(|_| "over bare"));
    let reference = rows.rows[rows.reference].name;
    let over_reference = format!("ns, of {reference}");
    columns.extend(["bytes", "ns", &over_reference]);
    let mut lines = vec![line(columns)];
    for row in &rows.rows {
        let over = |of: fn(&Row) -> Option<f64>, digits| {
            let it = bare.filter(|bare| bare.name != row.name);
            it.and_then(|bare| Some(of(row)? - of(bare)?))
                .map_or_else(String::new, |it| signed(it, digits))
        };
        let mut cells = vec![match row.role {
            Role::Ours => format!("**{}**", row.name),
            Role::Bare | Role::Peer => row.name.to_owned(),
        }];
        if counted {
            cells.push(
                row.instructions
                    .map_or_else(String::new, |it| number(it, 0)),
            );
            cells.extend(bare.map(|_| over(|row| row.instructions, 0)));
        }
        let digits = if row.allocations.fract() == 0.0 { 0 } else { 1 };
        cells.push(number(row.allocations, digits));
        cells.extend(bare.map(|_| over(|row| Some(row.allocations), digits)));
        cells.push(number(row.bytes, 0));
        match row.times {
            Some(it) if row.name == reference => {
                cells.extend([number(it.ns, 1), "1.00".to_owned()]);
            }
            Some(it) => cells.extend([number(it.ns, 1), spread((it.ratio, it.range))]),
            None => cells.extend([String::new(), String::new()]),
        }
        lines.push(cells);
    }
    Sheet {
        heading: rows.name.clone(),
        note: rows.note.to_owned(),
        lines,
    }
}

fn line<'s>(cells: impl IntoIterator<Item = &'s str>) -> Vec<String> {
    cells.into_iter().map(str::to_owned).collect()
}

fn spread((median, (low, high)): (f64, (f64, f64))) -> String {
    format!("{median:.2} ({low:.2}-{high:.2})")
}

fn signed(value: f64, digits: usize) -> String {
    let sign = if value < 0.0 { "-" } else { "+" };
    format!("{sign}{}", number(value.abs(), digits))
}

/// With commas for thousands.
fn number(value: f64, digits: usize) -> String {
    let plain = format!("{value:.digits$}");
    let whole = plain.find('.').unwrap_or(plain.len());
    let mut out = String::new();
    for (at, character) in plain.char_indices() {
        if at > 0 && at < whole && (whole - at) % 3 == 0 {
            out.push(',');
        }
        out.push(character);
    }
    out
}

pub(crate) fn json(table: &Table) -> String {
    let groups = table.groups.iter().map(|rows| {
        let cases = rows.rows.iter().map(|row| {
            json!({
                "name": row.name,
                "role": format!("{:?}", row.role).to_lowercase(),
                "instructions": row.instructions,
                "allocations": row.allocations,
                "bytes": row.bytes,
                "ns": row.times.map(|it| it.ns),
                "ns_ratio": row.times.map(|it| it.ratio),
                "ns_ratio_p10_p90": row.times.map(|it| it.range),
            })
        });
        json!({
            "name": rows.name,
            "leaves_out": rows.note,
            "reference": rows.rows[rows.reference].name,
            "cases": cases.collect::<Vec<_>>(),
        })
    });
    let memory = table
        .memory
        .iter()
        .map(|row| json!({ "name": row.name, "bytes": row.bytes, "over_bare": row.over }));
    let contention = table.contention.iter().map(|row| {
        json!({ "name": row.name, "ns": row.ns, "two_threads_ratio": row.two.0, "p10_p90": row.two.1 })
    });
    let gates = gates(table).into_iter().map(|gate| {
        let reached = gate.reached();
        let Gate {
            what, limit, value, ..
        } = gate;
        json!({ "what": what, "limit": limit, "measured": value, "reached": reached })
    });
    #[cfg_attr(
        not(feature = "peers"),
        expect(unused_mut, reason = "one more with peers")
    )]
    let mut all = json!({
        "machine": machine(),
        "versions": locked().map(|(name, version)| (name.to_owned(), version.into())).collect::<serde_json::Map<String, Value>>(),
        "groups": groups.collect::<Vec<_>>(),
        "memory": memory.collect::<Vec<_>>(),
        "contention": contention.collect::<Vec<_>>(),
        "gates": gates.collect::<Vec<_>>(),
    });
    #[cfg(feature = "peers")]
    {
        let wire = table.wire.iter().map(|row| {
            let (ratio, range) = (row.ratio.map(|it| it.0), row.ratio.map(|it| it.1));
            json!({ "name": row.name, "requests_per_second": row.rate, "ratio": ratio, "p10_p90": range })
        });
        all["wire"] = wire.collect();
    }
    format!("{all:#}\n")
}

/// When and where.
fn machine() -> String {
    let said = |program: &str, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).output();
        output
            .map(|it| String::from_utf8_lossy(&it.stdout).trim().to_owned())
            .unwrap_or_default()
    };
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let cpu = cpu
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let cores = std::thread::available_parallelism().map_or(1, Into::into);
    format!(
        "{}, {} cores of {}, {}.",
        said("date", &["-u", "+%F"]),
        cores,
        cpu.map_or("an unknown processor", |(_, name)| name),
        said("rustc", &["--version"]),
    )
}

fn versions() -> String {
    let all: Vec<_> = locked()
        .map(|(name, version)| format!("{name} {version}"))
        .collect();
    format!("Versions: {}.", all.join(", "))
}

/// The versions of what is measured, the newest where there are two.
fn locked() -> impl Iterator<Item = (&'static str, &'static str)> {
    const LOCK: &str = include_str!("../../Cargo.lock");
    const SHOWN: [&str; 22] = [
        "actix-web",
        "axum",
        "env_logger",
        "fastrace",
        "http",
        "hyper",
        "nanoid",
        "opentelemetry",
        "opentelemetry_sdk",
        "reqwest",
        "reqwest-middleware",
        "rocket",
        "tokio",
        "tower",
        "tower-http",
        "tracing",
        "tracing-actix-web",
        "tracing-subscriber",
        "ulid",
        "uuid",
        "warp",
        "rand",
    ];
    SHOWN.into_iter().filter_map(|name| {
        let after = LOCK
            .rsplit_once(&format!("name = \"{name}\"\nversion = \""))?
            .1;
        Some((name, after.split_once('"')?.0))
    })
}
