//! The ambient context: read, polled, made.

use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Waker};

use correlation_core::{Context, CorrelationId, current, scope, sync_scope, with_current};

use super::SENT;
use super::by_hand::SHARED;
use crate::Group;
use crate::run::ready;

pub(crate) fn groups() -> Vec<Group> {
    vec![read(), poll(), make()]
}

const TIMES: u32 = 100;

fn times<R>(mut f: impl FnMut() -> R) {
    for _ in 0..TIMES {
        drop(std::hint::black_box(f()));
    }
}

fn read() -> Group {
    let group = Group::new(
        "ambient, read in a scope",
        "A hundred reads in one scope, for one read. Each gives something to keep, and drops it; \
         ID alone, a whole context, or in the peers' case whatever they have.",
    )
    .per(TIMES)
    .peer("task_local Arc<str>, cloned", || {
        || SHARED.sync_scope(SENT.into(), || times(|| SHARED.with(Arc::clone)))
    })
    .peer("task_local Arc<str>, length only", || {
        || SHARED.sync_scope(SENT.into(), || times(|| SHARED.with(|id| id.len())))
    })
    .ours("current()", || {
        || sync_scope(CorrelationId::new(), || times(current))
    })
    .ours("with_current, length only", || {
        || {
            sync_scope(CorrelationId::new(), || {
                times(|| with_current(|id| id.map(str::len)));
            });
        }
    })
    .ours("Context::current()", || {
        || sync_scope(CorrelationId::new(), || times(Context::current))
    });
    #[cfg(feature = "peers")]
    let group = group
        .peer("OTel Context::current()", || {
            let context = peers::otel();
            move || {
                let _attached = context.clone().attach();
                times(opentelemetry::Context::current);
            }
        })
        .peer("OTel Context::map_current, a value", || {
            let context = peers::otel();
            move || {
                let _attached = context.clone().attach();
                times(|| {
                    opentelemetry::Context::map_current(|it| {
                        it.get::<peers::Id>().map(|id| id.0.len())
                    })
                });
            }
        })
        .peer("tracing Span::current()", || {
            let (dispatch, span) = peers::span();
            move || {
                tracing::dispatcher::with_default(&dispatch, || {
                    span.in_scope(|| times(tracing::Span::current));
                });
            }
        })
        .peer("fastrace current_local_parent", || {
            peers::fastrace();
            let root = fastrace::Span::root("request", fastrace::prelude::SpanContext::random());
            move || {
                let _entered = root.set_local_parent();
                times(fastrace::prelude::SpanContext::current_local_parent);
            }
        });
    group
}

fn poll() -> Group {
    let group = Group::new(
        "ambient, a poll",
        "A hundred polls of one future that stays pending, for one poll.",
    )
    .per(TIMES)
    .against("task_local Arc<str>")
    .bare("no scope", || polls(pending::<()>()))
    .ours("scope", || {
        polls(scope(CorrelationId::new(), pending::<()>()))
    })
    .peer("task_local Arc<str>", || {
        polls(SHARED.scope(SENT.into(), pending::<()>()))
    });
    #[cfg(feature = "peers")]
    let group = group
        .peer("OTel with_context", || {
            use opentelemetry::context::FutureExt as _;

            polls(pending::<()>().with_context(peers::otel()))
        })
        .peer("tracing instrument, fmt", || {
            use tracing::Instrument as _;

            let (dispatch, span) = peers::span();
            let mut polls = polls(pending::<()>().instrument(span));
            move || tracing::dispatcher::with_default(&dispatch, &mut polls)
        })
        .peer("fastrace in_span", || {
            use fastrace::future::FutureExt as _;

            peers::fastrace();
            let root = fastrace::Span::root("request", fastrace::prelude::SpanContext::random());
            polls(pending::<()>().in_span(root))
        });
    group
}

fn polls<F: Future + 'static>(future: F) -> impl FnMut() {
    let mut future: Pin<Box<F>> = Box::pin(future);
    move || {
        let mut cx = TaskContext::from_waker(Waker::noop());
        times(|| future.as_mut().poll(&mut cx).is_ready());
    }
}

fn make() -> Group {
    let group = Group::new(
        "ambient, a scope from start to end",
        "Made around a future that is ready at its first poll, polled, dropped. The ID or span is \
         new each time for tracing and fastrace, and cloned for the others.",
    )
    .against("task_local Arc<str>")
    .bare("no scope", || || ready(async {}))
    .ours("scope", || {
        let context = Context::from(CorrelationId::new());
        move || ready(scope(context.clone(), async {}))
    })
    .ours("sync_scope", || {
        let context = Context::from(CorrelationId::new());
        move || sync_scope(context.clone(), || ())
    })
    .peer("task_local Arc<str>", || {
        let id: Arc<str> = SENT.into();
        move || ready(SHARED.scope(Arc::clone(&id), async {}))
    });
    #[cfg(feature = "peers")]
    let group = group
        .peer("OTel with_context", || {
            use opentelemetry::context::FutureExt as _;

            let context = peers::otel();
            move || ready(async {}.with_context(context.clone()))
        })
        .peer("tracing info_span of one field, fmt", || {
            use tracing::Instrument as _;

            let (dispatch, _) = peers::span();
            move || {
                tracing::dispatcher::with_default(&dispatch, || {
                    let span = tracing::info_span!("request", correlation_id = SENT);
                    ready(async {}.instrument(span));
                });
            }
        })
        .peer("fastrace root in_span", || {
            use fastrace::future::FutureExt as _;

            peers::fastrace();
            || {
                let root =
                    fastrace::Span::root("request", fastrace::prelude::SpanContext::random());
                ready(async {}.in_span(root));
            }
        });
    group
}

#[cfg(feature = "peers")]
mod peers {
    use std::sync::Arc;

    use fastrace::collector::{Config, Reporter, SpanRecord};
    use tracing::{Dispatch, Span, dispatcher};

    use super::SENT;

    pub(super) struct Id(pub(super) Arc<str>);

    pub(super) fn otel() -> opentelemetry::Context {
        opentelemetry::Context::new().with_value(Id(SENT.into()))
    }

    pub(super) fn span() -> (Dispatch, Span) {
        let dispatch = Dispatch::new(
            tracing_subscriber::fmt()
                .with_writer(std::io::sink)
                .finish(),
        );
        let span = dispatcher::with_default(&dispatch, || {
            tracing::info_span!("request", correlation_id = SENT)
        });
        (dispatch, span)
    }

    /// Without a reporter its spans do nothing.
    pub(super) fn fastrace() {
        struct Nowhere;

        impl Reporter for Nowhere {
            fn report(&mut self, _: Vec<SpanRecord>) {}
        }

        fastrace::set_reporter(Nowhere, Config::default());
    }
}
