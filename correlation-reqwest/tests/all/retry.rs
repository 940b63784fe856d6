//! Every attempt of a call has the ID of the call.

use std::time::Duration;

use correlation_core::{Targets, scope};
use correlation_reqwest::{Propagate, Propagator};
use correlation_testkit::client_contract::{self, Client as _, Error, Redirects, Takes};
use correlation_testkit::{Recorder, id};
use reqwest::Client;
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware, RequestBuilder};
use reqwest_retry::RetryTransientMiddleware;
use reqwest_retry::policies::ExponentialBackoff;

/// A client that tries again, in one of these ways.
struct Retrying<const WAY: u8>(ClientWithMiddleware);

const OUTSIDE: u8 = 0;
const INSIDE: u8 = 1;
const OWN: u8 = 2;
/// The middleware without its initialiser knows nothing of where a request is begun.
const UNINITIALISED: u8 = 3;

impl<const WAY: u8> client_contract::Client for Retrying<WAY> {
    const TAKES: Takes = match WAY {
        UNINITIALISED => Takes::Sent,
        _ => Takes::SentOrBegun,
    };
    const REDIRECTS: Redirects = Redirects::Among;

    type Request = RequestBuilder;

    fn new(targets: Targets) -> Self {
        let plain = ClientBuilder::new(Client::new());
        let client = match WAY {
            OUTSIDE => plain.with(retries()).propagate_to(targets),
            INSIDE => plain.propagate_to(targets).with(retries()),
            OWN => Client::builder()
                .retry(reqwests_own())
                .propagate_to(targets)
                .unwrap(),
            _ => plain.with(retries()).with(Propagator::new(targets)),
        };
        Self(client.build())
    }

    fn begin(&self, url: &str, _: &[(&'static str, &'static str)]) -> RequestBuilder {
        self.0.get(url)
    }

    fn again(request: &RequestBuilder) -> RequestBuilder {
        request.try_clone().unwrap()
    }

    async fn send(request: RequestBuilder) -> Result<u16, Error> {
        Ok(request.send().await?.status().as_u16())
    }
}

fn retries() -> RetryTransientMiddleware<ExponentialBackoff> {
    let soon = Duration::from_millis(1);
    let policy = ExponentialBackoff::builder().retry_bounds(soon, soon);
    RetryTransientMiddleware::new_with_policy(policy.build_with_max_retries(3))
}

fn reqwests_own() -> reqwest::retry::Builder {
    reqwest::retry::for_host("127.0.0.1")
        .no_budget()
        .classify_fn(|attempt| match attempt.status() {
            Some(status) if status.is_server_error() => attempt.retryable(),
            _ => attempt.success(),
        })
}

async fn every_attempt_has_the_id<const WAY: u8>() {
    client_contract::run_retries::<Retrying<WAY>>().await;

    let server = Recorder::flaky();
    let Retrying(client) = Retrying::<WAY>::new(Targets::all());
    let request = Client::new().get(server.url()).build().unwrap();
    let response = scope(id("click-1"), client.execute(request)).await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(server.ids(), ["click-1"; 3]);
}

#[tokio::test]
async fn of_retries_outside_of_ours() {
    every_attempt_has_the_id::<OUTSIDE>().await;
}

#[tokio::test]
async fn of_retries_inside_of_ours() {
    every_attempt_has_the_id::<INSIDE>().await;
}

#[tokio::test]
async fn of_reqwests_own_retries() {
    every_attempt_has_the_id::<OWN>().await;
}

#[tokio::test]
async fn of_retries_outside_of_the_middleware_alone() {
    every_attempt_has_the_id::<UNINITIALISED>().await;
}
