//! `serve`: its methods, and what it tells of the peer.

use std::future::pending;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use correlation_testkit::app::{self, Params};
use correlation_testkit::probe::{self, Probe};
use correlation_testkit::{Connection, NO_HEADERS, listen};
use correlation_warp::correlation::testing::LogCapture;
use correlation_warp::correlation::{Policy, Trust};
use correlation_warp::{Accept, serve};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::yield_now;
use tokio::time::{Instant, sleep};
use warp::Filter;

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
    let hang = warp::path!("hang").and(warp::query());
    let hang = hang.then(async |params: Params| probe::hang(&params.name).await);
    let server = serve(hang).incoming(listener);
    let server = tokio::spawn(server.graceful(async { _ = stopped.await }).run());

    let mut probe = Probe::new();
    let path = probe.path("/hang");
    let mut connection = Connection::open(addr).await.unwrap();
    let request = tokio::spawn(async move { connection.get(&path, NO_HEADERS).await });
    assert!(probe.hangs().await);
    stop.send(()).unwrap();
    while TcpStream::connect(addr).await.is_ok() {
        yield_now().await;
    }
    assert!(!server.is_finished(), "a request is under way");

    probe.release();
    assert_eq!(request.await.unwrap().unwrap().status, 200);
    server.await.unwrap();
}

#[tokio::test]
#[should_panic(expected = "cannot bind 127.0.0.1:")]
async fn an_address_in_use_is_a_panic() {
    let (_taken, addr) = listen();
    serve(warp::any().map(warp::reply)).run(addr).await;
}

/// The clock stands still, but for waits.
#[tokio::test(start_paused = true)]
async fn a_failure_to_accept_is_waited_out() {
    let cases = [
        (io::ErrorKind::ConnectionAborted, 0),
        (io::ErrorKind::Other, 3),
    ];
    for (kind, seconds) in cases {
        let start = Instant::now();
        let (drained, stopped) = oneshot::channel();
        let failing = Failing {
            errors: vec![kind; 3],
            drained: Some(drained),
        };
        let server = serve(warp::any().map(app::id)).incoming(failing);
        server.graceful(async { _ = stopped.await }).run().await;
        assert_eq!(start.elapsed().as_secs(), seconds, "{kind}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_waits_can_be_stopped() {
    let start = Instant::now();
    let failing = Failing {
        errors: vec![io::ErrorKind::Other; 3],
        drained: None,
    };
    let server = serve(warp::any().map(app::id)).incoming(failing);
    let signal = sleep(Duration::from_millis(1500));
    server.graceful(signal).run().await;
    assert_eq!(start.elapsed().as_millis(), 1500);
}

#[cfg(unix)]
#[tokio::test]
async fn a_unix_socket_will_do() {
    use tokio::net::{UnixListener, UnixStream};

    let path = std::env::temp_dir().join(format!("correlation-warp-{}", std::process::id()));
    _ = std::fs::remove_file(&path);
    let listener = UnixListener::bind(&path).unwrap();
    let routes = correlation_warp::remote().map(|peer| format!("{peer:?}"));
    let networks = Policy::new().trust(Trust::networks(["0.0.0.0/0", "::/0"]));
    let log = LogCapture::start();
    tokio::spawn(serve(routes).policy(networks).incoming(listener).run());
    let answer = get(UnixStream::connect(&path).await.unwrap()).await;
    std::fs::remove_file(&path).unwrap();
    assert!(answer.contains("\r\nx-correlation-id: "), "{answer}");
    assert!(!answer.contains("c-1"), "{answer}");
    assert!(answer.ends_with("None"), "{answer}");
    // It has no address, so no warning asks the server for one.
    let own = log.lines().into_iter();
    let own = own.filter(|line| line.target == "correlation");
    let own: Vec<_> = own.map(|line| line.message).collect();
    assert_eq!(own, ["caller's ID is not trusted"]);
}

/// A listener that fails, and then has no connection.
struct Failing {
    errors: Vec<io::ErrorKind>,
    drained: Option<oneshot::Sender<()>>,
}

impl Accept for Failing {
    type Io = TcpStream;

    async fn accept(&mut self) -> io::Result<(Self::Io, Option<SocketAddr>)> {
        if let Some(kind) = self.errors.pop() {
            return Err(kind.into());
        }
        if let Some(drained) = self.drained.take() {
            drained.send(()).unwrap();
        }
        pending().await
    }
}

async fn get(mut stream: impl AsyncReadExt + AsyncWriteExt + Unpin) -> String {
    let request =
        "GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\nX-Correlation-ID: c-1\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}
