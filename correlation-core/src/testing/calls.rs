//! Records the calls of a test.

use std::io::{self, BufRead, BufReader, Read, Take, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use crate::names::X_CORRELATION_ID;

/// An HTTP/1.1 server on 127.0.0.1 that stands for another service. It keeps every request that it
/// gets, as it was on the wire, and runs until the process ends.
///
/// A request that breaks the rules of RFC 9112, or has over 256 MiB, is recorded as far as it was
/// read, and answered with `400 Bad Request`. A line of its head that is not a header has an empty
/// name in the record.
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

    /// Returns the elements of a header that is a list, in lower case (RFC 9110, section 5.6.1).
    fn list(&self, name: &str) -> Vec<String> {
        let values = self.values(name);
        let elements = values.iter().flat_map(|value| value.split(','));
        elements
            .map(|one| one.trim().to_ascii_lowercase())
            .collect()
    }

    /// Reads the first line of the next request, if there is one. Returns the request and the minor
    /// version of HTTP/1.
    fn begin(reader: &mut impl BufRead) -> io::Result<Option<(Self, String)>> {
        // A client that speaks TLS waits for an answer, and ends no line.
        let first = reader.fill_buf()?.first();
        if !first.is_some_and(u8::is_ascii_alphabetic) {
            return Ok(None);
        }
        let line = read_line(reader)?;
        Ok(line.rsplit_once(" HTTP/1.").map(|(line, minor)| {
            let request = Self {
                line: line.to_owned(),
                ..Self::default()
            };
            (request, minor.to_owned())
        }))
    }

    fn read_head(&mut self, reader: &mut impl BufRead) -> io::Result<()> {
        let mut valid = true;
        loop {
            let line = read_line(reader)?;
            if line.is_empty() {
                return check(valid);
            }
            let (name, value) = line.split_once(':').unwrap_or(("", &line));
            // No white space belongs to a name (RFC 9112, section 5.1).
            valid &= !name.is_empty() && !name.contains(char::is_whitespace);
            let header = (name.to_ascii_lowercase(), value.trim().to_owned());
            self.headers.push(header);
        }
    }

    /// Reads the body, whose length the head tells (RFC 9112, section 6.3).
    fn read_body(&mut self, reader: &mut Take<impl BufRead>) -> io::Result<()> {
        let (codings, lengths) = (self.list("transfer-encoding"), self.list("content-length"));
        match (codings.last().map(String::as_str), &lengths[..]) {
            (Some("chunked"), _) => self.read_chunks(reader),
            (None, []) => Ok(()),
            (None, [length, more @ ..]) if more.iter().all(|other| other == length) => {
                self.read_bytes(reader, number(length, 10)?)
            }
            _ => check(false),
        }
    }

    fn read_chunks(&mut self, reader: &mut Take<impl BufRead>) -> io::Result<()> {
        loop {
            let line = read_line(reader)?;
            let (size, _extensions) = line.split_once(';').unwrap_or((&line, ""));
            let size = number(size.trim(), 16)?;
            if size == 0 {
                break;
            }
            self.read_bytes(reader, size)?;
            check(read_line(reader)?.is_empty())?;
        }
        // The trailers.
        while !read_line(reader)?.is_empty() {}
        Ok(())
    }

    fn read_bytes(&mut self, reader: &mut Take<impl BufRead>, length: u64) -> io::Result<()> {
        check(length <= reader.limit())?;
        // The memory grows with what comes, not with what was announced.
        let read = reader.take(length).read_to_end(&mut self.body)?;
        check(read as u64 == length)
    }
}

fn read_line(reader: &mut impl BufRead) -> io::Result<String> {
    let mut line = Vec::new();
    reader.read_until(b'\n', &mut line)?;
    let line = line
        .strip_suffix(b"\n")
        .ok_or(io::ErrorKind::UnexpectedEof)?;
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    Ok(String::from_utf8_lossy(line).into_owned())
}

fn number(digits: &str, radix: u32) -> io::Result<u64> {
    // The function of the standard library accepts a sign.
    check(!digits.starts_with('+'))?;
    u64::from_str_radix(digits, radix).map_err(io::Error::other)
}

fn check(valid: bool) -> io::Result<()> {
    valid.then_some(()).ok_or(io::ErrorKind::InvalidData.into())
}

fn serve(
    mut stream: &TcpStream,
    kept: &Mutex<Vec<RecordedCall>>,
    answer: &impl Fn(&RecordedCall) -> String,
) -> io::Result<()> {
    let mut connection = BufReader::new(stream);
    loop {
        let mut reader = connection.by_ref().take(MAX_REQUEST);
        let Some((mut request, minor)) = RecordedCall::begin(&mut reader)? else {
            return Ok(());
        };
        let head = request.read_head(&mut reader);
        let asks = |name, word: &str| request.list(name).iter().any(|known| known == word);
        let mut last = minor == "0" || asks("connection", "close");
        if minor != "0" && asks("expect", "100-continue") {
            stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").ok();
        }
        let body = request.read_body(&mut reader);
        let mut calls = kept.lock().unwrap_or_else(PoisonError::into_inner);
        calls.push(request.clone());
        drop(calls);
        let answer = if head.and(body).is_ok() {
            answer(&request)
        } else {
            last = true;
            "400 Bad Request".to_owned()
        };
        if answer.is_empty() {
            return Ok(());
        }
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        let close = if last { "\r\nConnection: close" } else { "" };
        let head = format!("HTTP/1.1 {head}{close}\r\nContent-Length: {}", body.len());
        // The answer to HEAD has no body (RFC 9112, section 6.3).
        let body = if request.line.starts_with("HEAD ") {
            ""
        } else {
            body
        };
        stream.write_all(format!("{head}\r\n\r\n{body}").as_bytes())?;
        if last {
            // A client that still sends would lose the answer if all was closed at once (RFC 9112,
            // section 9.6).
            stream.shutdown(Shutdown::Write)?;
            io::copy(&mut connection, &mut io::sink())?;
            return Ok(());
        }
    }
}

/// The bytes of a request, head included.
const MAX_REQUEST: u64 = 256 << 20;
