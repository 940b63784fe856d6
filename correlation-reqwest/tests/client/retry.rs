//! Every attempt of a call has the ID of the call.

use std::time::Duration;

use correlation_core::{scope, sync_scope};
use correlation_reqwest::{Propagate, Propagator};
use correlation_testkit::Recorder;
use reqwest::Client;
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};
use reqwest_retry::RetryTransientMiddleware;
use reqwest_retry::policies::ExponentialBackoff;

use super::{id, sent, traced};

fn retries() -> RetryTransientMiddleware<ExponentialBackoff> {
    let soon = Duration::from_millis(1);
    let policy = ExponentialBackoff::builder().retry_bounds(soon, soon);
    RetryTransientMiddleware::new_with_policy(policy.build_with_max_retries(3))
}

async fn three_attempts(client: ClientWithMiddleware) {
    // Begun in one scope, sent in another: the first one counts for every attempt.
    let server = Recorder::flaky();
    let request = sync_scope(traced(), || client.get(server.url()));
    let response = scope(id("click-2"), request.send()).await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(
        server.ids(),
        [sent("click-1"), sent("click-1"), sent("click-1")]
    );

    let server = Recorder::flaky();
    let request = Client::new().get(server.url()).build().unwrap();
    let response = scope(id("click-1"), client.execute(request)).await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(
        server.ids(),
        [sent("click-1"), sent("click-1"), sent("click-1")]
    );
}

#[tokio::test]
async fn a_retry_outside_of_ours_keeps_the_id() {
    let client = ClientBuilder::new(Client::new())
        .with(retries())
        .propagate();
    three_attempts(client.build()).await;
}

#[tokio::test]
async fn a_retry_inside_of_ours_keeps_the_id() {
    let client = ClientBuilder::new(Client::new())
        .propagate()
        .with(retries());
    three_attempts(client.build()).await;
}

#[tokio::test]
async fn reqwests_own_retries_keep_the_id() {
    let retry = reqwest::retry::for_host("127.0.0.1")
        .no_budget()
        .classify_fn(|attempt| match attempt.status() {
            Some(status) if status.is_server_error() => attempt.retryable(),
            _ => attempt.success(),
        });
    let client = Client::builder().retry(retry);
    three_attempts(client.propagate().unwrap().build()).await;
}

#[tokio::test]
async fn the_middleware_alone_takes_the_id_when_the_request_is_sent() {
    let client = ClientBuilder::new(Client::new())
        .with(retries())
        .with(Propagator::default())
        .build();
    let server = Recorder::flaky();
    let request = sync_scope(id("click-1"), || client.get(server.url()));
    scope(id("click-2"), request.send()).await.unwrap();
    assert_eq!(
        server.ids(),
        [sent("click-2"), sent("click-2"), sent("click-2")]
    );
}
