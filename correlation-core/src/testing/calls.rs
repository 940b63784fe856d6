//! Records the calls of a test.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use crate::names::X_CORRELATION_ID;

/// An HTTP/1.1 server on 127.0.0.1 that stands for another service. It keeps every request that it
/// gets, as it was on the wire, and runs until the process ends.
///
/// ```
/// use correlation_core::testing::CallRecorder;
/// use std::io::{Read, Write};
///
/// let stock = CallRecorder::start();
/// // Your service makes the call. Here it is a plain socket.
/// let mut stream = std::net::TcpStream::connect(("127.0.0.1", stock.port())).unwrap();
/// stream.write_all(b"GET /stock HTTP/1.1\r\nx-correlation-id: test-1\r\n\r\n").unwrap();
/// assert_ne!(stream.read(&mut [0; 256]).unwrap(), 0);
///
/// stock.assert_all("test-1");
/// assert_eq!(stock.calls()[0].path(), "/stock");
/// ```
///
/// For answers that need more than a status, headers and a body, use a mock server such as
/// `wiremock`.
#[derive(Clone, Debug)]
pub struct CallRecorder {
    port: u16,
    calls: Arc<Mutex<Vec<RecordedCall>>>,
}

impl CallRecorder {
    /// Starts a server that answers `200 OK` to every request.
    ///
    /// # Panics
    ///
    /// If there is no free port.
    #[must_use]
    pub fn start() -> Self {
        Self::answering(|_| "200 OK".to_owned())
    }

    /// Starts a server that answers each request with the text that `answer` returns.
    ///
    /// The text has the status line without the version, then header lines if any, and the body
    /// after an empty line: `404 Not Found\r\n\r\nno such item`. An empty text closes the
    /// connection.
    ///
    /// # Panics
    ///
    /// If there is no free port.
    #[must_use]
    pub fn answering(answer: impl Fn(&RecordedCall) -> String + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("no free port on 127.0.0.1");
        let port = listener.local_addr().expect("a bound port").port();
        let calls = Arc::default();
        let (kept, answer) = (Arc::clone(&calls), Arc::new(answer));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (kept, answer) = (Arc::clone(&kept), Arc::clone(&answer));
                // If the client disconnects, it has already seen what it wanted.
                thread::spawn(move || serve(&stream, &kept, &*answer).ok());
            }
        });
        Self { port, calls }
    }

    /// Returns the port of the server.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Returns the URL of the server, with a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    /// Returns the calls so far, the oldest first. A call is recorded before its answer is sent.
    #[must_use]
    pub fn calls(&self) -> Vec<RecordedCall> {
        let calls = self.calls.lock();
        calls.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns the calls since the last `take`, and forgets them.
    #[must_use]
    pub fn take(&self) -> Vec<RecordedCall> {
        let calls = self.calls.lock();
        std::mem::take(&mut calls.unwrap_or_else(PoisonError::into_inner))
    }

    /// Asserts that there were calls, and that each call had this ID exactly once.
    ///
    /// # Panics
    ///
    /// If there was no call, or a call does not have exactly this ID.
    #[track_caller]
    pub fn assert_all(&self, id: &str) {
        let calls = self.calls();
        assert!(!calls.is_empty(), "no call was recorded");
        for call in &calls {
            let ids = call.values(X_CORRELATION_ID);
            assert_eq!(ids, [id], "the ID of {}", call.line);
        }
    }
}

/// A request as the server received it.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct RecordedCall {
    /// The method and the request target, such as `GET /next`.
    pub line: String,
    /// The headers: names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl RecordedCall {
    /// Returns the path and query of the request.
    #[must_use]
    pub fn path(&self) -> &str {
        self.line.split(' ').nth(1).unwrap_or_default()
    }

    /// Returns the value of each line of this header, in their order.
    #[must_use]
    pub fn values(&self, name: &str) -> Vec<String> {
        let lines = self.headers.iter();
        let lines = lines.filter(|(known, _)| known.eq_ignore_ascii_case(name));
        lines.map(|(_, value)| value.clone()).collect()
    }

    /// Reads the next request of a connection, if there is one.
    fn read(reader: &mut impl BufRead) -> io::Result<Option<Self>> {
        // A client that speaks TLS waits for an answer, and ends no line.
        if !reader
            .fill_buf()?
            .first()
            .is_some_and(u8::is_ascii_uppercase)
        {
            return Ok(None);
        }
        let line = read_line(reader)?;
        let Some(line) = line.strip_suffix(" HTTP/1.1") else {
            return Ok(None);
        };
        let mut request = Self {
            line: line.to_owned(),
            ..Self::default()
        };
        while let Some((name, value)) = read_line(reader)?.split_once(':') {
            let header = (name.to_ascii_lowercase(), value.trim().to_owned());
            request.headers.push(header);
        }
        if request.values("transfer-encoding") == ["chunked"] {
            loop {
                let size = usize::from_str_radix(&read_line(reader)?, 16);
                let size = size.map_err(|_| io::ErrorKind::InvalidData)?;
                request.read_body(reader, size)?;
                read_line(reader)?;
                if size == 0 {
                    break;
                }
            }
        } else if let [length] = &request.values("content-length")[..] {
            let length = length.parse().map_err(|_| io::ErrorKind::InvalidData)?;
            request.read_body(reader, length)?;
        }
        Ok(Some(request))
    }

    fn read_body(&mut self, reader: &mut impl BufRead, length: usize) -> io::Result<()> {
        let start = self.body.len();
        self.body.resize(start + length, 0);
        reader.read_exact(&mut self.body[start..])
    }
}

fn read_line(reader: &mut impl BufRead) -> io::Result<String> {
    let mut line = Vec::new();
    reader.read_until(b'\n', &mut line)?;
    let line = line.strip_suffix(b"\r\n").unwrap_or(&line);
    Ok(String::from_utf8_lossy(line).into_owned())
}

fn serve(
    mut stream: &TcpStream,
    kept: &Mutex<Vec<RecordedCall>>,
    answer: &impl Fn(&RecordedCall) -> String,
) -> io::Result<()> {
    let mut reader = BufReader::new(stream);
    while let Some(request) = RecordedCall::read(&mut reader)? {
        let mut calls = kept.lock().unwrap_or_else(PoisonError::into_inner);
        calls.push(request.clone());
        drop(calls);
        let answer = answer(&request);
        if answer.is_empty() {
            break;
        }
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        let head = format!("HTTP/1.1 {head}\r\nContent-Length: {}", body.len());
        stream.write_all(format!("{head}\r\n\r\n{body}").as_bytes())?;
    }
    Ok(())
}
