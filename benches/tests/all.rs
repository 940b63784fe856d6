//! The cases run: a benchmark that nobody runs does not rot.

use correlation_bench::cases::groups;
use correlation_bench::memory::holders;
use correlation_bench::run::in_task;

#[test]
fn every_case_runs() {
    in_task(|| {
        for group in groups() {
            let names: Vec<_> = group.cases.iter().map(|case| case.name).collect();
            assert!(names.len() > 1, "{} has no peer", group.name);
            assert!(group.reference() < names.len());
            for case in group.cases {
                let (name, mut run) = (case.name, case.make());
                println!("{} / {name}", group.name);
                (0..3).for_each(|_| run());
            }
        }
    });
}

#[test]
fn no_two_groups_and_no_two_cases_have_one_name() {
    let mut names: Vec<_> = groups()
        .iter()
        .flat_map(|group| {
            group
                .cases
                .iter()
                .map(|case| format!("{} / {}", group.name, case.name))
        })
        .collect();
    let all = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), all);
}

#[test]
fn every_request_can_be_held() {
    for (name, _, hold) in holders() {
        println!("{name}");
        drop(hold(3));
    }
}
