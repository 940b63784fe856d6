//! As much of an HTTP/1.1 server as the contract needs.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::task::Poll;

use bytes::BytesMut;
use correlation_core::InCurrent;
use correlation_core::adapter::AccessRecord;
use futures_util::{Stream, StreamExt, stream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};

pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: HashMap<String, String>,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) peer: IpAddr,
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Body,
}

pub(crate) enum Body {
    Full(String),
    Chunks(Pin<Box<dyn Stream<Item = String> + Send>>),
}

impl Answer {
    pub(crate) fn new(status: u16, body: impl Into<String>) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Body::Full(body.into()),
        }
    }

    pub(crate) fn chunks(chunks: impl Stream<Item = String> + Send + 'static) -> Self {
        Self {
            status: 200,
            headers: Vec::new(),
            body: Body::Chunks(Box::pin(chunks)),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        matches!(&self.body, Body::Full(text) if text.is_empty())
    }

    /// Ends the access record with the body.
    pub(crate) fn recorded(self, mut access: AccessRecord) -> Self {
        access.status(self.status);
        let body = match self.body {
            Body::Chunks(mut chunks) => {
                access.sent(0);
                Body::Chunks(Box::pin(stream::poll_fn(move |cx| {
                    let next = chunks.as_mut().poll_next(cx);
                    match &next {
                        Poll::Ready(Some(chunk)) => access.sent(chunk.len() as u64),
                        Poll::Ready(None) => access.complete(),
                        Poll::Pending => {}
                    }
                    next
                })))
            }
            Body::Full(text) => {
                access.sent(text.len() as u64);
                access.complete();
                Body::Full(text)
            }
        };
        Self { body, ..self }
    }

    /// Takes the ID along into the body.
    pub(crate) fn carried(self) -> Self {
        let body = match self.body {
            Body::Chunks(chunks) => Body::Chunks(Box::pin(chunks.in_current())),
            full @ Body::Full(_) => full,
        };
        Self { body, ..self }
    }
}

/// Serves on a free loopback port, in the current runtime. A lenient server reads the header lines
/// that no sender may write.
pub(crate) fn listen<H, F>(lenient: bool, handler: H) -> SocketAddr
where
    H: Fn(Request) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Answer> + Send,
{
    let (listener, addr) = correlation_testkit::listen();
    tokio::spawn(async move {
        while let Ok((stream, peer)) = listener.accept().await {
            let handler = handler.clone();
            // An error is a client that went away.
            tokio::spawn(async move { serve(stream, peer.ip(), lenient, handler).await.ok() });
        }
    });
    addr
}

async fn serve<H, F>(
    mut stream: TcpStream,
    peer: IpAddr,
    lenient: bool,
    handler: H,
) -> io::Result<()>
where
    H: Fn(Request) -> F,
    F: Future<Output = Answer>,
{
    let (mut reader, mut writer) = stream.split();
    let mut buffer = BytesMut::new();
    while let Some(request) = read(&mut reader, &mut buffer, peer, lenient).await? {
        let has_body = request.method != "HEAD";
        let exchange = async { write(&mut writer, handler(request).await, has_body).await };
        tokio::select! {
            written = exchange => written?,
            () = gone(&mut reader) => break,
        }
    }
    Ok(())
}

/// Completes when the client has closed the connection. Bytes of a next request can wait.
async fn gone(reader: &mut ReadHalf<'_>) {
    if !matches!(reader.peek(&mut [0]).await, Ok(0) | Err(_)) {
        std::future::pending::<()>().await;
    }
}

async fn read(
    reader: &mut ReadHalf<'_>,
    buffer: &mut BytesMut,
    peer: IpAddr,
    lenient: bool,
) -> io::Result<Option<Request>> {
    let end = loop {
        if let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
        if reader.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    };
    let head = buffer.split_to(end + 4);
    let mut lines = head[..end]
        .split(|byte| *byte == b'\n')
        .map(<[u8]>::trim_ascii_end);
    if !lenient
        && head[..end]
            .split(|byte| *byte == b'\n')
            .skip(1)
            .any(is_ambiguous)
    {
        return Ok(None);
    }
    let first = String::from_utf8_lossy(lines.next().unwrap_or_default()).into_owned();
    let mut words = first.split(' ');
    let (method, target) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let headers = lines.filter_map(|line| {
        let colon = line.iter().position(|byte| *byte == b':')?;
        let name = String::from_utf8_lossy(&line[..colon]).into_owned();
        Some((name, line[colon + 1..].trim_ascii().to_vec()))
    });
    Ok(Some(Request {
        method: method.to_owned(),
        path: path.to_owned(),
        query: pairs.map(|(k, v)| (k.to_owned(), v.to_owned())).collect(),
        headers: headers.collect(),
        peer,
    }))
}

/// Whether a header line can be read in two ways: RFC 9112, sections 5.1 and 5.2.
fn is_ambiguous(line: &[u8]) -> bool {
    let colon = line.iter().position(|byte| *byte == b':').unwrap_or(0);
    line.starts_with(b" ")
        || line.starts_with(b"\t")
        || line[..colon].contains(&b' ')
        || line[..colon].contains(&b'\t')
}

async fn write(writer: &mut WriteHalf<'_>, answer: Answer, has_body: bool) -> io::Result<()> {
    let mut head = format!("HTTP/1.1 {} Whatever\r\n", answer.status);
    for (name, value) in &answer.headers {
        head += &format!("{name}: {value}\r\n");
    }
    match answer.body {
        Body::Full(body) => {
            head += "content-type: text/plain; charset=utf-8\r\n";
            head += &format!("content-length: {}\r\n\r\n", body.len());
            if has_body {
                head += &body;
            }
            writer.write_all(head.as_bytes()).await
        }
        Body::Chunks(mut chunks) => {
            head += "transfer-encoding: chunked\r\n\r\n";
            writer.write_all(head.as_bytes()).await?;
            if !has_body {
                return Ok(());
            }
            while let Some(chunk) = chunks.next().await {
                let chunk = format!("{:x}\r\n{chunk}\r\n", chunk.len());
                writer.write_all(chunk.as_bytes()).await?;
            }
            writer.write_all(b"0\r\n\r\n").await
        }
    }
}
