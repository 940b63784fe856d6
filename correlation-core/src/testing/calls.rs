//! What a test has called.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use crate::names::X_CORRELATION_ID;

/// An HTTP/1.1 server on 127.0.0.1 that stands for another service, and keeps every request that it
/// gets, as it was on the wire. It stops with the process.
///
/// For answers that depend on more than a status and a body, use a mock server such as `wiremock`.
#[derive(Clone, Debug)]
pub struct CallRecorder {
    port: u16,
    calls: Arc<Mutex<Vec<RecordedCall>>>,
}

impl CallRecorder {
    /// Answers `200 OK` to all.
    ///
    /// # Panics
    ///
    /// If there is no free port.
    #[must_use]
    pub fn start() -> Self {
        Self::answering(|_| "200 OK".to_owned())
    }

    /// Answers each request with what `answer` says: the status line without the version, header
    /// lines if any, and after an empty line the body, as in `404 Not Found\r\n\r\nno such item`.
    /// An answer of nothing closes the connection.
    ///
    /// # Panics
    ///
    /// If there is no free port.
    #[must_use]
    pub fn answering(answer: impl Fn(&RecordedCall) -> String + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("a bound port").port();
        let calls = Arc::default();
        let (kept, answer) = (Arc::clone(&calls), Arc::new(answer));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (kept, answer) = (Arc::clone(&kept), Arc::clone(&answer));
                // A client that goes away has seen what it wanted.
                thread::spawn(move || serve(&stream, &kept, &*answer).ok());
            }
        });
        Self { port, calls }
    }

    /// Its port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Its URL, with a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    /// The calls so far, the oldest first. A call is here before its answer leaves.
    #[must_use]
    pub fn calls(&self) -> Vec<RecordedCall> {
        let calls = self.calls.lock();
        calls.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes the calls since the last time.
    #[must_use]
    pub fn take(&self) -> Vec<RecordedCall> {
        let calls = self.calls.lock();
        std::mem::take(&mut calls.unwrap_or_else(PoisonError::into_inner))
    }

    /// Asserts that there were calls, and that each had this ID, once.
    ///
    /// # Panics
    ///
    /// If not.
    #[track_caller]
    pub fn assert_all(&self, id: &str) {
        let calls = self.calls();
        assert!(!calls.is_empty(), "nothing called");
        for call in &calls {
            let ids = call.values(X_CORRELATION_ID);
            assert_eq!(ids, [id], "the ID of {}", call.line);
        }
    }
}

/// A request as it came.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct RecordedCall {
    /// The method and what was asked for, as in `GET /next`.
    pub line: String,
    /// Names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl RecordedCall {
    /// The path and query that was asked for.
    #[must_use]
    pub fn path(&self) -> &str {
        self.line.split(' ').nth(1).unwrap_or_default()
    }

    /// The value of each line of this header, in the order they came.
    #[must_use]
    pub fn values(&self, name: &str) -> Vec<String> {
        let lines = self.headers.iter();
        let lines = lines.filter(|(known, _)| known.eq_ignore_ascii_case(name));
        lines.map(|(_, value)| value.clone()).collect()
    }

    /// The next request of a connection, if there is one.
    fn read(reader: &mut impl BufRead) -> io::Result<Option<Self>> {
        // A client that would speak TLS waits for an answer, and ends no line.
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
