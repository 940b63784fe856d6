//! The contract of every correlation adapter, stated once and run against each of them.
//!
//! `tests/conformance` has the contract app for each adapter, with the endpoints that [`Adapter`]
//! lists, and hands each of them to [`run`]:
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
//!     const ROUTE: Option<&'static str> = None;
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
//! The rules for choosing an ID are data, in [`cases`]. Rules that data cannot express are in
//! [`checks`]. A new rule is a new case there before it is code anywhere.
//!
//! [`client_contract`] is the contract of HTTP clients.
//!
//! [`service`] checks the same for a whole process. It also checks the parts that only a process
//! has: log records, configuration and signals.
//!
//! Run a second `Adapter` with the middleware applied twice. It must pass too.

#[cfg(feature = "server")]
mod adapter;
mod capture;
#[cfg(feature = "server")]
mod client;
#[cfg(feature = "server")]
mod h2c;
#[cfg(feature = "client")]
mod recorder;
#[cfg(feature = "server")]
mod report;
#[cfg(feature = "server")]
mod response;
#[cfg(feature = "server")]
mod run;
#[cfg(feature = "server")]
mod websocket;

#[cfg(feature = "server")]
pub mod app;
#[cfg(feature = "server")]
pub mod cases;
#[cfg(feature = "server")]
pub mod checks;
pub mod client_cases;
#[cfg(feature = "client")]
pub mod client_contract;
pub mod json;
#[cfg(feature = "server")]
pub mod probe;
pub mod process;
#[cfg(unix)]
pub mod server;
#[cfg(feature = "server")]
pub mod service;
pub mod services;
pub mod vectors;

#[cfg(feature = "server")]
pub use adapter::{Adapter, Gaps, listen};
pub use capture::Capture;
#[cfg(feature = "server")]
pub use client::{Connection, DEADLINE, NO_HEADERS, request};
#[cfg(feature = "client")]
pub use correlation_core::testing::RecordedCall;
#[cfg(feature = "server")]
pub use h2c::Multiplexed;
#[cfg(feature = "client")]
pub use recorder::{Recorder, Sent};
#[cfg(feature = "server")]
pub use report::Report;
#[cfg(feature = "server")]
pub use response::Response;
#[cfg(feature = "server")]
pub use run::{check, run};
pub use services::require_service;
#[cfg(feature = "server")]
pub use websocket::WebSocket;

use correlation_core::{Context, CorrelationId, Policy, Source};

/// The header that the contract is about.
pub const CORRELATION_ID: &str = "x-correlation-id";

/// A `traceparent` that a caller sends.
pub const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// The trace-id of [`TRACE`].
pub const TRACE_ID: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// Returns the context of a request with this ID, [`TRACE`] and the `tracestate` `a=1`.
#[must_use]
pub fn received(policy: &Policy, id: &str) -> Context {
    let headers = [
        (CORRELATION_ID, id),
        ("traceparent", TRACE),
        ("tracestate", "a=1"),
    ];
    let lines = || headers.map(|(name, value)| (name, value.as_bytes()));
    policy.receive(lines, None).into_context()
}

/// Returns every source that core has, as in the policy of a gateway in front of many systems.
#[must_use]
pub fn every_source() -> [Source; 7] {
    [
        Source::header("X-Correlation-ID"),
        Source::header("X-Request-ID"),
        Source::TRACEPARENT,
        Source::B3,
        Source::AMZN_TRACE_ID,
        Source::CLOUD_TRACE_CONTEXT,
        Source::DOTNET_REQUEST_ID,
    ]
}

/// Returns an ID with this text.
///
/// # Panics
///
/// If the text is not a valid ID.
#[must_use]
pub fn id(text: &str) -> CorrelationId {
    text.parse().expect("a valid ID")
}
