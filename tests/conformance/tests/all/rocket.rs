//! Rocket.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::mpsc;

use conformance::rocket::app;
use correlation_rocket::Correlation;
use correlation_rocket::correlation::Policy;
use correlation_testkit::service::{self, ServiceGaps};
use correlation_testkit::{Adapter, Gaps};
use rocket::fairing::AdHoc;

#[test]
fn process() {
    let gaps = ServiceGaps {
        adapter: Rocket { fairings: 1 }.gaps(),
        info_records: &["GET /log", "Matched", "Outcome", "Response succeeded"],
        debug_records: &[
            "GET /log",
            "Matched",
            "Outcome",
            "Response succeeded",
            "sending response",
        ],
        // Before any fairing.
        early_records: &["received request"],
        shutdown_records: &["Shutdown requested", "Graceful shutdown"],
    };
    service::run(env!("CARGO_BIN_EXE_rocket-service"), gaps);
}

#[tokio::test(flavor = "multi_thread")]
async fn contract() {
    correlation_testkit::run(&Rocket { fairings: 1 }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn contract_with_the_fairing_attached_twice() {
    correlation_testkit::run(&Rocket { fairings: 2 }).await;
}

struct Rocket {
    fairings: usize,
}

impl Adapter for Rocket {
    const NAME: &'static str = "rocket";
    const ROUTE: Option<&'static str> = Some("/empty/<status>");

    fn start(&self, policy: Policy) -> SocketAddr {
        let fairing = Correlation::fairing().policy(policy);
        let (lifted_off, listens) = mpsc::channel();
        let announce = AdHoc::on_liftoff("port", move |rocket| {
            let sent = lifted_off.send(rocket.config().port);
            Box::pin(async move { sent.expect("somebody waits for it") })
        });
        let app = app((Ipv4Addr::LOCALHOST, 0).into(), None).attach(announce);
        let app = (0..self.fairings).fold(app, |app, _| app.attach(fairing.clone()));
        tokio::spawn(app.launch());
        let port = tokio::task::block_in_place(|| listens.recv());
        (Ipv4Addr::LOCALHOST, port.expect("it lifts off")).into()
    }

    fn gaps(&self) -> Gaps {
        Gaps {
            handler_not_cancelled: true,
            wrong_method_is_404: true,
            bad_query_is_422: true,
            drops_non_utf8_headers: true,
            ..Gaps::default()
        }
    }
}
