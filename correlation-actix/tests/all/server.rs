//! How a test serves an app.

use std::net::SocketAddr;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::web::{Bytes, ServiceConfig, resource};
use actix_web::{App, Error, HttpResponse, HttpServer};
use correlation_testkit::app;
use futures_util::StreamExt;

/// Serves an app in one thread, until the process ends.
pub(crate) fn serve<T, B>(app: impl Fn() -> App<T> + Clone + Send + 'static) -> SocketAddr
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
    let server = HttpServer::new(app)
        .workers(1)
        .disable_signals()
        .bind_auto_h2c("127.0.0.1:0")
        .unwrap();
    let addr = server.addrs()[0];
    tokio::spawn(server.run());
    addr
}

pub(crate) fn routes(app: &mut ServiceConfig) {
    app.service(resource("/id").get(async || app::id()))
        .service(resource("/stream").get(stream))
        .service(resource("/panic").get(panic));
}

async fn stream() -> HttpResponse {
    let lines = app::stream(3).map(|line| Ok::<_, Error>(Bytes::from(line)));
    HttpResponse::Ok().streaming(lines)
}

async fn panic() -> String {
    panic!("boom")
}
