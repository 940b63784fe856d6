//! The example over loopback, with a WebSocket client.

mod async_graphql;
mod demo;
mod fallback;
mod interleaved;
mod lines;
mod protocol;
mod support;
