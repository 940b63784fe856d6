//! Rule 5: whatever logs while a line is written, and while a thread ends.

use std::cell::RefCell;
use std::io::Write;
use std::{env, fmt, thread};

use correlation_core::adapter::TaskContext;
use correlation_core::{Context, sync_scope, tag};
use correlation_testkit::process;
use formatters::{ALL, Capture};
use tracing::info;
use tracing_subscriber::fmt::MakeWriter;

use crate::line::assert_tagged;
use crate::{ID, id};

/// A value that logs when it is printed.
struct Order;

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        info!("price looked up");
        f.write_str("order of 3")
    }
}

/// A logger of one thread is not asked again while it is at work, so an event inside of an event
/// is lost. That of the whole process is: hence a process for each formatter.
#[test]
fn a_value_that_logs_while_it_is_printed() {
    for number in 0..ALL.len() {
        let mut child = process::test_alone("reentry::child");
        process::run(child.env(CHILD, number.to_string())).unwrap();
    }
}

#[test]
fn child() {
    let Ok(number) = env::var(CHILD) else {
        return;
    };
    let formatter = ALL[number.parse::<usize>().unwrap()];
    let sink = Capture::default();
    let logger = (formatter.logger)(sink.clone());
    logger.install();
    sync_scope(id(), || info!(order = %Order, "placed"));
    drop(logger);
    // The worker of `tracing-appender` is done now; the others write at once.
    let printed = sink.text();
    assert_tagged(formatter.form, &printed);
    assert!(printed.contains("order of 3"), "{printed}");
    // This one leaves such lines out on purpose.
    let has_inner = formatter.name != "tracing-tree";
    assert_eq!(printed.contains("price looked up"), has_inner, "{printed}");
}

const CHILD: &str = "FORMATTER_OF_CHILD";

/// Logs when the thread ends: its destructor runs among those of all thread locals, of which the
/// buffer of the writer is one.
struct AtExit(Capture);

impl Drop for AtExit {
    fn drop(&mut self) {
        let tag = tag(self.0.clone());
        tag.make_writer().write_all(b"outside\n").unwrap();
        sync_scope(id(), || {
            tag.make_writer().write_all(b"at exit\n").unwrap();
            tag.make_writer().write_all(b"{\"at\":").unwrap();
        });
    }
}

thread_local! {
    static EARLY: RefCell<Option<AtExit>> = const { RefCell::new(None) };
    static LATE: RefCell<Option<AtExit>> = const { RefCell::new(None) };
}

#[test]
fn lines_of_the_destructors_of_a_thread() {
    let sink = Capture::default();
    let at_exit = sink.clone();
    thread::spawn(move || {
        // From here on a line outside of any scope is asked about at the table of tasks as well.
        drop(TaskContext::enter(Context::from(id())));
        // One is set before the buffer of the writer is first used, the other one afterwards: so
        // one of them runs without it, in whatever order thread locals are dropped.
        EARLY.set(Some(AtExit(at_exit.clone())));
        sync_scope(id(), || {
            tag(at_exit.clone()).make_writer().write_all(b"work\n")
        })
        .unwrap();
        LATE.set(Some(AtExit(at_exit)));
    })
    .join()
    .unwrap();

    let at_exit = format!("outside\nat exit correlation_id={ID}\n{{\"at\": correlation_id={ID}");
    assert_eq!(
        sink.text(),
        format!("work correlation_id={ID}\n{at_exit}{at_exit}")
    );
}
