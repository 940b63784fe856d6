//! actix-web.

use std::net::SocketAddr;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::middleware::{Compress, Logger, NormalizePath};
use actix_web::{App, Error, HttpServer};
use conformance::actix::routes;
use correlation_actix::Correlation;
use correlation_actix::correlation::Policy;
use correlation_testkit::service::{self, ServiceGaps};
use correlation_testkit::{Adapter, Gaps};

#[test]
fn process() {
    let gaps = ServiceGaps {
        // Its access log.
        info_records: &["127.0.0.1 \"GET /log"],
        debug_records: &["127.0.0.1 \"GET /log"],
        ..ServiceGaps::default()
    };
    service::run(env!("CARGO_BIN_EXE_actix-service"), gaps);
}

#[tokio::test(flavor = "multi_thread")]
async fn contract() {
    correlation_testkit::run(&Actix::Once).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn contract_when_applied_twice() {
    correlation_testkit::run(&Actix::Twice).await;
}

/// With the middleware of actix-web that changes bodies and paths inside, as the README has it.
#[tokio::test(flavor = "multi_thread")]
async fn contract_around_other_middleware() {
    correlation_testkit::run(&Actix::AroundOthers).await;
}

enum Actix {
    Once,
    Twice,
    AroundOthers,
}

impl Adapter for Actix {
    const NAME: &'static str = "actix-web";
    const ROUTE: Option<&'static str> = Some("/empty/{status}");

    fn start(&self, policy: Policy) -> SocketAddr {
        let correlation = Correlation::new().policy(policy);
        let app = || App::new().configure(routes(None));
        match self {
            Self::Once => serve(move || app().wrap(correlation.clone())),
            Self::Twice => serve(move || {
                let app = app().wrap(correlation.clone());
                app.wrap(correlation.clone())
            }),
            Self::AroundOthers => serve(move || {
                app()
                    .wrap(NormalizePath::trim())
                    .wrap(Compress::default())
                    .wrap(Logger::default())
                    .wrap(correlation.clone())
            }),
        }
    }

    fn gaps(&self) -> Gaps {
        Gaps {
            panic_closes_connection: true,
            ..Gaps::default()
        }
    }
}

/// Serves an app in threads of the server, until the process ends.
fn serve<T, B>(app: impl Fn() -> App<T> + Clone + Send + 'static) -> SocketAddr
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
        .workers(2)
        .disable_signals()
        // By default the server does not notice at once that a client has gone.
        .h1_allow_half_closed(false)
        .bind_auto_h2c("127.0.0.1:0")
        .expect("a free port");
    let addr = server.addrs()[0];
    tokio::spawn(server.run());
    addr
}
