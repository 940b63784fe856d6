//! axum.

use std::future::pending;
use std::net::SocketAddr;

use conformance::axum::{app, serve};
use correlation_axum::CorrelationLayer;
use correlation_axum::correlation::Policy;
use correlation_testkit::service::{self, ServiceGaps};
use correlation_testkit::{Adapter, listen};
use tower_http::compression::CompressionLayer;
use tower_http::trace::TraceLayer;

#[test]
fn process() {
    service::run(env!("CARGO_BIN_EXE_axum-service"), ServiceGaps::default());
}

#[tokio::test(flavor = "multi_thread")]
async fn contract() {
    correlation_testkit::run(&Axum::Once).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn contract_with_the_layer_applied_twice() {
    correlation_testkit::run(&Axum::Twice).await;
}

/// With the layers inside that change bodies and requests.
#[tokio::test(flavor = "multi_thread")]
async fn contract_around_other_layers() {
    correlation_testkit::run(&Axum::AroundOthers).await;
}

enum Axum {
    Once,
    Twice,
    AroundOthers,
}

impl Adapter for Axum {
    const NAME: &'static str = "axum";
    const ROUTE: Option<&'static str> = Some("/empty/{status}");

    fn start(&self, policy: Policy) -> SocketAddr {
        let layer = CorrelationLayer::new().policy(policy);
        let app = match self {
            Self::Once => app(None),
            Self::Twice => app(None).layer(layer.clone()),
            Self::AroundOthers => app(None)
                .layer(CompressionLayer::new())
                .layer(TraceLayer::new_for_http()),
        };
        let (listener, addr) = listen();
        tokio::spawn(serve(listener, app.layer(layer), pending()));
        addr
    }
}
