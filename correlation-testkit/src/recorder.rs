//! The other end of a call, for the tests of HTTP clients.

use std::collections::HashSet;
use std::ops::Deref;
use std::sync::{Mutex, PoisonError};

use correlation_core::adapter::names::X_CORRELATION_ID;
use correlation_core::testing::{CallRecorder, RecordedCall};
use serde_json::Value;

/// A [`CallRecorder`] with the answers that the contracts need.
#[derive(Debug)]
pub struct Recorder(CallRecorder);

impl Deref for Recorder {
    type Target = CallRecorder;

    fn deref(&self) -> &CallRecorder {
        &self.0
    }
}

impl Recorder {
    /// Answers each request with the result of `answer`: see [`CallRecorder::answering`].
    #[must_use]
    pub fn start(answer: impl Fn(&RecordedCall) -> String + Send + Sync + 'static) -> Self {
        Self(CallRecorder::answering(answer))
    }

    /// Answers 200.
    #[must_use]
    pub fn ok() -> Self {
        Self(CallRecorder::start())
    }

    /// Answers with this status and `Location`.
    #[must_use]
    pub fn redirect(status: u16, location: impl Into<String>) -> Self {
        let location = location.into();
        Self::start(move |_| format!("{status} Go\r\nLocation: {location}"))
    }

    /// Answers 503 to the first two requests, and then 200, for a client that retries.
    #[must_use]
    pub fn flaky() -> Self {
        let seen = Mutex::new(0);
        Self::start(move |_| {
            let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
            *seen += 1;
            let status = if *seen < 3 { "503 Later" } else { "200 OK" };
            status.to_owned()
        })
    }

    /// Redirects `/first/N` to `/second/N`, and answers 200 to all other paths, for many calls at a
    /// time.
    #[must_use]
    pub fn two_hops() -> Self {
        Self::start(|request| match request.path().split_once("/first/") {
            Some((_, call)) => format!("307 Go\r\nLocation: /second/{call}"),
            None => "200 OK".to_owned(),
        })
    }

    /// Returns its URL with a host name. For a client, that is another host on the same machine.
    #[must_use]
    pub fn other_url(&self) -> String {
        format!("http://localhost:{}/", self.port())
    }

    /// Returns the IDs of all requests in the order of their arrival, with `-` for a request
    /// without one.
    #[must_use]
    pub fn ids(&self) -> Vec<String> {
        self.calls().iter().map(Sent::id).collect()
    }

    /// Checks that call number N of this many calls to [`two_hops`](Self::two_hops) had the ID
    /// `click-N` on both hops.
    ///
    /// # Panics
    ///
    /// If a call had another ID or none, or did not arrive.
    pub fn assert_none_crossed(&self, calls: usize) {
        let mut seen = HashSet::new();
        for request in self.calls() {
            let path = request.path();
            let call = path.rsplit('/').next().unwrap_or_default();
            let ids = request.values(X_CORRELATION_ID);
            assert_eq!(ids, [format!("click-{call}")], "the ID of {path}");
            seen.insert(path.to_owned());
        }
        assert_eq!(seen.len(), 2 * calls, "both hops of every call");
    }
}

/// The questions of the contracts about a call.
pub trait Sent {
    /// Returns the ID, or `-` if there is none.
    ///
    /// # Panics
    ///
    /// If there are several.
    fn id(&self) -> String;

    /// Returns whether a header or the request line contains this text.
    fn mentions(&self, text: &str) -> bool;

    /// Returns the body as JSON, or `null` if it is not JSON.
    fn json(&self) -> Value;
}

impl Sent for RecordedCall {
    fn id(&self) -> String {
        let ids = self.values(X_CORRELATION_ID);
        assert!(ids.len() < 2, "the ID is sent once: {ids:?}");
        ids.into_iter().next().unwrap_or_else(|| "-".to_owned())
    }

    fn mentions(&self, text: &str) -> bool {
        let mut values = self.headers.iter().map(|(_, value)| value);
        self.line.contains(text) || values.any(|value| value.contains(text))
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}
