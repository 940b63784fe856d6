//! `serve`: its methods, and what it tells of the peer.

use std::future::ready;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use correlation_testkit::{Connection, NO_HEADERS, probe::Probe};
use correlation_warp::{Accept, serve};
use service_common::answers;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::time::timeout;
use warp::Filter;

use crate::app;

pub(crate) fn listen() -> (TcpListener, SocketAddr) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let addr = listener.local_addr().unwrap();
    (TcpListener::from_std(listener).unwrap(), addr)
}

#[tokio::test]
async fn the_address_of_the_peer_is_known() {
    let (listener, addr) = listen();
    let routes = correlation_warp::remote()
        .and(warp::addr::remote())
        .map(|ours, warps| format!("{ours:?} {warps:?}"));
    tokio::spawn(serve(routes).incoming(listener).run());
    let stream = TcpStream::connect(addr).await.unwrap();
    let peer = stream.local_addr().unwrap();
    assert!(get(stream).await.ends_with(&format!("Some({peer}) None")));

    let known = correlation_warp::remote().map(|addr| format!("{addr:?}"));
    let request = warp::test::request().remote_addr(peer);
    assert_eq!(
        *request.reply(&known).await.body(),
        format!("Some({peer})"),
        "as on warp's own server"
    );
}

#[tokio::test]
async fn graceful_waits_for_requests_under_way() {
    let (listener, addr) = listen();
    let (stop, stopped) = oneshot::channel::<()>();
    let server = serve(app::routes()).incoming(listener);
    let server = server.graceful(async { _ = stopped.await });
    let mut server = tokio::spawn(server.run());

    let mut probe = Probe::new();
    let path = probe.path("/hang");
    let mut connection = Connection::open(addr).await.unwrap();
    let request =
        tokio::spawn(async move { connection.get(&path, &[("x-correlation-id", "c-1")]).await });
    assert!(probe.hangs().await);
    stop.send(()).unwrap();
    timeout(Duration::from_millis(50), &mut server)
        .await
        .expect_err("a request is under way");
    TcpStream::connect(addr)
        .await
        .expect_err("nobody listens any more");

    probe.release();
    assert_eq!(request.await.unwrap().unwrap().text(), "c-1");
    server.await.unwrap();
}

#[tokio::test]
#[should_panic(expected = "failed to bind")]
async fn an_address_in_use_is_a_panic() {
    let (_taken, addr) = listen();
    serve(warp::any().map(warp::reply)).run(addr).await;
}

#[tokio::test]
async fn a_connection_that_cannot_be_accepted_ends_nothing() {
    let (listener, addr) = listen();
    let failing = Failing {
        errors: vec![io::ErrorKind::ConnectionAborted; 10],
        listener,
    };
    tokio::spawn(serve(warp::any().map(answers::id)).incoming(failing).run());
    let mut connection = Connection::open(addr).await.unwrap();
    // Far less than the pause below, ten times.
    let answer = timeout(PAUSE, connection.get("/", NO_HEADERS)).await;
    assert_eq!(answer.expect("no pause").unwrap().status, 200);
}

#[tokio::test]
async fn a_lack_of_file_descriptors_is_waited_out() {
    let (listener, addr) = listen();
    let failing = Failing {
        errors: vec![io::ErrorKind::Other],
        listener,
    };
    tokio::spawn(serve(warp::any().map(answers::id)).incoming(failing).run());
    let mut connection = Connection::open(addr).await.unwrap();
    let answer = connection.get("/", NO_HEADERS);
    let mut answer = std::pin::pin!(answer);
    timeout(PAUSE / 2, &mut answer)
        .await
        .expect_err("a pause, so as not to spin");
    assert_eq!(answer.await.unwrap().status, 200);

    // The signal is not kept waiting.
    let (listener, _) = listen();
    let failing = Failing {
        errors: vec![io::ErrorKind::Other; 99],
        listener,
    };
    let server = serve(warp::any().map(answers::id)).incoming(failing);
    let server = server.graceful(ready(())).run();
    timeout(PAUSE, server).await.expect("stops at once");
}

#[cfg(unix)]
#[tokio::test]
async fn a_unix_socket_will_do() {
    use tokio::net::{UnixListener, UnixStream};

    let path = std::env::temp_dir().join(format!("correlation-warp-{}", std::process::id()));
    _ = std::fs::remove_file(&path);
    let listener = UnixListener::bind(&path).unwrap();
    let routes = correlation_warp::remote().map(|peer| format!("{peer:?}"));
    tokio::spawn(serve(routes).incoming(listener).run());
    let answer = get(UnixStream::connect(&path).await.unwrap()).await;
    std::fs::remove_file(&path).unwrap();
    assert!(answer.contains("\r\nx-correlation-id: "), "{answer}");
    assert!(answer.ends_with("None"), "{answer}");
}

/// A listener that first fails.
struct Failing {
    errors: Vec<io::ErrorKind>,
    listener: TcpListener,
}

impl Accept for Failing {
    type Io = TcpStream;

    async fn accept(&mut self) -> io::Result<(Self::Io, Option<SocketAddr>)> {
        if let Some(kind) = self.errors.pop() {
            return Err(kind.into());
        }
        Accept::accept(&mut self.listener).await
    }
}

async fn get(mut stream: impl AsyncReadExt + AsyncWriteExt + Unpin) -> String {
    let request = "GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

/// How long the server waits when it cannot accept.
const PAUSE: Duration = Duration::from_secs(1);
