//! One event to a sink.

use correlation_core::{CorrelationId, sync_scope, tag};
use tracing::{Dispatch, dispatcher};

use super::SENT;
use super::axum::{Noon, Sink};
use crate::Group;

pub(crate) fn groups() -> Vec<Group> {
    let text = || {
        tracing_subscriber::fmt()
            .with_timer(Noon)
            .with_ansi(false)
            .with_writer(|| Sink)
    };
    let json = || {
        tracing_subscriber::fmt()
            .with_timer(Noon)
            .json()
            .with_writer(|| Sink)
    };
    #[cfg_attr(not(feature = "peers"), expect(unused_mut, reason = "more follow"))]
    let mut groups = vec![
        group(
            "log, a text event",
            move || Dispatch::new(text().finish()),
            move || Dispatch::new(text().map_writer(tag).finish()),
        ),
        group(
            "log, a JSON event",
            move || Dispatch::new(json().finish()),
            move || Dispatch::new(json().map_writer(tag).finish()),
        ),
    ];
    #[cfg(feature = "peers")]
    groups.extend([env::group(), env::own_format()]);
    groups
}

const TIMES: u32 = 100;

/// A hundred events.
fn events() {
    for _ in 0..TIMES {
        tracing::info!(rows = 3, "query done");
    }
}

fn group(
    name: &str,
    plain: impl Fn() -> Dispatch + Copy + 'static,
    tagged: impl Fn() -> Dispatch + Copy + 'static,
) -> Group {
    Group::new(
        name,
        "A hundred events in one scope, or one span, for one event; opening it is in the groups of \
         the ambient context. Formatted by tracing-subscriber with a time that stands still, and written to nowhere.",
    )
    .per(TIMES)
    .bare("no ID", move || {
        let dispatch = plain();
        move || dispatcher::with_default(&dispatch, events)
    })
    .ours("tag, in a scope", move || {
        let dispatch = tagged();
        move || {
            sync_scope(CorrelationId::new(), || {
                dispatcher::with_default(&dispatch, events);
            });
        }
    })
    .ours("tag, outside", move || {
        let dispatch = tagged();
        move || dispatcher::with_default(&dispatch, events)
    })
    .peer("explicit field", move || {
        let dispatch = plain();
        move || {
            dispatcher::with_default(&dispatch, || {
                for _ in 0..TIMES {
                    tracing::info!(rows = 3, correlation_id = SENT, "query done");
                }
            });
        }
    })
    .peer("field of a span", move || {
        let dispatch = plain();
        move || {
            dispatcher::with_default(&dispatch, || {
                tracing::info_span!("request", correlation_id = SENT).in_scope(events);
            });
        }
    })
}

#[cfg(feature = "peers")]
mod env {
    use std::io::Write as _;

    use correlation_core::{CorrelationId, sync_scope};
    use env_logger::fmt::Formatter;
    use env_logger::{Builder, Logger, Target};
    use log::{Level, LevelFilter, Log as _, Record};

    use super::{SENT, Sink, TIMES};
    use crate::Group;

    pub(super) fn group() -> Group {
        Group::new(
            "log, env_logger",
            "A hundred records in one scope, for one record; without a time, written to nowhere.",
        )
        .per(TIMES)
        .bare("no ID", || records(logger(&mut builder()), None))
        .ours("log::kv, in a scope", || {
            let logger = logger(builder().format_key_values(correlation_core::log::kv));
            let mut records = records(logger, None);
            move || sync_scope(CorrelationId::new(), &mut records)
        })
        .peer("explicit pair", || {
            records(logger(&mut builder()), Some(("correlation_id", SENT)))
        })
    }

    pub(super) fn own_format() -> Group {
        Group::new(
            "log, env_logger with a format of its user",
            "A hundred records in one scope, for one record; level and message, written to nowhere.",
        )
        .per(TIMES)
        .bare("no ID", || {
            let format = |out: &mut Formatter, record: &Record<'_>| {
                writeln!(out, "{} {}", record.level(), record.args())
            };
            records(logger(builder().format(format)), None)
        })
        .ours("log::tagged, in a scope", || {
            let format = correlation_core::log::tagged(|out, record| {
                writeln!(out, "{} {}", record.level(), record.args())
            });
            let mut records = records(logger(builder().format(format)), None);
            move || sync_scope(CorrelationId::new(), &mut records)
        })
    }

    fn builder() -> Builder {
        let mut builder = Builder::new();
        builder
            .filter_level(LevelFilter::Info)
            .target(Target::Pipe(Box::new(Sink)));
        builder
    }

    fn logger(builder: &mut Builder) -> Logger {
        builder.build()
    }

    fn records(logger: Logger, pair: Option<(&'static str, &'static str)>) -> impl FnMut() {
        move || {
            for _ in 0..TIMES {
                let mut record = Record::builder();
                record.level(Level::Info).target("shop");
                if let Some(pair) = &pair {
                    record.key_values(pair);
                }
                logger.log(&record.args(format_args!("query done, {} rows", 3)).build());
            }
        }
    }
}
