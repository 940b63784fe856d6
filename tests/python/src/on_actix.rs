//! The service on actix-web.

use std::io;

use actix_web::error::ErrorBadGateway;
use actix_web::web::{self, Data, Path};
use actix_web::{App, HttpServer};
use correlation_actix::Correlation;
use service_common::{Config, announce, terminated};

use crate::downstream::Downstream;

#[actix_web::main]
pub(crate) async fn run(config: Config) -> io::Result<()> {
    let correlation = Correlation::new().policy(config.policy());
    let downstream = Data::new(Downstream::new(config.downstream));
    let server = HttpServer::new(move || {
        App::new()
            .app_data(downstream.clone())
            .route("/hop/{purchase}", web::get().to(hop))
            .wrap(correlation.clone())
    })
    .shutdown_signal(terminated())
    .bind(config.listen)?;
    server.addrs().into_iter().for_each(announce);
    server.run().await
}

async fn hop(downstream: Data<Downstream>, purchase: Path<String>) -> actix_web::Result<String> {
    let answer = downstream.hop("actix", &purchase).await;
    answer.map_err(|error| {
        tracing::error!(%error, "no answer for {purchase}");
        ErrorBadGateway("the call failed")
    })
}
