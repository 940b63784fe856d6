//! The contract of all adapters, run against Rocket, and what only Rocket has.

mod app;
mod bodies;
mod fairings;
mod local;
mod logs;
mod reject;

use std::net::SocketAddr;

use correlation_rocket::{Correlation, Policy};
use correlation_testkit::{Adapter, Gaps};

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

    fn start(&self, policy: Policy) -> SocketAddr {
        let fairing = Correlation::fairing().policy(policy);
        app::serve((0..self.fairings).fold(app::app(), |app, _| app.attach(fairing.clone())))
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
