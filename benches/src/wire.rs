//! Requests per second over loopback: each server on a thread, all clients on another.

use std::net::{Ipv4Addr, SocketAddr, TcpListener as StdListener, TcpStream as StdStream};
use std::thread;
use std::time::{Duration, Instant};

use actix_web::HttpServer;
use axum::Router;
use correlation_axum::CorrelationLayer;
use rocket::{Build, Rocket};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use warp::Filter as _;

use crate::cases::{request_text, rocket_app, router, tower_http_pair, warp_routes};
use crate::run::spread;

/// One server beside the same without IDs.
#[derive(Clone, Debug)]
pub struct Row {
    /// Which one.
    pub name: &'static str,
    /// Requests per second: the most of all rounds.
    pub rate: f64,
    /// Over the server without IDs in the same round: the median, the tenth and the ninetieth
    /// percentile. None for that server itself.
    pub ratio: Option<(f64, (f64, f64))>,
}

/// Starts all servers and loads them in turns.
#[must_use]
pub fn rows(rounds: usize, each: Duration) -> Vec<Row> {
    let servers: Vec<_> = servers()
        .into_iter()
        .map(|(name, bare, serve)| (name, bare, start(serve)))
        .collect();
    let client = runtime();
    for (_, _, address) in &servers {
        client.block_on(load(*address, each));
    }
    let mut samples = vec![Vec::new(); servers.len()];
    for _ in 0..rounds {
        for ((_, _, address), samples) in servers.iter().zip(&mut samples) {
            samples.push(client.block_on(load(*address, each)));
        }
    }
    let rows = servers.iter().zip(&samples).map(|((name, bare, _), row)| {
        let ratios = row.iter().zip(&samples[*bare]).map(|(it, bare)| it / bare);
        Row {
            name,
            rate: row.iter().copied().fold(0.0, f64::max),
            ratio: (servers[*bare].0 != *name).then(|| spread(ratios.collect())),
        }
    });
    rows.collect()
}

/// The name, the place of the server without IDs, and what serves for ever.
type Server = (&'static str, usize, fn(SocketAddr));

fn servers() -> Vec<Server> {
    vec![
        ("axum", 0, |at| axum(at, router())),
        ("axum, CorrelationLayer", 0, |at| {
            axum(at, router().layer(CorrelationLayer::new()));
        }),
        ("axum, tower-http pair", 0, |at| {
            axum(at, router().layer(tower_http_pair()));
        }),
        ("actix-web", 3, |at| {
            actix(at, || actix_web::App::new().route("/", actix_handler()));
        }),
        ("actix-web, Correlation", 3, |at| {
            actix(at, || {
                let app = actix_web::App::new().route("/", actix_handler());
                app.wrap(correlation_actix::Correlation::new())
            });
        }),
        ("Rocket", 5, |at| rocket(at, rocket_app())),
        ("Rocket, fairing", 5, |at| {
            rocket(
                at,
                rocket_app().attach(correlation_rocket::Correlation::fairing()),
            );
        }),
        ("warp", 7, |at| {
            runtime().block_on(warp::serve(warp_routes()).run(at));
        }),
        ("warp, correlation_warp::serve", 7, |at| {
            runtime().block_on(correlation_warp::serve(warp_routes()).run(at));
        }),
        ("warp, wrap_fn(correlated)", 7, |at| {
            let routes = warp_routes().with(warp::wrap_fn(correlation_warp::correlated));
            runtime().block_on(warp::serve(routes).run(at));
        }),
    ]
}

fn axum(at: SocketAddr, router: Router) {
    runtime().block_on(async {
        let listener = TcpListener::bind(at).await.expect("a listener");
        axum::serve(listener, router).await.expect("a server");
    });
}

fn actix_handler() -> actix_web::Route {
    actix_web::web::get().to(|| async { "ok" })
}

fn actix<T, B>(at: SocketAddr, app: impl Fn() -> actix_web::App<T> + Clone + Send + 'static)
where
    T: actix_web::dev::ServiceFactory<
            actix_web::dev::ServiceRequest,
            Config = (),
            Response = actix_web::dev::ServiceResponse<B>,
            Error = actix_web::Error,
            InitError = (),
        > + 'static,
    B: actix_web::body::MessageBody + 'static,
{
    actix_web::rt::System::new().block_on(async {
        let server = HttpServer::new(app).workers(1).disable_signals();
        server
            .bind(at)
            .expect("a listener")
            .run()
            .await
            .expect("a server");
    });
}

fn rocket(at: SocketAddr, app: Rocket<Build>) {
    let shutdown = rocket::config::Shutdown {
        ctrlc: false,
        signals: Default::default(),
        ..Default::default()
    };
    let figment = app.figment().clone();
    let figment = figment
        .merge(("address", at.ip()))
        .merge(("port", at.port()));
    let figment = figment.merge(("shutdown", shutdown));
    let launched = runtime().block_on(app.configure(figment).launch());
    drop(launched.expect("a server"));
}

fn runtime() -> Runtime {
    Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
}

/// Runs a server on a thread that ends with the program.
fn start(serve: fn(SocketAddr)) -> SocketAddr {
    let free = StdListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|it| it.local_addr());
    let address = free.expect("a free port");
    thread::spawn(move || serve(address));
    while StdStream::connect(address).is_err() {
        thread::yield_now();
    }
    address
}

/// Requests per second of so many connections that are kept alive, each with one request at a time.
async fn load(address: SocketAddr, time: Duration) -> f64 {
    const CONNECTIONS: usize = 32;

    let start = Instant::now();
    let connections: Vec<_> = (0..CONNECTIONS)
        .map(|_| tokio::spawn(requests(address, start + time)))
        .collect();
    let mut answered = 0;
    for connection in connections {
        answered += connection.await.expect("a connection");
    }
    f64::from(answered) / start.elapsed().as_secs_f64()
}

async fn requests(address: SocketAddr, end: Instant) -> u32 {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    stream.set_nodelay(true).expect("no delay");
    let request = request_text(None);
    let mut buffer = vec![0; 4_096];
    let mut answered = 0;
    while Instant::now() < end {
        stream
            .write_all(request.as_bytes())
            .await
            .expect("a request");
        let mut read = 0;
        while !buffer[..read].ends_with(b"\r\n\r\nok") {
            let more = stream.read(&mut buffer[read..]).await.expect("an answer");
            assert_ne!(more, 0, "the connection is closed");
            read += more;
        }
        answered += 1;
    }
    answered
}
