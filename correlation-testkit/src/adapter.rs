//! The server that the contract runs against.

use std::net::SocketAddr;

use correlation_core::Policy;
use tokio::net::TcpListener;

/// A server adapter that serves the contract app under a policy.
///
/// # The contract app
///
/// Bodies come from [`app`](crate::app) unless the table says otherwise, so an app is a route
/// table. "Ambient" is what `correlation_core::current()` reads. `/log`, `/relay` and `/test` are
/// for [`service`](crate::service), which runs an app as a process.
///
/// | request | answer |
/// |---|---|
/// | `GET /id` | the ambient ID |
/// | `GET /extract` | the ID from the framework's own extractor or guard |
/// | `GET /inbound` | JSON: ID, source, untrusted ID, trace-id |
/// | `GET /sleepy?steps=K&ms=M` | JSON array: the ambient ID after each of K waits |
/// | `GET /stream?chunks=N` | streamed: N lines, the ambient ID when each is produced |
/// | `GET /spawn` | JSON: the ambient ID in tasks and threads |
/// | `GET /log?n=N&say=TEXT` | the ambient ID; writes N records with each of the two loggers, that end with TEXT |
/// | `GET /relay?path=P` | what `DOWNSTREAM` answers, called with the outbound client of the adapter |
/// | `POST /test` | JSON `[]`; makes the calls that the body asks for: `[{"url": "..", "arguments": []}]` |
/// | `GET /seen` | the request's `x-correlation-id` as the handler sees it, or `none` |
/// | `GET /own` | the ambient ID; the handler sets the headers [`OWN_HEADERS`](crate::app::OWN_HEADERS) |
/// | `GET /opaque` | the ambient ID; the handler sets the header [`OPAQUE_HEADER`](crate::app::OPAQUE_HEADER) |
/// | `GET /empty/S` | status S and an empty body, by the usual means of the framework |
/// | `GET /fail` | 500: the handler returns an error, where the framework has it |
/// | `GET /panic` | the handler panics |
/// | `GET /ws` | WebSocket: answers each text message with the ambient ID |
/// | `GET /hang?name=X` | [`probe::hang`](crate::probe::hang) |
/// | `GET /hang-stream?name=X` | streamed: [`probe::hang_stream`](crate::probe::hang_stream) |
/// | anything else | 404 |
pub trait Adapter {
    /// The name under which failures are reported.
    const NAME: &'static str;

    /// The route of `/empty/S` as the framework writes it, or `None` if the framework does not
    /// expose routes.
    const ROUTE: Option<&'static str>;

    /// Serves the contract app on a free loopback port, and returns once it listens.
    ///
    /// The adapter may run in separate threads or in the current tokio runtime. It may run until
    /// the process ends.
    ///
    /// The adapter must know the address of the peer, because some policies trust by it. Some
    /// frameworks pass it on only when asked.
    fn start(&self, policy: Policy) -> SocketAddr;

    /// Returns the points where the framework makes it impossible to keep the contract exactly.
    fn gaps(&self) -> Gaps {
        Gaps::default()
    }
}

/// Documented deviations. Each one names what the adapter does *instead*, and the contract checks
/// that. If a gap closes, the suite fails, so no gap outlives its reason.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Gaps {
    /// A panicking handler closes the connection, where others answer 500.
    pub panic_closes_connection: bool,
    /// A handler runs to its end although its client has disconnected, where others drop it.
    pub handler_not_cancelled: bool,
    /// A handler that is dropped early reads no ID in its destructors, where others read their own.
    pub cancelled_handler_reads_none: bool,
    /// A request that matches no route (404, 405, a bad query) is answered without an ID.
    pub no_header_on_unmatched: bool,
    /// A wrong method is a 404, where others answer 405.
    pub wrong_method_is_404: bool,
    /// A query string that does not parse is a 422, where others answer 400.
    pub bad_query_is_422: bool,
    /// Header lines that are not UTF-8 never reach the adapter. Another line of the same header
    /// beside one of them looks like a single one.
    pub drops_non_utf8_headers: bool,
    /// No HTTP/2 without TLS.
    pub no_h2c: bool,
    /// No WebSocket: `/ws` is a 404.
    pub no_websocket: bool,
}

impl Gaps {
    pub(crate) fn wrong_method(&self) -> u16 {
        if self.wrong_method_is_404 { 404 } else { 405 }
    }

    pub(crate) fn bad_query(&self) -> u16 {
        if self.bad_query_is_422 { 422 } else { 400 }
    }
}

/// Listens on a free loopback port, in the current runtime.
///
/// # Panics
///
/// If no port is free.
pub fn listen() -> (TcpListener, SocketAddr) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.set_nonblocking(true).expect("a socket for tokio");
    let addr = listener.local_addr().expect("a bound socket");
    let listener = TcpListener::from_std(listener).expect("a runtime");
    (listener, addr)
}
