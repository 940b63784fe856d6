//! The contract of every adapter, and what only actix-web has.

mod app;
mod bodies;
mod errors;
mod panics;

use std::net::SocketAddr;

use actix_web::App;
use correlation_actix::{Correlation, Policy};
use correlation_testkit::{Adapter, Gaps};

struct Once;

impl Adapter for Once {
    const NAME: &'static str = "actix-web";

    fn start(&self, policy: Policy) -> SocketAddr {
        let correlation = Correlation::new().policy(policy);
        app::serve(2, move || {
            App::new().configure(app::routes).wrap(correlation.clone())
        })
    }

    fn gaps(&self) -> Gaps {
        Gaps {
            panic_closes_connection: true,
            ..Gaps::default()
        }
    }
}

struct Twice;

impl Adapter for Twice {
    const NAME: &'static str = "actix-web, applied twice";

    fn start(&self, policy: Policy) -> SocketAddr {
        let correlation = Correlation::new().policy(policy);
        app::serve(2, move || {
            App::new()
                .configure(app::routes)
                .wrap(correlation.clone())
                .wrap(correlation.clone())
        })
    }

    fn gaps(&self) -> Gaps {
        Once.gaps()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn contract() {
    correlation_testkit::run(&Once).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn contract_when_applied_twice() {
    correlation_testkit::run(&Twice).await;
}
