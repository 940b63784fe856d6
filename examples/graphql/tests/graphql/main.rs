//! The example over loopback, with a WebSocket client.

mod demo;
mod fallback;
mod interleaved;
mod lines;
mod support;
