//! An HTTP/1.1 client on a bare socket. It sends bytes that real clients refuse to send, and shows
//! details that they hide.

use std::fmt::Write as _;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::Response;

/// For requests without a header.
pub const NO_HEADERS: &[(&str, &str)] = &[];

/// The time after which anything counts as a failure. A test that passes never waits for it.
pub const DEADLINE: Duration = Duration::from_secs(20);

/// One connection, which is kept alive between requests.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    buffer: BytesMut,
}

impl Connection {
    /// Connects to the address.
    ///
    /// # Errors
    ///
    /// If nothing listens there.
    pub async fn open(addr: SocketAddr) -> io::Result<Self> {
        let stream = in_time(TcpStream::connect(addr)).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: BytesMut::new(),
        })
    }

    /// Sends a GET request and reads the whole response.
    ///
    /// # Errors
    ///
    /// If the connection ends, or the response is not HTTP.
    pub async fn get(
        &mut self,
        path: &str,
        headers: &[(impl AsRef<str>, impl AsRef<[u8]>)],
    ) -> io::Result<Response> {
        self.write(&request("GET", path, headers)).await?;
        self.read_response().await
    }

    /// Sends a request without a body and reads the whole response.
    ///
    /// # Errors
    ///
    /// If the connection ends, or the response is not HTTP.
    pub async fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(impl AsRef<str>, impl AsRef<[u8]>)],
    ) -> io::Result<Response> {
        self.write(&request(method, path, headers)).await?;
        let mut response = self.read_head().await?;
        if method != "HEAD" {
            response.body = self.read_body(&response).await?;
        }
        Ok(response)
    }

    /// Writes bytes unchanged.
    ///
    /// # Errors
    ///
    /// If the connection has ended.
    pub async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        in_time(self.stream.write_all(bytes)).await
    }

    /// Reads the next response with its body.
    ///
    /// # Errors
    ///
    /// If the connection ends, or the response is not HTTP.
    pub async fn read_response(&mut self) -> io::Result<Response> {
        let mut response = self.read_head().await?;
        response.body = self.read_body(&response).await?;
        Ok(response)
    }

    /// Reads the status line and the headers, but not the body.
    ///
    /// # Errors
    ///
    /// If the connection ends, or the response is not HTTP.
    pub async fn read_head(&mut self) -> io::Result<Response> {
        let status_line = self.read_line().await?;
        let status = String::from_utf8_lossy(&status_line);
        let status = status
            .strip_prefix("HTTP/1.1 ")
            .and_then(|rest| rest.get(..3)?.parse().ok())
            .ok_or_else(|| invalid(format!("status line {status:?}")))?;
        Ok(Response {
            status,
            headers: self.read_headers().await?,
            body: Vec::new(),
        })
    }

    /// Reads header lines, including the empty one at the end.
    pub(crate) async fn read_headers(&mut self) -> io::Result<Vec<(String, Vec<u8>)>> {
        let mut headers = Vec::new();
        loop {
            let line = self.read_line().await?;
            if line.is_empty() {
                return Ok(headers);
            }
            headers.push(split_header(&line)?);
        }
    }

    /// Reads the next chunk of a chunked body. `None` is the end of the body.
    ///
    /// # Errors
    ///
    /// If the connection ends, or the data is not a chunk.
    pub async fn read_chunk(&mut self) -> io::Result<Option<Vec<u8>>> {
        let line = self.read_line().await?;
        let size = String::from_utf8_lossy(&line);
        let digits = size.split(';').next().unwrap_or_default().trim();
        let size = usize::from_str_radix(digits, 16)
            .map_err(|_| invalid(format!("chunk size {size:?}")))?;
        let chunk = self.read_exact(size).await?;
        let end = self.read_line().await?;
        if !end.is_empty() {
            return Err(invalid(format!("after a chunk: {end:?}")));
        }
        Ok((size > 0).then_some(chunk))
    }

    /// Reads exactly this many bytes.
    ///
    /// # Errors
    ///
    /// If the connection ends before that.
    pub async fn read_exact(&mut self, len: usize) -> io::Result<Vec<u8>> {
        while self.buffer.len() < len {
            self.fill().await?;
        }
        Ok(self.buffer.split_to(len).to_vec())
    }

    pub(crate) async fn read_body(&mut self, head: &Response) -> io::Result<Vec<u8>> {
        if head.status < 200 || matches!(head.status, 204 | 304) {
            return Ok(Vec::new());
        }
        if head.list("transfer-encoding") == ["chunked"] {
            let mut body = Vec::new();
            while let Some(chunk) = self.read_chunk().await? {
                body.extend(chunk);
            }
            return Ok(body);
        }
        match head.values("content-length").first() {
            Some(len) => {
                let len = len
                    .parse()
                    .map_err(|_| invalid(format!("length {len:?}")))?;
                self.read_exact(len).await
            }
            None => self.read_to_end().await,
        }
    }

    async fn read_to_end(&mut self) -> io::Result<Vec<u8>> {
        loop {
            match self.fill().await {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    return Ok(self.buffer.split().to_vec());
                }
                Err(error) => return Err(error),
            }
        }
    }

    pub(crate) async fn read_line(&mut self) -> io::Result<Vec<u8>> {
        loop {
            if let Some(end) = self.buffer.windows(2).position(|two| two == b"\r\n") {
                let line = self.buffer.split_to(end).to_vec();
                self.buffer.advance(2);
                return Ok(line);
            }
            self.fill().await?;
        }
    }

    async fn fill(&mut self) -> io::Result<()> {
        match in_time(self.stream.read_buf(&mut self.buffer)).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}

/// Returns the bytes of a request without a body. It does not check header values.
pub fn request(
    method: &str,
    path: &str,
    headers: &[(impl AsRef<str>, impl AsRef<[u8]>)],
) -> Vec<u8> {
    let mut head = String::new();
    let _ = write!(head, "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n");
    let mut bytes = head.into_bytes();
    for (name, value) in headers {
        bytes.extend(name.as_ref().as_bytes());
        bytes.extend(b": ");
        bytes.extend(value.as_ref());
        bytes.extend(b"\r\n");
    }
    bytes.extend(b"\r\n");
    bytes
}

/// Runs I/O. I/O that takes longer than [`DEADLINE`] is an error.
///
/// # Errors
///
/// The errors of the I/O, and `TimedOut`.
pub(crate) async fn in_time<T>(io: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    match timeout(DEADLINE, io).await {
        Ok(result) => result,
        Err(_) => Err(io::ErrorKind::TimedOut.into()),
    }
}

pub(crate) fn invalid(problem: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, problem)
}

fn split_header(line: &[u8]) -> io::Result<(String, Vec<u8>)> {
    let colon = line.iter().position(|byte| *byte == b':');
    let colon = colon.ok_or_else(|| invalid(format!("header line {line:?}")))?;
    let name = String::from_utf8_lossy(&line[..colon]).into_owned();
    Ok((name, line[colon + 1..].trim_ascii().to_vec()))
}
