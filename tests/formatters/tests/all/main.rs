//! What real formatters print, each with [`correlation_core::tag`] around its writer.

mod json;
mod line;
mod matrix;
mod order;
mod reentry;
mod unusual;

use correlation_core::{Context, CorrelationId};

/// An ID that nothing else in a line looks like.
const ID: &str = "click-7";

fn id() -> CorrelationId {
    correlation_testkit::id(ID)
}

fn request() -> Context {
    Context::from(id())
}
