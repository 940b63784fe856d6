//! The HTTP/2 client sends many requests over one connection, and tells who speaks no HTTP/2.

use std::net::SocketAddr;

use bytes::Bytes;
use correlation_testkit::{CORRELATION_ID, Multiplexed, NO_HEADERS};
use futures_util::future::join_all;
use http::Response;
use tokio::net::TcpListener;

#[tokio::test]
async fn requests_are_multiplexed() {
    let connection = Multiplexed::open(echo().await).await.unwrap();
    let exchanges = (0..300).map(|n| {
        let connection = connection.clone();
        async move {
            let id = format!("h2-{n}");
            let response = connection
                .get("/any", &[(CORRELATION_ID, &id)])
                .await
                .unwrap();
            assert_eq!(response.status, 200);
            assert_eq!(response.ids(), [id.as_str()]);
            assert_eq!(response.reads(), [id.as_str(), id.as_str()]);
        }
    });
    join_all(exchanges).await;
}

#[tokio::test]
async fn a_server_that_hangs_up_is_an_error() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move { listener.accept().await });
    let connection = Multiplexed::open(addr).await.unwrap();
    assert!(connection.get("/any", NO_HEADERS).await.is_err());
}

/// Answers every request with its own ID, in the header and as two lines.
async fn echo() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut connection = h2::server::handshake(stream).await.unwrap();
        while let Some(Ok((request, mut respond))) = connection.accept().await {
            let id = request.headers()[CORRELATION_ID].clone();
            let line = Bytes::from([id.as_bytes(), b"\n"].concat());
            let response = Response::builder()
                .header(CORRELATION_ID, id)
                .body(())
                .unwrap();
            let mut body = respond.send_response(response, false).unwrap();
            body.send_data(line.clone(), false).unwrap();
            body.send_data(line, true).unwrap();
        }
    });
    addr
}
