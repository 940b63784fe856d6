//! What the access record says where the answer is not simply a handler's.

use std::io;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response};
use correlation_axum::CorrelationLayer;
use correlation_core::{Policy, tag};
use correlation_testkit::{CORRELATION_ID, Capture, app};
use serde_json::{Map, Value, json};
use tower::{Layer, ServiceExt, service_fn};
use tracing::subscriber::{DefaultGuard, set_default};
use warp::Filter;

/// Keeps what this thread logs while the guard lives.
fn listen() -> (Capture, DefaultGuard) {
    let log = Capture::default();
    let subscriber = tracing_subscriber::fmt().json();
    let subscriber = subscriber.with_writer(tag(log.clone())).finish();
    (log, set_default(subscriber))
}

/// The level and these fields of each access record, in order.
fn records(log: &Capture, names: &[&str]) -> Value {
    let records = log.records();
    let access = records.iter().filter(|record| record["target"] == "access");
    let of = |record: &Value| {
        let fields = names.iter().filter_map(|name| {
            let value = record["fields"].get(name)?;
            Some(((*name).to_owned(), value.clone()))
        });
        let mut fields: Map<_, _> = fields.collect();
        fields.insert("level".to_owned(), record["level"].clone());
        Value::Object(fields)
    };
    access.map(of).collect()
}

fn recording() -> Policy {
    Policy::new().access_record(true)
}

fn get(path: &str) -> Request<Body> {
    Request::get(path).body(Body::empty()).unwrap()
}

#[tokio::test]
async fn a_service_that_returns_an_error_has_failed() {
    let (log, _guard) = listen();
    let broken = async |_: Request<Body>| Err::<Response<Body>, _>(io::Error::other("no database"));
    let layer = CorrelationLayer::new().policy(recording());
    let result = layer
        .layer(service_fn(broken))
        .oneshot(get("/orders"))
        .await;
    assert!(result.is_err());
    let record = json!([{ "level": "WARN", "path": "/orders", "outcome": "failed" }]);
    assert_eq!(records(&log, &["path", "status", "outcome"]), record);
}

#[tokio::test]
async fn a_nested_router_of_axum_tells_the_whole_path() {
    let (log, _guard) = listen();
    let layer = CorrelationLayer::new().policy(recording());
    let inner = Router::new().route("/orders/{id}", axum::routing::get(async || "an order"));
    let router = Router::new().nest("/api", inner.layer(layer));
    router
        .oneshot(get("/api/orders/7?token=secret"))
        .await
        .unwrap();
    let record = json!([{ "level": "INFO", "path": "/api/orders/7", "route": "/api/orders/{id}" }]);
    assert_eq!(records(&log, &["path", "route"]), record);
}

#[tokio::test]
async fn routes_of_warp_that_do_not_match_leave_the_record_to_those_that_do() {
    let (log, _guard) = listen();
    let wrapped = |routes| correlation_warp::correlated_with(recording(), routes);
    let (a, b) = (warp::path("a").boxed(), warp::path("b").boxed());
    let routes = wrapped(a.map(app::id).boxed()).or(wrapped(b.map(app::id).boxed()));
    for (path, status) in [("/b", 200), ("/c", 404), ("/a", 200)] {
        let reply = warp::test::request().path(path).reply(&routes).await;
        assert_eq!(reply.status(), status);
    }
    let completed =
        |path| json!({ "level": "INFO", "path": path, "status": 200, "outcome": "completed" });
    assert_eq!(
        records(&log, &["path", "status", "outcome"]),
        json!([completed("/b"), completed("/a")])
    );
}

#[tokio::test]
async fn the_status_is_that_of_the_answer_which_an_error_of_actix_makes() {
    use actix_web::middleware::from_fn;
    use actix_web::test::{TestRequest, init_service};
    use actix_web::{App, HttpResponse, ResponseError, dev::Service};

    /// It answers 404, and has the default status of errors.
    #[derive(Debug)]
    struct Gone;

    impl std::fmt::Display for Gone {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("gone")
        }
    }

    impl ResponseError for Gone {
        fn error_response(&self) -> HttpResponse {
            HttpResponse::NotFound().finish()
        }
    }

    let (log, _guard) = listen();
    let app = App::new()
        .wrap(from_fn(async |_, _| {
            Err::<actix_web::dev::ServiceResponse, _>(Gone.into())
        }))
        .wrap(correlation_actix::Correlation::new().policy(recording()));
    let app = init_service(app).await;
    let error = app.call(TestRequest::get().to_request()).await.unwrap_err();
    assert_eq!(records(&log, &[]), json!([]), "nobody has answered yet");
    assert_eq!(error.error_response().status(), 404);
    let answered = json!({ "level": "INFO", "status": 404, "outcome": "completed" });
    assert_eq!(records(&log, &["status", "outcome"]), json!([answered]));

    // Another middleware may answer in its place.
    drop(app.call(TestRequest::get().to_request()).await);
    drop(error);
    let other = json!({ "level": "WARN", "status": 500, "outcome": "completed" });
    assert_eq!(
        records(&log, &["status", "outcome"]),
        json!([answered, other])
    );
}

#[tokio::test]
async fn a_file_of_rocket_is_sent_when_it_has_been_read() {
    use rocket::fs::NamedFile;
    use rocket::http::Header;
    use rocket::local::asynchronous::Client;
    use rocket::tokio::io::AsyncReadExt;

    #[rocket::get("/file")]
    async fn file() -> NamedFile {
        NamedFile::open(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
            .await
            .unwrap()
    }

    let (log, _guard) = listen();
    let fairing = correlation_rocket::Correlation::fairing().policy(recording());
    let rocket = rocket::build()
        .mount("/", rocket::routes![file])
        .attach(fairing);
    let client = Client::untracked(rocket).await.unwrap();
    let size = std::fs::metadata(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
        .unwrap()
        .len();

    let request = client
        .get("/file")
        .header(Header::new(CORRELATION_ID, "click-1"));
    let mut response = request.dispatch().await;
    assert_eq!(response.body().preset_size(), usize::try_from(size).ok());
    response.read_exact(&mut [0; 10]).await.unwrap();
    assert_eq!(records(&log, &[]), json!([]), "most of it is not sent");
    drop(response);
    let whole = client
        .get("/file")
        .dispatch()
        .await
        .into_bytes()
        .await
        .unwrap();
    assert_eq!(whole.len() as u64, size);
    assert_eq!(
        records(&log, &["bytes", "outcome"]),
        json!([
            { "level": "INFO", "bytes": 10, "outcome": "client_gone" },
            { "level": "INFO", "bytes": size, "outcome": "completed" },
        ])
    );
}
