//! Destructors of thread-locals that log, in a process of its own: a panic there ends it.

use std::{env, fs, thread};

use correlation_log4rs::correlation::sync_scope;
use correlation_testkit::{id, process};
use log4rs::append::file::FileAppender;
use log4rs::config::{Appender, Root};
use log4rs::encode::pattern::PatternEncoder;

/// Logs twice when its thread ends, once under an ID.
struct Last(&'static str);

impl Drop for Last {
    fn drop(&mut self) {
        log::info!("{} ends", self.0);
        sync_scope(id("late"), || log::info!("{} ends in a scope", self.0));
    }
}

thread_local! {
    static FIRST: Last = const { Last("first") };
    static SECOND: Last = const { Last("second") };
}

#[test]
fn the_child_logs_while_its_threads_end() {
    let Some(path) = env::var_os(CHILD) else {
        return;
    };
    let pattern = PatternEncoder::new("{l} {t} {M} {f}:{L} [{X(correlation_id)(-)}] {m}{n}");
    let encoder = Box::new(correlation_log4rs::encoder(pattern));
    let file = FileAppender::builder()
        .encoder(encoder)
        .build(path)
        .unwrap();
    let config = log4rs::Config::builder()
        .appender(Appender::builder().build("file", Box::new(file)))
        .build(
            Root::builder()
                .appender("file")
                .build(log::LevelFilter::Info),
        );
    log4rs::init_config(config.unwrap()).unwrap();

    let threads: [fn(); 3] = [
        // Created before the MDC, destroyed after it; and the other way round.
        || {
            FIRST.with(|_| ());
            sync_scope(id("click-1"), || log::info!("both"));
            SECOND.with(|_| ());
        },
        // The destructor is the first one to log.
        || FIRST.with(|_| ()),
        // The MDC is gone when it does.
        || {
            FIRST.with(|_| ());
            log_mdc::insert("tenant", "t1");
        },
    ];
    for run in threads {
        thread::spawn(run).join().unwrap();
    }
}

#[test]
fn a_destructor_that_logs_does_not_end_the_process() {
    let name = format!("log4rs-destructor-{}.log", std::process::id());
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let mut child = process::test_alone("destructor::the_child_logs_while_its_threads_end");
    let ended = process::run(child.env(CHILD, &path));
    let text = fs::read_to_string(&path).unwrap();
    fs::remove_file(&path).unwrap();
    assert!(ended.is_ok(), "{ended:?}:\n{text}");
    let both = |who| {
        [
            format!(" [-] {who} ends"),
            format!(" [late] {who} ends in a scope"),
        ]
    };
    let expected = [
        vec![" [click-1] both".to_owned()],
        both("second").into(),
        both("first").into(),
        both("first").into(),
        both("first").into(),
    ];
    // All that a record says of its place is there, wherever it is encoded.
    let place = format!("INFO {0} {0} {1}:", module_path!(), file!());
    let lines = text.lines().map(|line| {
        let rest = line.strip_prefix(&place).unwrap_or(line);
        rest.trim_start_matches(|c: char| c.is_ascii_digit())
    });
    assert_eq!(lines.collect::<Vec<_>>(), expected.concat());
}

const CHILD: &str = "CORRELATION_LOG4RS_CHILD";
