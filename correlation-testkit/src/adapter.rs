//! What the contract runs against.

use std::net::SocketAddr;

use correlation_core::Policy;

/// A server adapter, as the contract sees it: something that serves the contract app under a
/// policy.
///
/// # The contract app
///
/// Bodies come from `service_common::answers` unless the table says otherwise, so an app is a
/// route table. "Ambient" is what `correlation_core::current()` reads.
///
/// | request | answer |
/// |---|---|
/// | `GET /id` | the ambient ID |
/// | `GET /extract` | the ID from the framework's own extractor or guard |
/// | `GET /inbound` | JSON: ID, source, upstream ID, trace-id |
/// | `GET /sleepy?steps=K&ms=M` | JSON array: the ambient ID after each of K waits |
/// | `GET /stream?chunks=N` | streamed: N lines, the ambient ID when each is produced |
/// | `GET /spawn` | JSON: the ambient ID in tasks and threads |
/// | `GET /seen` | the request's `x-correlation-id` as the handler sees it, or `none` |
/// | `GET /own` | the ambient ID; the handler sets the headers [`OWN_HEADERS`](crate::OWN_HEADERS) |
/// | `GET /fail` | 500: the handler returns an error, where the framework has it |
/// | `GET /panic` | the handler panics |
/// | `GET /ws` | WebSocket: answers each text message with the ambient ID |
/// | `GET /hang?name=X` | [`probe::hang`](crate::probe::hang) |
/// | `GET /hang-stream?name=X` | streamed: [`probe::hang_stream`](crate::probe::hang_stream) |
/// | anything else | 404 |
pub trait Adapter {
    /// What failures are reported under.
    const NAME: &'static str;

    /// Serves the contract app on a free loopback port and returns once it listens. Whether it
    /// runs in threads of its own or in the current tokio runtime is up to the adapter; it may
    /// run until the process ends.
    ///
    /// The adapter must know the address of the peer, which some frameworks pass on only when
    /// asked to: there are policies that trust by it.
    fn start(&self, policy: Policy) -> SocketAddr;

    /// Where the framework makes it impossible to keep the contract to the letter.
    fn gaps(&self) -> Gaps {
        Gaps::default()
    }
}

/// Documented deviations. Each names what the adapter does *instead*, and the contract checks
/// that: a gap that closes turns the suite red, so it cannot outlive its reason.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Gaps {
    /// A panicking handler closes the connection, where others answer 500.
    pub panic_closes_connection: bool,
    /// A handler runs to its end although its client has gone, where others drop it.
    pub handler_not_cancelled: bool,
    /// A handler that is dropped early reads no ID in its destructors, where others read theirs.
    pub cancelled_handler_reads_none: bool,
    /// What no route matches (404, 405, a bad query) is answered without an ID.
    pub no_header_on_unmatched: bool,
    /// A wrong method is a 404, where others answer 405.
    pub wrong_method_is_404: bool,
    /// A query string that does not parse is a 422, where others answer 400.
    pub bad_query_is_422: bool,
    /// Header lines that are not UTF-8 never reach the adapter: beside one of them, another line
    /// of the same header looks single.
    pub drops_non_utf8_headers: bool,
    /// No HTTP/2 without TLS.
    pub no_h2c: bool,
    /// No WebSocket: `/ws` is a 404.
    pub no_websocket: bool,
}
