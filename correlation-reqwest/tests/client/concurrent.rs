//! Many calls at a time, each in a scope of its own, through one client.

use correlation_core::{scope, sync_scope};
use correlation_reqwest::Propagate;
use correlation_testkit::Recorder;
use reqwest::Client;
use tokio::task::JoinSet;

use super::id;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_call_has_the_id_of_another() {
    let server = Recorder::two_hops();
    let client = Client::builder().propagate().unwrap().build();
    let mut calls = JoinSet::new();
    for call in 0..CALLS {
        let url = format!("{}first/{call}", server.url());
        let own = id(&format!("click-{call}"));
        // Half of them take the ID when they are begun, half when they are sent.
        if call % 2 == 0 {
            calls.spawn(sync_scope(own, || client.get(url)).send());
        } else {
            calls.spawn(scope(own, client.get(url).send()));
        }
    }
    for response in calls.join_all().await {
        assert_eq!(response.unwrap().status(), 200);
    }
    server.assert_none_crossed(CALLS);
}

const CALLS: usize = 200;
