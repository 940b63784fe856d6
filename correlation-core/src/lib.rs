#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]
// Code that is copied from the documentation leaves no `Result` unused.
#![doc(test(attr(deny(unused_must_use))))]

pub mod adapter;
mod context;
mod diagnostics;
mod foreign;
mod id;
mod inbound;
mod lines;
mod names;
mod outbound;
#[cfg(feature = "testing")]
pub mod testing;
mod trace_context;

// The ID.
pub use id::{CorrelationId, Generator, InvalidId};

// The context, and how it is carried from one piece of code to the next.
pub use context::{
    Context, InCurrent, Origin, Scoped, Snapshot, bind, carry, current, detached, scope, snapshot,
    sync_scope, with_current,
};
#[cfg(feature = "tokio")]
pub use context::{inherit_on_spawn, spawn, spawn_blocking};

// Requests and messages on their way in.
#[cfg(feature = "serde")]
pub use inbound::CarriedOrBare;
pub use inbound::{
    Caller, Carried, Policy, Source, Trust, continue_from, extract, extract_with, from_env,
};
pub use trace_context::{TraceContext, TraceId};

// What carries an ID, in and out.
pub use context::{Extractor, Injector};

// Calls and messages on their way out.
pub use outbound::{Targets, inject, inject_with, propagate_to};

// Log lines.
#[cfg(any(feature = "log", feature = "tracing"))]
pub use lines::LogWriter;
#[cfg(feature = "log")]
pub use lines::log;
pub use lines::panic_hook as panic;
#[cfg(feature = "init")]
pub use lines::tracing::init as tracing;
#[cfg(feature = "tracing")]
pub use lines::tracing::{Tag, tag};

// Errors of the configuration.
pub use diagnostics::InvalidSetting;
