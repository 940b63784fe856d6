//! Many calls at a time, each in a scope of its own, through one client.

use correlation_core::scope;
use correlation_testkit::Recorder;
use correlation_tower::PropagateLayer;
use tokio::task::JoinSet;
use tower::buffer::BufferLayer;
use tower::{BoxError, ServiceBuilder, ServiceExt};
use tower_http::follow_redirect::FollowRedirectLayer;

use super::{get, hyper, id};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_call_has_the_id_of_another() {
    let server = Recorder::two_hops();
    let client = ServiceBuilder::new()
        .layer(FollowRedirectLayer::new())
        .layer(PropagateLayer::new())
        .layer(BufferLayer::new(8))
        .map_err(BoxError::from)
        .service(hyper());
    let mut calls = JoinSet::new();
    for call in 0..CALLS {
        let request = get(format!("{}first/{call}", server.url()));
        let send = client.clone().oneshot(request);
        calls.spawn(scope(id(&format!("click-{call}")), send));
    }
    for response in calls.join_all().await {
        assert_eq!(response.unwrap().status(), 200);
    }
    server.assert_none_crossed(CALLS);
}

const CALLS: usize = 200;
