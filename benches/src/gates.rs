//! The numbers that the library means to keep, and where it stands.

use correlation_bench::contention;

use crate::table::{Row, Table};

#[derive(Debug)]
pub(crate) struct Gate {
    pub(crate) what: String,
    pub(crate) limit: f64,
    pub(crate) value: f64,
    pub(crate) digits: usize,
    pub(crate) unit: &'static str,
}

impl Gate {
    pub(crate) fn reached(&self) -> bool {
        // As it is printed.
        let printed = |value: f64| format!("{value:.0$}", self.digits).parse().unwrap_or(value);
        printed(self.value) <= self.limit
    }
}

/// Those for which the table has the numbers.
pub(crate) fn gates(table: &Table) -> Vec<Gate> {
    let mut gates = Vec::new();
    let mut gate = |what: &str, value: Option<f64>, limit: f64, digits, unit| {
        gates.extend(value.map(|value| Gate {
            what: what.to_owned(),
            limit,
            value,
            digits,
            unit,
        }));
    };
    let instructions = |row: &Row| row.instructions;
    let allocations = |row: &Row| Some(row.allocations);
    let nanoseconds = |row: &Row| row.times.map(|it| it.ratio);
    let get = |of: fn(&Row) -> Option<f64>, group: &str, case: &str| of(table.row(group, case)?.1);
    let over = |of: fn(&Row) -> Option<f64>, group: &str, case: &str| {
        let (rows, row) = table.row(group, case)?;
        Some(of(row)? - of(rows.bare()?)?)
    };
    let divide = |it: Option<f64>, by: Option<f64>| Some(it? / by?);

    let (layer, pair) = ("CorrelationLayer", "tower-http pair");
    for (group, limit, least) in [("absent", 1_750.0, 1.0), ("present", 1_600.0, 0.0)] {
        let name = &format!("axum, around, {group}");
        gate(
            &format!("{name}: instructions over bare"),
            over(instructions, name, layer),
            limit,
            0,
            "",
        );
        gate(
            &format!("{name}: allocations over bare"),
            over(allocations, name, layer),
            least,
            0,
            "",
        );
    }
    let name = "axum, around, present";
    let ratio = divide(get(nanoseconds, name, layer), get(nanoseconds, name, pair));
    gate(
        "axum, around, present: ns, of the router with tower-http's pair",
        ratio,
        1.0,
        2,
        "x",
    );
    for (group, limit) in [("absent", 0.58), ("present", 0.80)] {
        let name = &format!("axum, Router::layer, {group}");
        let ratio = divide(
            over(instructions, name, layer),
            over(instructions, name, pair),
        );
        gate(
            &format!("{name}: instructions over bare, of tower-http's pair"),
            ratio,
            limit,
            2,
            "x",
        );
    }
    for group in ["absent", "present"] {
        let name = &format!("axum, around, body of 3 frames, {group}");
        let ratio = divide(
            over(instructions, name, layer),
            over(instructions, name, pair),
        );
        gate(
            &format!("{name}: instructions over bare, of tower-http's pair"),
            ratio,
            1.0,
            2,
            "x",
        );
    }
    for (group, limit) in [("absent", 0.42), ("present", 0.40)] {
        let name = &format!("actix-web, {group}");
        let peer = over(instructions, name, "TracingLogger");
        let ratio = divide(over(instructions, name, "Correlation"), peer);
        gate(
            &format!("{name}: instructions over bare, of TracingLogger"),
            ratio,
            limit,
            2,
            "x",
        );
        let value = over(allocations, name, "Correlation");
        let least = if group == "absent" { 1.0 } else { 0.0 };
        gate(
            &format!("{name}: allocations over bare"),
            value,
            least,
            0,
            "",
        );
    }
    for group in ["absent", "present"] {
        let name = &format!("Rocket, {group}");
        let ratio = divide(
            get(instructions, name, "fairing"),
            get(instructions, name, "app"),
        );
        gate(
            &format!("{name}: instructions, of the bare app"),
            ratio,
            1.15,
            3,
            "x",
        );
    }
    for (group, limit) in [("absent", 1_750.0), ("present", 1_600.0)] {
        let name = &format!("warp, serve, {group}");
        let value = over(instructions, name, "serve's layer");
        gate(
            &format!("{name}: instructions over bare"),
            value,
            limit,
            0,
            "",
        );
        let name = &format!("warp, filter, {group}");
        let value = over(instructions, name, "wrap_fn(correlated)");
        gate(
            &format!("{name}: instructions over bare"),
            value,
            3_600.0,
            0,
            "",
        );
    }
    for (group, case, limit) in [
        ("around", "CorrelationLayer, around", 1.13),
        ("inside", "CorrelationLayer, Router::layer", 1.20),
    ] {
        for what in ["absent", "present"] {
            let name = &format!("HTTP/1 exchange in memory, {what}");
            let ratio = divide(
                get(instructions, name, case),
                get(instructions, name, "router"),
            );
            gate(
                &format!("{name}, {group}: instructions, of the bare exchange"),
                ratio,
                limit,
                3,
                "x",
            );
        }
    }

    gate(
        "ID, new, as text: ns, of uuid",
        get(nanoseconds, "ID, new, as text", "v4"),
        0.06,
        3,
        "x",
    );
    let name = "inbound, 8 headers, present";
    for (hand, case) in [
        ("string code by hand", "Policy::receive"),
        (
            "string code by hand, and a scope",
            "Policy::receive, and a scope",
        ),
    ] {
        let ratio = divide(get(instructions, name, case), get(instructions, name, hand));
        gate(
            &format!("{name}, {case}: instructions, of {hand}"),
            ratio,
            0.80,
            2,
            "x",
        );
    }
    let value = get(allocations, name, "Policy::receive, and a scope");
    gate(
        &format!("{name}, and a scope: allocations"),
        value,
        0.0,
        0,
        "",
    );
    let name = "ambient, read in a scope";
    for case in ["Context::current()", "with_current, length only"] {
        let value = get(nanoseconds, name, case);
        gate(
            &format!("{name}, {case}: ns, of task_local's Arc<str>, cloned"),
            value,
            1.0,
            2,
            "x",
        );
    }
    gate(
        "ambient, a poll: instructions over bare",
        over(instructions, "ambient, a poll", "scope"),
        31.0,
        0,
        "",
    );
    for (name, limit) in [("log, a text event", 1.10), ("log, a JSON event", 1.07)] {
        let ratio = divide(
            get(instructions, name, "tag, in a scope"),
            get(instructions, name, "no ID"),
        );
        gate(
            &format!("{name}: instructions, of the event without ID"),
            ratio,
            limit,
            3,
            "x",
        );
        let value = over(allocations, name, "tag, in a scope");
        gate(&format!("{name}: allocations over bare"), value, 0.0, 0, "");
    }
    let name = "log, env_logger";
    let ratio = divide(
        get(instructions, name, "log::kv, in a scope"),
        get(instructions, name, "no ID"),
    );
    gate(
        "log, env_logger: instructions, of the record without ID",
        ratio,
        1.25,
        2,
        "x",
    );
    let value = over(
        instructions,
        "outbound, a call of a tower client",
        "PropagateLayer",
    );
    gate(
        "outbound, a call of a tower client: instructions over bare",
        value,
        1_300.0,
        0,
        "",
    );

    let held = table
        .memory
        .iter()
        .find(|row| row.name == "task of tokio, in the task table");
    let value = held.and_then(|row| row.over);
    gate(
        "memory, task table of Rocket and warp's filter: bytes a request",
        value,
        200.0,
        0,
        " B",
    );
    let row = |name: &str| table.contention.iter().find(|row| row.name == name);
    let (tasks, entered) = (row(contention::TASKS), row(contention::TABLE_IN_TASKS));
    let one = tasks
        .zip(entered)
        .map(|(tasks, entered)| entered.ns - tasks.ns);
    gate(
        "contention, task table of a thousand tasks: ns on one thread",
        one,
        600.0,
        0,
        " ns",
    );
    let two = tasks
        .zip(entered)
        .map(|(tasks, entered)| entered.two.0 / tasks.two.0);
    gate(
        "contention, task table of a thousand tasks: two threads over one, of tasks alone",
        two,
        1.2,
        2,
        "x",
    );
    gates
}
