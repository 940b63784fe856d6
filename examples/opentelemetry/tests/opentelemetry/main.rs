//! The example over loopback, with the real SDK.

mod beside;
mod demo;
mod is_trace_id;
mod lines;
mod support;
