//! One event to a sink.

use std::io;

use correlation_core::{Context, CorrelationId, sync_scope, tag};
use tracing::{Dispatch, dispatcher};

use crate::Case;

pub(crate) fn all() -> Vec<Case> {
    let text = || {
        tracing_subscriber::fmt()
            .with_ansi(false)
            .with_writer(|| Sink)
    };
    let json = || tracing_subscriber::fmt().json().with_writer(|| Sink);
    vec![
        event("log/text, bare", Dispatch::new(text().finish()), true),
        event(
            "log/text, tagged, outside",
            Dispatch::new(text().map_writer(tag).finish()),
            false,
        ),
        event(
            "log/text, tagged",
            Dispatch::new(text().map_writer(tag).finish()),
            true,
        ),
        in_span("log/text, span field", Dispatch::new(text().finish())),
        event("log/JSON, bare", Dispatch::new(json().finish()), true),
        event(
            "log/JSON, tagged",
            Dispatch::new(json().map_writer(tag).finish()),
            true,
        ),
        in_span("log/JSON, span field", Dispatch::new(json().finish())),
    ]
}

fn event(name: &'static str, dispatch: Dispatch, scoped: bool) -> Case {
    let context = Context::new(CorrelationId::new());
    let log =
        move || dispatcher::with_default(&dispatch, || tracing::info!(rows = 3, "query done"));
    Case::new(name, move || {
        if scoped {
            sync_scope(context.clone(), &log);
        } else {
            log();
        }
    })
}

fn in_span(name: &'static str, dispatch: Dispatch) -> Case {
    let id = CorrelationId::new();
    let span = dispatcher::with_default(&dispatch, || {
        tracing::info_span!("request", correlation_id = id.as_str())
    });
    Case::new(name, move || {
        dispatcher::with_default(&dispatch, || {
            span.in_scope(|| tracing::info!(rows = 3, "query done"));
        });
    })
}

struct Sink;

impl io::Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(std::hint::black_box(bytes).len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
