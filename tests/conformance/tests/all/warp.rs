//! warp: both forms of the adapter.

use std::convert::Infallible;
use std::net::SocketAddr;

use conformance::warp::routes;
use correlation_testkit::service::{self, ServiceGaps};
use correlation_testkit::{Adapter, Gaps, listen};
use correlation_warp::correlated_with;
use correlation_warp::correlation::Policy;
use warp::filters::BoxedFilter;
use warp::http::StatusCode;
use warp::reject::{InvalidQuery, MethodNotAllowed};
use warp::{Filter, Rejection, Reply};

#[test]
fn process() {
    let gaps = ServiceGaps {
        adapter: Form::Serve.gaps(),
        ..ServiceGaps::default()
    };
    service::run(env!("CARGO_BIN_EXE_warp-service"), gaps);
}

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
    println!("warp, {form:?}: {} comparisons", report.compared());
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
    // warp tells nobody which filters have matched.
    const ROUTE: Option<&'static str> = None;

    fn start(&self, policy: Policy) -> SocketAddr {
        let (listener, addr) = listen();
        let routes = routes(None);
        match self {
            Self::Serve => {
                let server = correlation_warp::serve(routes).policy(policy);
                tokio::spawn(server.incoming(listener).run());
            }
            Self::Filter => {
                let routes = correlated_with(policy, recovered(routes));
                tokio::spawn(warp::serve(routes).incoming(listener).run());
            }
            Self::FilterTwice => {
                let inner = correlated_with(policy.clone(), recovered(routes));
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

/// The routes, with an answer to every rejection.
fn recovered(
    routes: BoxedFilter<(impl Reply + 'static,)>,
) -> impl Filter<Extract = (impl Reply,), Error = Infallible> + Clone {
    routes.recover(async |rejection: Rejection| {
        let status = if rejection.find::<InvalidQuery>().is_some() {
            StatusCode::BAD_REQUEST
        } else if rejection.find::<MethodNotAllowed>().is_some() {
            StatusCode::METHOD_NOT_ALLOWED
        } else if rejection.is_not_found() {
            StatusCode::NOT_FOUND
        } else {
            StatusCode::INTERNAL_SERVER_ERROR
        };
        Ok::<_, Infallible>(status)
    })
}
