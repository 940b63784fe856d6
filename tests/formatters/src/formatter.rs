use correlation_core::tag;
use tracing_bunyan_formatter::{BunyanFormattingLayer, JsonStorageLayer};
use tracing_ecs::ECSLayerBuilder;
use tracing_glog::{Glog, GlogFields};
use tracing_subscriber::filter::EnvFilter;
use tracing_subscriber::layer::{Layered, SubscriberExt};
use tracing_subscriber::{Layer, Registry};
use tracing_tree::HierarchicalLayer;

use crate::{Capture, Logger};

/// One way to print what `tracing` hands over.
#[derive(Clone, Copy, Debug)]
pub struct Formatter {
    /// As in the table of the README.
    pub name: &'static str,
    /// What a line of it is.
    pub form: Form,
    /// Sets it up with [`correlation_core::tag`]: copy the body, with a writer of your own.
    pub logger: fn(Capture) -> Logger,
}

/// What a line is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Form {
    /// The ID stands at its end.
    Text,
    /// One object a line; the ID is its first key.
    Json,
}

/// All formatters, in the order of the README.
pub const ALL: [Formatter; 14] = [
    text("fmt, full", full),
    text("fmt, compact", compact),
    text("fmt, pretty", pretty),
    json("fmt, JSON", fmt_json),
    json("fmt, JSON flattened", fmt_json_flattened),
    json("json-subscriber", json_subscriber),
    text("tracing-logfmt", logfmt),
    json("tracing-bunyan-formatter", bunyan),
    json("tracing-ecs", ecs),
    json("tracing-logstash", logstash),
    json("tracing-stackdriver", stackdriver),
    text("tracing-tree", tree),
    text("tracing-glog", glog),
    json("tracing-appender, non-blocking", non_blocking),
];

const fn text(name: &'static str, logger: fn(Capture) -> Logger) -> Formatter {
    let form = Form::Text;
    Formatter { name, form, logger }
}

const fn json(name: &'static str, logger: fn(Capture) -> Logger) -> Formatter {
    let form = Form::Json;
    Formatter { name, form, logger }
}

/// What many have in `RUST_LOG`: their own code, and silence for the crates they use. No span of
/// such a crate exists then, at any level, and with it goes every field it has.
fn filter() -> EnvFilter {
    EnvFilter::new("info,adapter=off")
}

fn full(sink: Capture) -> Logger {
    tracing_subscriber::fmt()
        .with_env_filter(filter())
        .with_ansi(false)
        .with_writer(sink)
        .map_writer(tag)
        .finish()
        .into()
}

fn compact(sink: Capture) -> Logger {
    tracing_subscriber::fmt()
        .compact()
        .with_env_filter(filter())
        .with_ansi(false)
        .with_writer(sink)
        .map_writer(tag)
        .finish()
        .into()
}

fn pretty(sink: Capture) -> Logger {
    tracing_subscriber::fmt()
        .pretty()
        .with_env_filter(filter())
        .with_ansi(false)
        .with_writer(sink)
        .map_writer(tag)
        .finish()
        .into()
}

fn fmt_json(sink: Capture) -> Logger {
    tracing_subscriber::fmt()
        .json()
        .with_env_filter(filter())
        .with_writer(sink)
        .map_writer(tag)
        .finish()
        .into()
}

fn fmt_json_flattened(sink: Capture) -> Logger {
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_span_list(false)
        .with_env_filter(filter())
        .with_writer(sink)
        .map_writer(tag)
        .finish()
        .into()
}

fn json_subscriber(sink: Capture) -> Logger {
    layer(json_subscriber::layer().with_writer(sink).map_writer(tag))
}

fn logfmt(sink: Capture) -> Logger {
    layer(
        tracing_logfmt::builder()
            .layer()
            .with_writer(sink)
            .map_writer(tag),
    )
}

fn bunyan(sink: Capture) -> Logger {
    layer(JsonStorageLayer.and_then(BunyanFormattingLayer::new("shop".into(), tag(sink))))
}

fn ecs(sink: Capture) -> Logger {
    layer(ECSLayerBuilder::default().build_with_writer(tag(sink)))
}

fn logstash(sink: Capture) -> Logger {
    layer(tracing_logstash::Layer::default().with_writer(tag(sink)))
}

fn stackdriver(sink: Capture) -> Logger {
    layer(tracing_stackdriver::layer().with_writer(tag(sink)))
}

fn tree(sink: Capture) -> Logger {
    layer(
        HierarchicalLayer::new(2)
            .with_ansi(false)
            .with_writer(tag(sink)),
    )
}

fn glog(sink: Capture) -> Logger {
    layer(
        tracing_subscriber::fmt::layer()
            .event_format(Glog::default())
            .fmt_fields(GlogFields::default())
            .with_ansi(false)
            .with_writer(sink)
            .map_writer(tag),
    )
}

fn non_blocking(sink: Capture) -> Logger {
    let (non_blocking, worker) = tracing_appender::non_blocking(sink);
    let subscriber = tracing_subscriber::fmt()
        .json()
        .with_env_filter(filter())
        .with_writer(tag(non_blocking))
        .finish();
    Logger {
        _worker: Some(worker),
        ..subscriber.into()
    }
}

fn layer(layer: impl Layer<Layered<EnvFilter, Registry>> + Send + Sync) -> Logger {
    Registry::default().with(filter()).with(layer).into()
}
