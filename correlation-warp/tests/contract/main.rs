//! The contract of all adapters, run against both forms, and what is warp's own.

mod app;
mod filters;
mod nested;
mod server;

use std::net::SocketAddr;

use correlation_testkit::{Adapter, Gaps};
use correlation_warp::{Policy, correlated_with};

#[tokio::test(flavor = "multi_thread")]
async fn contract_of_serve() {
    correlation_testkit::run(&Form::Serve).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn contract_of_correlated() {
    assert_only_rewriting_fails(&Form::Filter).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn contract_of_correlated_twice() {
    assert_only_rewriting_fails(&Form::FilterTwice).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn contract_of_correlated_in_serve() {
    correlation_testkit::run(&Form::FilterInServe).await;
}

/// A filter cannot change the request, and the contract knows no such gap.
async fn assert_only_rewriting_fails(form: &Form) {
    let report = correlation_testkit::check(form).await;
    let (rewriting, others): (Vec<_>, Vec<_>) = report
        .failures()
        .iter()
        .partition(|failure| failure.starts_with("rewrite_request"));
    assert!(others.is_empty(), "{form:?}: {others:#?}");
    assert_eq!(rewriting.len(), 5, "{form:?}: {rewriting:#?}");
    assert!(report.compared() > 1000, "{form:?}: {}", report.compared());
}

#[derive(Debug)]
enum Form {
    Serve,
    Filter,
    FilterTwice,
    FilterInServe,
}

impl Adapter for Form {
    const NAME: &'static str = "warp";

    fn start(&self, policy: Policy) -> SocketAddr {
        let (listener, addr) = server::listen();
        let routes = app::routes();
        match self {
            Self::Serve => {
                let server = correlation_warp::serve(routes).policy(policy);
                tokio::spawn(server.incoming(listener).run());
            }
            Self::Filter => {
                let routes = correlated_with(policy, app::recovered(routes));
                tokio::spawn(warp::serve(routes).incoming(listener).run());
            }
            Self::FilterTwice => {
                let inner = correlated_with(policy.clone(), app::recovered(routes));
                let routes = correlated_with(policy, inner);
                tokio::spawn(warp::serve(routes).incoming(listener).run());
            }
            Self::FilterInServe => {
                let inner = correlated_with(policy.clone(), routes);
                let server = correlation_warp::serve(inner).policy(policy);
                tokio::spawn(server.incoming(listener).run());
            }
        }
        addr
    }

    fn gaps(&self) -> Gaps {
        Gaps {
            panic_closes_connection: true,
            cancelled_handler_reads_none: matches!(self, Self::Filter | Self::FilterTwice),
            ..Gaps::default()
        }
    }
}
