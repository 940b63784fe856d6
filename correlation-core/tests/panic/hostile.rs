//! Panics at the worst of moments: the report neither hangs nor aborts, and none is lost.

use std::fmt;
use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::abort;
use std::sync::Mutex;
use std::thread;

use correlation_core::{Generator, Policy, panic, sync_scope, tag};
use tracing::field::{Empty, display};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::util::SubscriberInitExt;

use crate::{TAG, aborted, id, in_child, in_child_unheard, panic_in_scope, panics};

struct Panics;

impl fmt::Display for Panics {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("cannot be shown")
    }
}

impl Write for Panics {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        panic!("cannot be written")
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// `fmt` holds the lock of the span's fields while it formats them, and an event would read them.
#[test]
fn a_value_that_panics_while_a_span_records_it() {
    let ended = in_child(|| {
        tracing_subscriber::fmt()
            .with_writer(tag(io::stdout))
            .init();
        panic::install();
        for _ in 0..2 {
            panics(|| {
                let span = tracing::info_span!("request", user = Empty).entered();
                span.record("user", display(Panics));
            });
        }
    });
    // The second time `fmt` itself panics, as its lock is poisoned.
    let ended = ended.well();
    assert_eq!(ended.reports(), 2, "{ended:?}");
    assert_eq!(ended.stderr[1], format!("cannot be shown{TAG}"));
}

#[test]
fn a_writer_that_panics_while_it_is_locked() {
    let ended = in_child(|| {
        tracing_subscriber::fmt()
            .with_writer(tag(Mutex::new(Panics)))
            .init();
        panic::install();
        panics(|| tracing::info!("order placed"));
    });
    let ended = ended.well();
    assert_eq!(ended.reports(), 1, "{ended:?}");
    assert_eq!(ended.stderr[1], format!("cannot be written{TAG}"));
}

/// A writer that cannot write is told of on standard error, which cannot be written either.
#[test]
fn nobody_reads_what_the_process_writes() {
    let status = in_child_unheard(|| {
        tracing_subscriber::fmt()
            .with_writer(tag(io::stdout))
            .init();
        panic::install();
        for _ in 0..5 {
            panic_in_scope();
        }
    });
    assert!(status.success(), "{status}");
}

#[test]
fn nobody_reads_and_the_form_is_json() {
    let status = in_child_unheard(|| {
        panic::install_json();
        panic_in_scope();
    });
    assert!(status.success(), "{status}");
}

/// The span of a request is left and closed while the thread unwinds, and `fmt` writes that.
#[test]
fn nobody_reads_and_a_request_has_a_span() {
    let status = in_child_unheard(|| {
        tracing_subscriber::fmt()
            .with_span_events(FmtSpan::EXIT | FmtSpan::CLOSE)
            .with_max_level(LevelFilter::INFO)
            .with_writer(tag(io::stdout))
            .init();
        let policy = Policy::new().request_span(true);
        for _ in 0..5 {
            let request = || {
                let decision = policy.receive(|| [("accept", "*/*")], None);
                sync_scope(decision.into_context(), || panic!("out of stock"));
            };
            assert!(catch_unwind(AssertUnwindSafe(request)).is_err());
        }
    });
    assert!(status.success(), "{status}");
}

/// What the library says once a process is lost then, but it costs no second request.
#[test]
fn a_writer_that_panics_at_a_warning_of_the_library() {
    let ended = in_child(|| {
        tracing_subscriber::fmt().with_writer(|| Panics).init();
        let generator = Generator::custom(|| "is no ID");
        panics(|| drop(generator.generate()));
        assert_eq!(generator.generate().as_str().len(), 36);
    });
    ended.well();
}

/// The records of a non-blocking writer are still in its channel when the process aborts.
#[test]
fn a_process_that_aborts_has_told_why() {
    for _ in 0..20 {
        let ended = in_child(|| {
            let (writer, _guard) = tracing_appender::non_blocking(io::stderr());
            tracing_subscriber::fmt().with_writer(tag(writer)).init();
            panic::install();
            panic_in_scope();
            abort();
        });
        aborted(ended.status);
        assert_eq!(ended.reports(), 1, "{ended:?}");
        assert_eq!(ended.stderr.last(), Some(&format!("of everything{TAG}")));
    }
}

#[test]
fn a_destructor_that_panics_while_unwinding_is_reported_as_well() {
    struct Drops;
    impl Drop for Drops {
        fn drop(&mut self) {
            panic!("the second");
        }
    }
    let ended = in_child(|| {
        panic::install();
        sync_scope(id("click-1"), || {
            let _drops = Drops;
            panic!("the first");
        });
    });
    aborted(ended.status);
    for message in ["the first", "the second"] {
        let line = format!("{message}{TAG}");
        assert!(ended.stderr.contains(&line), "{ended:?}");
    }
}

#[test]
fn a_registry_that_prints_nothing() {
    let ended = in_child(|| {
        tracing_subscriber::registry().init();
        panic::install();
        panic_in_scope();
    });
    assert_eq!(ended.well().reports(), 1);
}

/// By then the thread-locals that `fmt` formats in are gone.
#[test]
fn a_destructor_of_a_thread_local_panics() {
    struct AtExit;
    impl Drop for AtExit {
        fn drop(&mut self) {
            panic_in_scope();
        }
    }
    thread_local!(static AT_EXIT: AtExit = const { AtExit });

    let ended = in_child(|| {
        tracing_subscriber::fmt()
            .with_writer(tag(io::stdout))
            .init();
        panic::install();
        let work = || {
            // Registered before all others, and so the last one to go.
            AT_EXIT.with(|_| ());
            sync_scope(id("click-1"), || tracing::info!("work done"));
        };
        thread::spawn(work).join().unwrap();
    });
    let ended = ended.well();
    assert_eq!(ended.reports(), 1, "{ended:?}");
    assert_eq!(ended.stdout.len(), 1, "{ended:?}");
}

/// Rust's own hook asks for no lock of standard error.
#[test]
fn somebody_holds_standard_error_until_the_thread_has_ended() {
    let ended = in_child(|| {
        panic::install();
        let mut stderr = io::stderr().lock();
        let thread = thread::spawn(panic_in_scope);
        thread.join().unwrap();
        writeln!(stderr, "the thread has ended").unwrap();
    });
    let ended = ended.well();
    assert_eq!(ended.reports(), 1, "{ended:?}");
    assert_eq!(ended.stderr.last().unwrap(), "the thread has ended");
}

#[test]
fn a_value_that_panics_while_it_is_printed() {
    let ended = in_child(|| {
        panic::install();
        panics(|| eprintln!("{Panics}"));
        panics(|| println!("{Panics}"));
        panics(|| assert!(catch_unwind(|| Panics.to_string()).is_ok()));
    });
    assert_eq!(ended.well().reports(), 4);
}
