//! What a report looks like, where it goes, and who else is told.

use std::panic::{catch_unwind, panic_any, set_hook};
use std::sync::atomic::{AtomicUsize, Ordering};

use correlation_core::adapter::TaskContext;
use correlation_core::{Policy, Source, Targets, Trust, current, panic, sync_scope};
use serde_json::Value;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::{Ended, TAG, id, in_child, in_child_with, panic_in_scope, panics};

#[test]
fn every_line_of_the_text_has_the_id() {
    for backtrace in ["0", "1", "full"] {
        let ended = in_child_with(backtrace, || {
            panic::install();
            panic_in_scope();
        });
        let Ended { stderr, .. } = ended.well();
        let start = "thread 'report::every_line_of_the_text_has_the_id' panicked at ";
        assert!(stderr[0].starts_with(start), "{stderr:?}");
        assert!(
            stderr[0].contains(" correlation-core/tests/panic/main.rs:"),
            "{stderr:?}"
        );
        assert_eq!(stderr[1], format!("out of stock{TAG}"));
        assert_eq!(stderr[2], format!("of everything{TAG}"));
        assert!(stderr.iter().all(|line| line.ends_with(TAG)), "{stderr:?}");
        assert_eq!(stderr.len() > 3, backtrace != "0", "{stderr:?}");
        let runtime = stderr.iter().any(|line| line.contains("short_backtrace"));
        assert_eq!(runtime, backtrace == "full", "{stderr:#?}");
        if backtrace == "1" {
            assert_eq!(stderr[3], format!("stack backtrace:{TAG}"));
            // The machinery of the panic itself, and then who panicked. Nothing of the hook.
            assert!(stderr[4].contains("begin_unwind"), "{stderr:#?}");
            let has = |text| stderr.iter().any(|line| line.contains(text));
            assert!(has("panic::panic_in_scope"), "{stderr:#?}");
            for other in [
                "correlation_core::panic",
                "short_backtrace",
                "test::run_test",
            ] {
                assert!(!has(other), "{stderr:#?}");
            }
        }
    }
}

