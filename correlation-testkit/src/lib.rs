//! The contract of every correlation adapter, stated once and run against each of them.
//!
//! An adapter's `tests/contract.rs` serves the contract app, whose endpoints [`Adapter`] lists,
//! and hands itself to [`run`]:
//!
//! ```no_run
//! use std::net::SocketAddr;
//!
//! use correlation_core::Policy;
//! use correlation_testkit::{Adapter, Gaps};
//!
//! struct Own;
//!
//! impl Adapter for Own {
//!     const NAME: &'static str = "own";
//!
//!     fn start(&self, policy: Policy) -> SocketAddr {
//!         let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
//!         let addr = listener.local_addr().unwrap();
//!         // .. tokio::spawn(serve(listener, policy))
//! #       drop(policy);
//!         addr
//!     }
//!
//!     fn gaps(&self) -> Gaps {
//!         Gaps {
//!             panic_closes_connection: true,
//!             ..Gaps::default()
//!         }
//!     }
//! }
//!
//! #[tokio::test(flavor = "multi_thread")]
//! async fn contract() {
//!     correlation_testkit::run(&Own).await;
//! }
//! # fn main() {}
//! ```
//!
//! The rules for choosing an ID are data, in [`cases`]; what data cannot say is in [`checks`].
//! A new rule is a new case there before it is code anywhere.
//!
//! [`service`] demands the same of a whole process, and adds what only a process has: log records,
//! configuration, signals.
//!
//! Run a second `Adapter` with the middleware applied twice: it must pass all the same.

mod adapter;
mod client;
mod h2c;
mod recorder;
mod report;
mod response;
mod run;
// The table is a test of core in the first place.
#[path = "../../correlation-core/tests/trace_context/vectors/mod.rs"]
mod vectors;
mod websocket;

pub mod cases;
pub mod checks;
pub mod probe;
pub mod service;

pub use adapter::{Adapter, Gaps};
pub use client::{Connection, DEADLINE, NO_HEADERS, request};
pub use h2c::Multiplexed;
pub use recorder::{Recorded, Recorder};
pub use report::Report;
pub use response::Response;
pub use run::{check, run};
pub use websocket::WebSocket;

/// The header that the contract is about.
pub const CORRELATION_ID: &str = "x-correlation-id";

/// What the handler of `/own` sets on its response: an ID of its own, which must not stay, and
/// exposed headers, which must.
pub const OWN_HEADERS: [(&str, &str); 2] = [
    (CORRELATION_ID, "set-by-handler"),
    ("access-control-expose-headers", "x-total"),
];
