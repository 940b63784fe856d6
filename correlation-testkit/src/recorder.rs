//! The other end of a call: what the tests of HTTP clients talk to.

use std::collections::HashSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// An HTTP/1.1 server on 127.0.0.1 that keeps every request it got, as it was on the wire.
///
/// It takes one request per connection, and stops with the process.
#[derive(Debug)]
pub struct Recorder {
    port: u16,
    requests: Arc<Mutex<Vec<Recorded>>>,
}

impl Recorder {
    /// Answers each request with what `answer` says: the status line, and header lines if any,
    /// each with its end of line.
    #[must_use]
    pub fn start(answer: impl Fn(&Recorded) -> String + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("a bound port").port();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let kept = requests.clone();
        thread::spawn(move || {
            // A client that goes away has seen what it wanted.
            for stream in listener.incoming().flatten() {
                let _ = serve(stream, &kept, &answer);
            }
        });
        Self { port, requests }
    }

    /// Answers 200.
    #[must_use]
    pub fn ok() -> Self {
        Self::start(|_| "200 OK\r\n".to_owned())
    }

    /// Answers with this status and `Location`.
    #[must_use]
    pub fn redirect(status: u16, location: impl Into<String>) -> Self {
        let location = location.into();
        Self::start(move |_| format!("{status} Go\r\nLocation: {location}\r\n"))
    }

    /// Answers 503 to the first two requests, then 200: for a client that tries again.
    #[must_use]
    pub fn flaky() -> Self {
        let seen = Mutex::new(0);
        Self::start(move |_| {
            let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
            *seen += 1;
            let status = if *seen < 3 { "503 Later" } else { "200 OK" };
            format!("{status}\r\n")
        })
    }

    /// Sends `/first/N` on to `/second/N`, and answers 200 to all else: for many calls at a time.
    #[must_use]
    pub fn two_hops() -> Self {
        Self::start(|request| match request.line.split_once("/first/") {
            Some((_, rest)) => {
                let call = rest.trim_end_matches(" HTTP/1.1");
                format!("307 Go\r\nLocation: /second/{call}\r\n")
            }
            None => "200 OK\r\n".to_owned(),
        })
    }

    /// Its port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Its URL by address.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    /// Its URL by name: for a client another host, on the same machine.
    #[must_use]
    pub fn other_url(&self) -> String {
        format!("http://localhost:{}/", self.port)
    }

    /// Everything that was asked so far. A request is here before its answer leaves.
    #[must_use]
    pub fn requests(&self) -> Vec<Recorded> {
        let requests = self.requests.lock();
        requests.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The IDs of all requests, in the order they came; none for a request without one.
    #[must_use]
    pub fn ids(&self) -> Vec<Option<String>> {
        let requests = self.requests();
        let ids = requests.iter().map(|request| {
            let ids = request.values(crate::CORRELATION_ID);
            assert!(ids.len() < 2, "the ID is sent once: {ids:?}");
            ids.first().map(|&id| id.to_owned())
        });
        ids.collect()
    }

    /// Of that many calls to [`two_hops`](Self::two_hops), number N had the ID `click-N` on both.
    ///
    /// # Panics
    ///
    /// If one had another ID or none, or did not come.
    pub fn assert_none_crossed(&self, calls: usize) {
        let mut seen = HashSet::new();
        for request in self.requests() {
            let path = request.line.split(' ').nth(1).unwrap_or_default();
            let call = path.rsplit('/').next().unwrap_or_default();
            let ids = request.values(crate::CORRELATION_ID);
            assert_eq!(ids, [format!("click-{call}")], "the ID of {path}");
            seen.insert(path.to_owned());
        }
        assert_eq!(seen.len(), 2 * calls, "both hops of every call");
    }
}

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// The request line.
    pub line: String,
    /// Names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The body, as far as `Content-Length` announces one.
    pub body: Vec<u8>,
}

impl Recorded {
    /// The value of each line of this header.
    #[must_use]
    pub fn values(&self, name: &str) -> Vec<&str> {
        let lines = self.headers.iter().filter(|(known, _)| known == name);
        lines.map(|(_, value)| value.as_str()).collect()
    }

    fn read(stream: &TcpStream) -> std::io::Result<Self> {
        let mut reader = BufReader::new(stream);
        let mut lines = reader.by_ref().lines();
        let line = lines.next().unwrap_or_else(|| Ok(String::new()))?;
        let mut headers = Vec::new();
        for line in lines {
            let line = line?;
            let Some((name, value)) = line.split_once(':') else {
                break;
            };
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let mut recorded = Self {
            line,
            headers,
            body: Vec::new(),
        };
        let length = recorded.values("content-length").first().copied();
        recorded.body = vec![0; length.and_then(|length| length.parse().ok()).unwrap_or(0)];
        reader.read_exact(&mut recorded.body)?;
        Ok(recorded)
    }
}

fn serve(
    mut stream: TcpStream,
    kept: &Mutex<Vec<Recorded>>,
    answer: &impl Fn(&Recorded) -> String,
) -> std::io::Result<()> {
    let request = Recorded::read(&stream)?;
    // A connection that was opened and not used is no request.
    if request.line.is_empty() {
        return Ok(());
    }
    let answer = answer(&request);
    let mut requests = kept.lock().unwrap_or_else(PoisonError::into_inner);
    requests.push(request);
    drop(requests);
    write!(
        stream,
        "HTTP/1.1 {answer}Content-Length: 0\r\nConnection: close\r\n\r\n"
    )
}
