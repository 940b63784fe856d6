//! The logs of all processes, searched for one purchase.

use super::started::{Hops, Logs};

/// Every line about the purchase has the ID, in every process that it went through, and both
/// records of each service are there once.
#[track_caller]
pub(crate) fn check(logs: &Logs, purchase: &str, hops: Hops, id: &str) {
    let processes = [
        ("fastapi", &logs.front, hops == Hops::FromPython),
        ("axum", &logs.axum, true),
        ("fastapi", &logs.back, true),
        ("actix", &logs.actix, true),
    ];
    for (service, lines, passed) in processes {
        let lines: Vec<_> = lines
            .iter()
            .filter(|line| line.contains(purchase))
            .collect();
        let crossed: Vec<_> = lines.iter().filter(|line| id_of(line) != id).collect();
        assert!(crossed.is_empty(), "{id} of {purchase}, but {crossed:?}");
        for said in ["was asked for", "answers for"] {
            let record = format!(": {service} {said} {purchase} ");
            let times = lines.iter().filter(|line| line.contains(&record)).count();
            assert_eq!(times, usize::from(passed), "{record} in {lines:?}");
        }
    }
}

/// On a Rust line the trace-id stands before it, if there is a trace.
fn id_of(line: &str) -> &str {
    let ids: Vec<_> = line.split(" correlation_id=").skip(1).collect();
    let [id] = ids[..] else {
        panic!("not one ID: {line}");
    };
    id.split(' ').next().unwrap_or_default()
}
