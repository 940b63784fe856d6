#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod access;
mod carrier;
mod context;
mod error;
mod events;
mod generator;
mod header;
#[cfg(feature = "http")]
pub mod http;
mod id;
#[cfg(any(feature = "log", feature = "tracing"))]
mod line;
#[cfg(feature = "log")]
pub mod log;
#[cfg(any(feature = "log", feature = "tracing"))]
pub mod panic;
mod policy;
mod source;
mod targets;
#[cfg(feature = "tokio")]
mod task;
mod trace_context;
#[cfg(feature = "tracing")]
pub mod tracing;

pub use access::Access;
pub use carrier::{
    Carried, Extractor, Injector, PropagateEnv, continue_from, extract, extract_with, from_env,
    inject, inject_with,
};
pub use context::{Context, InCurrent, Scoped, bind, carry, current, detached, scope, sync_scope};
pub use error::InvalidId;
pub use generator::Generator;
pub use id::CorrelationId;
pub use policy::{
    Caller, InvalidPolicy, OnInvalid, OnMissing, Parser, Policy, Predicate, Rejected, Trust,
};
pub use source::Source;
pub use targets::{InvalidTarget, Targets};
#[cfg(feature = "tokio")]
pub use task::{TaskContext, spawn, spawn_blocking};
pub use trace_context::{NewTraces, TraceContext, TraceId, UnknownTraceContext};
#[cfg(feature = "tracing")]
pub use tracing::{Tag, tag};