#[test]
fn the_json_is_one_line_with_the_id_first() {
    for backtrace in ["0", "1"] {
        let ended = in_child_with(backtrace, || {
            panic::install_json();
            panic_in_scope();
        });
        let stderr = ended.well().stderr;
        let [line] = &stderr[..] else {
            panic!("{stderr:?}");
        };
        assert!(
            line.starts_with(r#"{"correlation_id":"click-1","level":"ERROR","#),
            "{line}"
        );
        let report: Value = serde_json::from_str(line).unwrap();
        assert_eq!(report["target"], "panic");
        assert_eq!(
            report["thread"],
            "report::the_json_is_one_line_with_the_id_first"
        );
        assert_eq!(report["message"], "out of stock\nof everything");
        let location = report["location"].as_str().unwrap();
        assert!(
            location.starts_with("correlation-core/tests/panic/main.rs:"),
            "{line}"
        );
        let frames = report["backtrace"].as_str();
        assert_eq!(frames.is_some(), backtrace == "1", "{line}");
        assert!(
            frames.is_none_or(|frames| frames.contains("panic_in_scope")),
            "{line}"
        );
    }
}

#[test]
fn outside_of_a_scope_there_is_no_id() {
    let outside = || {
        assert!(catch_unwind(|| panic!("boom")).is_err());
    };
    let text = in_child(|| {
        panic::install();
        outside();
    });
    let text = text.well().stderr;
    assert!(text[0].ends_with(':') && text[1..] == ["boom"], "{text:?}");
    let json = in_child(|| {
        panic::install_json();
        outside();
    });
    let json: Value = serde_json::from_str(&json.well().stderr[0]).unwrap();
    assert_eq!(json.get("correlation_id"), None);
    assert_eq!(json["message"], "boom");
}

#[test]
fn the_id_of_a_task_and_the_trace_id_are_there() {
    let ended = in_child(|| {
        panic::install();
        let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let lines = [("traceparent", trace), ("x-request-id", "click-1")];
        let context = Policy::new().receive(|| lines, None).into_context();
        // As Rocket does it, where a request cannot be wrapped in a scope.
        let _request = TaskContext::enter(context);
        assert!(catch_unwind(|| panic!("boom")).is_err());
    });
    let tag = format!(" trace_id=4bf92f3577b34da6a3ce929d0e0e4736{TAG}");
    let stderr = ended.well().stderr;
    assert!(stderr.iter().all(|line| line.ends_with(&tag)), "{stderr:?}");
}

#[test]
fn whatever_the_payload_there_is_a_report() {
    let ended = in_child(|| {
        panic::install();
        panics(|| panic_any(7));
        panics(|| panic_any(String::from("owned")));
        panics(|| panic_any(Box::new("boxed") as Box<dyn std::any::Any + Send>));
        panics(|| panic!("{}", "formatted"));
        panics(|| panic!());
    });
    let stderr = ended.well().stderr;
    let messages: Vec<_> = stderr.iter().skip(1).step_by(2).collect();
    let any = "Box<dyn Any>";
    let expected = [any, "owned", any, "formatted", "explicit panic"];
    assert_eq!(
        messages,
        expected.map(|text| format!("{text}{TAG}")).each_ref()
    );
}

#[test]
fn it_is_installed_once_and_the_first_form_stays() {
    let ended = in_child(|| {
        panic::install();
        panic::install();
        panic::install_json();
        panic_in_scope();
    });
    let ended = ended.well();
    assert_eq!((ended.reports(), ended.stderr.len()), (1, 3), "{ended:?}");
    let ended = in_child(|| {
        panic::install_json();
        panic::install();
        panic_in_scope();
    });
    let ended = ended.well();
    assert_eq!(ended.stderr.len(), 1, "{ended:?}");
    assert!(ended.stderr[0].starts_with('{'), "{ended:?}");
}

#[test]
fn a_hook_that_was_there_runs_after_the_report() {
    let ended = in_child(|| {
        // Without captures, as Rust's own: it must not be taken for that.
        set_hook(Box::new(|_| eprintln!("hook: {}", current().unwrap())));
        panic::install();
        panic_in_scope();
        panic_in_scope();
    });
    let stderr = ended.well().stderr;
    let hook = "hook: click-1";
    assert_eq!(stderr.len(), 8, "{stderr:?}");
    assert_eq!((&*stderr[3], &*stderr[7]), (hook, hook), "{stderr:?}");
}

#[test]
fn a_thread_that_is_panicking_can_call_it() {
    let ended = in_child(|| {
        struct Installs;
        impl Drop for Installs {
            fn drop(&mut self) {
                panic::install();
            }
        }
        panics(|| {
            let _installs = Installs;
            panic!("reported by Rust's own hook");
        });
        // That was no installation, so this is the first.
        panic::install();
        panic_in_scope();
    });
    let ended = ended.well();
    assert_eq!(ended.reports(), 2, "{ended:?}");
    assert!(
        ended.stderr.ends_with(&[format!("of everything{TAG}")]),
        "{ended:?}"
    );
}

#[test]
fn neither_subscriber_nor_logger_is_told() {
    static TOLD: AtomicUsize = AtomicUsize::new(0);

    struct Counts;
    impl Subscriber for Counts {
        fn enabled(&self, _: &Metadata<'_>) -> bool {
            TOLD.fetch_add(1, Ordering::Relaxed);
            true
        }
        fn new_span(&self, _: &Attributes<'_>) -> Id {
            Id::from_u64(1)
        }
        fn record(&self, _: &Id, _: &Record<'_>) {}
        fn record_follows_from(&self, _: &Id, _: &Id) {}
        fn event(&self, _: &Event<'_>) {
            TOLD.fetch_add(1, Ordering::Relaxed);
        }
        fn enter(&self, _: &Id) {}
        fn exit(&self, _: &Id) {}
    }
    impl log::Log for Counts {
        fn enabled(&self, _: &log::Metadata<'_>) -> bool {
            true
        }
        fn log(&self, _: &log::Record<'_>) {
            TOLD.fetch_add(1, Ordering::Relaxed);
        }
        fn flush(&self) {}
    }

    let ended = in_child(|| {
        tracing::subscriber::set_global_default(Counts).unwrap();
        log::set_logger(&Counts).unwrap();
        log::set_max_level(log::LevelFilter::Trace);
        panic::install();
        tracing::error!("both work");
        log::error!("both work");
        let told = TOLD.swap(0, Ordering::Relaxed);
        sync_scope(id("click-1"), || assert!(told >= 2, "{told}"));
        panic_in_scope();
        assert_eq!(TOLD.load(Ordering::Relaxed), 0);
    });
    assert_eq!(ended.well().reports(), 1);
}

#[test]
fn a_setting_panics_at_the_line_that_sets_it() {
    let ended = in_child(|| {
        set_hook(Box::new(|report| {
            let at = report.location().unwrap();
            println!("{} {}", at.file() == file!(), at.line());
        }));
        let first = line!();
        let settings: [fn(); 11] = [
            || drop(Policy::new().headers(["two words"])),
            || drop(Policy::new().headers(["x"; 9])),
            || drop(Policy::new().sources((0..15).map(|n| Source::header(format!("x-{n}"))))),
            || drop(Policy::new().max_len(0)),
            || drop(Policy::new().response_header("")),
            || drop(Source::header("")),
            || drop(Source::parsed("", |value| Some(value))),
            || drop(Trust::networks(["localhost"])),
            || drop(Targets::hosts(["a/b"])),
            || drop(Targets::all().connected_to(".internal")),
            || drop(Targets::all().also_as("traceparent")),
        ];
        for (set, line) in settings.into_iter().zip(first + 2..) {
            print!("{line} ");
            assert!(catch_unwind(set).is_err());
        }
    });
    let Ended { stdout, .. } = ended.well();
    assert_eq!(stdout.len(), 11, "{stdout:?}");
    for line in stdout {
        let words: Vec<_> = line.split(' ').collect();
        assert_eq!(words, [words[0], "true", words[0]], "{line}");
    }
}
