//! The contract app on actix-web.

use std::fmt;
use std::io;
use std::panic::AssertUnwindSafe;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::ErrorInternalServerError;
use actix_web::http::StatusCode;
use actix_web::middleware::{Logger, Next, from_fn};
use actix_web::web::{Bytes, Data, Json, Path, Payload, Query, ServiceConfig, resource};
use actix_web::{App, Error, HttpRequest, HttpResponse, HttpServer, ResponseError, rt};
use actix_ws::{Message, MessageStream, Session};
use awc::Client;
use correlation_actix::correlation::InCurrent;
use correlation_actix::{Correlation, CurrentId, Propagate};
use correlation_testkit::app::{self, Params};
use correlation_testkit::{CORRELATION_ID, probe};
use futures_util::{FutureExt, Stream, StreamExt};
use service_common::{Config, announce, terminated};

use crate::outbound::{Call, Failed, url};

/// The process.
///
/// # Errors
///
/// If the address cannot be listened on.
pub async fn run(config: Config) -> io::Result<()> {
    let correlation = Correlation::new().policy(config.policy());
    let server = HttpServer::new(move || {
        App::new()
            .configure(routes(config.downstream.clone()))
            // Inside of `Correlation`, so that the 500 after a panic has the ID.
            .wrap(from_fn(catch_panic))
            .wrap(Logger::default())
            .wrap(correlation.clone())
    })
    // By itself actix-web hears SIGTERM only once it runs: too late for one that is sent as soon
    // as the address is known.
    .shutdown_signal(terminated())
    // An open WebSocket would hold up the end for half a minute.
    .shutdown_timeout(5)
    .bind_auto_h2c(config.listen)?;
    server.addrs().into_iter().for_each(announce);
    server.run().await
}

/// The app without a middleware.
pub fn routes(downstream: Option<String>) -> impl FnOnce(&mut ServiceConfig) {
    move |app| {
        // Each worker thread has a client of its own.
        let client = Client::builder().wrap(Propagate::new()).finish();
        app.app_data(Data::new(Outbound { client, downstream }))
            .service(resource("/id").get(async || app::id()))
            .service(resource("/extract").get(async |id: CurrentId| id.to_string()))
            .service(resource("/inbound").get(async || Json(app::inbound())))
            .service(resource("/sleepy").get(sleepy))
            .service(resource("/stream").get(stream))
            .service(resource("/spawn").get(async || Json(app::spawned().await)))
            .service(resource("/log").get(log))
            .service(resource("/relay").get(relay))
            .service(resource("/test").post(test))
            .service(resource("/seen").get(seen))
            .service(resource("/own").get(own))
            .service(resource("/opaque").get(opaque))
            .service(resource("/empty/{status}").get(empty))
            .service(resource("/fail").get(fail))
            .service(resource("/panic").get(panic))
            .service(resource("/ws").get(websocket))
            .service(resource("/hang").get(hang))
            .service(resource("/hang-stream").get(hang_stream));
    }
}

async fn sleepy(Query(params): Query<Params>) -> Json<Vec<String>> {
    Json(app::sleepy(params.steps, params.ms).await)
}

async fn stream(Query(params): Query<Params>) -> HttpResponse {
    streamed(app::stream(params.chunks))
}

async fn log(Query(params): Query<Params>) -> String {
    app::log_lines(params.n, &params.say)
}

/// What outbound calls need.
struct Outbound {
    client: Client,
    downstream: Option<String>,
}

async fn relay(
    outbound: Data<Outbound>,
    Query(params): Query<Params>,
) -> Result<HttpResponse, Failed> {
    let url = url(outbound.downstream.as_deref(), &params.path)?;
    let mut answer = outbound.client.get(url).send().await?;
    let body = answer.body().await?;
    Ok(HttpResponse::build(answer.status()).body(body))
}

async fn test(
    outbound: Data<Outbound>,
    Json(calls): Json<Vec<Call>>,
) -> Result<Json<[(); 0]>, Failed> {
    for Call { url, arguments } in calls {
        outbound.client.post(url).send_json(&arguments).await?;
    }
    Ok(Json([]))
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.1)
    }
}

impl ResponseError for Failed {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.0).unwrap_or_default()
    }
}

async fn seen(request: HttpRequest) -> String {
    app::seen(request.headers().get_all(CORRELATION_ID))
}

async fn own() -> HttpResponse {
    let mut response = HttpResponse::Ok();
    for header in app::OWN_HEADERS {
        response.append_header(header);
    }
    response.body(app::id())
}

async fn opaque() -> HttpResponse {
    let (name, value) = app::OPAQUE_HEADER;
    HttpResponse::Ok()
        .insert_header((name, value.as_bytes()))
        .body(app::id())
}

async fn empty(status: Path<u16>) -> Result<HttpResponse, Failed> {
    Ok(HttpResponse::build(StatusCode::from_u16(*status)?).finish())
}

async fn fail() -> Result<String, Error> {
    Err(ErrorInternalServerError("out of order"))
}

async fn panic() -> String {
    panic!("boom")
}

/// Answers 500 where actix-web by itself closes the connection.
async fn catch_panic(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let inner = AssertUnwindSafe(async { next.call(request).await });
    inner.catch_unwind().await.unwrap_or_else(|_| {
        tracing::error!("the handler panicked");
        Err(ErrorInternalServerError("internal error"))
    })
}

async fn websocket(request: HttpRequest, body: Payload) -> Result<HttpResponse, Error> {
    let (response, session, messages) = actix_ws::handle(&request, body)?;
    // The task outlives this function: `in_current` takes the ID along.
    rt::spawn(converse(session, messages).in_current());
    Ok(response)
}

async fn converse(mut session: Session, mut messages: MessageStream) {
    while let Some(Ok(message)) = messages.recv().await {
        let answered = match message {
            Message::Text(_) => session.text(app::id()).await,
            Message::Ping(payload) => session.pong(&payload).await,
            Message::Close(_) => break,
            _ => Ok(()),
        };
        if answered.is_err() {
            return;
        }
    }
    // The client may have gone before.
    let _ = session.close(None).await;
}

async fn hang(Query(params): Query<Params>) -> String {
    probe::hang(&params.name).await
}

async fn hang_stream(Query(params): Query<Params>) -> HttpResponse {
    streamed(probe::hang_stream(&params.name))
}

fn streamed(lines: impl Stream<Item = String> + 'static) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/plain; charset=utf-8")
        .streaming(lines.map(|line| Ok::<_, Error>(Bytes::from(line))))
}
