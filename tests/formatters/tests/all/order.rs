//! Rules 1, 6 and 7: one write a record, and what comes after what. That the wrong order with
//! `tracing-appender` does not compile is shown in the README.

use std::thread;

use correlation_core::{CorrelationId, sync_scope, tag};
use formatters::{ALL, Capture, Logger};
use tracing::{info, warn_span};
use tracing_ecs::ECSLayerBuilder;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::{Layer, Registry};

use crate::id;
use crate::json::Object;
use crate::line::{assert_tagged, assert_untagged};

fn log_a_line(sink: &Capture, logger: &Logger) -> usize {
    let before = sink.writes();
    logger.with(|| sync_scope(id(), || info!(rows = 3, "query done")));
    sink.writes() - before
}

fn registry(layer: impl Layer<Registry> + Send + Sync) -> Logger {
    Registry::default().with(layer).into()
}

#[test]
fn what_is_written_in_pieces_goes_out_in_one() {
    let sink = Capture::default();
    let ecs = ECSLayerBuilder::default().build_with_writer(sink.clone());
    let logstash = tracing_logstash::Layer::default().with_writer(sink.clone());
    for logger in [registry(ecs), registry(logstash)] {
        let pieces = log_a_line(&sink, &logger);
        assert!(pieces > 10, "{pieces}: this one proves nothing any more");
    }

    for formatter in ALL {
        // The order of this one's writes is that of its own thread.
        if formatter.name.starts_with("tracing-appender") {
            continue;
        }
        let sink = Capture::default();
        let logger = (formatter.logger)(sink.clone());
        let writes = log_a_line(&sink, &logger);
        assert_eq!(writes, 1, "{}", formatter.name);
    }
}

#[test]
fn lines_of_several_threads_do_not_mix() {
    for formatter in ALL {
        let sink = Capture::default();
        let logger = (formatter.logger)(sink.clone());
        thread::scope(|scope| {
            for n in 0..4 {
                let logger = &logger;
                scope.spawn(move || {
                    let id: CorrelationId = format!("thread-{n}").parse().unwrap();
                    let work = || (0..50).for_each(|_| info!("by thread-{n}"));
                    logger.with(|| sync_scope(id, work));
                });
            }
        });
        drop(logger);
        let printed = sink.text();
        let lines: Vec<_> = printed
            .lines()
            .filter(|line| line.contains("by "))
            .collect();
        assert_eq!(lines.len(), 200, "{}", formatter.name);
        for line in lines {
            let ids: Vec<_> = line.match_indices("thread-").collect();
            let [first, second] = ids.as_slice() else {
                panic!("{}: {line}", formatter.name);
            };
            assert_eq!(
                line.as_bytes()[first.0 + 7],
                line.as_bytes()[second.0 + 7],
                "{line}"
            );
        }
    }
}

#[test]
fn the_order_of_the_other_builder_calls_does_not_matter() {
    let sink = Capture::default();
    let early = tracing_subscriber::fmt()
        .with_writer(sink.clone())
        .map_writer(tag)
        .json()
        .flatten_event(true)
        .without_time()
        .with_target(false);
    log_a_line(&sink, &early.finish().into());
    let printed = sink.text();
    assert_tagged(formatters::Form::Json, &printed);
    assert_eq!(Object::read(&printed).str("message"), Some("query done"));
}

#[test]
fn a_writer_that_is_set_afterwards_replaces_it() {
    let sink = Capture::default();
    let replaced = tracing_subscriber::fmt()
        .map_writer(tag)
        .with_writer(sink.clone());
    log_a_line(&sink, &replaced.finish().into());
    assert_untagged(formatters::Form::Text, &sink.text());
}

#[test]
fn a_key_of_ones_own_and_two_writers() {
    let (file, console) = (Capture::default(), Capture::default());
    let logger = Registry::default()
        .with(
            tracing_subscriber::fmt::layer()
                .json()
                .with_writer(tag(file.clone()).key("http.request.id")),
        )
        .with(
            tracing_subscriber::fmt::layer()
                .with_ansi(true)
                .with_writer(tag(console.clone())),
        );
    let logger: Logger = logger.into();
    let work = || warn_span!("db").in_scope(|| info!("query done"));
    logger.with(|| sync_scope(id(), work));
    let file = Object::read(&file.text());
    assert_eq!(file.first, "http.request.id");
    assert_eq!(file.str("correlation_id"), None);
    let console = console.text();
    assert!(console.contains("\x1b["), "colours are kept: {console}");
    assert!(console.ends_with(" correlation_id=click-7\n"), "{console}");
}

/// A line that ends so already is left alone, colours or not.
#[test]
fn a_line_that_ends_with_the_pair_is_left_alone_in_colours_too() {
    let sink = Capture::default();
    let logger = tracing_subscriber::fmt()
        .with_ansi(true)
        .with_writer(tag(sink.clone()));
    let logger: Logger = logger.finish().into();
    logger.with(|| sync_scope(id(), || info!(correlation_id = %id(), "paid")));
    let printed = sink.text();
    assert_eq!(printed.matches("click-7").count(), 1, "{printed:?}");
    assert!(printed.ends_with("click-7\n"), "{printed:?}");
}

#[test]
fn the_writer_is_chosen_by_the_inner_one() {
    struct ByLevel(Capture, Capture);
    impl<'a> MakeWriter<'a> for ByLevel {
        type Writer = Capture;

        fn make_writer(&'a self) -> Capture {
            self.0.clone()
        }

        fn make_writer_for(&'a self, meta: &tracing::Metadata<'_>) -> Capture {
            let errors = *meta.level() == tracing::Level::ERROR;
            if errors { &self.1 } else { &self.0 }.clone()
        }
    }
    let (all, errors) = (Capture::default(), Capture::default());
    let logger: Logger = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(tag(ByLevel(all.clone(), errors.clone())))
        .finish()
        .into();
    logger.with(|| {
        sync_scope(id(), || {
            info!("query done");
            tracing::error!("query failed");
        });
    });
    for (sink, said) in [(all, "query done"), (errors, "query failed")] {
        let printed = sink.text();
        assert_eq!(printed.lines().count(), 1, "{printed}");
        assert!(
            printed.ends_with(&format!("{said} correlation_id=click-7\n")),
            "{printed}"
        );
    }
}
