//! One HTTP/1 exchange in memory: hyper on both ends of a pipe of tokio's, without a socket.

use std::convert::Infallible;
use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use correlation_axum::CorrelationLayer;
use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead as _, AsyncWrite as _, DuplexStream, ReadBuf, duplex};
use tower::{Layer, Service};

use super::axum::{boxed_by_hand, router, tower_http_pair};
use super::{CALLERS, NAME, OTHERS, headers};
use crate::Group;

pub(crate) fn groups() -> Vec<Group> {
    CALLERS.map(|(what, id)| group(what, id)).into()
}

fn group(what: &str, id: Option<&'static str>) -> Group {
    Group::new(
        format!("HTTP/1 exchange in memory, {what}"),
        "hyper's server and an axum router, over a pipe in memory, kept alive: the request written, \
         parsed, answered, and the answer's bytes read. 7 other headers. No system call, no client.",
    )
    .bare("router", move || exchange(id, router()))
    .ours("CorrelationLayer, around", move || {
        exchange(id, CorrelationLayer::new().layer(router()))
    })
    .ours("CorrelationLayer, Router::layer", move || {
        exchange(id, router().layer(CorrelationLayer::new()))
    })
    .peer("tower-http pair, around", move || exchange(id, tower_http_pair().service(router())))
    .peer("tower-http pair, Router::layer", move || exchange(id, router().layer(tower_http_pair())))
    .peer("boxed future by hand, around", move || exchange(id, boxed_by_hand(router())))
}

fn exchange<S, B>(id: Option<&str>, service: S) -> impl FnMut() -> usize
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible> + Clone,
    B: Body<Data: Send, Error: Error + Send + Sync> + 'static,
{
    let request = request_text(id);
    let (mut client, server) = duplex(4_096);
    let service = TowerToHyperService::new(service);
    let mut connection = http1::Builder::new().serve_connection(TokioIo::new(server), service);
    let mut buffer = vec![0; 4_096];
    move || {
        let mut cx = Context::from_waker(Waker::noop());
        let written = Pin::new(&mut client).poll_write(&mut cx, request.as_bytes());
        assert!(matches!(written, Poll::Ready(Ok(all)) if all == request.len()));
        let mut read = 0;
        while !buffer[..read].ends_with(b"ok") {
            assert!(
                Pin::new(&mut connection).poll(&mut cx).is_pending(),
                "the connection is closed"
            );
            read += receive(&mut client, &mut buffer[read..], &mut cx);
        }
        read
    }
}

/// A request as it goes over a wire.
pub(crate) fn request_text(id: Option<&str>) -> String {
    let mut request = "GET / HTTP/1.1\r\n".to_owned();
    for (name, value) in &headers(OTHERS, None) {
        request += &format!("{name}: {}\r\n", value.to_str().unwrap_or_default());
    }
    if let Some(id) = id {
        request += &format!("{NAME}: {id}\r\n");
    }
    request + "\r\n"
}

fn receive(client: &mut DuplexStream, buffer: &mut [u8], cx: &mut Context<'_>) -> usize {
    let mut buffer = ReadBuf::new(buffer);
    let _ = Pin::new(client).poll_read(cx, &mut buffer);
    buffer.filled().len()
}
