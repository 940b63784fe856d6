//! The proxies of `examples/edge`, each with its file as it stands there, in front of the axum
//! service: the ID of the answer, of the service's log and of the proxy's log is one.

mod asked;
mod headers;
mod proxy;

use std::collections::HashSet;
use std::net::{SocketAddr, TcpListener};

use asked::{Asked, Edge, Service};
use correlation_core::{Policy, Source};
use correlation_testkit::{Recorder, Response, Sent, TRACE, services};
use futures_util::future::join_all;
use headers::{HOSTILE, ID, KEPT, STRANGE};
use proxy::{APACHE, CADDY, HAPROXY, NGINX, Proxy, VARNISH};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;

#[tokio::test(flavor = "multi_thread")]
async fn nginx() {
    check(&NGINX).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn haproxy() {
    check(&HAPROXY).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn apache() {
    check(&APACHE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn caddy() {
    check(&CADDY).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn varnish() {
    check(&VARNISH).await;
}

/// The README's source for an ALB: the ID that it has made itself.
#[test]
fn alb() {
    let own = Source::parsed("X-Amzn-Trace-Id", |value| {
        let mut fields = value.split(';').map(str::trim);
        let own = fields.clone().find_map(|field| field.strip_prefix("Self="));
        own.or_else(|| fields.find_map(|field| field.strip_prefix("Root=")))
    });
    let policy = Policy::new().sources([own]);
    for (value, id) in [
        (
            "Root=1-67891233-abcdef012345678912345678",
            "1-67891233-abcdef012345678912345678",
        ),
        (
            "Self=1-67891234-12456789abcdef0123456789;Root=1-chosen",
            "1-67891234-12456789abcdef0123456789",
        ),
        (
            "Root=1-chosen; Self=1-67891234-12456789abcdef0123456789",
            "1-67891234-12456789abcdef0123456789",
        ),
    ] {
        let headers = [
            ("x-amzn-trace-id", value.as_bytes()),
            ("x-correlation-id", b"of-a-stranger"),
        ];
        let decision = policy.receive(|| headers, None);
        assert_eq!(decision.context().id().as_str(), id);
    }
}

async fn check(proxy: &'static Proxy) {
    if services::require(proxy.installed()).is_none() {
        return;
    }
    let service = Service::start();
    let mut logged = Vec::new();
    logged.extend(in_front_of(proxy, service.port).await);
    logged.extend(what_the_service_gets(proxy).await);
    logged.extend(retries(proxy, service.port).await);
    logged.extend(no_order_twice(proxy, service.port).await);
    logged.extend(without_a_service(proxy).await);
    logged.extend(always_a_new_one(proxy, service.port).await);
    strangers(&service).await;

    let lines = service.end();
    let distinct: HashSet<_> = logged.iter().map(|asked| &asked.id).collect();
    assert_eq!(distinct.len(), logged.len(), "each request has its own ID");
    let mut of_service = 0;
    for Asked { path, id, service } in &logged {
        let found = lines.iter().filter(|line| line["correlation_id"] == **id);
        // `/log?n=1` writes a record with each logger.
        assert_eq!(found.count(), if *service { 2 } else { 0 }, "{path} {id}");
        of_service += usize::from(*service);
    }
    assert!(of_service > 130, "{of_service} requests reached it");
}

/// With a service that answers.
async fn in_front_of(proxy: &'static Proxy, service: u16) -> Vec<Asked> {
    let mut edge = Edge::start(proxy, [service, service]);

    assert_new(&edge.log("GET", &[]).await);
    for (name, id) in KEPT {
        let answer = edge.log("GET", &[(name, id.as_bytes())]).await;
        assert_eq!(answer.ids(), [*id], "{name}");
    }
    let longest = "long".repeat(32);
    let answer = edge.log("GET", &[(ID, longest.as_bytes())]).await;
    assert_eq!(answer.ids(), [longest.as_str()]);

    for hostile in HOSTILE {
        assert_new(&edge.log("GET", hostile).await);
    }
    let too_long = "long".repeat(32) + "1";
    assert_new(&edge.log("GET", &[(ID, too_long.as_bytes())]).await);
    let two = edge
        .log(
            "GET",
            &[
                ("x-correlation-id", b"two-1"),
                ("X-CORRELATION-ID", b"two-2"),
            ],
        )
        .await;
    if proxy.sees_one_line && two.ids() == ["two-1"] {
        // nginx before 1.23.
    } else {
        assert_new(&two);
    }

    let head = edge.log("HEAD", &[(ID, b"head-1")]).await;
    assert_eq!((head.ids(), head.status), (vec!["head-1".into()], 200));

    // One connection for several requests.
    let mut connection = edge.connect().await;
    for own in [
        Some("alive-1"),
        None,
        Some("alive-2"),
        None,
        Some("alive-2 x"),
    ] {
        let header = own.map(|id| (ID, id.as_bytes()));
        let path = edge.log_path();
        let answer = connection.get(&path, header.as_slice()).await.unwrap();
        let answer = edge.keep(path, answer, true);
        match own {
            Some(own) if !own.contains(' ') => assert_eq!(answer.ids(), [own]),
            _ => assert_new(&answer),
        }
    }

    // 100 at once.
    let calls = (0..100).map(|n| {
        let (edge, own) = (&edge, format!("at-once-{n}"));
        async move {
            let path = edge.log_path();
            let mut connection = edge.connect().await;
            let answer = connection.get(&path, &[(ID, &own)]).await.unwrap();
            assert_eq!(answer.ids(), [own.as_str()]);
            (path, answer)
        }
    });
    for (path, answer) in join_all(calls).await {
        edge.keep(path, answer, true);
    }

    // What the service answers without a record, and what the proxy answers by itself.
    for (method, path, status) in [
        ("GET", "/nothing", 404),
        ("FOO", "/id", 405),
        ("GET", "/internal/x", 404),
        ("GET", "/old", 308),
    ] {
        assert_new(&edge.ask(method, path, &[], &[status]).await);
        let own = format!("own{}-{status}", path.replace('/', "-"));
        let answer = edge
            .ask(method, path, &[(ID, own.as_bytes())], &[status])
            .await;
        assert_eq!(answer.ids(), [own.as_str()]);
        if status == 308 {
            assert!(answer.values("location")[0].ends_with("/id"));
        }
    }

    let mut connection = edge.connect().await;
    let unreadable = "GET /id HTTP/1.1\r\nHost: a\r\nX-Correlation-ID: bad-1\r\nno header\r\n\r\n";
    connection.write(unreadable.as_bytes()).await.unwrap();
    let answer = connection.read_head().await.unwrap();
    assert_eq!(answer.status, 400);
    assert_eq!(answer.ids().len(), proxy.unreadable, "{:?}", answer.ids());

    edge.end()
}

/// What a request has when it comes out, and which header of an answer counts.
async fn what_the_service_gets(proxy: &'static Proxy) -> Vec<Asked> {
    let answer = "200 OK\r\nCache-Control: max-age=60\r\nX-Correlation-ID: of-the-service";
    let recorder = Recorder::start(move |_| answer.to_owned());
    let mut edge = Edge::start(proxy, [recorder.port(); 2]);
    // Varnish answers the second from its cache.
    for id in ["stranger-1", "stranger-2"] {
        let headers: Vec<(&str, &[u8])> = [(ID, id)]
            .into_iter()
            .chain(STRANGE.iter().copied())
            .map(|(name, value)| (name, value.as_bytes()))
            .collect();
        let answer = edge.ask("GET", "/page", &headers, &[200]).await;
        assert_eq!(answer.ids(), [id]);
    }
    let requests = recorder.take();
    assert!(!requests.is_empty());
    for (request, id) in requests.iter().zip(["stranger-1", "stranger-2"]) {
        assert_eq!(request.values(ID), [id]);
        assert_eq!(request.values("x-forwarded-for"), ["127.0.0.1"]);
        assert!(!request.mentions("6.6.6.6"), "{request:?}");
        assert!(!request.mentions("evil"), "{request:?}");
        assert!(!request.mentions(TRACE), "{request:?}");
        assert!(!request.mentions("https"), "{request:?}");
    }
    // What `Connection` names is for one hop. So a client could have the proxy's own header removed.
    for own in [None, Some((ID, &b"one-hop-1"[..]))] {
        let one_hop = [
            ("Connection", &b"keep-alive, Upgrade, x-correlation-id"[..]),
            ("Upgrade", b"h2c"),
        ];
        let headers: Vec<_> = one_hop.into_iter().chain(own).collect();
        let path = if own.is_some() { "/own" } else { "/none" };
        let answer = edge.ask("GET", path, &headers, &[200]).await;
        let requests = recorder.take();
        let [request] = &requests[..] else {
            panic!("{requests:?}");
        };
        assert_eq!(request.values(ID), answer.ids());
        let hops = request.values("connection").join(",");
        assert!(!hops.to_lowercase().contains(&ID.to_lowercase()), "{hops}");
        assert!(request.values("upgrade").is_empty(), "{request:?}");
    }
    edge.end()
}

/// The first service takes a request and closes, or is not there at all.
async fn retries(proxy: &'static Proxy, service: u16) -> Vec<Asked> {
    let mut edge = Edge::start(proxy, [dead_port(), service]);
    for id in ["gone-1", "gone-2", "gone-3"] {
        let answer = edge.log("GET", &[(ID, id.as_bytes())]).await;
        assert_eq!(answer.ids(), [id]);
    }
    let mut asked = edge.end();

    // Another one, which does not know yet that the first is gone.
    let mut edge = Edge::start(proxy, [dead_port(), service]);
    let headers = [(ID, &b"gone-4"[..])];
    let status = if proxy.retries_post { 404 } else { 503 };
    let answer = edge.ask("POST", "/orders", &headers, &[status]).await;
    assert_eq!(answer.ids(), ["gone-4"]);
    asked.extend(edge.end());

    if proxy.retries_closed {
        let closing = Recorder::start(|_| String::new());
        let mut edge = Edge::start(proxy, [closing.port(), service]);
        for id in ["again-1", "again-2", "again-3"] {
            let answer = edge.log("GET", &[(ID, id.as_bytes())]).await;
            assert_eq!(answer.ids(), [id]);
        }
        let ids = closing.ids();
        assert!(ids.iter().any(|id| id == "again-1"), "{ids:?}");
        assert!(ids.iter().all(|id| id.starts_with("again-")), "{ids:?}");
        asked.extend(edge.end());
    }
    asked
}

/// What may have been done already is not asked for again.
async fn no_order_twice(proxy: &'static Proxy, service: u16) -> Vec<Asked> {
    let closing = Recorder::start(|_| String::new());
    let mut edge = Edge::start(proxy, [closing.port(), service]);
    let headers = [(ID, &b"order-1"[..])];
    let answer = edge.ask("POST", "/orders", &headers, &[502, 503]).await;
    assert_eq!(answer.ids(), ["order-1"]);
    assert_eq!(closing.ids(), ["order-1"]);
    edge.end()
}

/// Nobody listens, or nobody answers.
async fn without_a_service(proxy: &'static Proxy) -> Vec<Asked> {
    let mut edge = Edge::start(proxy, [dead_port(), dead_port()]);
    for own in ["down-1", "down-2"] {
        let headers = [(ID, own.as_bytes())];
        let answer = edge.ask("GET", "/id", &headers, proxy.down).await;
        assert_eq!(answer.ids(), [own]);
    }
    assert_new(&edge.ask("GET", "/id", &[], proxy.down).await);
    let mut asked = edge.end();

    // Connected to by the system, and never read.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let hasty = |config: String| {
        let changed = config.replace("30s", "1s");
        let changed = changed.replace("ProxyTimeout 30", "ProxyTimeout 1");
        assert_ne!(config, changed);
        changed
    };
    let mut edge = Edge::changed(proxy, [port, port], hasty);
    let answer = edge
        .ask("GET", "/id", &[(ID, b"slow-1")], &[proxy.slow])
        .await;
    assert_eq!(answer.ids(), ["slow-1"]);
    asked.extend(edge.end());
    asked
}

/// Without the line that keeps an ID of the client.
async fn always_a_new_one(proxy: &'static Proxy, service: u16) -> Vec<Asked> {
    let strict = |config: String| {
        let mut lines: Vec<_> = config.lines().collect();
        let comment = "Without the next line each request gets a new ID.";
        let at = lines.iter().position(|line| line.ends_with(comment));
        lines.remove(at.unwrap() + 1);
        lines.join("\n") + "\n"
    };
    let mut edge = Edge::changed(proxy, [service; 2], strict);
    for headers in [&[][..], &[(ID, &b"mine-1"[..])], &[(ID, b"mine-1")]] {
        assert_new(&edge.log("GET", headers).await);
    }
    edge.end()
}

/// The service itself takes an ID from the address of the proxies only.
async fn strangers(service: &Service) {
    for (from, headers, trusted) in [
        ("127.0.0.1", "", true),
        ("127.0.0.2", "", false),
        ("127.0.0.2", "X-Forwarded-For: 127.0.0.1\r\n", false),
        ("127.0.0.2", "Forwarded: for=127.0.0.1\r\n", false),
    ] {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(format!("{from}:0").parse().unwrap()).unwrap();
        let to = SocketAddr::from(([127, 0, 0, 1], service.port));
        let mut stream = socket.connect(to).await.unwrap();
        let request = format!(
            "GET /id HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{headers}X-Correlation-ID: direct-1\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let kept = answer.contains("x-correlation-id: direct-1\r\n");
        assert_eq!(kept, trusted, "{from} {headers}: {answer}");
        assert_eq!(answer.matches("x-correlation-id: ").count(), 1);
    }
}

/// A port of which nobody listens.
fn dead_port() -> u16 {
    // Port 1 needs root to be bound; nothing does.
    1
}

/// One ID, of the form of a UUIDv4.
#[track_caller]
fn assert_new(answer: &Response) {
    let ids = answer.ids();
    let [id] = &ids[..] else {
        panic!("not one ID: {ids:?}");
    };
    let parts: Vec<_> = id.split('-').collect();
    let lengths: Vec<_> = parts.iter().map(|part| part.len()).collect();
    let hex = |c: char| c == '-' || c.is_ascii_digit() || ('a'..='f').contains(&c);
    assert!(id.chars().all(hex) && lengths == [8, 4, 4, 4, 12], "{id}");
    assert!(parts[2].starts_with('4'), "the version: {id}");
    assert!(
        parts[3].starts_with(['8', '9', 'a', 'b']),
        "the variant: {id}"
    );
}
