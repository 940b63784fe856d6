//! The contract app, and how a test serves an app.

use std::net::{SocketAddr, TcpListener};

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::error::ErrorInternalServerError;
use actix_web::web::{Bytes, Json, Payload, Query, ServiceConfig, resource};
use actix_web::{App, Error, HttpRequest, HttpResponse, HttpServer, Responder, rt};
use correlation_actix::{CurrentId, InCurrent};
use correlation_testkit::probe::{self, HangQuery};
use correlation_testkit::{CORRELATION_ID, OWN_HEADERS};
use futures_util::{Stream, StreamExt};
use service_common::answers::{self, SleepyQuery, StreamQuery};

/// Serves an app in threads of its own, until the process ends.
pub(crate) fn serve<T, B>(
    workers: usize,
    app: impl Fn() -> App<T> + Clone + Send + 'static,
) -> SocketAddr
where
    T: ServiceFactory<
            ServiceRequest,
            Config = (),
            Response = ServiceResponse<B>,
            Error = Error,
            InitError = (),
        > + 'static,
    B: MessageBody + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    let server = HttpServer::new(app)
        .workers(workers)
        .disable_signals()
        // By default the server does not notice at once that a client has gone.
        .h1_allow_half_closed(false)
        .listen_auto_h2c(listener)
        .unwrap()
        .run();
    tokio::spawn(server);
    addr
}

pub(crate) fn routes(app: &mut ServiceConfig) {
    app.service(resource("/id").get(async || answers::id()))
        .service(resource("/extract").get(async |id: CurrentId| id.to_string()))
        .service(resource("/inbound").get(async || Json(answers::inbound())))
        .service(resource("/sleepy").get(sleepy))
        .service(resource("/stream").get(stream))
        .service(resource("/spawn").get(async || Json(answers::spawned().await)))
        .service(resource("/seen").get(seen))
        .service(resource("/own").get(own))
        .service(resource("/fail").get(fail))
        .service(resource("/panic").get(panic))
        .service(resource("/ws").get(websocket))
        .service(resource("/hang").get(hang))
        .service(resource("/hang-stream").get(hang_stream));
}

async fn sleepy(Query(query): Query<SleepyQuery>) -> impl Responder {
    Json(answers::sleepy(query.steps, query.ms).await)
}

async fn stream(Query(query): Query<StreamQuery>) -> impl Responder {
    streamed(answers::stream(query.chunks))
}

async fn seen(request: HttpRequest) -> impl Responder {
    let lines = request.headers().get_all(CORRELATION_ID);
    let lines: Vec<_> = lines
        .map(|line| String::from_utf8_lossy(line.as_bytes()))
        .collect();
    if lines.is_empty() {
        "none".to_owned()
    } else {
        lines.join(", ")
    }
}

async fn own() -> impl Responder {
    let mut response = HttpResponse::Ok();
    for header in OWN_HEADERS {
        response.append_header(header);
    }
    response.body(answers::id())
}

async fn fail() -> Result<String, Error> {
    Err(ErrorInternalServerError("out of order"))
}

async fn panic() -> String {
    panic!("boom")
}

async fn websocket(request: HttpRequest, body: Payload) -> Result<impl Responder, Error> {
    let (response, mut session, mut messages) = actix_ws::handle(&request, body)?;
    let task = async move {
        while let Some(Ok(message)) = messages.recv().await {
            if matches!(message, actix_ws::Message::Text(_))
                && session.text(answers::id()).await.is_err()
            {
                break;
            }
        }
    };
    rt::spawn(task.in_current());
    Ok(response)
}

async fn hang(Query(query): Query<HangQuery>) -> impl Responder {
    probe::hang(&query.name).await
}

async fn hang_stream(Query(query): Query<HangQuery>) -> impl Responder {
    streamed(probe::hang_stream(&query.name))
}

fn streamed(lines: impl Stream<Item = String> + 'static) -> HttpResponse {
    HttpResponse::Ok().streaming(lines.map(|line| Ok::<_, Error>(Bytes::from(line))))
}
